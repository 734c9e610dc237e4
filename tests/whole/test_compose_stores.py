"""The stores of Compose's postgres.yaml: its secrets, its role and its commands, with real servers behind sockets."""

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import redis

from tests.house_rules.composed import FOLDER, together
from tests.rig.background import started
from tests.rig.directories import server_directory
from tests.rig.parts import ROOT, need
from tests.rig.postgres import LOCKED, Postgres
from tests.rig.postgres import running as postgres_of_its_own
from tests.rig.servers import prepared

FORM = {"Content_Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def secrets() -> Iterator[Path]:
    """The directory that make-secrets makes, open here: in a container the files are mounted, and not the directory."""
    with server_directory("secrets") as place:
        subprocess.run([ROOT / FOLDER / "make-secrets", place], check=True, stdout=subprocess.DEVNULL)
        (place / "secrets").chmod(0o755)
        yield place / "secrets"


@pytest.fixture
def server(secrets: Path) -> Iterator[Postgres]:
    """A server on which the role's file has run, for the one user of whom the server wants a password.

    In the address, that user and the server's socket take the places of Compose's.
    """
    with postgres_of_its_own() as server:
        socket = f"/{LOCKED}?host={quote(str(server.directory), safe='')}&port={server.port}"
        (url := secrets / "database-url").chmod(0o644)
        role = (ROOT / FOLDER / "postgres-role.sql").read_text()
        role = role.replace("/run/secrets/database-url", str(url)).replace(" vestibule", f" {LOCKED}")
        psql = f"{need('psql')} -v ON_ERROR_STOP=1 -Xq -h {server.directory} -p {server.port} -U vestibule -d postgres"
        subprocess.run(psql.split(), input=role, text=True, check=True)
        address = url.read_text().replace("//vestibule:", f"//{LOCKED}:")
        url.write_text(address.replace("%2Frun%2Fpostgresql/vestibule", socket))
        yield server


@pytest.fixture
def valkey() -> Iterator[Path]:
    """The socket of a server that runs with Compose's command."""
    with server_directory("valkey") as place:
        socket = place / "valkey.sock"
        command = shlex.split(together("postgres.yaml")["services"]["valkey"]["command"])
        options = [str(socket) if each == "/run/valkey/valkey.sock" else each for each in command[1:]]
        with started(place, need("redis"), *options, "--dir", place, answers=socket.exists):
            yield socket


@pytest.mark.usefixtures("server")
def test_the_service_runs_on_these_stores(valkey: Path, secrets: Path) -> None:
    """With the secrets as files, the tables are made, the service gets ready, and attempts are counted in Valkey."""
    database, counters = str(secrets / "database-url"), f"redis+unix://{valkey}?db=0"

    with prepared(DATABASE_URL_FILE=database, REDIS_URL=counters) as servers:
        upgraded = servers.vestibule("db", "upgrade")
        servers.start()
        refused = servers.get("/", method="POST", body=b"username=nobody&password=wrong", **FORM)
        with redis.Redis(unix_socket_path=str(valkey)) as client:
            counted = client.dbsize()

    assert (upgraded.returncode, upgraded.stderr) == (0, "")
    assert refused.status == 401
    assert counted


def test_the_service_is_an_ordinary_user(server: Postgres, secrets: Path) -> None:
    """Its role owns the one database, needs the password, and may neither make roles nor read the server's files."""
    with psycopg.connect((secrets / "database-url").read_text()) as connection:
        row = connection.execute("SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = user")
        assert row.fetchone() == (False, False, False)

    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=str(server.directory), port=server.port, user=LOCKED, dbname=LOCKED, password="guess")
