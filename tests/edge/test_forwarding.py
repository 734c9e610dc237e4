"""What a client says of itself reaches the service only where it is on the list; the rest ends at nginx."""

import json
from typing import Any

import pytest

from tests.edge.conftest import ECHO
from tests.rig.asking import answers
from tests.rig.servers import Servers, running

FORGED = [
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-User",
    "X-Forwarded-Uri",
    "X-Real-IP",
    "X-Request-ID",
    "X-Original-URL",
    "X-Original-URI",
    "X-Original-Method",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "X-Webauth-User",
    "X-Auth-Request-User",
    "X_Forwarded_For",
    "X.Forwarded.For",
    "Forwarded",
    "Remote-User",
    "Remote-Groups",
    "Remote_User",
    "REMOTE-USER",
    "Script-Name",
    "SCRIPT_NAME",
    "PATH_INFO",
    "Authorization",
    "Proxy",
    "Front-End-Https",
    "Via",
    "TE",
    "Range",
    "If-None-Match",
]
SENT_ON = {
    "HTTP_HOST",
    "HTTP_COOKIE",
    "HTTP_ORIGIN",
    "HTTP_SEC_FETCH_SITE",
    "HTTP_SEC_FETCH_MODE",
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_USER_AGENT",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_REQUEST_ID",
    "HTTP_VESTIBULE_PROBE",
}


def _seen(servers: Servers, *lines: bytes) -> dict[str, Any]:
    """Return what reached the service of a GET with these header lines."""
    head = b"\r\n".join([b"GET /x HTTP/1.1", b"Host: localhost", b"Connection: close", *lines, b"", b""])
    said = servers.raw(head)
    assert answers(said) == [200], said
    seen: dict[str, Any] = json.loads(said.partition(b"\r\n\r\n")[2])
    return seen


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("value", [b"6.6.6.6", b"admin"])
def test_no_forged_header_reaches_the_service(echo: Servers, name: str, value: bytes) -> None:
    """Headers that proxies set, identity headers and their misspellings end at nginx (HD-05 to HD-15, FA-03)."""
    seen = _seen(echo, name.encode() + b": " + value)

    assert value.decode() not in seen.values()
    assert seen["HTTP_X_FORWARDED_FOR"] == "127.0.0.1"


@pytest.mark.parametrize(
    "value",
    [
        b"127.0.0.1",
        b"a",
        b"::1",
        b"1.2.3.4:99",
        b", ".join([b"6.6.6.6"] * 700),
        b"6.6.6.6\r\nX-Forwarded-For: 7.7.7.7",
        b"",
    ],
)
def test_nobody_names_their_own_address(echo: Servers, value: bytes) -> None:
    """Whatever X-Forwarded-For says, the client is the TCP peer: one address, nginx's (HD-07)."""
    assert _seen(echo, b"X-Forwarded-For: " + value)["HTTP_X_FORWARDED_FOR"] == "127.0.0.1"


def test_what_is_on_the_list_arrives(echo: Servers) -> None:
    """The headers that the service reads arrive as they were sent, and no other does."""
    sent = {
        "Cookie": "a=1; b=2",
        "Origin": "http://localhost",
        "Sec-Fetch-Site": "same-origin",
        "Sec-Fetch-Mode": "navigate",
        "Accept": "text/html, */*;q=0.1",
        "Accept-Language": "de, en;q=0.5",
        "User-Agent": 'Browser/1.0 (${jndi:x}; "quotes")',
        "Vestibule-Probe": "echo;1;http://localhost;signature",
    }
    extra = {"DNT": "1", "Accept-Encoding": "gzip", "Referer": "http://localhost/secret", "Cache-Control": "no-cache"}

    seen = _seen(echo, *(f"{name}: {value}".encode() for name, value in (sent | extra).items()))

    assert {seen["HTTP_" + name.upper().replace("-", "_")] for name in sent} == set(sent.values())
    assert {name for name in seen if name.startswith("HTTP_")} == SENT_ON


def test_several_cookie_lines_are_one(echo: Servers) -> None:
    """Cookies that come in several lines arrive joined as in one (CK-02: gunicorn would join them with commas)."""
    assert _seen(echo, b"Cookie: a=1", b"Cookie: b=2")["HTTP_COOKIE"] == "a=1; b=2"


def test_a_hundred_cookies_arrive_or_are_refused_in_our_words(service: Servers) -> None:
    """A hundred cookies below the size limit are a request like any other."""
    cookies = "; ".join(f"name{number}=value{number}" for number in range(100))

    assert service.get("/", Cookie=cookies).status == 200


def test_connection_options_take_nothing_away(echo: Servers) -> None:
    """A client cannot have nginx drop what nginx itself adds by naming it in Connection (HD-13)."""
    seen = _seen(echo, b"Connection: close, X-Forwarded-For, X-Request-ID, Cookie, Host", b"Cookie: a=1")

    assert seen["HTTP_X_FORWARDED_FOR"] == "127.0.0.1"
    assert seen["HTTP_COOKIE"] == "a=1"
    assert len(seen["HTTP_X_REQUEST_ID"]) == 32


@pytest.mark.parametrize("name", [b"User-Agent", b"Accept", b"Accept-Language"])
@pytest.mark.parametrize("value", [b"a\x01b", b"a\x1b[31mb", b"\xff\xfe", "\N{PILE OF POO}".encode(), b"a\x7fb"])
def test_unprintable_small_talk_counts_as_not_sent(echo: Servers, name: bytes, value: bytes) -> None:
    """A User-Agent or Accept that is not printable ASCII does not reach the service; the request does (HD-19)."""
    seen = _seen(echo, name + b": " + value)

    assert "HTTP_" + name.decode().upper().replace("-", "_") not in seen


def test_a_user_agent_of_8_kilobytes_counts_as_not_sent(echo: Servers) -> None:
    """A User-Agent as large as a head may be does no harm (HD-19)."""
    assert "HTTP_USER_AGENT" not in _seen(echo, b"User-Agent: " + b"a" * 7800)


@pytest.mark.parametrize("name", [b"Cookie", b"Content-Type", b"Origin", b"Sec-Fetch-Site"])
@pytest.mark.parametrize("value", [b"a\x01b", b"a\x0bb", b"a\x7f", b"a\x1fb"])
def test_control_characters_where_they_matter_get_400(echo: Servers, name: bytes, value: bytes) -> None:
    """A control character in a header that decides something is refused by nginx, in our own page (CK-09)."""
    said = echo.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + name + b": " + value + b"\r\n\r\n")

    assert answers(said) == [400]
    assert b"That request could not be read" in said


@pytest.mark.parametrize("value", [b"session=\xff", "session=\N{PILE OF POO}".encode(), b'session="a\\073b"', b"=x"])
def test_strange_cookies_do_no_harm(service: Servers, value: bytes) -> None:
    """Bytes beyond ASCII, quotes and nameless cookies mean signed out, and nothing worse (CK-03, CK-07, CK-09)."""
    host = f"localhost:{service.port}".encode()
    said = service.raw(
        b"GET /account HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\nCookie: " + value + b"\r\n\r\n"
    )

    assert answers(said) == [303]


def test_only_trusted_proxies_name_the_client() -> None:
    """With a trusted proxy in front, the client is the last address that the proxy did not add itself."""
    client_of = {
        "192.0.2.7": "192.0.2.7",
        "6.6.6.6, 192.0.2.7": "192.0.2.7",
        "6.6.6.6, 192.0.2.7, 10.1.2.3": "192.0.2.7",
        "2001:db8::7": "2001:db8::7",
        "nonsense": "127.0.0.1",
        "192.0.2.7, nonsense": "127.0.0.1",
    }

    with running(application=ECHO, workers=1, TRUSTED_PROXIES="127.0.0.0/8,10.0.0.0/8") as servers:
        seen = {said: _seen(servers, b"X-Forwarded-For: " + said.encode()) for said in client_of}

    assert {said: each["HTTP_X_FORWARDED_FOR"] for said, each in seen.items()} == client_of
