"""The directories that the service needs: what `serve` would refuse is found before."""

import os
from pathlib import Path

import pytest

from service.settings import faults_of_state, load
from tests.settings import nobody


def test_a_state_directory_is_needed_whatever_else_is_given() -> None:
    """With a database and a key of its own the service still keeps its socket and nginx's files there."""
    given = {"VESTIBULE_STATE_DIR": "/proc/nothing/here", "VESTIBULE_DATABASE_URL": "postgres://h/d"}
    settings = load({**given, "VESTIBULE_SECRET_KEY": "0123456789abcdef0123456789abcdef"})

    (fault,) = nobody.asked(lambda: faults_of_state(settings))()

    assert fault.startswith("/proc/nothing/here cannot be made by us: sudo install -d -m 750")


@pytest.mark.parametrize(
    ("directory", "mode", "words"),
    [
        ("", 0o777, "is open to everybody: chmod 0755 "),
        ("", 0o1777, "is shared by all users, as /tmp is: name a directory of its own"),
        ("run", 0o755, "is open to everybody: chmod 0750 "),
        ("run", 0o550, "cannot be used by us: sudo chown"),
        ("run", 0o750, ""),
        ("", 0o755, ""),
    ],
)
def test_what_gunicorn_would_refuse_is_said_before(state: Path, directory: str, mode: int, words: str) -> None:
    """The state directory and the socket's are judged as gunicorn judges them, and named with what to type."""
    judged = state / directory
    judged.mkdir(exist_ok=True)
    nobody.give(judged)
    judged.chmod(mode)

    settings = load({"VESTIBULE_STATE_DIR": str(state)})

    found = nobody.asked(lambda: faults_of_state(settings))()

    assert [fault.startswith(f"{judged} {words}") for fault in found] == ([True] if words else [])
    if nobody.IS_ROOT and "open" in words:
        assert faults_of_state(settings) == found


def test_a_link_in_the_place_of_a_state_directory_is_said_to_be_one(state: Path) -> None:
    """No command to type would make a link private: the directory that it leads to is what to name."""
    link = state.with_name("link")
    link.symlink_to(state)

    settings = load({"VESTIBULE_STATE_DIR": str(link)})

    (found,) = nobody.asked(lambda: faults_of_state(settings))()

    assert found == f"{link} is a symbolic link: name the directory that it leads to"


@pytest.mark.skipif(not nobody.IS_ROOT, reason="only root can make a directory of another user")
def test_a_socket_directory_of_another_user_is_a_fault(state: Path) -> None:
    """Its owner could listen there in the service's place; root, which checks for another user, says so, too."""
    (state / "run").mkdir()
    os.chown(state / "run", 1, nobody.NOBODY)
    (state / "run").chmod(0o770)
    settings = load({"VESTIBULE_STATE_DIR": str(state)})

    answers = [nobody.asked(lambda: faults_of_state(settings))(), faults_of_state(settings)]

    assert ["run is not ours: chown" in fault for (fault,) in answers] == [True, True]
