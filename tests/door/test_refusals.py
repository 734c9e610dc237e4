"""Refusals as they reach a client through nginx."""

from urllib.parse import quote

import pytest

from tests.door.guarded import Guarded

PAGE = {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
FRAME = {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"}
FORM = "application/x-www-form-urlencoded"


def test_a_page_is_redirected(it: Guarded) -> None:
    """The way back is the address as the client sent it, encoded once."""
    answer = it.ask("wiki", "/a%2Fb//c?x=[1]&y=%25", **PAGE)

    back = quote(f"http://localhost:{it.ports['wiki']}/a%2Fb//c?x=[1]&y=%25", safe="")
    assert (answer.status, answer.one("Location")) == (303, f"{it.servers.origin}/?rd={back}")


@pytest.mark.parametrize(("kind", "status"), [(PAGE, 303), (FRAME, 401), ({}, 401)])
def test_head(it: Guarded, kind: dict[str, str], status: int) -> None:
    """A HEAD is refused as a GET is, without a body."""
    answer = it.ask("wiki", "/x", method="HEAD", **kind)

    assert (answer.status, answer.body) == (status, b"")


@pytest.mark.parametrize("size", [20, 2_000_000])
def test_a_form(it: Guarded, size: int) -> None:
    """A form of any size that was sent too late gets its page, and the app gets nothing."""
    seen = it.echo.seen()

    answer = it.ask("wiki", "/save", method="POST", body=b"x" * size, Content_Type=FORM, **PAGE)

    assert (answer.status, "Nothing was sent" in answer.text) == (401, True)
    assert it.echo.seen() == seen


def test_a_web_socket(it: Guarded) -> None:
    """A web socket is refused with JSON, and never redirected."""
    key = {"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec_WebSocket_Version": "13"}

    answer = it.ask("wiki", "/ws", Connection="Upgrade", Upgrade="websocket", Sec_Fetch_Mode="websocket", **key)

    assert (answer.status, answer.json["reason"]) == (401, "sign-in")


@pytest.mark.parametrize("kind", [PAGE | {"method": "POST"}, FRAME, {}])
def test_each_header_once(it: Guarded, kind: dict[str, str]) -> None:
    """nginx adds none of the login's headers to those of the service, and passes the request's id on."""
    answer = it.ask("wiki", "/x", **kind)

    once = ("Cache-Control", "Content-Type", "X-Content-Type-Options", "Referrer-Policy", "WWW-Authenticate")
    assert [len(answer.all(name)) for name in once] == [1] * len(once)
    assert len(answer.all("Content-Security-Policy")) == (1 if kind else 0)
    assert answer.all("X-Frame-Options") == (["DENY"] if "method" in kind else [])
    request_id = f'"request_id":"{answer.one("X-Request-ID")}"'
    it.servers.wait_until(lambda: request_id in it.servers.log("nginx").replace(" ", ""), "nginx logged the id")


def test_not_admitted(it: Guarded, bob: str) -> None:
    """A person who is signed in and not admitted reads as whom; a program learns that signing in would not help."""
    page, program = it.ask("paths", "/admin", Cookie=bob, **PAGE), it.ask("paths", "/admin", Cookie=bob)

    assert (page.status, "signed in as <strong" in page.text) == (403, True)
    assert (program.status, program.json["reason"], "login_url" in program.json) == (403, "not-admitted", False)
