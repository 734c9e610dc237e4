"""What nginx leaves as it is between a client and an app: answers, bodies of any size, streams, web sockets."""

import http.client
import socket
from pathlib import Path

import pytest

from tests.door.guarded import Guarded
from tests.rig.asking import answers, ask, send
from tests.rig.until import until
from tests.rig.web_socket import connected

SIZE = 20_000_000


def temporary(it: Guarded) -> list[Path]:
    """Return the files that nginx has written parts of requests or answers to."""
    kinds = ("client_body_temp", "proxy_temp")
    return [path for kind in kinds for path in (it.servers.nginx_dir / kind).rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "status", [200, 201, 204, 206, 301, 304, 400, 401, 403, 404, 405, 409, 413, 418, 421, 429, 500, 502, 503]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_an_answer_is_the_apps(it: Guarded, alice: str, status: int, method: str) -> None:
    """Whatever status an app chooses passes with its headers and its body; no header is added."""
    path = f"/x?status={status}&type=text/html&header=X-Own:a&header=X-Own:b"
    direct, behind = ask(it.echo.port, path, method=method), it.ask("wiki", path, method=method, Cookie=alice)

    kept = ("server", "x-own", "content-type")
    assert behind.status == direct.status == status
    assert [behind.all(name) for name in kept] == [direct.all(name) for name in kept]
    added = {name for name, _ in behind.headers} - {name for name, _ in direct.headers}
    assert added <= {"connection", "transfer-encoding"}
    assert bool(behind.body) == bool(direct.body)


@pytest.mark.parametrize(
    "header",
    ["WWW-Authenticate:Basic", "Set-Cookie:a=b", "Cache-Control:public", "Location:http://127.0.0.1:1/", "Vary:Cookie",
     "Content-Encoding:br", "Content-Security-Policy:default-src", "Retry-After:7"],
)  # fmt: skip
def test_a_header_of_an_answer_is_the_apps(it: Guarded, alice: str, header: str) -> None:
    """nginx changes no header of an answer."""
    name, _, value = header.partition(":")

    assert it.ask("wiki", f"/x?status=401&header={header}", Cookie=alice).all(name) == [value]


def test_an_app_commands_nginx_nothing(it: Guarded) -> None:
    """The answer of an app cannot have nginx answer with another location, such as the service's verdict."""
    for target in ("/.well-known/vestibule/verify", "/.well-known/vestibule/errors/503.html", "/y"):
        answer = it.ask("open", f"/x?header=X-Accel-Redirect:{target}")

        assert answer.json["path"].startswith("/x?")
        assert answer.get("x-accel-redirect") is None


def test_a_part_of_a_file(it: Guarded, alice: str) -> None:
    """Range, and requests that depend on a file's version, reach the app, and its answers the client."""
    part = it.ask("wiki", "/x?bytes=1000", Cookie=alice, Range="bytes=10-19")
    same = it.ask("wiki", "/x?bytes=1000", Cookie=alice, If_None_Match='"echo"')

    assert (part.status, part.body, part.one("content-range")) == (206, bytes(range(10, 20)), "bytes 10-19/1000")
    assert (same.status, same.body, same.one("etag")) == (304, b"", '"echo"')


def test_a_large_download_reaches_no_disk(it: Guarded, alice: str) -> None:
    """While a client reads nothing the app waits, and nothing is written to a file."""
    before = it.echo.sent()
    steps = [before]

    def waits() -> bool:
        steps.append(it.echo.sent())
        return steps[-1] == steps[-2] > before

    with socket.create_connection(("127.0.0.1", it.ports["wiki"]), timeout=20) as connection:
        head = f"GET /x?bytes={10 * SIZE} HTTP/1.1\r\nHost: localhost:{it.ports['wiki']}\r\nCookie: {alice}\r\n\r\n"
        connection.sendall(head.encode())
        until(waits, "the app sends no more")
        assert steps[-1] - before < 10 * SIZE
        assert temporary(it) == []

    assert len(it.ask("wiki", f"/x?bytes={SIZE}", Cookie=alice).body) == SIZE


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_upload_reaches_no_disk(it: Guarded, alice: str, *, chunked: bool) -> None:
    """The app gets the first bytes before the client sends the last ones, and nothing is written to a file."""
    before = it.echo.seen()
    connection = http.client.HTTPConnection("127.0.0.1", it.ports["wiki"], timeout=20)
    connection.putrequest("PUT", "/x", skip_host=True)
    connection.putheader("Host", f"localhost:{it.ports['wiki']}")
    connection.putheader("Cookie", alice)
    connection.putheader(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(SIZE))))
    connection.endheaders()
    half = b"x" * (SIZE // 2)
    framed = b"%x\r\n%b\r\n" % (len(half), half) if chunked else half
    connection.send(framed)
    until(lambda: it.echo.seen() == before + 1, "the app has the request's head")
    assert temporary(it) == []
    connection.send(framed + (b"0\r\n\r\n" if chunked else b""))

    answer = connection.getresponse()
    assert (answer.status, b'"body_bytes": %d' % SIZE in answer.read()) == (200, True)
    connection.close()


@pytest.mark.parametrize("framing", ["Content-Length: 1000000000000", "Transfer-Encoding: chunked"])
def test_a_refused_body_is_not_read(it: Guarded, framing: str) -> None:
    """Who may not upload is told so at once: nginx neither waits for the body nor keeps any of it."""
    sent = b"10000\r\n" + b"x" * 65536 if "chunked" in framing else b"x" * 65536
    with socket.create_connection(("127.0.0.1", it.ports["wiki"]), timeout=20) as connection:
        head = f"PUT /x HTTP/1.1\r\nHost: localhost:{it.ports['wiki']}\r\n{framing}\r\n\r\n"
        connection.sendall(head.encode() + sent)
        said = connection.recv(65536)

    assert answers(said) == [401]
    assert temporary(it) == []


def test_a_stream_arrives_piece_by_piece(it: Guarded, alice: str) -> None:
    """The first event of a stream is there while the app still writes the next ones."""
    connection = http.client.HTTPConnection("127.0.0.1", it.ports["wiki"], timeout=20)
    connection.request("GET", "/x?stream=20", headers={"Host": f"localhost:{it.ports['wiki']}", "Cookie": alice})
    answer = connection.getresponse()

    first = answer.read1()
    assert first.count(b"data: ") < 20
    assert (first + answer.read()).count(b"data: ") == 20
    connection.close()


def test_a_web_socket(it: Guarded, alice: str) -> None:
    """Messages pass both ways, and the app was told whose socket it is, without our cookie."""
    with connected(it.ports["wiki"], "/live", {"Host": f"localhost:{it.ports['wiki']}", "Cookie": alice}) as messages:
        assert [messages.echo(text) for text in (b"one", b"x" * 5000)] == [b"one", b"x" * 5000]
        told = messages.echo(b"request") or b""

    assert b'["Remote-User", "alice"]' in told
    assert alice.encode() not in told


def test_a_web_socket_needs_a_session(it: Guarded) -> None:
    """Without one no socket is opened, and the app hears nothing."""
    before = it.echo.seen()
    asked = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Key": "x", "Sec_WebSocket_Version": "13"}

    assert it.ask("wiki", "/live", **asked).status == 401
    assert it.echo.seen() == before


@pytest.mark.parametrize(("length", "lines"), [(6_000, 1), (7_000, 4)])
def test_a_large_head(it: Guarded, alice: str, length: int, lines: int) -> None:
    """Cookies of 6 kB, and heads far above 16 kB, reach the app whole."""
    own = [f"X-Large-{number}: {'x' * length}" for number in range(lines - 1)]
    head = [f"GET /x HTTP/1.1\r\nHost: localhost:{it.ports['wiki']}", f"Cookie: a={'y' * length}; {alice}", *own]
    said = send(it.ports["wiki"], "\r\n".join([*head, "Connection: close", "", ""]).encode())

    assert answers(said) == [200]
    assert said.count(b"y" * length) == 1
    assert said.count(b"x" * length) == lines - 1


def test_a_head_that_is_too_large_is_refused_in_words(it: Guarded) -> None:
    """More than nginx takes is 431 with a page of the app's address: it names the cookies."""
    answer = it.ask("wiki", "/x", Cookie="y" * 9_000, Accept="text/html")

    assert answer.status == 431
    assert "delete the cookies" in answer.text
    assert "/static/" not in answer.text
