"""`vestibule status` as an operator types it, on real servers in each state that they can be in."""

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from service import healthcheck
from service.settings import load
from service.storage.engine.database import Database
from service.storage.upkeep import last_backup
from tests.rig import accounts
from tests.rig.asking import ask
from tests.rig.instances import instances
from tests.rig.passwords import PASSWORD
from tests.rig.postgres import Postgres
from tests.rig.redis import Redis
from tests.rig.servers import Servers, prepared
from tests.rig.volumes import User, root_only
from tests.whole.conftest import unhurried

FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def servers(postgres: Postgres, redis_server: Redis) -> Iterator[Servers]:
    """Servers on PostgreSQL and Redis, whose database has alice."""
    redis_server.clear()
    database, limit = postgres.new_database(), "1000"
    with prepared(
        edit_nginx=unhurried, DATABASE_URL=database, REDIS_URL=redis_server.address, LIMITS__POST_PER_MINUTE=limit
    ) as own:
        accounts.add(own, {"alice": {}})
        with closing(Database(database)) as noting:
            last_backup.note(noting, int(time.time()))
        own.start()
        yield own


def _status(servers: Servers, *typed: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Return the exit code, and each check by its name."""
    done = servers.vestibule("status", "--json", *typed)
    assert done.stderr == ""
    return done.returncode, {each["check"]: each for each in json.loads(done.stdout)["checks"]}


def _bad(checks: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: each["state"] for name, each in checks.items() if each["state"] != "ok"}


def _sign_in(servers: Servers, username: str, password: str, address: str = "127.0.0.1") -> int:
    body = urlencode({"username": username, "password": password}).encode()
    return ask(servers.port, "/", method="POST", body=body, headers=FORM, source=address).status


def test_a_good_day_is_0(servers: Servers) -> None:
    """Every check is there and in order: who signed in, both workers, the stores' answers, the tables."""
    assert _sign_in(servers, "alice", PASSWORD) == 303

    code, checks = _status(servers)

    assert (code, _bad(checks)) == (0, {})
    assert " ".join(checks) == "sign-ins attack service gate database counters tables apps backup"
    assert checks["sign-ins"]["granted"] == 1
    assert (checks["service"]["workers"], checks["gate"]["inside"]) == (2, 0)
    assert checks["database"]["name"].startswith("PostgreSQL ")


def test_an_attack_is_1(servers: Servers) -> None:
    """The networks that it comes from are named, and what is typed against it."""
    with ThreadPoolExecutor(4) as several:
        refused = list(several.map(lambda n: _sign_in(servers, f"user{n}", "x", f"127.0.0.{2 + n % 2}"), range(60)))

    code, checks = _status(servers)

    assert set(refused) <= {401, 503}
    assert (code, _bad(checks)) == (1, {"attack": "warning"})
    assert checks["attack"]["networks"] == 2
    assert "127.0.0.2/32 (" in checks["attack"]["what"]
    assert "vestibule attempts list" in checks["attack"]["todo"]
    assert servers.vestibule("attempts", "clear", "--all").returncode == 0


def test_redis_away_is_1_and_a_database_away_is_2(servers: Servers, postgres: Postgres, redis_server: Redis) -> None:
    """What can still be read is shown; when both are back all is in order again, without anything typed."""
    redis_server.stop()
    without_redis = _status(servers)
    postgres.stop(signal.SIGQUIT)
    without_both = _status(servers)
    redis_server.start()
    postgres.start()
    code, checks = _status(servers, "--wait", "20s")

    assert (without_redis[0], _bad(without_redis[1])) == (1, {"counters": "warning"})
    assert (without_both[0], _bad(without_both[1])) == (2, {"counters": "warning", "database": "fault"})
    assert (without_both[1]["service"]["state"], "sign-ins" in without_both[1]) == ("ok", False)
    assert (code, checks["sign-ins"]["granted"]) in {(0, 1), (1, 1)}  # workers may still count in SQL


def test_a_deployment_waits_for_it(servers: Servers) -> None:
    """A service that is away is 2; with --wait the command ends once it is there (1 while a worker starts)."""
    servers.end("gunicorn")
    away = _status(servers)
    with ThreadPoolExecutor() as beside:
        waiting = beside.submit(_status, servers, "--wait", "20s")
        servers.start_gunicorn()

        code, checks = waiting.result()

    assert (away[0], _bad(away[1])) == (2, {"service": "fault"})
    assert away[1]["service"]["what"] == f"it does not run: no process listens on {servers.socket}"
    assert (code, _bad(checks)) in [(0, {}), (1, {"service": "warning"})]


def test_one_of_several_instances_away_is_1() -> None:
    """All instances of a machine are asked: with one of them people are still served."""
    with instances(2, workers=1) as it:
        it.start()
        both = _status(it.front)
        it.stop(1)
        code, checks = _status(it.front)

    assert (both[1]["service"]["state"], both[1]["service"]["workers"]) == ("ok", 2)
    assert (code, _bad(checks)) == (1, {"service": "warning", "backup": "warning"})
    assert checks["service"]["what"].startswith("1 of 2 instances ready; it does not run: ")


def test_migrations_that_are_missing_are_2(postgres: Postgres) -> None:
    """The command to type is named, and was not typed for the operator."""
    with prepared(DATABASE_URL=postgres.new_database()) as new:
        new.render()
        new.start_gunicorn()
        new.wait_until(lambda: not healthcheck.ask(str(new.socket)), "the service answers")

        code, checks = _status(new)

    assert (code, _bad(checks)) == (2, {"service": "fault", "tables": "fault"})
    assert checks["service"]["todo"] == checks["tables"]["todo"] == ["vestibule db upgrade"]


def test_before_the_first_start_nothing_is_made() -> None:
    """The command reads: where the service never ran, no file or directory is there afterwards."""
    with prepared() as new:
        before = sorted(new.state_dir.rglob("*"))

        shown = new.vestibule("status")

        assert shown.returncode == 2
        assert f"makes\n{'':18}{load(new.environ).state_dir}/vestibule.sqlite3" in shown.stdout
        assert shown.stdout.endswith("\nfault: service, database\n")
        assert sorted(new.state_dir.rglob("*")) == before


def test_a_database_that_cannot_be_written_is_2() -> None:
    """Reading it succeeds, and no person can sign in: a volume that is read-only, or of another user."""
    with prepared() as new:
        assert new.vestibule("db", "upgrade").returncode == 0
        file = new.state_dir / "vestibule.sqlite3"
        file.chmod(0o400)
        owner = file.stat().st_uid

        code, checks = _status(new)

    assert (code, checks["database"]["state"]) == (2, "fault")
    assert checks["database"]["what"] == f"{file} cannot be read and written by user {owner}"


@pytest.fixture(scope="module")
def another_users() -> Iterator[Servers]:
    """A state directory with the mode that systemd gives it, and a user who is not the service's."""
    with prepared() as theirs:
        assert theirs.vestibule("db", "upgrade").returncode == 0
        theirs.state_dir.chmod(0o750)
        yield replace(theirs, become=User(4711, 4711).command)


@root_only
@pytest.mark.parametrize("typed", ["status", "account list", "audit list", "db upgrade", "db backup"])
def test_another_user_is_told_who_may(another_users: Servers, typed: str) -> None:
    """Typed without sudo, each command says whose it is; none of them ends as if all were well but for a warning."""
    refused = another_users.vestibule(*typed.split())

    said = " ".join((refused.stdout + refused.stderr).split())
    assert "type the command as the user of the service" in said
    assert "Traceback" not in said
    assert refused.returncode in ({2} if typed == "status" else {1, 3})
