"""What an orchestrator does to the service: variables of its own, missing migrations, a database that goes away."""

from tests.rig.postgres import Postgres
from tests.rig.postgres import running as postgres_of_its_own
from tests.rig.servers import prepared, running

INJECTED = {
    "VESTIBULE_PORT": "tcp://10.0.0.7:8080",
    "VESTIBULE_PORT_8080_TCP": "tcp://10.0.0.7:8080",
    "VESTIBULE_PORT_8080_TCP_ADDR": "10.0.0.7",
    "VESTIBULE_PORT_8080_TCP_PORT": "8080",
    "VESTIBULE_PORT_8080_TCP_PROTO": "tcp",
    "VESTIBULE_SERVICE_HOST": "10.0.0.7",
    "VESTIBULE_SERVICE_PORT": "8080",
    "VESTIBULE_SERVICE_PORT_HTTP": "8080",
}

COMMANDS = (("account", "list"), ("session", "list"), ("audit", "list"), ("block", "list"), ("setup", "link"))


def test_what_kubernetes_injects_stops_nothing() -> None:
    """A Service called vestibule sets variables under our prefix: they are ignored, with one warning in the log."""
    with prepared() as servers:
        servers.environ |= INJECTED
        servers.start()
        page, log = servers.get("/"), servers.log("gunicorn")

    assert page.status == 200
    assert len([line for line in log.splitlines() if '"warning"' in line and "VESTIBULE_PORT" in line]) == 1


def test_missing_tables_keep_requests_away_until_they_are_made(postgres: Postgres) -> None:
    """/readyz is red and names the command; `db upgrade` turns it green without a new start; twice changes nothing."""
    with prepared(DATABASE_URL=postgres.new_database()) as servers:
        servers.render()
        servers.start_gunicorn()
        servers.start_nginx()
        servers.wait_until(lambda: servers.ops("/healthz").status == 200, "alive")
        before = servers.ops("/readyz")
        told = [servers.vestibule(*command) for command in COMMANDS]
        upgrades = [servers.vestibule("db", "upgrade").returncode for _ in range(2)]
        after = servers.ops("/readyz")

    assert (before.status, b"vestibule db upgrade" in before.body) == (503, True)
    assert {(done.returncode, "vestibule db upgrade" in done.stderr) for done in told} == {(3, True)}
    assert (upgrades, after.status) == ([0, 0], 200)


def test_a_replica_is_ready_once_it_saw_the_tables() -> None:
    """Started while the database is away it is not ready, and says why; once the database answers it is, for good."""
    with postgres_of_its_own() as server, prepared(DATABASE_URL=server.new_database()) as servers:
        assert servers.vestibule("db", "upgrade").returncode == 0
        server.stop()
        servers.render()
        servers.start_gunicorn()
        servers.start_nginx()
        servers.wait_until(lambda: servers.ops("/healthz").status == 200, "alive")
        before = servers.ops("/readyz")
        server.start()
        servers.wait_until(lambda: servers.ops("/readyz").status == 200, "ready")

    assert (before.status, before.body) == (503, b"the database has not answered since the start\n")


def test_a_lost_database_shows_and_comes_back() -> None:
    """Without its database the service is alive and ready, and says so in a metric; pages are 503 until it is back."""
    with postgres_of_its_own() as server:
        address = server.new_database()
        with prepared(DATABASE_URL=address) as servers:
            assert servers.vestibule("db", "upgrade").returncode == 0
            servers.start()
            server.stop()
            page = servers.get("/account", Cookie=f"vestibule_session={'A' * 43}")
            probes = [servers.ops(path).status for path in ("/healthz", "/readyz")]
            gauges = servers.ops("/metrics").body
            server.start()
            servers.wait_until(
                lambda: servers.get("/account", Cookie=f"vestibule_session={'A' * 43}").status == 303,
                "it answers again",
            )

    assert (page.status, page.one("retry-after")) == (503, "5")
    assert probes == [200, 200]
    assert b"vestibule_database_up 0.0" in gauges


def test_a_damaged_database_stops_the_start_and_stays_as_it_is() -> None:
    """The start ends with the file's name and what to do; not a byte of it is replaced."""
    with running() as servers:
        file = servers.state_dir / "vestibule.sqlite3"
        servers.end("gunicorn")
        damaged = b"SQLite format 3\0" + b"not any more" * 1000
        file.write_bytes(damaged)
        servers.start_gunicorn()
        code = servers.processes["gunicorn"].wait(20)
        said, kept = servers.log("gunicorn"), file.read_bytes()

    assert code != 0
    assert "vestibule.sqlite3 is damaged" in said
    assert kept == damaged
