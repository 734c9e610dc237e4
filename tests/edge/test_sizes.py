"""Sizes: what is too large is refused by nginx, in our page, before the service or a disk sees it."""

import socket

import pytest

from tests.rig.asking import answers, received
from tests.rig.servers import Servers

MEGABYTE = 1_000_000


def _post(*lines: bytes) -> bytes:
    return b"\r\n".join([b"POST / HTTP/1.1", b"Host: localhost", b"Connection: close", *lines, b"", b""])


@pytest.mark.parametrize("size", [16_384 + 1, MEGABYTE])
def test_a_large_form_is_refused_and_the_client_can_read_why(echo: Servers, size: int) -> None:
    """A body beyond 16 kB gets 413, and its sender, who is still sending, the page (SZ-01, SZ-09)."""
    said = echo.raw(_post(b"Content-Length: %d" % size) + b"a" * size)

    assert answers(said) == [413]
    assert b"That is too large" in said


def test_a_large_form_is_refused_before_it_is_sent(echo: Servers) -> None:
    """Who asks first (Expect) hears 413 and need not send anything."""
    assert answers(echo.raw(_post(b"Expect: 100-continue", b"Content-Length: 1000000"))) == [413]


def test_the_largest_form_arrives(echo: Servers) -> None:
    """A body of exactly 16 kB arrives whole."""
    assert len(echo.get("/", method="POST", body=b"a" * 16_384).body) > 16_384


def test_no_body_is_written_to_a_disk(echo: Servers) -> None:
    """The largest body stays in nginx's memory: passwords touch no file."""
    said = echo.raw(_post(b"Content-Length: 16384") + b"a" * 16_384)

    assert answers(said) == [200]
    assert not [path for path in (echo.nginx_dir / "client_body_temp").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "lines",
    [
        [b"X-Big: " + b"a" * 10_000],
        [b"X-Part-%d: " % number + b"a" * 90 for number in range(100)],
        [b"Cookie: " + b"; ".join(b"name%d=%s" % (number, b"v" * 90) for number in range(100))],
        [b"X: a"] * 3000,
    ],
    ids=["one line", "a hundred lines", "a hundred cookies", "three thousand lines"],
)
def test_ten_thousand_header_bytes_get_431(echo: Servers, lines: list[bytes]) -> None:
    """A head of 10,000 bytes gets 431, however the bytes are spread."""
    said = echo.raw(b"\r\n".join([b"GET / HTTP/1.1", b"Host: localhost", *lines, b"", b""]))

    assert answers(said) == [431]
    assert b"Your browser sends too much" in said


@pytest.mark.parametrize("target", [b"/" + b"a" * 10_000, b"/?rd=" + b"a" * 10_000])
def test_a_long_address_gets_414(echo: Servers, target: bytes) -> None:
    """A request line of 10,000 bytes gets 414."""
    said = echo.raw(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert answers(said) == [414]
    assert b"That address is too long" in said


@pytest.mark.parametrize("length", range(7_900, 8_010, 10))
def test_an_address_is_never_too_long_for_gunicorn_alone(echo: Servers, length: int) -> None:
    """Whatever address nginx lets pass, gunicorn takes: its own refusal is never seen."""
    said = echo.raw(b"GET /" + b"a" * length + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    assert answers(said) in ([200], [414], [431])
    assert b"URI Too Long" not in said or b"That address is too long" in said


@pytest.mark.parametrize("length", range(7_900, 8_010, 10))
def test_a_header_is_never_too_long_for_gunicorn_alone(echo: Servers, length: int) -> None:
    """Whatever Cookie nginx lets pass, gunicorn takes."""
    said = echo.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: " + b"a" * length + b"\r\n\r\n")

    assert answers(said) in ([200], [431])
    assert answers(said) == [200] or b"Your browser sends too much" in said


def test_a_body_that_stops_short_is_no_request(echo: Servers) -> None:
    """A client that promises more than it sends gets no answer, and the service never hears of it (SZ-21)."""
    before = echo.log("gunicorn")
    with socket.create_connection(("127.0.0.1", echo.port)) as connection:
        connection.sendall(_post(b"Content-Length: 100") + b"only this")
        connection.shutdown(socket.SHUT_WR)

        assert received(connection) == b""

    assert echo.log("gunicorn") == before


def test_a_post_without_a_length_has_no_body(echo: Servers) -> None:
    """A POST without Content-Length has no body; what follows is the next request, here an unreadable one (SZ-21)."""
    said = echo.raw(b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\nusername=a&password=b\r\n\r\n")

    assert answers(said) == [200, 400]
    assert b'"body": ""' in said
