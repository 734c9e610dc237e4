"""scrape_p99: what a scrape each second does to people who are signed in: the 99th percentile of their session checks.

Both `/metrics` and `/edge/metrics` are asked for each second, while people ask 100 times a second for a page. In turn
with it: the same without scrapes. All checks of all runs with scrapes are compared with all without.
"""

from collections.abc import Callable
from typing import Final

from tests.bench.flood import CHECKS_A_SECOND, PASSED, percentile, session_checks
from tests.bench.open_loop import Stream, Timed, run, schedule
from tests.bench.rows import Goal, Row
from tests.bench.served import Served, served

RUNS: Final = 6
SECONDS: Final = 10.0
NAME: Final = "scrape_p99"
_PEOPLE: Final = 1000
_PEOPLE_FROM: Final = range(2000, 2128)
_PROMETHEUS: Final = range(1000, 1002)


def measure(say: Callable[[str], None]) -> Row:
    """Run with and without scrapes in turn; the row is the ratio of the percentiles, its runs those of each pair."""
    scraped, quiet, ratios = list[Timed](), list[Timed](), list[float]()
    with served(_PEOPLE) as service:
        service.servers.start_metrics()
        requests = session_checks(service, len(_PEOPLE_FROM))
        for number in range(RUNS):
            order = (True, False) if number % 2 else (False, True)
            pair = {scrapes: _checks(service, requests, scrapes=scrapes) for scrapes in order}
            scraped += pair[True]
            quiet += pair[False]
            ratios.append(_p99(pair[True]) / _p99(pair[False]))
            say(f"99% within {1000 * _p99(pair[True]):.2f} ms, {1000 * _p99(pair[False]):.2f} ms without scrapes")
    beside = f"99% of {len(scraped):,} checks within {1000 * _p99(scraped):.2f} ms, {1000 * _p99(quiet):.2f} ms without"
    return Row(NAME, _p99(scraped) / _p99(quiet), "times", Goal(1.1), tuple(ratios), beside)


def _checks(service: Served, requests: list[bytes], *, scrapes: bool) -> list[Timed]:
    moments = schedule(each_second=CHECKS_A_SECOND, since=0, until=SECONDS - 1)
    checks = Stream(service.app, requests, moments, networks=_PEOPLE_FROM, until=SECONDS)
    asked = [
        f"GET {path} HTTP/1.1\r\nHost: localhost:{service.servers.ops_port}\r\n\r\n".encode()
        for path in ("/metrics", "/edge/metrics")
    ]
    moments = schedule(each_second=len(asked), since=0, until=SECONDS - 1) if scrapes else []
    prometheus = Stream(service.servers.ops_port, asked, moments, networks=_PROMETHEUS, until=SECONDS)
    run([checks, prometheus], SECONDS)
    assert {answer.status for answer in checks.answers} == {PASSED}
    assert {answer.status for answer in prometheus.answers} <= {200}
    return checks.answers


def _p99(checks: list[Timed]) -> float:
    return percentile([check.seconds for check in checks], 99)
