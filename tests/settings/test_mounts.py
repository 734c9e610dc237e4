"""Directories of our own below volumes: where they lie follows from the volume alone, and never changes by itself."""

import os
from pathlib import Path

import pytest

from service import healthcheck, mounts
from service.settings import faults_of_state, load, sources
from tests.settings import nobody
from tests.settings.asked import faults

pytestmark = pytest.mark.skipif(not nobody.IS_ROOT, reason="only root makes a volume")

OTHER = 4242


@pytest.fixture
def volume(state: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a volume as a kubelet makes it: root's, open to all users."""
    monkeypatch.setattr(sources, "DEFAULT_CONFIG", state.with_name("none.toml"))  # where the user nobody may look
    os.chown(state, 0, nobody.NOBODY)
    state.chmod(0o2777)
    return state


def _environ(volume: Path, **more: str) -> dict[str, str]:
    return {"VESTIBULE_STATE_DIR": str(volume), "VESTIBULE_SERVER__SOCKET": str(volume / "gunicorn.sock")} | more


@pytest.mark.parametrize(
    ("mode", "state_below", "socket_below"),
    [
        (0o2777, "vestibule-state", "vestibule-socket"),
        (0o777, "vestibule-state", "vestibule-socket"),
        (0o1777, "vestibule-state", "vestibule-socket"),
        (0o2775, "", "vestibule-socket"),
        (0o2770, "", ""),
        (0o755, "", ""),
    ],
)
def test_a_directory_of_our_own_is_used_below_what_is_shared(
    volume: Path, mode: int, state_below: str, socket_below: str
) -> None:
    """Where root lets others do more than a directory of ours allows; else the directory itself is used."""
    volume.chmod(mode)

    settings = load(_environ(volume))

    assert settings.state_dir == volume / state_below
    assert settings.socket_path == volume / socket_below / "gunicorn.sock"


def test_every_user_finds_the_same_directory(volume: Path) -> None:
    """The service, root, nginx's container and the probe agree, before the directory is made and after."""
    environ = _environ(volume)

    def found() -> set[str]:
        return {
            str(load(environ).socket_path),
            nobody.asked(lambda: str(load(environ).socket_path))(),
            healthcheck.socket_path(environ),
            nobody.asked(lambda: healthcheck.socket_path(environ))(),
        }

    before = found()
    (volume / "vestibule-socket").mkdir()

    assert before == found() == {str(volume / "vestibule-socket/gunicorn.sock")}
    assert healthcheck.socket_path({"VESTIBULE_STATE_DIR": str(volume)}) == str(
        load({"VESTIBULE_STATE_DIR": str(volume)}).socket_path
    )


def test_the_state_stays_where_it_is_when_the_volume_is_closed_later(volume: Path) -> None:
    """After `chown` and `chmod` of the volume the same database is used: another place would be an empty one."""
    (volume / "vestibule-state").mkdir()
    nobody.give(volume / "vestibule-state")
    nobody.give(volume)
    volume.chmod(0o750)

    assert load(_environ(volume)).state_dir == volume / "vestibule-state"


@pytest.mark.parametrize("name", ["vestibule.sqlite3", "database.made", "secret-key"])
def test_an_installation_in_a_volume_that_is_opened_later_is_not_left(volume: Path, name: str) -> None:
    """It is refused with the chmod, as before: an empty state below would be open to its first visitor."""
    (volume / name).touch(0o600)
    nobody.give(volume / name)
    settings = load({"VESTIBULE_STATE_DIR": str(volume)})

    assert settings.state_dir == volume
    assert nobody.asked(lambda: faults_of_state(settings))() == [
        f"{volume} (owner 0, mode 2777) is open to other users: chmod 0755 {volume}"
    ]


@pytest.mark.parametrize("kind", ["directory", "file", "link"])
@pytest.mark.parametrize("name", ["vestibule-state", "vestibule-socket"])
def test_what_another_user_planted_is_a_fault(volume: Path, name: str, kind: str) -> None:
    """A directory, a file or a link of another user is named, and never followed."""
    planted = volume / name
    if kind == "link":
        planted.symlink_to(volume)
    else:
        planted.mkdir() if kind == "directory" else planted.touch()
    os.chown(planted, OTHER, nobody.NOBODY, follow_symlinks=False)

    (fault,) = nobody.asked(lambda: faults(_environ(volume)))()

    assert f"cannot be used: {planted} was made by another user ({OTHER}): remove it" in fault


def test_a_link_of_another_user_to_a_volume_is_a_fault(volume: Path) -> None:
    """Its owner could lead the service to another volume later."""
    link = volume.with_name("link")
    link.symlink_to(volume)
    os.chown(link, OTHER, OTHER, follow_symlinks=False)

    (fault,) = nobody.asked(lambda: faults({"VESTIBULE_STATE_DIR": str(link)}))()

    assert f"{link} was made by another user ({OTHER})" in fault


def test_nothing_is_made_by_looking(volume: Path) -> None:
    """`config check` on an empty volume finds nothing wrong and makes nothing."""
    settings = load(_environ(volume))

    assert nobody.asked(lambda: faults_of_state(settings))() == []
    assert [*volume.iterdir()] == []


def test_a_missing_directory_is_no_volume(tmp_path: Path) -> None:
    """What the service makes itself is its own."""
    assert mounts.state_directory(str(tmp_path / "new")) == str(tmp_path / "new")


def test_a_socket_whose_path_becomes_too_long_lies_in_the_temporary_directory(volume: Path) -> None:
    """The probe follows there, too."""
    environ = _environ(volume)
    environ["VESTIBULE_SERVER__SOCKET"] = str(volume / ("s" * (99 - len(str(volume)))))

    assert str(load(environ).socket_path) == healthcheck.socket_path(environ)
    assert load(environ).socket_path.name == "gunicorn.sock"


def test_root_takes_what_is_there(volume: Path) -> None:
    """Root's commands work for the owner of the directory, and cannot know which user that must be."""
    (volume / "vestibule-state").mkdir()
    os.chown(volume / "vestibule-state", OTHER, OTHER)

    assert load({"VESTIBULE_STATE_DIR": str(volume)}).state_dir == volume / "vestibule-state"
