"""Counts of what nginx answered, from the lines that nginx writes, in Prometheus' text format.

A line is one request: `@app,method,status,seconds,limit_req,limit_conn,gate,door,door_seconds` (nginx.conf, log_format
count). All of its values come from closed sets. The app is empty where a request ended before nginx knew which one it
was for; the door is empty where nginx asked no question about the request.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate

OWN_PAGES = "vestibule"
DOOR_OUTCOMES = ("allowed", "cached", "failed", "refused")
_PREFIX = "vestibule_edge_"
BUCKETS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10")
_DOOR_BUCKETS = ("0.001", "0.002", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5")
# No value has an @: the rest of a line that a full disk cut off cannot pass for the beginning of the next one.
_LINE = re.compile(
    rb"@([a-z0-9._-]{0,64}),([A-Z]{3,7}),([0-9]{3}),([0-9]{1,9}\.[0-9]{3}),([A-Z_-]*),([A-Z_-]*),(1?)"
    rb",(allowed|cached|failed|refused|),([0-9]{1,9}\.[0-9]{3}|)"
)
_REJECTED = "REJECTED"
_NO_STATUS = "000"  # the client was gone before an answer began

# Series that exist before their first request: Prometheus sees no increase from a series that did not exist.
_STATUSES_AT_ZERO = ("200", "303", "401", "429", "502", "503")
_HELP = {
    "requests_total": ("counter", "Requests that nginx answered."),
    "limited_total": ("counter", "Requests refused by limits of nginx, and sign-ins refused by the full hashing gate."),
    "request_duration_seconds": ("histogram", "Time from a request's first byte to its answer's last byte, at nginx."),
    "door_checks_total": ("counter", "Requests to apps, by what the door's check of each came to."),
    "door_duration_seconds": ("histogram", "Time that a request to an app waited for the door's check, at nginx."),
}
# nginx fills in these numbers (SSI commands) when it hands the text on.
_NGINX_STATUS = """\
# HELP vestibule_edge_door_up Whether the door answers nginx, asked at this scrape.
# TYPE vestibule_edge_door_up gauge
<!--# include virtual="/edge/door-up" set="door" -->\
vestibule_edge_door_up <!--# if expr="$door = answers" -->1<!--# else -->0<!--# endif -->
# HELP vestibule_edge_connections Connections of nginx by state.
# TYPE vestibule_edge_connections gauge
vestibule_edge_connections{state="active"} <!--# echo var="connections_active" -->
vestibule_edge_connections{state="reading"} <!--# echo var="connections_reading" -->
vestibule_edge_connections{state="writing"} <!--# echo var="connections_writing" -->
vestibule_edge_connections{state="waiting"} <!--# echo var="connections_waiting" -->
# HELP vestibule_edge_connections_accepted_total Connections that nginx accepted.
# TYPE vestibule_edge_connections_accepted_total counter
<!--# include virtual="/edge/connections" set="status" -->\
<!--# if expr="$status = /requests\\s+(?P<accepted>[0-9]+)/" -->\
vestibule_edge_connections_accepted_total <!--# echo var="accepted" --><!--# endif -->
"""


class RequestCounts:
    """All counts since this process began."""

    def __init__(self) -> None:
        self._requests = Counter[tuple[str, str, str]]()
        self._limited = Counter({"requests": 0, "connections": 0, "hashing_gate": 0})
        self._times: dict[str, _Times] = {}
        self._checks: dict[str, Counter[str]] = {}
        self._check_times = _Times(_DOOR_BUCKETS)
        self._begin(OWN_PAGES)

    def _begin(self, app: str) -> None:
        """Show an app's series from its first request on, those of our own pages from the start."""
        self._times[app] = _Times(BUCKETS)
        for method in ("GET", "POST"):
            self._requests.update(dict.fromkeys(((app, method, status) for status in _STATUSES_AT_ZERO), 0))

    def add(self, lines: Iterable[bytes]) -> None:
        """Count the lines that nginx wrote whole."""
        for line, times in Counter(lines).items():
            if found := _LINE.fullmatch(line):
                app, method, status, seconds, *limited, door, waited = (value.decode() for value in found.groups())
                app = app or OWN_PAGES
                if app not in self._times:
                    self._begin(app)
                self._requests[app, method, _NO_STATUS if status.startswith("0") else status] += times
                self._times[app].add(seconds, times)
                self._limit(*limited, is_own=app == OWN_PAGES, times=times)
                if door:
                    self._check(app, door, waited, times)

    def _limit(self, rate: str, connections: str, gate: str, *, is_own: bool, times: int) -> None:
        self._limited["requests"] += times * (rate == _REJECTED)
        self._limited["connections"] += times * (connections == _REJECTED)
        self._limited["hashing_gate"] += times * (gate == "1" and is_own)  # the header of an app does not count

    def _check(self, app: str, outcome: str, waited: str, times: int) -> None:
        self._checks.setdefault(app, Counter(dict.fromkeys(DOOR_OUTCOMES, 0)))[outcome] += times
        self._check_times.add(waited or "0.000", times)  # an answer from the cache took no time

    def text(self) -> str:
        """Return all counts, and the commands with which nginx adds its own."""
        return "".join(f"{line}\n" for line in self._lines()) + _NGINX_STATUS

    def _lines(self) -> Iterator[str]:
        yield from _head("requests_total")
        for (app, method, status), times in sorted(self._requests.items()):
            yield f'{_PREFIX}requests_total{{app="{app}",method="{method}",status="{status}"}} {times}'
        yield from _head("limited_total")
        for limit, times in self._limited.items():
            yield f'{_PREFIX}limited_total{{limit="{limit}"}} {times}'
        yield from _head("request_duration_seconds")
        for app, taken in sorted(self._times.items()):
            yield from taken.lines("request_duration_seconds", f'app="{app}"')
        yield from _head("door_checks_total")
        for app, outcomes in sorted(self._checks.items()):
            for outcome, times in outcomes.items():
                yield f'{_PREFIX}door_checks_total{{app="{app}",outcome="{outcome}"}} {times}'
        yield from _head("door_duration_seconds")
        yield from self._check_times.lines("door_duration_seconds")


class _Times:
    """A histogram of times, each as nginx writes it: seconds with three decimals."""

    def __init__(self, buckets: tuple[str, ...]) -> None:
        self._buckets = (*buckets, "+Inf")
        self._bounds = [int(float(bound) * 1000) for bound in buckets]
        self._in_bucket = [0] * len(self._buckets)
        self._milliseconds = 0

    def add(self, seconds: str, times: int) -> None:
        milliseconds = int(seconds.replace(".", ""))
        self._in_bucket[bisect_left(self._bounds, milliseconds)] += times
        self._milliseconds += milliseconds * times

    def lines(self, name: str, labels: str = "") -> Iterator[str]:
        before, alone = f"{labels}," if labels else "", f"{{{labels}}}" if labels else ""
        for bound, times in zip(self._buckets, accumulate(self._in_bucket), strict=True):
            yield f'{_PREFIX}{name}_bucket{{{before}le="{bound}"}} {times}'
        yield f"{_PREFIX}{name}_count{alone} {sum(self._in_bucket)}"
        yield f"{_PREFIX}{name}_sum{alone} {self._milliseconds / 1000}"


def _head(name: str) -> Iterator[str]:
    kind, words = _HELP[name]
    yield f"# HELP {_PREFIX}{name} {words}"
    yield f"# TYPE {_PREFIX}{name} {kind}"
