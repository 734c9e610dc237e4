"""edge_count: what counting at the edge costs: nginx's answers a second with it, as a share of those without.

The cheapest answer that nginx gives (204 to OPTIONS for a file), without its log of JSON lines, which costs several
times as much: nothing hides the cost of counting. Clients send sixteen requests at once, so that nginx has more to do
than they; there are many, as each waits 40 ms for the last of its answers (Nagle's algorithm and delayed ACKs).
The process that counts takes its share of the processors. In turn: the same nginx without its second log.
"""

import selectors
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Final, NamedTuple

from tests.bench.load import Client
from tests.bench.rows import Goal, Row
from tests.bench.sign_in_parts import cpu_seconds
from tests.rig.asking import answers
from tests.rig.servers import Servers, prepared

RUNS: Final = 9
SECONDS: Final = 2.0
CLIENTS: Final = 512
AT_ONCE: Final = 16
NAME: Final = "edge_count"
_COUNTS: Final = "access_log requests.count count buffer=32k flush=1s;"
_LOG: Final = "access_log /dev/stdout line;"


class _Found(NamedTuple):
    """Answers a second, and what one of them cost nginx and the process that counts."""

    rate: float
    microseconds: float


def measure(say: Callable[[str], None]) -> Row:
    """Run nginx with and without counting in turn; the row is the median of the ratios."""
    pairs: list[tuple[_Found, _Found]] = []
    with _nginx(counts=True) as with_, _nginx(counts=False) as without:
        for run in range(RUNS + 1):
            order = (with_, without) if run % 2 else (without, with_)
            found = {servers.port: _measured(servers) for servers in order}
            ours, bare = found[with_.port], found[without.port]
            said = f"{ours.rate:,.0f} answers a second of {bare.rate:,.0f} without counting"
            say(f"{said}; {ours.microseconds:.2f} µs of a processor each, {bare.microseconds:.2f}")
            pairs.append((ours, bare))
    ratios = tuple(ours.rate / bare.rate for ours, bare in pairs[1:])
    ours, bare = (_Found(*map(median, zip(*side, strict=True))) for side in zip(*pairs[1:], strict=True))
    beside = (
        f"{ours.rate:,.0f} answers a second of {bare.rate:,.0f}; "
        f"{ours.microseconds:.2f} µs of a processor for each, {bare.microseconds:.2f} without counting"
    )
    return Row(NAME, median(ratios), "ratio", Goal(0.95, at_least=True), ratios, beside)


@contextmanager
def _nginx(*, counts: bool) -> Iterator[Servers]:
    """Yield nginx alone, without its log of JSON lines, with the other one and its reader or without."""

    def edited(nginx_conf: str) -> str:
        assert (_COUNTS in nginx_conf, _LOG in nginx_conf) == (True, True)
        nginx_conf = nginx_conf.replace(_LOG, "" if counts else "access_log off;")
        return nginx_conf if counts else nginx_conf.replace(_COUNTS, "")

    with prepared(edit_nginx=edited) as servers:
        servers.render()
        servers.start_nginx()
        servers.wait_until(lambda: servers.ops("/edge/healthz").status == 200, "nginx answers")
        if counts:
            servers.start_metrics()
        yield servers


def _measured(servers: Servers) -> _Found:
    """Have all clients wait for the next answers all the time."""
    request = b"OPTIONS /static/ HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % servers.port
    length = _length(servers.port, request)
    received = 0
    opened = [Client(servers.port, number) for number in range(CLIENTS)]
    with selectors.DefaultSelector() as selector:
        for client in opened:
            selector.register(client.socket, selectors.EVENT_READ, [client.socket, AT_ONCE * length])
            client.socket.sendall(request * AT_ONCE)
        began, cpu = time.perf_counter(), _cpu_seconds(servers)
        while (elapsed := time.perf_counter() - began) < SECONDS:
            for key, _ in selector.select(1):
                connection, missing = key.data
                got = len(connection.recv(65536))
                received += got
                key.data[1] = missing - got
                if missing == got:
                    connection.sendall(request * AT_ONCE)
                    key.data[1] = AT_ONCE * length
    cpu = _cpu_seconds(servers) - cpu
    for client in opened:
        client.socket.close()
    return _Found(received / length / elapsed, 1e6 * cpu / (received / length))


def _cpu_seconds(servers: Servers) -> float:
    return sum(cpu_seconds(process.pid) for process in servers.processes.values())


def _length(port: int, request: bytes) -> int:
    """Return the bytes of one answer, all of which have the same length."""
    with Client(port) as client:
        client.socket.sendall(request)
        answer = client.socket.recv(65536)
    assert answers(answer) == [204], answer
    return len(answer)
