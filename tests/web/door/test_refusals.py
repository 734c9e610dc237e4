"""Whole refusals: what a client gets that may not pass, by the kind of its request."""

import re
from dataclasses import replace
from typing import Final
from urllib.parse import quote

import pytest

from service.access.block_list import Block
from service.services import Unavailable
from tests.rig.memory_store import MemorySessions, Rows
from tests.web.door.asking import WIKI, Proxy
from tests.web.door.kinds import ALL, BROWSER, DOCUMENT, FRAME, SCRIPT, Sent, kind, links, rd, said

WIKI_URL: Final = "https://wiki.example.test"


@pytest.fixture
def proxy() -> Proxy:
    return Proxy(groups=("ops",), display_name="Zoë <b>")


def age(proxy: Proxy, seconds: int) -> None:
    """Let alice's session have begun this long ago."""
    sessions = proxy.world.rows.sessions
    for key, session in sessions.items():
        sessions[key] = replace(session, created_at=session.created_at - seconds)


@pytest.mark.parametrize("target", ["/", "/a/b?x=[1]&y=%2F//#", "/a%2Fb//c%25?q=%ff", "/?rd=https://evil.test"])
def test_a_page_comes_back(proxy: Proxy, target: str) -> None:
    """Signing in leads back to the page that was asked for, byte for byte."""
    answer = proxy.forward(WIKI_URL + target, **DOCUMENT)

    assert rd(answer.headers["Location"]) == WIKI_URL + target
    assert answer.headers["Location"].endswith(quote(WIKI_URL + target, safe=""))
    assert answer.data == b""


@pytest.mark.parametrize("target", ["/a/../b", "/%2e%2e/", "/a%5cb", f"/{'a' * 3000}"])
def test_a_page_that_is_no_return_address(proxy: Proxy, target: str) -> None:
    """A page to which signing in would not lead back is replaced by the start of its app."""
    assert rd(proxy.forward(target, **DOCUMENT).headers["Location"]) == f"{WIKI_URL}/"


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        (f"{WIKI_URL}/board?x=1", f"{WIKI_URL}/board?x=1"),
        ("", f"{WIKI_URL}/"),
        ("https://evil.test/", f"{WIKI_URL}/"),
        ("https://wiki.example.test@evil.test/", f"{WIKI_URL}/"),
        ("https://auth.example.test/account", f"{WIKI_URL}/"),
        ("/account", f"{WIKI_URL}/"),
        ("https://git.example.test/tree//a%2Fb", "https://git.example.test/tree//a%2Fb"),
    ],
)
@pytest.mark.parametrize(("method", "headers"), [("GET", SCRIPT), ("POST", DOCUMENT), ("GET", FRAME)])
def test_where_signing_in_leads(referer: str, back: str, method: str, headers: Sent) -> None:
    """A script, a form and a frame lead to the page that asked, if it is an app's, else to the start of their app."""
    git = replace(WIKI, name="git", address=replace(WIKI.address, host="git.example.test"))
    answer = Proxy(WIKI, git).forward("/api/v1/x?y=1", method=method, Referer=referer, **headers)

    login_url = said(answer)["login_url"] if answer.is_json else links(answer)[0]["href"]
    assert rd(login_url) == back


def test_a_program(proxy: Proxy) -> None:
    """JSON says why, where a person signs in, and which request it was; the challenge opens no browser's prompt."""
    answer = proxy.forward("/api", X_Request_ID="0" * 32)

    assert said(answer) == {
        "error": "unauthorized",
        "message": "Sign in to go on to Wiki.",
        "login_url": f"https://auth.example.test/?rd={quote(WIKI_URL + '/', safe='')}",
        "reason": "sign-in",
        "request_id": "0" * 32,
    }
    assert answer.headers["WWW-Authenticate"] == 'Vestibule realm="wiki"'
    assert answer.headers["X-Request-ID"] == "0" * 32


@pytest.mark.parametrize(
    ("takes", "authorization", "challenge"),
    [
        (True, "Basic YTpi", 'Basic realm="wiki", charset="UTF-8"'),
        (True, "basic", 'Basic realm="wiki", charset="UTF-8"'),
        (True, "Bearer x", 'Bearer realm="wiki"'),
        (True, "", 'Bearer realm="wiki"'),
        (False, "Basic", 'Vestibule realm="wiki"'),
        (False, "", 'Vestibule realm="wiki"'),
    ],
)
def test_challenges(*, takes: bool, authorization: str, challenge: str) -> None:
    """A client is asked for Basic only if it began with it, and only where the app takes app passwords."""
    answer = Proxy(replace(WIKI, app_passwords=takes)).forward("/", Authorization=authorization)

    assert answer.headers["WWW-Authenticate"] == challenge


@pytest.mark.parametrize(
    ("headers", "expected"), [(DOCUMENT, "form"), (FRAME, "frame"), (SCRIPT, "program"), ({"Accept": BROWSER}, "form")]
)
def test_not_admitted(headers: dict[str, str], expected: str) -> None:
    """A person who is signed in and may not pass is told as whom, with 403, and is never led to sign in."""
    answer = Proxy(display_name="Zoë <b>").forward("/admin", signed_in=True, **headers)

    assert (answer.status_code, kind(answer)) == (403, expected)
    assert "?rd=" not in answer.text
    assert "WWW-Authenticate" not in answer.headers
    if answer.is_json:
        assert (said(answer)["reason"], "login_url" in said(answer)) == ("not-admitted", False)
        assert said(answer)["message"].startswith("You are signed in as alice.")
    else:
        assert "Zoë &lt;b&gt;" in answer.text
        assert [link["href"] for link in links(answer)] == [
            "https://auth.example.test/account",
            "https://auth.example.test/logout",
        ]


def test_not_fresh(proxy: Proxy) -> None:
    """A session that is not fresh is led to sign in, which learns how fresh it must be."""
    age(proxy, 600)

    page = proxy.forward("/admin/x", signed_in=True, **DOCUMENT)
    form = proxy.forward("/admin/x", method="POST", signed_in=True, Referer=f"{WIKI_URL}/", **DOCUMENT)
    script = proxy.forward("/admin/x", signed_in=True, **SCRIPT)

    assert (
        page.headers["Location"] == f"https://auth.example.test/?rd={quote(WIKI_URL + '/admin/x', safe='')}&fresh=600"
    )
    assert (form.status_code, "&amp;fresh=600" in form.text) == (401, True)
    assert (script.status_code, said(script)["reason"], said(script)["login_url"][-10:]) == (
        401,
        "not-fresh",
        "&fresh=600",
    )


@pytest.mark.parametrize("headers", [DOCUMENT, SCRIPT])
def test_a_blocked_network(proxy: Proxy, headers: Sent) -> None:
    """A blocked network is refused and sent nowhere."""
    proxy.world.rows.blocks["192.0.2.0/24"] = Block("192.0.2.0/24", proxy.world.now + 60, proxy.world.now)

    answer = proxy.forward("/", **headers)

    assert (answer.status_code, "auth.example.test" in answer.text, "blocked" in answer.text) == (403, False, True)


@pytest.mark.parametrize("headers", [DOCUMENT, SCRIPT, FRAME])
def test_no_app(proxy: Proxy, headers: Sent) -> None:
    """An address of no app is refused with 403, and so is an original address that cannot be read."""
    answer = proxy.forward("https://other.example.test/", **headers)
    unread = proxy.ask("/auth/forward", {name.replace("_", "-"): value for name, value in headers.items()})

    assert (answer.status_code, unread.status_code) == (403, 403)
    assert "There is no app here" in answer.text or said(answer)["reason"] == "no-app"


@pytest.mark.parametrize(("url", "sent"), ALL)
def test_headers(url: str, sent: Sent) -> None:
    """No refusal may be stored, sniffed or read by another site, or sets a cookie; each names its request."""
    answer = Proxy().forward(url, Origin="https://evil.test", **sent)

    assert (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert [name for name, _ in answer.headers if name.startswith(("Access-Control", "Set-Cookie"))] == []


@pytest.mark.parametrize(("url", "sent"), ALL)
def test_no_body_for_head(url: str, sent: Sent) -> None:
    """A HEAD is answered as a GET would be, without the body."""
    answer = Proxy().forward(url, **{**sent, "method": "HEAD"})

    assert (answer.data, answer.headers["Content-Length"]) == (b"", "0")


def test_while_the_database_is_away() -> None:
    """While the sessions cannot be read a request is refused with 503 and a page."""

    class Away(MemorySessions):
        def find(self, token_hash: bytes) -> None:  # noqa: ARG002
            raise Unavailable("away")

    proxy = Proxy(services={"sessions": Away(Rows())})
    verify, forward = proxy.verify("/"), proxy.forward("/", signed_in=True, **DOCUMENT)

    assert (verify.status_code, forward.status_code) == (503, 503)
    assert "Not available right now" in forward.text
    assert (forward.headers["Cache-Control"], forward.headers["Retry-After"]) == ("no-store", "5")
