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

    assert fault.startswith(f"/proc/nothing/here cannot be made by user {nobody.user()}: sudo install -d -m 750")


@pytest.mark.parametrize(
    ("directory", "mode", "words"),
    [
        ("", 0o777, "0777) is open to other users: chmod 0755 "),
        ("", 0o1777, "is shared by all users, as /tmp is: choose a directory of its own"),
        ("run", 0o755, "0755) is open to other users: chmod 0750 "),
        ("run", 0o550, "0550) must be readable and writable by user "),
        ("run", 0o750, ""),
        ("", 0o755, ""),
    ],
)
def test_what_gunicorn_would_refuse_is_said_before(state: Path, directory: str, mode: int, words: str) -> None:
    """The state directory and the socket's are checked as gunicorn checks them, and named with what to type."""
    checked = state / directory
    checked.mkdir(exist_ok=True)
    nobody.give(checked)
    checked.chmod(mode)

    settings = load({"VESTIBULE_STATE_DIR": str(state)})

    found = nobody.asked(lambda: faults_of_state(settings))()

    assert [fault.startswith(f"{checked} ") and words in fault for fault in found] == ([True] if words else [])
    if nobody.IS_ROOT and "open" in words:
        assert faults_of_state(settings) == found


def test_a_state_directory_may_be_a_symbolic_link(state: Path) -> None:
    """A link of root or of the user of the service counts like its directory, whose rights are what matters."""
    link = state.with_name("link")
    link.symlink_to(state)
    state.chmod(0o750)
    settings = load({"VESTIBULE_STATE_DIR": str(link)})

    sound = nobody.asked(lambda: faults_of_state(settings))()
    state.chmod(0o777)
    (fault,) = nobody.asked(lambda: faults_of_state(settings))()

    assert sound == []
    assert fault == f"{link} (owner {nobody.user()}, mode 0777) is open to other users: chmod 0755 {link}"


@pytest.mark.skipif(not nobody.IS_ROOT, reason="only root can make a link of another user")
def test_a_symbolic_link_of_another_user_is_a_fault(state: Path) -> None:
    """In a shared directory another user could have made it, and lead the service elsewhere later."""
    link = state.with_name("link")
    link.symlink_to(state)
    os.chown(link, 1, 1, follow_symlinks=False)
    settings = load({"VESTIBULE_STATE_DIR": str(link)})

    (fault,) = nobody.asked(lambda: faults_of_state(settings))()

    assert fault.startswith(f"{link} is a symbolic link of another user: remove it")


@pytest.mark.skipif(not nobody.IS_ROOT, reason="only root can make a directory of another user")
def test_a_socket_directory_of_another_user_is_a_fault(state: Path) -> None:
    """Its owner could listen there in the service's place; root, which checks for another user, says so, too."""
    (state / "run").mkdir()
    os.chown(state / "run", 1, nobody.NOBODY)
    (state / "run").chmod(0o770)
    settings = load({"VESTIBULE_STATE_DIR": str(state)})

    answers = [nobody.asked(lambda: faults_of_state(settings))(), faults_of_state(settings)]

    assert [
        "run (owner 1, mode 0770) must belong to user 65534 and be writable: chown 65534:" in fault
        for (fault,) in answers
    ] == [True, True]
