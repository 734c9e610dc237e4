"""No secret, and no password in an address, appears in anything that is said or shown."""

import json
import pickle
import traceback
from dataclasses import asdict
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.cli.config import config
from service.settings import Settings, SettingsFault, load

_CANARY = "CANARY0123456789abcdefghijklmnop"
_SECRETS = {
    "VESTIBULE_SECRET_KEY": _CANARY,
    "VESTIBULE_DATABASE_URL": f"postgres://vst:{_CANARY}@db/vst?password={_CANARY}",
    "VESTIBULE_REDIS_URL": f"redis://:{_CANARY}@redis:6379/0",
}
_UNFIT = {
    "VESTIBULE_SECRET_KEY": f"{_CANARY}\nCANARY",
    "VESTIBULE_DATABASE_URL": f"mysql://vst:{_CANARY}@db/vst",
    "VESTIBULE_REDIS_URL": f"redis://:{_CANARY}/@redis:6379/0",
    "VESTIBULE_PUBLIC_URL": f"https://me:{_CANARY}@login.example.org",
    "VESTIBULE_ACCESS__RETURN_ORIGINS": f"https://me:{_CANARY}@wiki.example.org",
    "VESTIBULE_SECRETKEY": _CANARY,
    "VESTIBULE_SECRETKEY_FILE": _CANARY,
    "VESTIBULE_SERVER__LISTEN": f"redis://:{_CANARY}@redis:6379",
}


class _Operator:
    """Hands out settings of a given environment, as the root command does of the real one."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ

    @property
    def settings(self) -> Settings:
        return load(self.environ)


@pytest.fixture(params=["itself", "file", "toml"])
def secrets(request: pytest.FixtureRequest, tmp_path: Path, usual_config: Path) -> dict[str, str]:
    """Return an environment that holds the secrets in one of the three ways."""
    if request.param == "itself":
        return _SECRETS
    if request.param == "toml":
        usual_config.write_text(
            "".join(f"{n.removeprefix('VESTIBULE_').lower()} = {json.dumps(v)}\n" for n, v in _SECRETS.items())
        )
        return {}
    for name, value in _SECRETS.items():
        (tmp_path / name).write_text(value)
    return {f"{name}_FILE": str(tmp_path / name) for name in _SECRETS}


def test_settings_do_not_show_their_secrets(secrets: dict[str, str]) -> None:
    """However settings are printed, formatted or dumped, the secrets stay inside."""
    settings = load(secrets)

    shown = [
        repr(settings),
        str(settings),
        f"{settings}",
        repr(asdict(settings)),
        json.dumps(asdict(settings), default=str),
    ]
    shown += [repr(settings.warnings), repr(settings.origins)]

    assert "CANARY" not in "\n".join(shown)


@pytest.mark.parametrize("command", [["show"], ["show", "--json"], ["check"], ["check", "--json"]])
def test_commands_do_not_show_secrets(secrets: dict[str, str], command: list[str]) -> None:
    """`config show` and `config check` print the host of a store, and no password."""
    result = CliRunner().invoke(config, command, obj=_Operator(secrets))

    assert result.exception is None
    assert "CANARY" not in result.output


def test_faults_do_not_show_secrets(usual_config: Path) -> None:
    """Every invalid value that is or could hold a secret is refused by name alone, traceback included."""
    usual_config.write_text(f"secret_keys = '{_CANARY}'\n[server]\nsocket = 'unix://:{_CANARY}@x'\n")

    with pytest.raises(SettingsFault) as refused:
        load(_UNFIT)

    assert len(refused.value.faults) == len(_UNFIT) + 2
    said = [
        "".join(traceback.format_exception(refused.value)),
        repr(refused.value),
        str(pickle.dumps(refused.value.args)),
    ]
    assert "CANARY" not in "\n".join(said + refused.value.faults)
    assert refused.value.__context__ is None


def test_invalid_secrets_in_files_are_not_shown(tmp_path: Path) -> None:
    """A file of the wrong content is named; the content is not."""
    path = tmp_path / "secret"
    path.write_text("CANARY")

    with pytest.raises(SettingsFault) as refused:
        load({f"{name}_FILE": str(path) for name in _SECRETS})

    assert len(refused.value.faults) == len(_SECRETS)
    assert "CANARY" not in str(refused.value)
    assert "it is" not in str(refused.value)
