"""F-20, F-21: what grows under traffic that goes on, and what happens when there is too little memory."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.bench.machine import family, proportional_mb
from tests.faults.findings import Findings
from tests.faults.killed import THREADS, integrity
from tests.faults.memory_group import memory_group
from tests.faults.sender import sending
from tests.faults.site import Site, site
from tests.faults.times import TIMES
from tests.faults.traffic import QUIET_SECONDS
from tests.rig.servers import counters_of

_WARM_UP_SECONDS: Final = 6.0
_SOAK_SECONDS: Final = 10.0
_MORE_MB: Final = 20  # what one hash more or less takes
_WORKERS: Final = 2
_OTHER_THREADS: Final = 6  # of hashing, of the log, and the first
_SHARE: Final = 0.7


class Footprint(NamedTuple):
    """What the service holds."""

    megabytes: float
    files: int
    threads: int
    counter_files: int
    wal_megabytes: float


def soak(findings: Findings) -> None:
    """Unknown tokens, wrong passwords and the dearest input, as fast as they are answered, beside the usual traffic.

    This is the short form of a day: what grows with each request shows after some thousand of them.
    """
    with site() as service:
        master = service.servers.processes["gunicorn"].pid
        with service.traffic():
            _send(service, _WARM_UP_SECONDS)
        before = footprint(service, family(master))
        with service.traffic() as traffic:
            traffic.go_on(QUIET_SECONDS)
            statuses = _send(service, _SOAK_SECONDS * TIMES)
            findings.back(traffic.recovered(traffic.now), 5)
        after = footprint(service, family(master))
        findings.at_most("MB more than after the warm-up", after.megabytes - before.megabytes, _MORE_MB)
        findings.at_most("more open files (nginx keeps 32 connections)", after.files - before.files, 32)
        findings.at_most("threads", after.threads, _WORKERS * (THREADS + _OTHER_THREADS))
        findings.at_most("files of counters, against before", after.counter_files / before.counter_files, 1)
        findings.at_most("MB of write-ahead log", after.wal_megabytes, 64)
        findings.none("other answer than refusals", sorted(set(statuses) - {303, 401, 404, 429, 503}))
        findings.beside.append(f"{sum(statuses.values())} requests, with the answers {dict(statuses)}")
        service.compare(findings)


def _send(service: Site, seconds: float) -> Counter[int]:
    with sending("mixed", service.servers.port, seconds) as statuses:
        pass
    return statuses


def footprint(service: Site, processes: Sequence[int]) -> Footprint:
    """Return what some of the processes hold now."""
    (counters,) = counters_of(service.servers.socket)
    wal = service.database_file.with_name(f"{service.database_file.name}-wal")
    return Footprint(
        proportional_mb(processes),
        _entries("fd", processes),
        _entries("task", processes),
        len(list(counters.iterdir())),
        wal.stat().st_size / 1e6 if wal.exists() else 0.0,
    )


def _entries(name: str, processes: Sequence[int]) -> int:
    return sum(len(list(Path(f"/proc/{pid}/{name}").iterdir())) for pid in processes)


def too_little(findings: Findings) -> None:
    """The memory of all of gunicorn's processes is bounded at 70 % of what a flood of sign-ins takes.

    The kernel ends the process that holds most of it, a worker, and the master starts another one.
    """
    with memory_group() as group, site() as service:
        servers, plain = service.servers, service.servers.become
        servers.become = lambda *command: group.command(*plain(*command))
        with service.traffic() as traffic:
            traffic.go_on(QUIET_SECONDS)
            _restart_and_flood(service, seconds=4)
            need = group.peak
            servers.end("gunicorn")
            group.limit(int(need * _SHARE))
            _restart_and_flood(service, seconds=6)
            findings.back(traffic.recovered(traffic.now), 5)
            is_same = servers.processes["gunicorn"].poll() is None
        findings.check("the kernel ended workers", group.kills, group.kills > 0)
        findings.check("the master goes on", is_same, is_same)
        findings.beside.append(f"{need * _SHARE / 1e6:.0f} MB of {need / 1e6:.0f} MB")
        service.compare(findings)
        findings.check("PRAGMA integrity_check", found := integrity(service), found == "ok")


def _restart_and_flood(service: Site, *, seconds: float) -> None:
    """Start gunicorn, in the group, and have 300 wrong passwords a second arrive."""
    service.servers.end("gunicorn")
    service.servers.start_gunicorn()
    service.ready()
    with sending("wrong", service.servers.port, seconds):
        pass
