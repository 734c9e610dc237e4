"""Secrets that stand in files, and values that are empty."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from service.settings import CATALOGUE, load
from tests.settings.asked import faults

_KEY = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "REDIS_URL"])
def test_a_secret_can_stand_in_a_file(tmp_path: Path, name: str, usual_config: Path) -> None:
    """Named in the environment or in TOML, the file's text counts: no byte order mark, no line break."""
    value = {"SECRET_KEY": _KEY, "DATABASE_URL": "postgres://u:p@h/d", "REDIS_URL": "redis://:p@h:6379/0"}[name]
    path = tmp_path / "secret"
    path.write_bytes(f"\ufeff{value}\r\n".encode())
    direct = load({f"VESTIBULE_{name}": value})

    by_environment = load({f"VESTIBULE_{name}_FILE": str(path)})
    usual_config.write_text(f'{name.lower()}_file = "{path}"\n')
    by_file = load({})

    assert by_environment == direct
    assert by_environment.origins == {name.lower(): f"VESTIBULE_{name}_FILE"}
    assert by_file == replace(direct, config=usual_config)


@pytest.mark.parametrize(("mode", "warned"), [(0o440, 0), (0o640, 0), (0o600, 0), (0o444, 1), (0o644, 1), (0o602, 1)])
def test_a_secret_may_lie_behind_kubernetes_links(tmp_path: Path, mode: int, warned: int) -> None:
    """`key` leads to `..data/key`, and that to the present version; one warning says when all users may read it."""
    version = tmp_path / "..2026_01_01"
    version.mkdir()
    (version / "key").write_text(_KEY)
    (version / "key").chmod(mode)
    (tmp_path / "..data").symlink_to(version.name)
    (tmp_path / "key").symlink_to("..data/key")

    settings = load({"VESTIBULE_SECRET_KEY_FILE": str(tmp_path / "key")})

    assert settings.secret_key is not None
    assert settings.secret_key.reveal() == _KEY
    assert len(settings.warnings) == warned
    assert all(
        warning.startswith("VESTIBULE_SECRET_KEY_FILE names a file that every user may use")
        for warning in settings.warnings
    )


def test_a_secret_is_given_once(tmp_path: Path) -> None:
    """The secret and its file in the same source are refused: either could be meant."""
    path = tmp_path / "secret"
    path.write_text(_KEY)

    assert faults({"VESTIBULE_SECRET_KEY": _KEY[::-1], "VESTIBULE_SECRET_KEY_FILE": str(path)}) == [
        "VESTIBULE_SECRET_KEY and VESTIBULE_SECRET_KEY_FILE are both given: keep one"
    ]


def test_a_secret_of_the_environment_wins_over_a_file_named_in_toml(usual_config: Path) -> None:
    """The order of the sources holds for both spellings of a setting."""
    usual_config.write_text('secret_key = "fedcba9876543210fedcba9876543210"\n')

    settings = load({"VESTIBULE_SECRET_KEY": _KEY})

    assert settings.secret_key is not None
    assert settings.secret_key.reveal() == _KEY


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "must be the absolute path of an existing file"),
        (b"", "which is empty"),
        (b" \n", "which is empty"),
        (b"\n\xfc", "is not UTF-8 text in line 2"),
    ],
)
def test_a_secrets_file_that_holds_none_is_a_fault(tmp_path: Path, content: bytes | None, words: str) -> None:
    """Missing, empty and unreadable files stop the start; falling back would be another secret than the meant one."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)

    (fault,) = faults({"VESTIBULE_SECRET_KEY_FILE": str(path)})

    assert words in fault
    assert (str(path) in fault) == (content is not None)


@pytest.mark.parametrize(
    "path", ["CANARY", "keys/CANARY", "/CANARY", "/CANARY+1/x=", "postgres://vst:CANARY@db/vst", "/\x00CANARY", ""]
)
def test_a_secret_where_its_file_belongs_is_not_shown(path: str) -> None:
    """A secret in NAME_FILE, where a path belongs, does not get into the log."""
    (fault,) = faults({"VESTIBULE_DATABASE_URL_FILE": path})

    assert fault.startswith("VESTIBULE_DATABASE_URL_FILE ")
    assert "CANARY" not in fault


def test_a_secrets_file_that_may_not_be_read_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault names the file and the reason."""
    path = tmp_path / "secret"
    path.write_text(_KEY)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)

    (fault,) = faults({"VESTIBULE_SECRET_KEY_FILE": str(path)})

    assert fault == (
        f"VESTIBULE_SECRET_KEY_FILE names {path}, which cannot be read (Permission denied): "
        f"type sudo chown {os.geteuid()} {path}, or in Kubernetes set `defaultMode: 0440`"
    )


def test_a_directory_in_a_secrets_place_is_a_fault(tmp_path: Path) -> None:
    """Container runtimes make a directory where a mounted file is missing; it is named, since it is no secret."""
    (fault,) = faults({"VESTIBULE_SECRET_KEY_FILE": str(tmp_path)})

    assert fault.startswith(f"VESTIBULE_SECRET_KEY_FILE names {tmp_path}, a directory")
    assert f"type rmdir {tmp_path}, " in fault


@pytest.mark.parametrize(
    "name", sorted(setting.environment for setting in CATALOGUE.values() if not setting.kind.is_list)
)
def test_an_empty_value_is_a_fault(name: str) -> None:
    """A variable that a template left empty would else mean the default: another database, another key."""
    assert [fault.split()[0] for fault in faults({name: ""})] == [name]
