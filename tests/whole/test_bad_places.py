"""Volumes, disks, keys and passwords that are wrong at a start: each is named with what to type; nothing is lost."""

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import pytest

from tests.rig import accounts
from tests.rig.answer import Answer
from tests.rig.directories import give_away
from tests.rig.passwords import PASSWORD
from tests.rig.postgres import LOCKED, Postgres
from tests.rig.servers import Servers, prepared
from tests.rig.small_disk import fill, small_disk
from tests.rig.volumes import root_only

STRANGER: Final = 4242
KEY: Final = "secret-key"
KEPT: Final = "key-of-before"

Act = Callable[[Path], object]


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Servers, Path]]:
    """Servers whose state lies on a small disk of its own, with an account and a key in it."""
    with prepared(workers=1) as servers, small_disk(servers.state_dir / "volume", kilobytes=4096) as volume:
        volume.chmod(0o755)
        servers.environ["VESTIBULE_STATE_DIR"] = str(volume)
        accounts.add(servers, {"alice": {}})
        assert servers.vestibule("account", "list").returncode == 0  # which makes the key
        yield servers, volume


@pytest.fixture
def on_volume(shared: tuple[Servers, Path]) -> tuple[Servers, Path]:
    """The same, with a new log."""
    servers, _ = shared
    (servers.state_dir / "gunicorn.log").unlink(missing_ok=True)
    return shared


def kept(volume: Path) -> dict[str, bytes]:
    """Return what must not be lost, by its name."""
    with closing(sqlite3.connect(volume / "vestibule.sqlite3")) as database:
        rows = "\n".join(database.iterdump()).encode()
    return {"rows": rows, KEY: (volume / KEY).read_bytes() if (volume / KEY).is_file() else b""}


def remount(how: str) -> Act:
    """Return what mounts a volume anew, for reading (`ro`) or for writing (`rw`)."""
    return lambda volume: subprocess.run(["mount", "-o", f"remount,{how}", volume], check=True)


def given_away(volume: Path) -> None:
    """Give everything in a volume to another user."""
    for path in (volume, *volume.rglob("*")):
        os.chown(path, STRANGER, STRANGER)


def short_key(volume: Path) -> None:
    """Put a key in the key's place that is too easy to guess."""
    (volume / KEY).rename(volume / KEPT)
    (volume / KEY).write_text("short")
    (volume / KEY).chmod(0o600)
    give_away(volume)


def key_of_before(volume: Path) -> None:
    """Put the key back, where neither a command nor the start has removed what stood there."""
    (volume / KEY).unlink()
    (volume / KEPT).rename(volume / KEY)


def emptied(volume: Path) -> None:
    """Make space again."""
    (volume / "filling").unlink()


# What is done to a volume, what undoes it, and what each command and the start say (VOLUME stands for its path).
BROKEN: Final[dict[str, tuple[Act, Act, str]]] = {
    "another user's": (given_away, give_away, "sudo chown -RH 65534:65534 VOLUME"),
    "read-only": (remount("ro"), remount("rw"), "VOLUME is on a read-only file system: mount the volume for writing"),
    "full": (fill, emptied, "is full (0 kB"),
    "a short key": (short_key, key_of_before, "VOLUME/secret-key is too easy to guess"),  # all of them: test_keys.py
}


@root_only
@pytest.mark.parametrize("case", BROKEN)
def test_a_bad_place_is_named_and_loses_nothing(case: str, on_volume: tuple[Servers, Path]) -> None:
    """Commands and the start refuse with the same words, change nothing, and work once the place is as it was."""
    servers, volume = on_volume
    act, undo, words = BROKEN[case]
    before = kept(volume)
    act(volume)
    command = servers.vestibule("account", "list")
    servers.start_gunicorn()
    code = servers.processes.pop("gunicorn").wait(20)
    log = servers.log("gunicorn")
    undo(volume)

    expected = words.replace("VOLUME", str(volume))
    assert (command.returncode in {1, 3}, code) == (True, 1)
    assert (expected in command.stderr, expected in log) == (True, True), command.stderr + log
    assert "Traceback" not in command.stderr + log
    assert kept(volume) == before


def sign_in(servers: Servers) -> Answer:
    """Send alice's name and password."""
    form = urlencode({"username": "alice", "password": PASSWORD}).encode()
    return servers.get("/", method="POST", body=form, Content_Type="application/x-www-form-urlencoded")


def cookie_of(answer: Answer) -> str:
    """Return the session's cookie: the other one makes the browser known."""
    return answer.all("set-cookie")[0].partition(";")[0]


@root_only
def test_a_full_disk_keeps_sign_ins_out_and_nobody_else(on_volume: tuple[Servers, Path]) -> None:
    """A right password gets 503 and is counted nowhere, sessions go on, the log names the disk; later it opens."""
    servers, volume = on_volume
    servers.start()
    cookie = cookie_of(sign_in(servers))
    fill(volume)
    refused = [sign_in(servers) for _ in range(8)]  # more than wrong passwords are allowed
    signed_in = servers.get("/account", Cookie=cookie)
    log = servers.log("gunicorn")
    emptied(volume)
    again = sign_in(servers)

    assert {(each.status, each.one("retry-after")) for each in refused} == {(503, "5")}
    assert (signed_in.status, again.status) == (200, 303)
    assert f"the disk of {volume}" in log
    assert "Traceback" not in log


def test_a_wrong_database_password_stops_the_start(postgres: Postgres, tmp_path: Path) -> None:
    """Commands and the start say which user is refused, and which setting named the file; they show no password."""
    address = postgres.new_database().replace("vestibule@", f"{LOCKED}:CANARY@")
    (tmp_path / "database-url").write_text(address)
    with prepared(DATABASE_URL_FILE=str(tmp_path / "database-url")) as servers:
        told = [servers.vestibule(*command) for command in (("db", "upgrade"), ("account", "list"))]
        servers.start_gunicorn()
        code = servers.processes.pop("gunicorn").wait(20)
        said = [*(each.stderr for each in told), servers.log("gunicorn")]

    assert ([each.returncode for each in told], code) == ([3, 3], 1)
    words = f'refuses the user "{LOCKED}" or the password: correct them in VESTIBULE_DATABASE_URL_FILE'
    assert [words in each.replace("\\", "") for each in said] == [True] * 3, said
    assert "CANARY" not in "".join(said)
