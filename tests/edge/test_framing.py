"""Framing: where one request ends and the next begins is never in doubt, and gunicorn never gets to doubt it."""

import socket

import pytest

from tests.rig.asking import answers, received
from tests.rig.servers import Servers

HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Content-Length: +4\r\n\r\nabcd",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 0x4\r\n\r\nabcd",
        HEAD + b"Content-Length: 4,4\r\n\r\nabcd",
        HEAD + b"Content-Length: 4 4\r\n\r\nabcd",
        HEAD + b"Content-Length: 004\r\n\r\nabcd",
        HEAD + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
        HEAD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        HEAD + b"Content-Length: 1" + b"0" * 30 + b"\r\n\r\n",
        HEAD + "Content-Length: ٤\r\n\r\nabcd".encode(),
        HEAD + b"Content-Length: \r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3;" + b"x" * 20_000 + b"\r\nabc\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"Content-Length: 9\r\n" * 500 + b"\r\n",
        HEAD + b"Transfer-Encoding: identity\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Content-Length : 4\r\n\r\nabcd",
        HEAD + b"X: a\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nNo colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/9\r\nHost: localhost\r\n\r\n",
        b"GET / http/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1 x\r\nHost: localhost\r\n\r\n",
        b"GET  \r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_doubtful_framing_gets_one_400_and_the_connection_closes(echo: Servers, request_: bytes) -> None:
    """What two servers could cut differently gets one 400 of ours, and what follows is no request (SM-01 to SM-09)."""
    said = echo.raw(request_ + SMUGGLED)

    assert answers(said) == [400]
    assert b"That request could not be read" in said
    assert b"smuggled" not in said


@pytest.mark.parametrize(
    "chunks",
    [
        b'3;x="\r\nGET /smuggled"\r\nabc\r\n0\r\n\r\n',
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"ZZ\r\n",
        b"-1\r\n",
        b"fffffffffffffffff\r\n",
    ],
)
def test_chunks_that_cannot_be_read_get_one_400(echo: Servers, chunks: bytes) -> None:
    """nginx cannot skip such a body, so the page is nginx's own; the headers of every answer are there (SM-05)."""
    said = echo.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + SMUGGLED)

    assert answers(said) == [400]
    assert b"X-Frame-Options: DENY\r\n" in said
    assert b"smuggled" not in said


@pytest.mark.parametrize(
    "request_",
    [
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        HEAD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        HEAD + b"Content-Length: 4,4\r\n\r\nabcd",
        HEAD + b"Content-Length: +4\r\n\r\nabcd",
        HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        HEAD + b"X: a\r\n folded\r\n\r\n",
        HEAD.replace(b"\r\n", b"\n") + b"\n",
    ],
)
def test_gunicorn_alone_would_not_be_fooled_either(echo: Servers, request_: bytes) -> None:
    """Even past nginx, on the socket itself, doubtful framing is refused once, and what follows is no request (SM)."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(echo.socket))
        connection.sendall(request_ + SMUGGLED)
        connection.shutdown(socket.SHUT_WR)

        said = received(connection)

    assert answers(said) in ([400], [501])
    assert b"smuggled" not in said


@pytest.mark.parametrize(
    "chunks", [b"-5\r\nabc", b"0x3\r\nabc\r\n0\r\n\r\n", b"3\r\nabcd", b"5\r\nab", b"0\r\nX: " + b"a" * 90_000]
)
def test_a_form_in_broken_chunks_is_unreadable_and_no_malfunction(service: Servers, chunks: bytes) -> None:
    """Past nginx, a form whose chunks cannot be read gets one 400, and the log has no malfunction (SM-05)."""
    head = b"POST / HTTP/1.1\r\nHost: localhost:%d\r\nTransfer-Encoding: chunked\r\n" % service.port
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(service.socket))
        connection.sendall(head + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + chunks)
        connection.shutdown(socket.SHUT_WR)

        assert answers(received(connection)) == [400]

    assert '"malfunction"' not in service.log("gunicorn")


def test_bare_line_feeds_end_at_nginx(echo: Servers) -> None:
    """Line ends that readers differ on are read by nginx alone: one answer, one body (SM-04)."""
    head = HEAD.replace(b"\r\n", b"\n") + b"Content-Length: 3\nConnection: close\n\n"

    said = echo.raw(head + b"abc" + SMUGGLED)

    assert answers(said) == [200]
    assert (b"smuggled" in said, b'"body": "abc"' in said) == (False, True)


def test_a_request_without_a_version_gets_the_page_alone(echo: Servers) -> None:
    """HTTP/0.9 knows no statuses and no Host: the answer is the page of a 400."""
    said = echo.raw(b"GET /\r\n")

    assert answers(said) == []
    assert b"That request could not be read" in said


@pytest.mark.parametrize("request_", [b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.0\r\nHost:\r\n\r\n"])
def test_an_old_client_must_name_the_host(service: Servers, request_: bytes) -> None:
    """HTTP/1.0 without Host gets 400: no program guesses which host was meant (MT-17)."""
    assert answers(service.raw(request_)) == [400]


@pytest.mark.parametrize("value", [b"h2c", b"TLS/1.0", b"websocket"])
def test_an_upgrade_is_ignored(echo: Servers, value: bytes) -> None:
    """No protocol is changed and the wish does not reach the service (SM-11)."""
    wish = b"Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: " + value + b"\r\nHTTP2-Settings: AAMAAABk\r\n"
    said = echo.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + wish + b"\r\n")

    assert answers(said) == [200]
    assert b"UPGRADE" not in said


def test_expect_is_answered_by_nginx_alone(echo: Servers) -> None:
    """100 Continue comes from nginx, and the service never hears of the expectation (SZ-21)."""
    said = echo.raw(HEAD + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc")

    assert answers(said) == [100, 200]
    assert b"EXPECT" not in said


def test_another_expectation_is_ignored(echo: Servers) -> None:
    """An expectation that no server meets is ignored (gunicorn would answer 417)."""
    assert answers(echo.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: cake\r\n\r\n")) == [200]


def test_pipelined_requests_are_answered_in_order(echo: Servers) -> None:
    """Requests sent ahead get their own answers, each its own, in order."""
    several = b"".join(b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % number for number in range(20))

    said = echo.raw(several + b"GET /last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    assert answers(said) == [200] * 21
    assert [said.index(b'"/%d"' % number) for number in range(20)] == sorted(
        said.index(b'"/%d"' % number) for number in range(20)
    )


def test_a_body_is_no_second_request(echo: Servers) -> None:
    """A body that looks like a request is a body, also where no page reads it."""
    said = echo.raw(HEAD + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(SMUGGLED) + SMUGGLED)

    assert answers(said)[0] == 200
    assert len(answers(said.replace(b"GET /smuggled HTTP/1.1", b""))) == 1


def test_a_get_with_a_body_is_one_request(service: Servers) -> None:
    """A body where none belongs is read and forgotten; the next request on the connection is the next one."""
    host = f"Host: localhost:{service.port}\r\n".encode()
    first = b"GET / HTTP/1.1\r\n" + host + b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED

    said = service.raw(first + b"GET /nothing HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n")

    assert answers(said) == [200, 404]
