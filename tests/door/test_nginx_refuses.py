"""What nginx refuses before an app: clients without a session, whatever they forge; and all while the door is away."""

import json
import os
import signal
import socket
from collections.abc import Iterator

import pytest

from tests.door.conftest import EVERYONE
from tests.door.guarded import SIGNED_IN, Guarded, guarded
from tests.rig import postgres
from tests.rig.asking import answers, free_port, received, send
from tests.rig.postgres import Postgres
from tests.rig.processes import children


@pytest.mark.parametrize(
    "headers",
    [
        {"Remote_User": "admin"},
        {"Vestibule_Credential": "session"},
        {"X_Original_URL": "http://localhost/public", "X_Original_Method": "GET"},
        {"X_Forwarded_Uri": "/public", "X_Forwarded_Method": "GET", "X_Forwarded_Host": "localhost"},
        {"X_Rewrite_URL": "/public", "X_HTTP_Method_Override": "GET"},
        {"X_Forwarded_For": "127.0.0.1", "X_Real_IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"},
        {"Connection": "close, X-Forwarded-For, X-Original-URL, Vestibule-Rules, Cookie"},
        {"User_Agent": "kube-probe/1.0"},
        {"User_Agent": "GoogleHC/1.0"},
        {"User_Agent": ""},
        {"Authorization": "Basic YWxpY2U6cGFzc3dvcmQ="},
        {"Authorization": f"Bearer vst_{'x' * 43}"},
        {"Origin": "http://other.test", "Access_Control_Request_Method": "PUT"},
        {"Cookie": "vestibule_session="},
        {"Cookie": "=vestibule_session=x"},
        {"Cookie": '$Version=1; vestibule_session="a\\073b"; $Path=/'},
        {"Cookie": f"vestibule_session={'%00' * 14}x"},
        {"Cookie": f"vestibule_session={chr(255) * 43}"},
        {"Cookie": f"__Host-vestibule={'x' * 43}; __Secure-vestibule={'x' * 43}"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PROPFIND"])
def test_nothing_forged_opens_the_door(it: Guarded, method: str, headers: dict[str, str]) -> None:
    """No header, user agent, method or odd cookie stands in for a session (FA-01 to FA-19)."""
    before = it.echo.seen()

    assert it.ask("wiki", "/x", method=method, **headers).status == 401
    assert it.echo.seen() == before


@pytest.mark.parametrize(
    "target",
    ["/admin/x?u=/public/", "/admin/x%23/public", "/admin/x%3f/public", "/admin/x#/public", "/admin#/../public",
     "/public/../admin/x", "/public/%2e%2e/admin/x", "/public/..%2fadmin/x", "//admin/x", "/admin%2fx", "/admin%252fx"],
)  # fmt: skip
def test_a_look_alike_of_a_public_path_is_not_public(it: Guarded, target: str) -> None:
    """Queries, fragments and dot segments make nothing public (FA-13, FA-15)."""
    host = f"Host: localhost:{it.ports['paths']}\r\nConnection: close\r\n\r\n"

    assert answers(send(it.ports["paths"], f"GET {target} HTTP/1.1\r\n{host}".encode())) == [401]


@pytest.mark.parametrize(
    "path", ["/verify", "/refused", "/errors/503.html", "/errors/apps/503.html", "/errors/../verify"]
)
def test_nginxs_own_questions_are_not_for_clients(it: Guarded, alice: str, path: str) -> None:
    """The door's question is nginx's alone, in any spelling of its path (FA-11)."""
    for prefix in ("/.well-known/vestibule", "//.well-known//vestibule", "/%2ewell-known/vestibul%65"):
        assert it.ask("wiki", prefix + path, Cookie=alice).status == 404


@pytest.mark.parametrize(
    "path", ["/auth/verify", "/auth/forward", "/auth/", "//auth/verify", "/%61uth/verify", "/x/../auth/verify"]
)
def test_the_logins_own_address_answers_no_question_of_the_door(it: Guarded, alice: str, path: str) -> None:
    """Whatever is forged along with it (FA-11, HD-09)."""
    url = f"http://localhost:{it.ports['open']}/"

    assert it.servers.get(path, Cookie=alice, X_Original_URL=url, X_Original_Method="GET").status == 404


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1", "localhost.evil.test"])
def test_an_apps_own_port_answers_to_its_own_name(it: Guarded, alice: str, host: str) -> None:
    """Another Host is 421, and appears nowhere in the answer (HD-01)."""
    before = it.echo.seen()
    answer = it.ask("wiki", "/x", Cookie=alice, Host=host)

    assert (answer.status, it.echo.seen()) == (421, before)
    assert host not in answer.text + str(answer.headers)


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("GET ?x HTTP/1.1", 400),
        ("GET http://localhost?x HTTP/1.1", 400),
        ("GET * HTTP/1.1", 400),
        ("GET /x HTTP/1.1\r\nCookie: a=\x01", 400),
        ("GET /x HTTP/1.1\r\nReferer: \x7f", 400),
        ("GET /x HTTP/1.1\r\nHost: localhost", 400),
        ("POST /x HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked", 400),
        ("POST /x HTTP/1.1\r\nContent-Length: +3", 400),
        ("POST /x HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4", 400),
        ("POST /x HTTP/1.1\r\nTransfer-Encoding: gzip, chunked", 400),
        ("GET /x HTTP/1.1\r\nAuthorization: a\r\nAuthorization: b", 400),
        ("TRACE /x HTTP/1.1", 404),
    ],
)
def test_what_programs_could_read_differently_is_refused(it: Guarded, lines: str, status: int) -> None:
    """One answer, of ours, before any other program reads the request (SM-01 to SM-09)."""
    before = it.echo.seen()
    with socket.create_connection(("127.0.0.1", it.ports["open"]), timeout=20) as connection:
        connection.sendall(f"{lines}\r\nHost: localhost:{it.ports['open']}\r\n\r\n".encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)  # nginx waits for no rest of a body
        said = received(connection)

    assert answers(said) == [status]
    assert it.echo.seen() == before


@pytest.fixture(scope="module")
def fragile() -> Iterator[tuple[Guarded, Postgres]]:
    """Servers of this file's own, on PostgreSQL, to be stopped and hung."""
    apps = {"wiki": SIGNED_IN, "open": EVERYONE, "down": f'upstream = "http://127.0.0.1:{free_port()}"\n{EVERYONE}'}
    with postgres.running() as database:
        address = database.new_database()
        with guarded(apps, people=("alice",), DATABASE_URL=address) as it:
            yield it, database


def assert_closed(it: Guarded, cookie: str) -> None:
    """A request with a session is 503, in words that fit the client, and the app hears nothing."""
    before = it.echo.seen()
    page = it.ask("wiki", "/x", method="POST", body=b"x" * 100_000, Cookie=cookie, Accept="text/html")
    data = it.ask("wiki", "/x", Cookie=cookie, Accept="application/json")

    assert (page.status, data.status, it.echo.seen()) == (503, 503, before)
    assert "Sign-in is not available right now" in page.text
    assert page.one("x-request-id") in page.text
    assert (data.json["error"], data.one("retry-after"), data.one("cache-control")) == ("unavailable", "5", "no-store")


def test_while_the_database_is_away_or_hangs_the_door_is_shut(fragile: tuple[Guarded, Postgres]) -> None:
    """503, never 200; it opens again by itself."""
    it, database = fragile
    alice = it.sign_in("alice")
    it.servers.wait_until(lambda: it.ask("wiki", "/x", Cookie=alice).status == 200, "the door is open")

    database.pause()
    try:
        it.servers.wait_until(lambda: it.ask("wiki", "/x", Cookie=alice).status != 200, "nginx remembers nothing")
        assert_closed(it, alice)
    finally:
        database.resume()
    it.servers.wait_until(lambda: it.ask("wiki", "/x", Cookie=alice).status == 200, "the door is open again")
    database.stop(signal.SIGQUIT)
    try:
        it.servers.wait_until(lambda: it.ask("wiki", "/x", Cookie=alice).status != 200, "nginx remembers nothing")
        assert_closed(it, alice)
    finally:
        database.start()
    it.servers.wait_until(lambda: it.ask("wiki", "/x", Cookie=alice).status == 200, "the door is open once more")


def test_while_the_service_hangs_or_is_away_the_door_is_shut(fragile: tuple[Guarded, Postgres]) -> None:
    """503, never 200, also where everyone may pass; files of nginx's are there."""
    it, _ = fragile
    alice, gunicorn = it.sign_in("alice"), it.servers.processes["gunicorn"].pid
    group = [gunicorn, *children(gunicorn)]
    try:
        for each in group:
            os.kill(each, signal.SIGSTOP)
        it.servers.wait_until(lambda: it.ask("wiki", "/x", Cookie=alice).status != 200, "nginx remembers nothing")
        assert_closed(it, alice)
        assert it.ask("open", "/x").status == 503
    finally:
        for each in group:
            os.kill(each, signal.SIGCONT)
    it.servers.wait_until(lambda: it.ask("wiki", "/x", Cookie=alice).status == 200, "the door is open again")

    it.servers.end("gunicorn", signal.SIGKILL)
    it.servers.wait_until(lambda: it.ask("wiki", "/x", Cookie=alice).status != 200, "nginx remembers nothing")
    assert_closed(it, alice)
    it.servers.start_gunicorn()
    it.servers.wait_until(lambda: it.ask("wiki", "/x", Cookie=alice).status == 200, "the door is open once more")


def test_an_app_that_is_down_is_502_by_itself(fragile: tuple[Guarded, Postgres]) -> None:
    """The page says that it is the app, the others go on."""
    it, _ = fragile
    it.servers.wait_until(lambda: it.ask("open", "/x").status == 200, "the door is open")
    answer = it.ask("down", "/x", Accept="text/html")

    assert (answer.status, "The app does not answer" in answer.text) == (502, True)


def test_nginxs_log_names_the_app(it: Guarded, alice: str) -> None:
    """Requests are counted by app."""
    it.ask("wiki", "/for-the-log", Cookie=alice)

    counted = it.servers.nginx_dir / "requests.count"
    it.servers.wait_until(lambda: "@wiki,GET,200," in counted.read_text(), "nginx has counted it")
    it.servers.wait_until(lambda: "/for-the-log" in it.servers.log("nginx"), "nginx has logged it")
    assert json.loads(next(line for line in it.servers.log("nginx").splitlines() if "/for-the-log" in line))
