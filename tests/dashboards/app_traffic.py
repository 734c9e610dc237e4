"""Traffic to apps behind the door: pages with many parts, API calls, refusals, and an app's own errors."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tests.bench import load
from tests.bench.open_loop import Arrivals, Stream
from tests.dashboards.traffic import Known, moments

_PAGES: Final = ("/", "/page/1", "/page/2", "/style.css", "/script.js", "/reports/week")


def of_apps(ports: Mapping[str, int], known: Sequence[Known], seconds: float) -> Iterator[Arrivals]:
    """Yield what people who are signed in send to each app, and what the door refuses."""
    for number, (name, port) in enumerate(sorted(ports.items())):
        sessions = [each.session for each in known]
        network = 3000 + 300 * number
        # A browser that opens a page asks for its parts over one connection: nginx remembers the first answer.
        for person, session in enumerate(sessions[:6]):
            parts = [load.page(port, path, session) for path in _PAGES]
            yield _stream(port, parts, 6.0 + 4 * number, seconds, range(network + person, network + person + 1))
        kinds = [
            (3.0, [load.page(port, f"/api/{each}", session) for each, session in enumerate(sessions)]),
            (0.6, [load.page(port, "/", "a=b")]),
            (0.3, [load.page(port, "/admin/users", session) for session in sessions]),
            (0.4, [load.page(port, "/broken?status=500", session) for session in sessions]),
        ]
        for kind, (rate, requests) in enumerate(kinds):
            begin = network + 50 + 40 * kind
            yield _stream(port, requests, rate, seconds, range(begin, begin + 40), seed=len(name) + kind)


def _stream(
    port: int, requests: Sequence[bytes], rate: float, seconds: float, networks: range, *, seed: int = 0
) -> Stream:
    due = list(moments(rate, seed + networks.start, 0, seconds))
    return Stream(port, requests, due, networks=networks, until=seconds)
