"""Metrics of several workers: nothing is counted twice, lost, or kept for ever."""

import os
import re
import signal
from collections.abc import Iterator

import pytest

from tests.rig.processes import children
from tests.rig.servers import Servers, counters_of, prepared, running
from tests.rig.small_disk import fill, small_disk
from tests.rig.until import PATIENCE_SECONDS

WORKERS = 2


@pytest.fixture
def servers() -> Iterator[Servers]:
    """The service with two workers, to be restarted."""
    with running(workers=WORKERS) as own:
        yield own


def _workers(servers: Servers) -> set[int]:
    return children(servers.processes["gunicorn"].pid)


def _both_workers(servers: Servers) -> set[int]:
    """Return the workers as soon as there are as many as the settings say."""
    servers.wait_until(lambda: len(_workers(servers)) == WORKERS, "both workers run")
    return _workers(servers)


def _counted(servers: Servers) -> float:
    """Return how many GETs with 404 the metrics know of."""
    found = re.findall(
        r'^flask_http_request_total\{method="GET",status="404"\} (\S+)',
        servers.ops("/metrics").body.decode(),
        re.MULTILINE,
    )
    return float(found[0]) if found else 0.0


def _degraded(servers: Servers) -> float:
    """Return whether a worker says that Redis does not answer."""
    exposed = servers.ops("/metrics").body.decode()
    return float(re.findall(r"^vestibule_counter_store_degraded (\S+)", exposed, re.MULTILINE)[0])


def _files(servers: Servers) -> set[str]:
    (directory,) = counters_of(servers.socket)
    return {path.name for path in directory.iterdir()}


def _ask(servers: Servers, times: int) -> None:
    for _ in range(times):
        assert servers.get("/nothing").status == 404


def test_counts_survive_every_exchange_of_workers_in_the_same_files(servers: Servers) -> None:
    """Reloads and killed workers lose no count, and leave no files beyond those of old and new workers (F-01, F-03)."""
    _ask(servers, 20)
    known = 20
    most = 0
    for how in (signal.SIGHUP, signal.SIGKILL, signal.SIGHUP, signal.SIGKILL):
        before = _both_workers(servers)
        if how is signal.SIGHUP:
            servers.processes["gunicorn"].send_signal(how)
        else:
            for worker in before:
                os.kill(worker, how)
        servers.wait_until(lambda before=before: len(_workers(servers) - before) == WORKERS, "all workers are new")  # type: ignore[misc]
        servers.wait_until(lambda: servers.get("/nothing").status == 404, "they answer")
        _ask(servers, 9)
        known += 10
        assert _counted(servers) == known
        most = max(most, sum(name.startswith("counter_") for name in _files(servers)))

    assert most <= 2 * WORKERS + 1  # the master


def test_gauges_of_a_dead_worker_go_with_it() -> None:
    """One worker that lost Redis shows in every scrape; killed, it shows in none (F-03)."""
    with running(workers=WORKERS, REDIS_URL="redis://127.0.0.1:1/0") as servers:
        before = [_degraded(servers) for _ in range(5)]
        servers.get("/", method="POST", body=b"")
        after = [_degraded(servers) for _ in range(20)]
        workers = _both_workers(servers)
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        servers.wait_until(lambda: len(_workers(servers) - workers) == WORKERS, "all workers are new")
        servers.wait_until(lambda: servers.get("/nothing").status == 404, "they answer")

        assert (before, after) == ([0] * 5, [1] * 20)
        assert [_degraded(servers) for _ in range(5)] == [0] * 5


def _refused(servers: Servers) -> str:
    """Return what gunicorn said that ended by itself, with a code that is not 0."""
    gunicorn = servers.processes["gunicorn"]
    assert gunicorn.wait(PATIENCE_SECONDS) != 0
    return servers.log("gunicorn")


def test_workers_that_would_count_apart_do_not_start() -> None:
    """Under a configuration that is not ours each worker would tell of itself alone: the start ends, and says how."""
    with prepared(workers=WORKERS) as servers:
        foreign = servers.state_dir / "gunicorn.conf.py"
        foreign.write_text(f"bind = 'unix:{servers.state_dir}/foreign.sock'\nworkers = {WORKERS}\n")
        servers.start_gunicorn(foreign)

        assert "vestibule serve" in _refused(servers)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (f"--workers {WORKERS + 1}", "workers"),
        ("--bind 127.0.0.1:0", "bind"),
        ("--worker-class sync --threads 3", "threads, worker_class"),
        ("--forwarded-allow-ips '*'", "forwarded_allow_ips"),
        ("--no-control-socket --timeout 31", "timeout"),
        ("--daemon", "daemon"),
        ("--pid /dev/null", "pidfile"),
        ("--logger-class gunicorn.glogging.Logger", "logger_class"),
    ],
)
def test_options_of_gunicorn_cannot_undo_its_configuration(options: str, named: str) -> None:
    """GUNICORN_CMD_ARGS could serve without nginx, or beyond the one budget for hashing: the start names them."""
    with prepared(workers=WORKERS) as servers:
        servers.environ["GUNICORN_CMD_ARGS"] = options
        servers.start_gunicorn()

        assert f"GUNICORN_CMD_ARGS changes {named}: remove that" in _refused(servers)


def test_options_that_change_nothing_are_taken() -> None:
    """What gunicorn's configuration says anyway may be said again."""
    with prepared(workers=WORKERS) as servers:
        servers.environ["GUNICORN_CMD_ARGS"] = f"--workers {WORKERS} --preload --worker-class service.worker.Worker"
        servers.start()

        assert servers.get("/").status == 200


def test_a_full_disk_under_the_metrics_costs_no_answer() -> None:
    """On a disk that is full before the start every request is answered by the first workers; later all are counted."""
    with prepared(workers=WORKERS) as servers, small_disk(servers.state_dir / "disk", kilobytes=512) as disk:
        filling = fill(disk)
        servers.environ["PROMETHEUS_MULTIPROC_DIR"] = str(disk / "counters")
        servers.start()
        workers = _both_workers(servers)
        _ask(servers, 20)
        during = _counted(servers)
        filling.unlink()

        def stored() -> bool:
            _ask(servers, 1)
            return _counted(servers) > 20

        servers.wait_until(stored, "counts are stored")
        assert during == 0
        assert _workers(servers) == workers
        assert "No space left on device" in servers.log("gunicorn")
