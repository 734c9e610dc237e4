"""The directory where workers count: emptied at a start, and nothing of it is left when its master is gone."""

import os
import signal

import pytest

from tests.edge.conftest import ECHO
from tests.rig.processes import children
from tests.rig.servers import Servers, counters_of, prepared, running


def test_an_orderly_end_leaves_nothing(servers: Servers) -> None:
    """TERM ends gunicorn with 0; socket and counters are gone with it."""
    assert len(counters_of(servers.socket)) == 1

    code = servers.end("gunicorn")

    assert code == 0
    assert not servers.socket.exists()
    assert counters_of(servers.socket) == []


def test_a_foreign_file_among_the_counters_spoils_no_end(servers: Servers) -> None:
    """A file of another program stays with its directory, and gunicorn ends with 0 all the same."""
    (counters,) = counters_of(servers.socket)
    (counters / "foreign").touch()

    assert servers.end("gunicorn") == 0

    assert [path.name for path in counters.iterdir()] == ["foreign"]
    assert "Traceback" not in servers.log("gunicorn")


def test_the_operators_own_directory_for_counters_stays(servers: Servers) -> None:
    """PROMETHEUS_MULTIPROC_DIR may be a mount: it stays, and loses its counters but no other program's database."""
    servers.end("gunicorn")
    own = servers.state_dir / "counters"
    own.mkdir(mode=0o700)
    os.chown(own, servers.state_dir.stat().st_uid, -1)
    (own / "accounts.db").touch()
    servers.environ["PROMETHEUS_MULTIPROC_DIR"] = str(own)
    servers.start_gunicorn()
    servers.wait_until(lambda: servers.get("/").status == 200, "the service is back")
    (own / "counter_1.db").touch()

    assert servers.end("gunicorn") == 0

    assert [*own.iterdir()] == [own / "accounts.db"]


def test_the_counters_survive_an_exchange_of_workers_and_not_a_new_start(servers: Servers) -> None:
    """HUP empties nothing; a new master begins with empty counters."""
    (counters,) = counters_of(servers.socket)
    left_behind = counters / "counter_1.db"
    left_behind.touch()
    master = servers.processes["gunicorn"]
    before = children(master.pid)

    master.send_signal(signal.SIGHUP)
    servers.wait_until(lambda: not before & children(master.pid), "all workers are new")
    kept = left_behind.exists()
    servers.end("gunicorn", signal.SIGKILL)
    servers.start_gunicorn()
    servers.wait_until(lambda: servers.get("/").status == 200, "the service is back")

    assert kept
    assert not left_behind.exists()


def test_a_refused_start_leaves_nothing() -> None:
    """A start that fails after its settings were read leaves no directory for counters."""
    with prepared(DATABASE_URL="sqlite:////proc/none/main.sqlite3") as servers:
        servers.start_gunicorn()

        assert servers.processes.pop("gunicorn").wait(20) != 0
        assert counters_of(servers.socket) == []


def test_a_start_that_is_told_to_end_leaves_nothing() -> None:
    """TERM before gunicorn listens for signals gives the RAM back, too."""
    with prepared() as servers:
        servers.start_gunicorn()
        servers.wait_until(lambda: any(path.glob("*.db") for path in counters_of(servers.socket)), "it has begun")

        servers.end("gunicorn")

        assert counters_of(servers.socket) == []


def test_a_start_that_is_told_to_end_at_a_moment_that_drops_exceptions_ends() -> None:
    """TERM inside a finalizer, which a library runs while it is imported, is not lost: gunicorn ends with 0."""
    with prepared(application="tests.edge.ends_while_loading:application", workers=1) as servers:
        servers.start_gunicorn()

        assert servers.processes["gunicorn"].wait(20) == 0
        assert counters_of(servers.socket) == []
        assert not servers.socket.exists()


def test_the_next_start_clears_what_killed_masters_left(servers: Servers) -> None:
    """After `kill -9` of everything any start of the same user removes the counters; those in use stay."""
    with running(application=ECHO, workers=1) as killed:
        socket = killed.socket
        killed.end("gunicorn", signal.SIGKILL)
        left = counters_of(socket)

        with running(application=ECHO, workers=1):
            assert len(left) == 1
            assert counters_of(socket) == []
            assert len(counters_of(servers.socket)) == 1


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("/etc/passwd", "/etc/passwd is not a directory: choose another path"),
        ("/proc/counters", "/proc/counters cannot be made by user"),
    ],
)
def test_no_advice_would_change_the_systems_own_directories(named: str, why: str) -> None:
    """Where counters cannot lie, what there is to type is about a directory of ours."""
    with prepared() as servers:
        servers.environ["PROMETHEUS_MULTIPROC_DIR"] = named
        servers.start_gunicorn()

        assert servers.processes.pop("gunicorn").wait(20) == 1
        assert why in servers.log("gunicorn")


@pytest.mark.parametrize("named", ["", "counters"])
def test_a_directory_for_counters_is_named_by_its_absolute_path(named: str) -> None:
    """An empty or relative PROMETHEUS_MULTIPROC_DIR is refused as that, before anything is made or changed."""
    with prepared() as servers:
        servers.environ["PROMETHEUS_MULTIPROC_DIR"] = named
        servers.start_gunicorn()

        assert servers.processes.pop("gunicorn").wait(20) == 1
        assert f'PROMETHEUS_MULTIPROC_DIR is "{named}": write the absolute path' in servers.log("gunicorn")
        assert "chown" not in servers.log("gunicorn")
