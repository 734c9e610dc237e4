"""Slow clients: they are cut, and no other client waits for them.

The limits of nginx.conf are seconds; here nginx runs with a second in their place, and a test waits for what happens.
"""

import contextlib
import http.client
import select
import socket
from collections.abc import Iterator

import pytest

from tests.edge.conftest import ECHO
from tests.rig.asking import answers, received
from tests.rig.servers import Servers, running

SLOW_CLIENTS = 100  # as many as one address may have under way


def _impatient(nginx_conf: str) -> str:
    for name in ("client_header_timeout", "client_body_timeout", "send_timeout"):
        assert f"{name} 10s;" in nginx_conf
        nginx_conf = nginx_conf.replace(f"{name} 10s;", f"{name} 1s;")
    return nginx_conf.replace("keepalive_timeout 30s;", "keepalive_timeout 1s;")


@pytest.fixture(scope="module")
def impatient() -> Iterator[Servers]:
    """Servers that wait for a second where production waits for ten, with four threads in all to answer."""
    with running(
        application=ECHO, workers=1, SERVER__THREADS="4", HASHING__THREADS="1", edit_nginx=_impatient
    ) as servers:
        yield servers


@contextlib.contextmanager
def _clients(servers: Servers, number: int, sending: bytes) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as open_ones:
        clients = []
        for _ in range(number):
            client = open_ones.enter_context(socket.create_connection(("127.0.0.1", servers.port), timeout=20))
            client.sendall(sending)
            clients.append(client)
        yield clients


@pytest.mark.parametrize(
    "sent",
    [b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a", b"\r\n\r\n"],
    ids=["one byte", "a request line", "half a head", "empty lines"],
)
def test_a_head_that_does_not_end_is_cut(impatient: Servers, sent: bytes) -> None:
    """A client that never finishes its head is disconnected without an answer."""
    assert answers(impatient.raw(sent)) == []


def test_a_silent_connection_is_cut(impatient: Servers) -> None:
    """A client that connects and says nothing is disconnected."""
    assert impatient.raw(b"") == b""


def test_a_body_that_does_not_come_is_cut(impatient: Servers) -> None:
    """A client that never finishes its body is disconnected; its request did not reach the service (SZ-21, SM-13)."""
    sent = b"POST /slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc"

    assert impatient.raw(sent) == b""


def test_slow_bodies_keep_no_thread_of_the_service_busy(impatient: Servers) -> None:
    """While more slow bodies are under way than the service has threads, other clients are served (SM-13)."""
    sending = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000\r\n\r\na"
    with _clients(impatient, 30, sending) as clients:
        for client in clients:
            client.sendall(b"b")

        served = [impatient.get("/").status for _ in range(10)]

    assert served == [200] * 10


def test_what_an_answer_left_of_a_body_may_come_late(echo: Servers) -> None:
    """gunicorn keeps a connection whose body it has not read yet: nginx may already send the next request on it."""
    with socket.socket(socket.AF_UNIX) as nginx:
        nginx.connect(str(echo.socket))
        nginx.sendall(b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\na")
        first = http.client.HTTPResponse(nginx)
        first.begin()
        assert (first.status, first.read()) == (200, b"ok\n")  # which gunicorn sends in two parts
        closed = bool(select.select([nginx], [], [], 0.5)[0])
        nginx.sendall(b"bcGET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

        assert not closed
        assert answers(received(nginx)) == [200]


def test_slow_readers_keep_no_thread_of_the_service_busy(impatient: Servers) -> None:
    """A client that sends many requests and never reads the answers keeps no other client from its answers."""
    asking = b"GET /?%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"a" * 700)
    with _clients(impatient, 10, asking * 8):
        served = [impatient.get("/").status for _ in range(10)]

    assert served == [200] * 10


def test_one_address_has_only_so_many_requests_under_way(echo: Servers) -> None:
    """Beyond a hundred requests under way at once an address gets 429, but for the ops listener, until some end."""
    assert f"limit_conn clients {SLOW_CLIENTS};" in (echo.nginx_dir / "nginx.conf").read_text()
    sending = b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\na"

    # Some more than that: our own questions take places, too, while the others still arrive.
    with _clients(echo, SLOW_CLIENTS + 20, sending):
        echo.wait_until(lambda: echo.get("/").status == 429, "the address has enough under way")
        refused, ops = echo.get("/"), echo.ops("/healthz")
    echo.wait_until(lambda: echo.get("/").status == 200, "the address may ask again")

    assert refused.one("retry-after") == "60"
    assert ops.status == 200


def test_silent_connections_at_gunicorn_starve_nobody(impatient: Servers) -> None:
    """More silent connections on gunicorn's socket than it has threads: the probe is still answered (SM-15)."""
    with contextlib.ExitStack() as open_ones:
        for _ in range(20):
            silent = open_ones.enter_context(socket.socket(socket.AF_UNIX))
            silent.connect(str(impatient.socket))

        assert impatient.vestibule("ping").returncode == 0
        assert impatient.get("/").status == 200


def test_idle_connections_beyond_the_cap_do_no_harm(impatient: Servers) -> None:
    """With thousands of idle connections at nginx a new client is still served (SM-17)."""
    with _clients(impatient, 5000, b""):
        served = impatient.get("/").status

    assert served == 200
    assert "accept4() failed" not in impatient.log("nginx")


def test_thousands_of_heads_that_do_not_come_cut_no_other(echo: Servers) -> None:
    """While one address keeps 4,400 connections open with one byte each, a head that comes in two parts is answered."""
    with _clients(echo, 4400, b"G"), socket.create_connection(("127.0.0.1", echo.port), timeout=20) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        served = [echo.get("/").status for _ in range(10)]
        slow.sendall(b"Connection: close\r\n\r\n")

        assert answers(received(slow)) == [200]

    assert served == [200] * 10


def test_a_kept_connection_that_is_idle_is_closed(impatient: Servers) -> None:
    """A connection without a request is given up after a while."""
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")

        assert answers(received(connection)) == [200]
