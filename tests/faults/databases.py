"""F-09 and the stores that move: PostgreSQL crashes, fails over, or is reached anew; Redis fails over."""

import signal
from typing import Final

from tests.faults.findings import Findings
from tests.faults.site import Site, site
from tests.faults.times import TIMES
from tests.faults.traffic import QUIET_SECONDS, Traffic
from tests.rig import redis
from tests.rig.haproxy import leading_to
from tests.rig.pgbouncer import pooling
from tests.rig.postgres import Postgres, running
from tests.rig.processes import children
from tests.rig.scraped import total
from tests.rig.standby import standby_of
from tests.rig.until import until

_AWAY: Final = 503
_LIMIT: Final = 5
_CONNECTIONS: Final = 16  # the default of server.database_connections
_THROTTLED: Final = 429
_DEGRADED: Final = "vestibule_counter_store_degraded"
_AWAY_SECONDS: Final = (1.0, 5.0)


def crash(findings: Findings) -> None:
    """PostgreSQL crashes twice, and is up again after 1 and after 5 seconds."""
    with running() as server, site(DATABASE_URL=(address := server.new_database())) as service:
        master = service.servers.processes["gunicorn"].pid
        with service.traffic() as traffic:
            traffic.go_on(QUIET_SECONDS)
            workers = children(master)
            for seconds in _AWAY_SECONDS * TIMES:
                _crash(server, traffic, seconds, findings)
            findings.check("the workers go on", len(workers & children(master)), workers == children(master))
            findings.at_most("connections of two workers", server.connections(address), 2 * _CONNECTIONS)
        service.compare(findings)


def failover(findings: Findings) -> None:
    """PostgreSQL crashes twice; its name leads to the standby at once, which is promoted the second time.

    The first time the primary comes back, and the name leads to it again, while connections to the standby stay open:
    that reads and refuses to write. It is synchronous: what was acknowledged is on both.
    """
    with (
        running() as first,
        standby_of(first, synchronous=True) as second,
        leading_to(first.port) as name,
        site(DATABASE_URL=name.address(first.new_database())) as service,
    ):
        with service.traffic() as traffic:
            traffic.go_on(QUIET_SECONDS)
            for is_promoted in (False, True):
                crashed_at = traffic.now
                first.stop(signal.SIGQUIT)
                name.move(second.port)
                traffic.go_on(2.0)
                if is_promoted:
                    second.promote()
                else:
                    first.start()
                    name.move(first.port)
                moved_at = traffic.now
                findings.back(traffic.recovered(moved_at), 5)
                _only_told_to_come_back(findings, traffic, crashed_at, moved_at)
        service.compare(findings)


def pooler(findings: Findings) -> None:
    """PgBouncer, in transaction mode, is killed and started again."""
    with (
        running() as server,
        pooling(server, "transaction") as bouncer,
        site(DATABASE_URL=bouncer.to(server.new_database())) as service,
    ):
        with service.traffic() as traffic:
            traffic.go_on(QUIET_SECONDS)
            for _ in range(2 * TIMES):
                killed_at = traffic.now
                bouncer.stop()
                traffic.go_on(1.0)
                bouncer.start(server)
                up_at = traffic.now
                findings.back(traffic.recovered(up_at), 3)
                _only_told_to_come_back(findings, traffic, killed_at, up_at)
        service.compare(findings)


def counters(findings: Findings) -> None:
    """Redis fails over: the old one crashes; the next time it becomes a replica, and connections to it stay open.

    Meanwhile attempts are counted in SQL, so that a limit is at most twice what it is.
    """
    with redis.running() as one, redis.running() as two, leading_to(one.port) as name:
        two.follow(one)
        with site(REDIS_URL=name.address(one.address), THROTTLES__ACCOUNT_FROM_NETWORK=f"{_LIMIT}/15m") as service:
            guesses = [service.client.guess("person1") for _ in range(_LIMIT + 1)]
            with service.traffic() as traffic:
                traffic.go_on(QUIET_SECONDS)
                moved_at = traffic.now
                one.stop()
                two.promote()
                name.move(two.port)
                findings.back(traffic.recovered(moved_at), 5)
                one.start()
                one.follow(two)
                one.promote()
                two.follow(one)
                name.move(one.port)
                findings.back(traffic.recovered(traffic.now), 5)
                until(lambda: not _is_degraded(service), "attempts are counted in Redis again")
            guesses += [service.client.guess("person1") for _ in range(_LIMIT + 1)]
            findings.none("failed request", traffic.failed())
            findings.at_most("guesses at one account", guesses.count(401), 2 * _LIMIT)
            findings.check("an exhausted limit stays exhausted", guesses[-1], guesses[-1] == _THROTTLED)
            service.compare(findings)


def _is_degraded(service: Site) -> bool:
    return total(service.servers.ops("/metrics").text, _DEGRADED) > 0


def _crash(server: Postgres, traffic: Traffic, seconds: float, findings: Findings) -> None:
    crashed_at = traffic.now
    server.stop(signal.SIGQUIT)
    traffic.go_on(seconds)
    server.start()
    up_at = traffic.now
    findings.back(traffic.recovered(up_at), 3)
    _only_told_to_come_back(findings, traffic, crashed_at, up_at)


def _only_told_to_come_back(findings: Findings, traffic: Traffic, since: float, till: float) -> None:
    bad = [each for each in traffic.failed(since, till) if each.status != _AWAY]
    findings.none("other failure than 503 meanwhile", bad)
