"""Workers and masters exchanged while requests go on: what a signal changes, and what it does not."""

import contextlib
import os
import signal
from collections.abc import Callable

import pytest

from tests.edge.conftest import ECHO
from tests.rig.parts import ROOT
from tests.rig.processes import children
from tests.rig.servers import Servers, counters_of, prepared


def test_new_workers_answer_without_a_gap(servers: Servers) -> None:
    """HUP exchanges the workers while requests go on, posts included; none fails (F-03)."""
    master = servers.processes["gunicorn"]
    before = children(master.pid)
    statuses: set[int] = set()

    master.send_signal(signal.SIGHUP)

    def exchanged() -> bool:
        statuses.update(servers.get("/", method=method, body=b"").status for method in ("GET", "POST"))
        return not before & children(master.pid)

    servers.wait_until(exchanged, "all workers are new")
    assert statuses <= {200, 429}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ("[server]\nworkers = 3\nthreads = 24\n", "is needed for changes of server.workers"),
        ("[server]\nworkers = none\n", "the settings are wrong now"),
        ("[server]\nworkers = 0\n", "the settings are wrong now"),
    ],
)
def test_a_reload_takes_no_setting_and_says_so(changed: str, said: str) -> None:
    """HUP exchanges the workers and nothing more: the settings of the start stay, whole, and the log says why."""
    with prepared(application=ECHO) as servers:
        config = servers.state_dir / "vestibule.toml"
        config.write_text("[server]\nworkers = 2\n")
        servers.environ["VESTIBULE_CONFIG"] = str(config)
        del servers.environ["VESTIBULE_SERVER__WORKERS"]
        servers.start()
        _hang_up(servers, lambda: config.write_text(changed))

        assert said in servers.log("gunicorn")


def test_a_reload_does_not_read_gunicorns_configuration() -> None:
    """A release that lies there half-written does not end the master at a HUP."""
    with prepared(application=ECHO) as servers:
        configuration = servers.state_dir / "gunicorn.conf.py"
        configuration.write_text((ROOT / "deploy" / "gunicorn.conf.py").read_text())
        servers.render()
        servers.start_gunicorn(configuration)
        servers.start_nginx()
        servers.wait_until(lambda: servers.get("/").status == 200, "the service answers")

        _hang_up(servers, lambda: configuration.write_text("workers = 3\n("))


def _hang_up(servers: Servers, change: Callable[[], object]) -> None:
    """Change something, send HUP, and see that two new workers answer."""
    master = servers.processes["gunicorn"]
    servers.wait_until(lambda: len(children(master.pid)) == 2, "both workers run")
    before = children(master.pid)
    change()

    master.send_signal(signal.SIGHUP)

    servers.wait_until(
        lambda: not before & children(master.pid) and len(children(master.pid)) == 2, "both workers are new"
    )
    assert servers.get("/").status == 200


def test_the_number_of_workers_stays(servers: Servers) -> None:
    """TTIN and TTOU change nothing: one budget for hashing is divided among the workers of the settings."""
    master = servers.processes["gunicorn"].pid
    for each in (signal.SIGTTIN, signal.SIGTTOU):
        os.kill(master, each)

    _hang_up(servers, lambda: None)


def _masters_below(pid: int) -> list[int]:
    """Return the children that have two children of their own."""
    return [child for child in children(pid) if len(children(child)) == 2]


def test_a_new_master_takes_over_without_a_gap(servers: Servers) -> None:
    """USR2, then TERM exchange the master while requests go on; the new one counts on, and ends like the old one."""
    old = servers.processes.pop("gunicorn")
    (counters,) = counters_of(servers.socket)
    (counters / "counter_1.db").touch()
    try:
        old.send_signal(signal.SIGUSR2)
        servers.wait_until(lambda: _masters_below(old.pid) != [], "there is a second master with workers")
        (new,) = _masters_below(old.pid)

        old.send_signal(signal.SIGTERM)
        assert old.wait(20) == 0

        assert servers.get("/").status == 200
        assert (counters / "counter_1.db").exists()
        os.kill(new, signal.SIGTERM)
        servers.wait_until(lambda: counters_of(servers.socket) == [], "the new master gives its directory back")
        assert servers.log("gunicorn").count("Shutting down") == 2
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(old.pid, signal.SIGKILL)  # both masters and all workers are one group
