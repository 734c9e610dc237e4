"""F-01, F-02, F-07: one worker is killed, the master, and all processes, again and again."""

import os
import random
import signal
import subprocess
from contextlib import closing, suppress
from typing import Final

from service.storage.engine.sqlite import DRIVER
from tests.faults.findings import Findings
from tests.faults.ledger import Secret, State
from tests.faults.site import LEAVERS, Site, site
from tests.faults.times import TIMES
from tests.faults.traffic import QUIET_SECONDS, Traffic
from tests.rig.passwords import PASSWORD
from tests.rig.processes import children, runs
from tests.rig.servers import VESTIBULE, counters_of
from tests.rig.until import until

THREADS: Final = 24  # the default of server.threads
_ROUNDS: Final = 6
_LIMIT: Final = 5
_BETWEEN_KILLS: Final = 5.0
NOTICED: Final = 0.1  # until nginx knows that its idle connections are closed


def worker(findings: Findings) -> None:
    """`kill -9` of one of two workers, three times."""
    with site() as service:
        (counters,) = counters_of(service.servers.socket)
        with service.traffic() as traffic:
            traffic.go_on(QUIET_SECONDS)
            files = len(list(counters.iterdir()))
            for _ in range(3 * TIMES):
                _kill_worker(service.servers.processes["gunicorn"].pid, traffic, findings)
            share = 100 * len(traffic.failed()) / len(traffic.asked) / findings.busy
        findings.at_most("failed requests, over the slowness of the machine", share, 1, " %")
        findings.at_most("files of counters, against before", len(list(counters.iterdir())) / files, 2)
        service.compare(findings)


def _kill_worker(master: int, traffic: Traffic, findings: Findings) -> None:
    before, failed_before, killed_at = children(master), len(traffic.failed()), traffic.now
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    until(lambda: len(children(master) - {victim}) == len(before), "there is another worker")
    findings.within("another worker", traffic.now - killed_at, 3)
    findings.back(traffic.recovered(killed_at), 3)
    traffic.go_on(killed_at + _BETWEEN_KILLS - traffic.now)
    findings.at_most("requests that failed with a worker", len(traffic.failed()) - failed_before, THREADS)
    findings.none("failed request that was due after the kill", traffic.failed(killed_at + NOTICED * findings.busy))


def master(findings: Findings) -> None:
    """`kill -9` of gunicorn's master; its supervisor starts it again at once."""
    with site(THROTTLES__ACCOUNT_FROM_NETWORK=f"{_LIMIT}/15m") as service:
        guesses = [service.client.guess("person1") for _ in range(_LIMIT + 1)]
        with service.traffic() as traffic:
            traffic.go_on(QUIET_SECONDS)
            for _ in range(TIMES):
                _kill_master(service, traffic, findings)
        guesses.append(service.client.guess("person1"))
        findings.check("an exhausted limit stays exhausted", guesses[-2:], guesses == [*[401] * _LIMIT, 429, 429])
        service.compare(findings)


def _kill_master(service: Site, traffic: Traffic, findings: Findings) -> None:
    process, killed_at = service.servers.processes.pop("gunicorn"), traffic.now
    workers = children(process.pid)
    process.kill()
    process.wait()
    try:
        service.servers.start_gunicorn()
        until(lambda: not any(runs(pid) for pid in workers), "the workers of the killed master end")
        findings.within("no worker of the killed master answers", traffic.now - killed_at, 5)
        service.ready()
        findings.within("ready again", traffic.now - killed_at, 5)
        findings.back(traffic.recovered(killed_at), 5)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def everything(findings: Findings) -> None:
    """`kill -9` of all processes at random moments, an operator's command among them; then the file is checked."""
    chance = random.Random(7)  # noqa: S311 - the same moments in every run
    with site() as service:
        _sign_leavers_in(service)
        with service.traffic(every=1) as traffic:
            traffic.go_on(QUIET_SECONDS)
            killed_at = 0.0
            for number in range(_ROUNDS * TIMES):
                leaver = LEAVERS[number % len(LEAVERS)]
                command = _disable(service, leaver)
                if number % 2:
                    command.wait()  # just acknowledged; else it is killed, too
                traffic.go_on(chance.uniform(0.3, 1.5))
                killed_at = traffic.now
                command.kill()
                service.crash()
                if command.wait() == 0:
                    service.ledger.disable(leaver, State.ENDED)
                service.ready()
            findings.back(traffic.recovered(killed_at), 5)
        service.compare(findings)
        findings.check("PRAGMA integrity_check", found := integrity(service), found == "ok")
        findings.beside.append(f"{_ROUNDS * TIMES} kills")


def _sign_leavers_in(service: Site) -> None:
    for name in LEAVERS[: _ROUNDS * TIMES]:
        service.sign_in(name)
        service.ledger.secrets[name] = Secret(PASSWORD)


def _disable(service: Site, name: str) -> "subprocess.Popen[bytes]":
    service.ledger.disable(name, State.ASKED_TO_END)
    servers = service.servers
    return subprocess.Popen(
        servers.become(*VESTIBULE, "account", "disable", name),
        env=servers.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def integrity(service: Site) -> str:
    """Return what SQLite says about the database's file."""
    with closing(DRIVER.connect(service.database_file)) as connection:
        return "; ".join(str(row[0]) for row in connection.execute("PRAGMA integrity_check"))
