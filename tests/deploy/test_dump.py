"""The backup component's dump.sh, with PostgreSQL's own pg_dump: whole, kept for a while, and no password shown."""

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from tests.deploy.kustomize import parsed, pod
from tests.house_rules.project import read
from tests.rig.directories import give_away, server_directory
from tests.rig.parts import ROOT, need, unprivileged
from tests.rig.postgres import LOCKED, Postgres, postgres
from tests.rig.servers import prepared

__all__ = ["postgres"]

SCRIPT: Final = ROOT / "deploy/kubernetes/components/backup/dump.sh"
PASSWORD: Final = r"""CANARY %41\x41\n:/?&@#'"$(id)ü"""  # what an address or a shell would read otherwise
# A pg_dump that notes how it was called, and does what the real one does.
NOTING: Final = """#!/bin/sh
tr '\\0' ' ' <"/proc/$$/cmdline" >>"$NOTES"
exec {} "$@"
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory in which the script may write, and where a pg_dump stands that notes how it was called."""
    with server_directory("dumps") as place:
        (place / "pg_dump").write_text(NOTING.format(need("postgres").resolve().with_name("pg_dump")))
        (place / "pg_dump").chmod(0o755)
        yield place


@pytest.fixture(scope="module")
def address(postgres: Postgres) -> str:
    """A database with one row, of a user of whom the server wants the password."""
    address = postgres.new_database()
    with psycopg.connect(address, autocommit=True) as connection:
        role, password = sql.Identifier(LOCKED), sql.Literal(PASSWORD)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}").format(role, password))
        connection.execute("CREATE TABLE kept (what text)")
        connection.execute("INSERT INTO kept VALUES ('a row')")
    return address.replace("vestibule@", f"{LOCKED}:{quote(PASSWORD, safe='')}@")


def dump(place: Path, address: str) -> subprocess.CompletedProcess[str]:
    """Run the script as another user than root."""
    (file := place / "database-url").write_text(f"{address}\n")
    give_away(place)
    own = {"VESTIBULE_DATABASE_URL_FILE": str(file), "NOTES": str(place / "notes")}
    path = f"{place}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        unprivileged("bash", SCRIPT, place / "backups"), env=os.environ | own | {"PATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_newest_dump_is_whole(place: Path, address: str) -> None:
    """A password of any characters opens the database, and stands in no command line, output or error."""
    done = dump(place, address)
    notes = (place / "notes").read_text()

    assert done.returncode == 0, done.stderr
    (newest,) = [path for path in (place / "backups").iterdir() if not path.is_symlink()]
    assert (place / "backups/newest.sql.gz").readlink() == Path(newest.name)
    with gzip.open(newest, "rt") as text:
        assert "\na row\n" in text.read()
    assert newest.stat().st_mode & 0o077 == 0
    assert "--dbname=postgresql://locked@/" in notes
    assert "CANARY" not in notes + done.stdout + done.stderr


def test_the_service_takes_the_dump_for_its_last_backup(postgres: Postgres, place: Path) -> None:
    """What the CronJob does, in its order: the service reads the dump of its database whole, and notes it."""
    address = postgres.new_database()
    with prepared(DATABASE_URL=address) as servers:
        assert servers.vestibule("db", "upgrade").returncode == 0
        assert dump(place, address).returncode == 0
        (job,) = parsed(read("deploy/kubernetes/components/backup/cronjob.yaml"))
        arguments = [word.replace("/backups", f"{place}/backups") for word in pod(job)["containers"][0]["args"]]
        done = servers.vestibule(*arguments)
        with psycopg.connect(address) as connection:
            noted = connection.execute("SELECT value FROM schema_info WHERE name = 'last_backup'").fetchone()

    assert (done.returncode, "is whole" in done.stdout) == (0, True), done.stderr
    assert noted == (str(int((place / "backups/newest.sql.gz").stat().st_mtime)),)


def test_fourteen_are_kept(place: Path, address: str) -> None:
    """The oldest goes when a new one comes, and what a run left unfinished goes, too."""
    (backups := place / "backups").mkdir()
    before = [f"vestibule-202601{day:02}T000000Z.sql.gz" for day in range(1, 16)]
    for name in (*before, "vestibule-20260116T000000Z.unfinished"):
        (backups / name).touch()

    done = dump(place, address)
    kept = sorted(path.name for path in backups.iterdir() if not path.is_symlink())

    assert done.returncode == 0, done.stderr
    assert (len(kept), kept[:13]) == (14, before[2:])


@pytest.mark.parametrize("fault", ["a wrong password", "a password among the options"])
def test_a_failed_dump_changes_nothing(place: Path, address: str, fault: str) -> None:
    """It ends with an error that shows no password, the newest dump stays the newest, and nothing half is left."""
    assert dump(place, address).returncode == 0
    before = {path.name for path in (place / "backups").glob("*.gz")}
    wrong = address.replace("CANARY", "CANARY2") if fault == "a wrong password" else f"{address}&password=CANARY"

    done = dump(place, wrong)

    assert done.returncode != 0
    assert done.stderr
    assert "CANARY" not in done.stdout + done.stderr
    assert {path.name for path in (place / "backups").glob("*.gz")} == before


def test_fourteen_backups_of_sqlite_are_kept(tmp_path: Path) -> None:
    """What the CronJob for SQLite runs first leaves room for one more: the oldest go, and nothing but backups."""
    (job,) = parsed(read("deploy/kubernetes/components/backup-sqlite/cronjob.yaml"))
    for day in range(1, 17):
        (tmp_path / f"vestibule-202601{day:02}T000000Z").mkdir()
        (tmp_path / f"vestibule-202601{day:02}T000000Z/manifest.json").touch()
    (tmp_path / "lost+found").mkdir()

    program = pod(job)["initContainers"][0]["command"][-1].replace("/backups", str(tmp_path))
    subprocess.run([sys.executable, "-c", program], check=True)

    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["lost+found", *(f"vestibule-202601{day:02}T000000Z" for day in range(4, 17))]
