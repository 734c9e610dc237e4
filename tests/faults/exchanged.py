"""F-03, F-18 and an instance that is killed: workers and instances change while the traffic goes on."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.faults.client import Client
from tests.faults.findings import Findings
from tests.faults.killed import NOTICED, THREADS
from tests.faults.memory import footprint
from tests.faults.site import UNLIMITED, Site, populate, site, unhurried
from tests.faults.times import TIMES
from tests.faults.traffic import QUIET_SECONDS, Traffic
from tests.rig.directories import server_directory
from tests.rig.instances import Instances, instances
from tests.rig.postgres import running
from tests.rig.processes import children
from tests.rig.releases import next_step
from tests.rig.until import until

_RELOADS: Final = 6


def reload(findings: Findings) -> None:
    """HUP exchanges all workers, six times."""
    with site() as service:
        master = service.servers.processes["gunicorn"].pid
        with service.traffic() as traffic:
            traffic.go_on(QUIET_SECONDS)
            _hang_up(master)
            before = footprint(service, [master])
            for _ in range(_RELOADS * TIMES):
                _hang_up(master)
            findings.back(traffic.recovered(traffic.now), 3)
            after = footprint(service, [master])
        traffic.nothing_failed(findings)
        findings.at_most("MB that the master has more than after the first", after.megabytes - before.megabytes, 4)
        findings.at_most("open files that it has more", after.files - before.files, 0)
        findings.at_most("threads that it has more", after.threads - before.threads, 0)
        findings.at_most("files of counters, against after the first", after.counter_files / before.counter_files, 1)
        service.compare(findings)


def _hang_up(master: int) -> None:
    before = children(master)
    os.kill(master, signal.SIGHUP)
    until(lambda: not before & children(master) and len(children(master)) == len(before), "all workers are new")


def releases(findings: Findings) -> None:
    """Three instances on one PostgreSQL go to the next release, with a migration, one by one, and back again."""
    with running() as server, _three(server.new_database()) as (three, service), server_directory("code") as place:
        next_release, this_release = next_step(place), three.front.code
        with service.traffic() as traffic:
            traffic.go_on(QUIET_SECONDS)
            began = traffic.now
            findings.check("the next release's migration is made", code := three.upgrade(next_release), code == 0)
            for release in (next_release, this_release):
                for number in range(len(three.each)):
                    three.replace(number, code=release)
            took = traffic.now - began
            findings.back(traffic.recovered(traffic.now), 3)
        traffic.nothing_failed(findings)
        findings.beside.append(f"all of it took {took:.0f} s")
        service.compare(findings)


def killed_instance(findings: Findings) -> None:
    """`kill -9` of one of three instances, its workers included; it is started again some seconds later."""
    with running() as server, _three(server.new_database()) as (three, service):
        with service.traffic() as traffic:
            traffic.go_on(QUIET_SECONDS)
            for number in range(2 * TIMES):
                _kill(three, number % 3, traffic, findings)
        service.compare(findings)


def _kill(three: Instances, number: int, traffic: Traffic, findings: Findings) -> None:
    failed_before, killed_at = len(traffic.failed()), traffic.now
    three.kill(number)
    traffic.go_on(2.0)
    findings.back(traffic.recovered(killed_at), 3)
    findings.at_most("requests that failed with an instance", len(traffic.failed()) - failed_before, THREADS)
    late = traffic.failed(killed_at + NOTICED * findings.busy)
    findings.none("failed request that was due after the kill", late)
    three.each[number].start_gunicorn()
    three.wait_until_ready(number)


@contextmanager
def _three(address: str) -> Iterator[tuple[Instances, Site]]:
    """Yield three instances that are ready, and the site that they are together."""
    chosen: dict[str, Any] = UNLIMITED | {"SERVER__DRAIN": "1s"}
    with instances(database=address, workers=1, edit_nginx=unhurried, **chosen) as three:
        ledger = populate(three.front)
        three.start()
        service = Site(three.front, Client(three.front.port), ledger)
        service.sign_some_in()
        yield three, service
