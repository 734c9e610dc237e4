"""`vestibule db backup | verify | restore`: from a state directory and back."""

import os
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from service.cli.status.judging import judged
from service.services.store_state import Answer
from service.settings import load, secret_keys
from service.storage.engine.database import Database
from service.storage.upkeep import last_backup
from tests.cli.status_example import EVENING
from tests.cli.terminal import Terminal
from tests.storage.place import Place
from tests.storage.stores import account, over, session

KEYS = ("iBqo0P1m5hQx9ZlVw3Tn7Rk2Ys8Uc4Je6Fd", "Wz7Xy1Kq4Lp9Mn2Bv5Cg8Ht3Jr6Ds0Fa")
SECRET = "postgres-password-of-nobody"
SETTINGS = f"""
# What people see.
brand.name = "Staff"
#redis_url = "redis://:{SECRET}@localhost/0"

[sessions]
idle = "8h"
"""


@pytest.fixture
def place(terminal: Terminal, tmp_path: Path) -> Place:
    """The state directory of the terminal, with a database in which alice is signed in, a key, settings and an app."""
    del terminal
    place = Place(tmp_path)
    stores = over(database := place.prepare())
    stores.accounts.add(alice := account())
    stores.sessions.add(session(alice.id))
    database.close()
    secret_keys(load())
    (tmp_path / "vestibule.toml").write_text(SETTINGS)
    (tmp_path / "apps.d").mkdir()
    (tmp_path / "apps.d/wiki.toml").write_text("# the wiki")
    return place


def test_backed_up_verified_restored(terminal: Terminal, place: Place) -> None:
    """All three in words; secrets are left out, the key is not touched, and each says what to do next."""
    said = terminal.said("db", "backup")

    (made,) = (place.state_dir / "db-backups").iterdir()
    assert f"{made} was made and checked. In it: the database (accounts: 1), apps.d/wiki.toml, vestibule.toml." in said
    assert "keep the key apart" in said
    kept = (made / "vestibule.toml").read_text()
    assert 'brand.name = "Staff"' in kept
    assert "# redis_url is not in this backup" in kept
    assert SECRET not in kept
    said = terminal.said("db", "verify", str(made))
    assert f"{made} is whole" in said
    assert "  accounts                        1" in said
    key = (place.state_dir / "secret-key").read_bytes()
    said = terminal.said("db", "restore", str(made), "--yes")
    assert "Sessions that ended: 1;" in said
    assert f"The database of before is {place.file}.before-restore-" in said
    assert (place.state_dir / "secret-key").read_bytes() == key
    assert "Start the service" in said


def test_in_json(terminal: Terminal, place: Place) -> None:
    """What a program reads: path, time, release, revision, rows, fingerprints; what was kept."""
    made = terminal.json("db", "backup", "--to", str(place.state_dir / "elsewhere"))

    assert made["rows"]["accounts"] == 1
    assert made["path"].startswith(str(place.state_dir / "elsewhere/vestibule-"))
    assert len(made["secret_keys"]) == 1
    assert terminal.json("db", "verify", made["path"]) == {k: v for k, v in made.items() if k != "files"}
    done = terminal.json("db", "restore", made["path"], "--yes")
    assert (done["sessions"], done["key_is_known"]) == (1, True)


def test_the_database_knows_its_last_backup(terminal: Terminal, place: Place) -> None:
    """A backup notes its time; `verify --record` that of what it checked, a plain `verify` nothing."""
    made = terminal.json("db", "backup")
    database = Database(place.address)
    assert last_backup.read(database) == made["made_at"]
    last_backup.note(database, 5)

    terminal.said("db", "verify", made["path"])
    assert last_backup.read(database) == 5
    assert "noted as the last backup" in terminal.said("db", "verify", made["path"], "--record")
    assert last_backup.read(database) == made["made_at"]
    database.close()


def test_another_key_is_named(terminal: Terminal, place: Place) -> None:
    """A restore beside another secret key says that known devices are unknown now."""
    made = terminal.json("db", "backup")["path"]
    (place.state_dir / "secret-key").write_text(f"{KEYS[0]}\n")

    assert "The secret key is another than at the backup" in terminal.said("db", "restore", made, "--yes")


def test_a_secret_of_several_lines_keeps_the_settings_out(terminal: Terminal, place: Place) -> None:
    """What cannot be cut out safely is not copied, and the command says so."""
    (place.state_dir / "vestibule.toml").write_text(f'secret_key = """\n{KEYS[0]}\n{KEYS[1]}\n"""\n')

    said = terminal.said("db", "backup")

    assert "vestibule.toml is not in it: a secret there takes several lines" in said
    (made,) = (place.state_dir / "db-backups").iterdir()
    assert {path.name for path in made.iterdir()} == {"manifest.json", "vestibule.sqlite3", "apps.d"}


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("typed", [("verify",), ("restore", "--yes")])
def test_a_path_that_cannot_be_looked_at_is_named(terminal: Terminal, typed: tuple[str, ...]) -> None:
    """Such as one below a directory that this user may not enter; here, with a name that no file can have."""
    path = f"/tmp/{'a' * 300}"  # noqa: S108 - nothing is made there

    said = terminal.refused("db", *typed, path)

    assert path in said
    assert "cannot be read (File name too long)" in said


def test_no_backup_is_made_of_no_database(terminal: Terminal, place: Place) -> None:
    """Before the first start the command says so, and makes none."""
    place.file.unlink()

    assert f"there is no database {place.file} yet" in terminal.refused("db", "backup")
    assert not place.file.exists()


def test_a_restore_asks(terminal: Terminal, place: Place) -> None:
    """Without a terminal and without --yes it is usage (2), and nothing changes."""
    made = terminal.json("db", "backup")["path"]
    before = place.file.read_bytes()

    assert "add --yes" in terminal.refused("db", "restore", made, code=2)
    assert place.file.read_bytes() == before


@pytest.mark.parametrize("verb", ["verify", "restore"])
def test_a_path_beside_a_backup_is_named(terminal: Terminal, place: Place, verb: str) -> None:
    """The directory of backups, the database in one, a missing path and an empty one: what to type instead."""
    made = terminal.json("db", "backup")["path"]
    more = ["--yes"] if verb == "restore" else []

    def refused(path: object, code: int = 1) -> str:
        return terminal.refused("db", verb, str(path), *more, code=code)

    assert f"it has no manifest.json; of the 1 in it the newest is {made}" in refused(Path(made).parent)
    assert "name the directory that `vestibule db backup` made" in refused(f"{made}/vestibule.sqlite3")
    assert "name the directory that `vestibule db backup` made" in refused(place.file)
    assert "/nowhere" in refused("/nowhere")
    assert "it is empty: write a path" in refused("", code=2)


@pytest.mark.parametrize(
    ("database", "command"),
    [("PostgreSQL 15.8", "vestibule db verify --record DUMP"), ("SQLite 3.53.4", "vestibule db backup")],
)
def test_status_names_what_makes_a_backup(database: str, command: str) -> None:
    """Where no backup is noted, `status` names the command that ends the warning: `db backup` refuses PostgreSQL."""
    seen = replace(EVENING, stores=replace(EVENING.stores, database=Answer(database), last_backup=None))

    (line,) = [each for each in judged(seen) if each.check == "backup"]

    assert line.todo[0] == command


@pytest.mark.usefixtures("place")
def test_a_backup_goes_into_a_directory(terminal: Terminal, tmp_path: Path) -> None:
    """A file in its place is named; an empty path, which an unset variable leaves, is usage."""
    (file := tmp_path / "file").touch()

    assert f"{file} is not a directory: name another place" in terminal.refused("db", "backup", "--to", str(file))
    assert "is not a directory: name another place" in terminal.refused("db", "backup", "--to", f"{file}/backups")
    assert "it is empty: write a path" in terminal.refused("db", "backup", "--to", "", code=2)


@pytest.mark.usefixtures("place")
def test_a_running_service_is_not_restored(terminal: Terminal) -> None:
    """What answers on the service's socket keeps a restore away, whether it has the database open or not."""
    made = terminal.json("db", "backup")["path"]
    path = load().socket_path
    path.parent.mkdir()

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def answer() -> None:
            with listening.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        said = terminal.refused("db", "restore", made, "--yes")
        thread.join()

    assert f"the service runs, and answers on {path}: stop it, then restore" in said


@pytest.mark.parametrize(("verb", "program"), [("backup", "pg_dump"), ("restore", "psql")])
def test_postgresql_has_its_own_programs(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verb: str, program: str
) -> None:
    """The command names the program and the document, and exits with 1; no server is asked."""
    monkeypatch.setenv("VESTIBULE_DATABASE_URL", "postgresql://vestibule:secret-word@localhost:1/vestibule")

    said = terminal.refused("db", verb, *([str(tmp_path), "--yes"] if verb == "restore" else []))

    assert program in said
    assert "docs/operating.md" in said
    assert "secret-word" not in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads what others may not")
@pytest.mark.parametrize("planted", ["vestibule.sqlite3", "apps.d", "apps.d/wiki.toml", "nginx/apps.json"])
def test_root_follows_no_link_of_the_services_user(terminal: Terminal, place: Place, planted: str) -> None:
    """What only root may read gets into no backup, which the service's user may read; and no restore writes there."""
    made = terminal.json("db", "backup")["path"]
    (place.state_dir / "nginx").mkdir()
    foreign, link = place.state_dir / "foreign", place.state_dir / planted
    if link.exists():
        link.rename(foreign)
    else:
        foreign.touch()
    link.symlink_to(foreign)
    os.chown(link, 4711, 4712, follow_symlinks=False)

    said = terminal.refused("db", "backup", "--to", str(place.state_dir / "second"))
    assert str(link) in said
    assert "a symbolic link" in said
    if planted == "vestibule.sqlite3":
        assert f"{link} is a symbolic link" in terminal.refused("db", "restore", made, "--yes")
