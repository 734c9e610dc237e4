"""Counts of what nginx answered, from the lines that nginx writes, in Prometheus' text format.

A line is one request: `@app,method,status,seconds,limit_req,limit_conn,gate` (nginx.conf, log_format count). All of its
values come from closed sets. The app is empty where a request ended before nginx knew which one it was for.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate

OWN_PAGES = "vestibule"
_PREFIX = "vestibule_edge_"
BUCKETS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10")
_BOUNDS = [int(float(bound) * 1000) for bound in BUCKETS]
# No value has an @: the rest of a line that a full disk cut off cannot pass for the beginning of the next one.
_LINE = re.compile(rb"@([a-z0-9._-]{0,64}),([A-Z]{3,7}),([0-9]{3}),([0-9]{1,9}\.[0-9]{3}),([A-Z_-]*),([A-Z_-]*),(1?)")
_REJECTED = "REJECTED"
_NO_STATUS = "000"  # the client was gone before an answer began

# Series that exist before their first request: Prometheus sees no increase from a series that did not exist.
_STATUSES_AT_ZERO = ("200", "303", "401", "429", "502", "503")
_HELP = {
    "requests_total": ("counter", "Requests that nginx answered."),
    "limited_total": ("counter", "Requests refused by limits of nginx, and sign-ins refused by the full hashing gate."),
    "request_duration_seconds": ("histogram", "Time from a request's first byte to its answer's last byte, at nginx."),
}
# nginx fills in these numbers (SSI commands) when it hands the text on.
_NGINX_STATUS = """\
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
        at_zero = [(OWN_PAGES, method, status) for method in ("GET", "POST") for status in _STATUSES_AT_ZERO]
        self._requests = Counter(dict.fromkeys(at_zero, 0))
        self._limited = Counter({"requests": 0, "connections": 0, "hashing_gate": 0})
        self._in_bucket = {OWN_PAGES: [0] * (len(BUCKETS) + 1)}
        self._milliseconds = Counter[str]()

    def add(self, lines: Iterable[bytes]) -> None:
        """Count the lines that nginx wrote whole."""
        for line, times in Counter(lines).items():
            if found := _LINE.fullmatch(line):
                app, method, status, seconds, *limited = (value.decode() for value in found.groups())
                app = app or OWN_PAGES
                self._requests[app, method, _NO_STATUS if status.startswith("0") else status] += times
                self._time(app, int(seconds.replace(".", "")), times)
                self._limit(*limited, is_own=app == OWN_PAGES, times=times)

    def _time(self, app: str, milliseconds: int, times: int) -> None:
        in_bucket = self._in_bucket.setdefault(app, [0] * (len(BUCKETS) + 1))
        in_bucket[bisect_left(_BOUNDS, milliseconds)] += times
        self._milliseconds[app] += milliseconds * times

    def _limit(self, rate: str, connections: str, gate: str, *, is_own: bool, times: int) -> None:
        self._limited["requests"] += times * (rate == _REJECTED)
        self._limited["connections"] += times * (connections == _REJECTED)
        self._limited["hashing_gate"] += times * (gate == "1" and is_own)  # the header of an app does not count

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
        for app, in_bucket in sorted(self._in_bucket.items()):
            for bound, times in zip((*BUCKETS, "+Inf"), accumulate(in_bucket), strict=True):
                yield f'{_PREFIX}request_duration_seconds_bucket{{app="{app}",le="{bound}"}} {times}'
            yield f'{_PREFIX}request_duration_seconds_count{{app="{app}"}} {sum(in_bucket)}'
            yield f'{_PREFIX}request_duration_seconds_sum{{app="{app}"}} {self._milliseconds[app] / 1000}'


def _head(name: str) -> Iterator[str]:
    kind, words = _HELP[name]
    yield f"# HELP {_PREFIX}{name} {words}"
    yield f"# TYPE {_PREFIX}{name} {kind}"
