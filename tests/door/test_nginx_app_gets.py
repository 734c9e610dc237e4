"""What reaches an app behind nginx: who asks, by our word alone; never what opens another door; all else as it was."""

import base64
import hashlib
import json
from typing import Any

import pytest

from service.access.identity_headers import STRIPPED
from tests.door.guarded import Guarded
from tests.rig.answer import Answer
from tests.rig.asking import answers, send

IDENTITY = {"remote-user", "remote-name", "remote-email", "remote-groups"}


def received(answer: Answer) -> dict[str, str]:
    """Return the headers that reached the app; each came once."""
    assert answer.status == 200, answer
    found = [(name.lower(), value) for name, value in answer.json["headers"]]
    assert len(dict(found)) == len(found), found
    return dict(found)


def raw(it: Guarded, app: str, *lines: str, request: str = "GET /x HTTP/1.1") -> dict[str, str]:
    """Send a request line by line, and return the headers that reached the app."""
    host = f"Host: localhost:{it.ports[app]}"
    said = send(it.ports[app], "\r\n".join([request, host, *lines, "Connection: close", "", ""]).encode("latin-1"))
    assert answers(said) == [200], said
    return received(Answer(200, (), said.partition(b"\r\n\r\n")[2]))


def test_an_app_learns_who_asks(it: Guarded, alice: str) -> None:
    """The identity is that of the session, whatever the client claims."""
    found = received(it.ask("wiki", "/x", Cookie=alice, Remote_User="root", Remote_Name="root"))

    assert {name: value for name, value in found.items() if name in IDENTITY} == {
        "remote-user": "alice",
        "remote-groups": "ops,staff",
    }


def test_an_app_learns_it_by_its_own_names(it: Guarded, alice: str) -> None:
    """The names of the app's file count, and the usual ones do not reach it."""
    found = received(it.ask("staff", "/x", Cookie=alice, Remote_User="root", X_Staff_Name="root"))

    assert (found["x-staff-name"], found["x-staff-groups"]) == ("alice", "ops,staff")
    assert not IDENTITY & found.keys() - {"remote-name", "remote-email"}


def test_without_a_session_nobody_is_named(it: Guarded) -> None:
    """Where everyone may pass, a client's own identity does not (FA-01, FA-05)."""
    found = received(it.ask("open", "/x", Remote_User="root", Remote_Groups="ops"))

    assert not IDENTITY & found.keys()


@pytest.mark.parametrize("spelled", [str, str.upper, str.lower])
def test_no_header_that_apps_believe_comes_from_a_client(it: Guarded, spelled: Any) -> None:  # noqa: ANN401 - a method
    """In any case, doubled, and named in Connection, so that a proxy would drop ours (FA-03, FA-07, HD-05 to HD-13)."""
    names = [spelled(name) for name in (*STRIPPED, "X-Staff-Name", "X-Staff-Groups", "Proxy")]
    lines = [f"{name}: forged" for name in names]
    for part in (lines[:40], lines[40:]):
        found = raw(it, "open", *part, *part, "Connection: close, Remote-User, X-Forwarded-For, Cookie")

        assert "forged" not in json.dumps(found)
        assert found["x-forwarded-for"] == "127.0.0.1"


@pytest.mark.parametrize(
    "name", ["Remote_User", "Remote.User", "remote_user", "X_Forwarded_For", "X.Forwarded.For", "X_Real_IP"]
)  # fmt: skip
def test_no_alias_with_a_dot_or_an_underscore_reaches_an_app(it: Guarded, name: str) -> None:
    """Many apps read `_` and `.` in a header's name as a hyphen (HD-15, CVE-2025-64484)."""
    assert "forged" not in json.dumps(raw(it, "open", f"{name}: forged"))


def test_address_and_scheme_are_the_apps(it: Guarded) -> None:
    """Host, scheme, port and client come from the app's file and the connection, in any form of the request (HD-03)."""
    port = it.ports["open"]
    lines = [
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: evil.test",
        "X-Forwarded-For: 6.6.6.6",
        "Forwarded: for=6.6.6.6",
    ]

    found = raw(it, "open", *lines, request=f"GET http://localhost:{port}/x HTTP/1.1")

    assert {name: value for name, value in found.items() if name.startswith(("x-forwarded", "x-real", "host"))} == {
        "host": f"localhost:{port}",
        "x-forwarded-host": f"localhost:{port}",
        "x-forwarded-proto": "http",
        "x-forwarded-port": str(port),
        "x-forwarded-for": "127.0.0.1",
        "x-real-ip": "127.0.0.1",
    }


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("{ours}", None),
        ("{ours}; a=1", "a=1"),
        ("a=1; {ours}", "a=1"),
        ("a=1; {ours}; b=2", "a=1; b=2"),
        ("a=1;{ours};b=2", "a=1;b=2"),
        ("{ours}; {ours}; a=1; {ours}", "a=1"),
        ("a=1; {ours}; b=2; {ours}; c=3; {ours}; d=4", "a=1; b=2; c=3; d=4"),
        ("a=1; vestibule_device=x.y; {ours}; vestibule_probe=1", "a=1"),
        ("a=1; __Host-vestibule=x; __Secure-vestibule=y; __Host-vestibule-device=z; b=2", "a=1; b=2"),
        ('a=1; vestibule_session="{token}"; b="x; y"', 'a=1; b="x; y"'),
        ("a=1; vestibule_session ={token}", "a=1"),
        ("a=vestibule=1; my_vestibule=2; {ours}; c=%3Bvestibule=3", "a=vestibule=1; my_vestibule=2; c=%3Bvestibule=3"),
        ("a=1; a=1; ; b", "a=1; a=1; ; b"),
        ("a=1, {ours}", None),
        ("; ".join(["{ours}"] * 20 + ["a=1"]), "a=1"),
        ("; ".join(["{ours}; a=1"] * 5), None),  # more than is cut: nothing is left of the header
    ],
)  # fmt: skip
def test_our_cookies_are_cut_out(it: Guarded, alice: str, sent: str, kept: str | None) -> None:
    """No cookie of ours reaches an app, wherever it stands; the others stay byte for byte."""
    cookie = sent.format(ours=alice, token=alice.partition("=")[2])

    assert received(it.ask("open", "/x", Cookie=cookie)).get("cookie") == kept


def test_cookies_in_several_lines_are_one_header(it: Guarded, alice: str) -> None:
    """A second Cookie line hides nothing from the cut."""
    assert raw(it, "open", "Cookie: a=1", f"Cookie: {alice}", "Cookie: b=2")["cookie"] == "a=1; b=2"


def test_hundreds_of_our_cookies_are_dropped_and_not_logged(it: Guarded, alice: str) -> None:
    """nginx quotes a header in its log, with the token in it, when PCRE's stack is too small to match it."""
    lines = [f"Cookie: {alice}", *["Cookie: " + "vestibule_many=;" * 450] * 3, "Cookie: a=1"]

    assert "cookie" not in raw(it, "open", *lines)
    assert "vestibule_many" not in it.servers.log("nginx")


@pytest.mark.parametrize("path", ["/.well-known/vestibule/PROBE", "/.Well-Known/vestibule/probe"])
def test_the_path_of_probes_in_another_case_is_the_apps(it: Guarded, path: str) -> None:
    """The login service is sent its probes' own path alone, and no page of it shows at an app's address."""
    assert it.ask("open", path).json["path"] == path


@pytest.mark.parametrize("name", ["a", "al", "ali", "alice"])
def test_an_app_password_never_reaches_an_app_that_takes_none(it: Guarded, name: str) -> None:
    """Base64 has three forms of one text; another Authorization is the app's own, byte for byte (FA-27)."""
    secret = f"vst_{'x' * 43}"
    basic = base64.b64encode(f"{name}:{secret}".encode()).decode()
    own = base64.b64encode(f"{name}:vst-not-ours".encode()).decode()

    for ours in (f"Basic {basic}", f"basic  {basic}", f"Bearer {secret}", f"bEARER  {secret}"):
        assert "authorization" not in received(it.ask("open", "/x", Authorization=ours))
    for theirs in (f"Basic {own}", "Bearer abc.def", "Digest username=vst_", "Negotiate YII="):
        assert received(it.ask("open", "/x", Authorization=theirs))["authorization"] == theirs


def test_another_authorization_is_the_apps_where_programs_sign_in(it: Guarded, alice: str) -> None:
    """What is no app password of ours passes as it is."""
    found = received(it.ask("programs", "/x", Cookie=alice, Authorization="Bearer abc.def"))

    assert (found["authorization"], found["remote-user"]) == ("Bearer abc.def", "alice")


@pytest.mark.parametrize("method", ["PROPFIND", "MKCOL", "LOCK", "REPORT", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_passes(it: Guarded, alice: str, method: str) -> None:
    """WebDAV and CalDAV work: the method, the headers of it and the body are the client's."""
    answer = it.ask("wiki", "/dav/", method=method, body=b"<x/>", Cookie=alice, Depth="1", Destination="/b", If="(<a>)")

    found = received(answer)
    assert (answer.json["method"], found["depth"], found["destination"], found["if"]) == (method, "1", "/b", "(<a>)")
    assert answer.json["body_sha256"] == hashlib.sha256(b"<x/>").hexdigest()


@pytest.mark.parametrize(
    "target", ["/a%2Fb", "/a//b", "/a/../b", "/a;b=1/c", "/%7Euser?q=%2F&&=;", "/a%20b%C3%A4", "/x?http://e.test/,/"]
)  # fmt: skip
def test_the_target_is_as_it_was_sent(it: Guarded, target: str) -> None:
    """nginx neither decodes nor repairs a path or a query."""
    assert it.ask("open", target).json["path"] == target


def test_only_a_web_socket_is_an_upgrade(it: Guarded) -> None:
    """Through h2c a client could send an app further requests past the door (SM-11)."""
    found = raw(it, "open", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk", "Connection: Upgrade, HTTP2-Settings")

    assert not {"upgrade", "connection"} & found.keys()


def test_only_http_1_1_has_upgrades(it: Guarded) -> None:
    """nginx would forward one of HTTP/1.0, or of HTTP/2, where it fails at the app's answer and logs the address."""
    lines = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: x"]

    assert not {"upgrade", "connection"} & raw(it, "open", *lines, request="GET /x HTTP/1.0").keys()
