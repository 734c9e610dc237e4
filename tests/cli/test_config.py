"""`vestibule config check` and `vestibule config show`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli.config import config
from service.settings import CATALOGUE, Settings, SettingsFault, load, sources
from tests.rig.parts import ROOT

_LINK = {"VESTIBULE_PORT": "tcp://10.96.14.7:8080"}
_LOADED = """
import sys
from service.app import main
sys.argv[1:] = ["config", "check"]
try:
    main()
finally:
    print(*sys.modules)
"""


class _Operator:
    """Hands out settings of a given environment, as the root command does of the real one."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ

    @property
    def settings(self) -> Settings:
        return load(self.environ)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a state directory that is not there yet, on a machine without a TOML file of its own."""
    monkeypatch.setattr(sources, "DEFAULT_CONFIG", tmp_path / "vestibule.toml")
    return tmp_path / "state"


def _run(state: Path, *arguments: str, **environ: str) -> Result:
    given = {"VESTIBULE_STATE_DIR": str(state)} | environ
    return CliRunner().invoke(config, arguments, obj=_Operator(given))


def test_check_is_calm_when_all_is_well(state: Path) -> None:
    """Exit 0 and one line, and nothing is made on the disk."""
    result = _run(state, "check")

    assert (result.exit_code, result.output) == (0, "The settings are in order.\n")
    assert not state.exists()


def test_check_lists_every_fault(state: Path) -> None:
    """Exit 1, a line for each fault, on the error stream."""
    result = _run(state, "check", VESTIBULE_SERVER__WORKERS="0", VESTIBULE_COLOUR="red")

    assert (result.exit_code, result.stdout) == (1, "")
    assert [line.split()[0] for line in result.stderr.splitlines()] == ["VESTIBULE_COLOUR", "VESTIBULE_SERVER__WORKERS"]


def test_check_looks_at_the_state_directory(state: Path) -> None:
    """A key file that others may read is found before the service starts."""
    state.mkdir()
    (state / "secret-key").touch(0o644)

    result = _run(state, "check")

    assert result.exit_code == 1
    assert f"chmod 600 {state}/secret-key" in result.stderr


@pytest.mark.parametrize("name", ["vestibule.sqlite3", "counters.sqlite3-wal", "backups/vestibule-1-0002.sqlite3"])
def test_check_names_database_files_that_others_may_read(state: Path, name: str) -> None:
    """What the start refuses is found before the start, with the command that mends it."""
    (file := state / name).parent.mkdir(parents=True, mode=0o700)
    file.touch(0o644)

    result = _run(state, "check")

    assert result.exit_code == 1
    assert f"chmod 600 {file}" in result.stderr


def test_check_shows_warnings_and_passes(state: Path) -> None:
    """What Kubernetes injects is a warning on the error stream, and no fault."""
    result = _run(state, "check", **_LINK)

    assert (result.exit_code, result.stdout) == (0, "The settings are in order.\n")
    assert result.stderr.startswith("warning: ")
    assert "VESTIBULE_PORT" in result.stderr


@pytest.mark.parametrize(
    ("environ", "exit_code"), [({}, 0), ({"VESTIBULE_SERVER__WORKERS": "0"}, 1)], ids=["well", "fault"]
)
def test_check_speaks_json(state: Path, environ: dict[str, str], exit_code: int) -> None:
    """One object on the output: whether all is well, the faults, the warnings."""
    result = _run(state, "check", "--json", **environ)

    said = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (exit_code, "")
    assert said["ok"] is (exit_code == 0)
    assert (len(said["faults"]), said["warnings"]) == (exit_code, [])


def test_show_lists_every_setting_with_its_origin(state: Path, tmp_path: Path) -> None:
    """Name, origin, value: environment, file, the file of a secret, default."""
    (tmp_path / "vestibule.toml").write_text('[sessions]\nidle = "90m"\n')
    (tmp_path / "url").write_text("postgres://vst:CANARY@db/vst\n")

    result = _run(state, "show", VESTIBULE_DATABASE_URL_FILE=str(tmp_path / "url"), **_LINK)

    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in result.stdout.splitlines()}
    assert result.exit_code == 0
    assert rows.keys() == CATALOGUE.keys()
    assert rows["state_dir"] == ["environment", str(state)]
    assert rows["sessions.idle"] == [str(tmp_path / "vestibule.toml"), "90m"]
    assert rows["database_url"] == ["VESTIBULE_DATABASE_URL_FILE", "postgresql+psycopg://vst:***@db/vst"]
    assert rows["sessions.absolute"] == ["default", "24h"]
    assert rows["trusted_proxies"] == ["default", "(none)"]
    assert rows["secret_key"] == ["default", "(secret-key in the state directory, made at the first start)"]
    assert "VESTIBULE_PORT" in result.stderr


def test_show_speaks_json(state: Path) -> None:
    """One object on the output, every setting in it; what has no value is null, what is secret is hidden."""
    result = _run(state, "show", "--json", VESTIBULE_SECRET_KEY="0123456789abcdef0123456789abcdef")

    said = json.loads(result.stdout)
    values = {row["name"]: row["value"] for row in said["settings"]}
    assert values.keys() == CATALOGUE.keys()
    assert (values["secret_key"], values["redis_url"], values["sessions.idle"]) == ("(hidden)", None, "12h")


def test_show_leaves_faults_to_the_root_command(state: Path) -> None:
    """Without settings there is nothing to show: the root command lists the faults, as for every command."""
    result = _run(state, "show", VESTIBULE_SERVER__WORKERS="0")

    assert isinstance(result.exception, SettingsFault)


def test_it_loads_no_library_of_databases(state: Path) -> None:
    """A command that asks no database starts in half the time of one that does."""
    environ = {"VESTIBULE_STATE_DIR": str(state)}
    done = subprocess.run(
        [sys.executable, "-c", _LOADED], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )

    assert not {"sqlalchemy", "alembic", "flask", "psycopg"} & {*done.stdout.split()}
