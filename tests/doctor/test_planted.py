"""doctor finds the faults that are planted in a real chain, and none in a good one."""

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final, NamedTuple

import pytest

from tests.doctor.asking import Findings, not_in_order
from tests.doctor.chain import LOGIN, WIKI, Chain, Edits, chain
from tests.doctor.front import front


class Planted(NamedTuple):
    """A fault: where doctor is sent, the check that must find it, what it says, and the edits that plant it."""

    url: str
    check: str
    what: str
    edits: Edits


def _app(check: str, what: str, *edits: tuple[str, str]) -> Planted:
    return Planted(WIKI, check, what, {"apps/wiki.conf": edits})


def _login(check: str, what: str, *edits: tuple[str, str], file: str = "nginx.conf") -> Planted:
    return Planted(LOGIN, check, what, {file: edits})


PLANTED: Final = {
    "X-Forwarded-For kept": _app(
        "forged headers",
        "X-Forwarded-For",
        (r"(?<=location / \{)(.*?X-Forwarded-For +)\$remote_addr", r"\1$proxy_add_x_forwarded_for"),
    ),
    "Forwarded kept": _app("forged headers", "Forwarded", (r'proxy_set_header Forwarded "";', "")),
    "another proxy's identity kept": _app(
        "forged headers", "X-Webauth-User", (r'proxy_set_header X-WEBAUTH-USER "";', "")
    ),
    "the original address kept": _app("forged headers", "X-Original-Url", (r'proxy_set_header X-Original-URL "";', "")),
    "the client's identity kept": _app("forged headers", "Remote-User", (r"proxy_set_header Remote-User +\S+;", "")),
    "the identity not passed on": _app("identity", "Remote-Groups", (r"proxy_set_header Remote-Groups +\S+;", "")),
    "the door not asked": _app("door", "gets 200", (r"auth_request /\S+;", "")),
    "underscores": Planted(
        WIKI, "spellings", "underscores", {"nginx.conf": [(r"http \{", "http { underscores_in_headers on;")]}
    ),
    "dots": Planted(WIKI, "spellings", "dots", {"nginx.conf": [(r"http \{", "http { ignore_invalid_headers off;")]}),
    "Connection passed on": _app(
        "Connection", "keeps them", (r"Connection +\$app_connection", "Connection $http_connection")
    ),
    "Host of the upstream": _app(
        "Host", "told Host: ", (r"(Host +)wiki\.example\.org;\n(?=.*Connection +\$app)", r"\1$proxy_host;\n")
    ),
    "Host of the client": _app(
        "absolute form",
        "chooses the Host",
        (r"(Host +)wiki\.example\.org;\n(?=.*Connection +\$app)", r"\1$http_host;\n"),
    ),
    "the scheme of the last hop": _app("scheme", "told http", (r"X-Forwarded-Proto +https", "X-Forwarded-Proto http")),
    "the app answers for every name": _app(
        "foreign Host",
        "by the app",
        (r"server_name wiki", "listen 127.0.0.1:SECURE ssl default_server;\n    server_name wiki"),
    ),
    "our cookie passed on": _app(
        "session cookie", "__Secure-vestibule reaches the app", (r"Cookie +\$app_cookie", "Cookie $http_cookie")
    ),
    "no cookie at the door": _app(
        "session cookie", "reaches the service 0 times", (r"Cookie +\$door_cookie", 'Cookie ""')
    ),
    "no cookie at the app": _app("cookies", "do not reach", (r"Cookie +\$app_cookie", 'Cookie ""')),
    "heads of 4 kB": _app(
        "6 kB cookie", "answered with 4", (r"large_client_header_buffers [^;]+", "large_client_header_buffers 4 4k")
    ),
    "answers' heads of 4 kB": _app(
        "6 kB answer head",
        "answered with 502",
        (r"location / \{", "location / { proxy_buffer_size 4k; proxy_buffers 8 4k; proxy_busy_buffers_size 8k;"),
    ),
    "bodies of 1 MB": _app("20 MB body", "answered with 4", (r"client_max_body_size 0", "client_max_body_size 1m")),
    "no upgrade": _app("upgrade", "answered with 200", (r"proxy_set_header Upgrade [^;]+;", "")),
    "the door's question public": _app(
        "not public", "verify is answered with", (r"(vestibule/verify \{\n +)internal;", r"\1")
    ),
    "nginx older than the apps in force": _app(
        "rules", "nginx's files are older", (r"(Vestibule-Rules +)[0-9a-f]{16}", r"\g<1>0123456789abcdef")
    ),
    "the probe leads nowhere": _app(
        "probe", "not by the service", (r'"~\^/\\.well-known/vestibule/probe\$" http://vestibule;', "")
    ),
    "/metrics for all": _login(
        "not public",
        "/metrics is answered with 200",
        (r"(\(\?:metrics\|healthz\|readyz\)\(\?:/\|\$\) \{\n +)return 404;", r"\1proxy_pass http://vestibule;"),
    ),
    "the door's questions for all": _login(
        "not public", "/auth/verify is answered with 403", (r"location \^~ /auth/ \{[^}]*\}", "")
    ),
    "one Host for all": _login("foreign Host", "answered with 200", (r"Host +\$valid_host", "Host login.example.org")),
    "plain http answered": _login(
        "plain http", "answered with 200", (r"return 303 [^;]+", "return 200 hello"), file="tls/http-redirect.conf"
    ),
    "TLS 1.0": _login(
        "TLS",
        "older than 1.2",
        (
            r"ssl_protocols [^;]+;\s*ssl_ciphers [^;]+",
            "ssl_protocols TLSv1 TLSv1.1 TLSv1.2; ssl_ciphers ALL:@SECLEVEL=0",
        ),
        file="nginx.conf",
    ),
    "every proxy trusted": _login(
        "client's address", "a client forged", (r"\A", "set_real_ip_from 127.0.0.0/8;\n"), file="trusted.conf"
    ),
}


@pytest.fixture(scope="module")
def it() -> Iterator[Chain]:
    """The chain, with gunicorn and the app running."""
    with chain() as started:
        yield started


def _says(found: Findings, check: str, what: str) -> dict[str, Any]:
    """Return the finding of a check that says this; fails with all others that are not in order."""
    named = [each for each in found if each["check"] == check and what in each["what"] and each["state"] != "ok"]
    assert named, not_in_order(found)
    assert named[0]["why"]
    assert named[0]["line"]
    return named[0]


def test_a_good_chain_has_no_fault(it: Chain) -> None:
    """Everything is checked, the login and the app, and all of it is in order."""
    with it.nginx({}):
        code, found = it.doctor(LOGIN)

    assert (not_in_order(found), code) == ([], 0)
    assert {each["address"] for each in found} == {LOGIN, WIKI}
    assert len(found) >= 30


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(it: Chain, name: str) -> None:
    """The check that is for it names it, says why, and which line to change."""
    planted = PLANTED[name]
    with it.nginx(planted.edits):
        code, found = it.doctor(planted.url)

    assert code == 2
    assert _says(found, planted.check, planted.what)["address"] == planted.url


@pytest.mark.parametrize(
    ("host", "days", "what"), [("*.example.org", -1, "has expired"), ("*.example.com", 2, "is for other names")]
)
def test_a_wrong_certificate_is_found(it: Chain, host: str, days: int, what: str) -> None:
    """And the other checks go on without it."""
    with it.shown(host, days=days), it.nginx({}):
        code, found = it.doctor(WIKI)

    _says(found, "certificate", what)
    assert (code, len(not_in_order(found))) == (2, 1)


@pytest.mark.parametrize(
    ("old", "new", "check", "what"),
    [
        (rb"\nDate: [^\r]*", b"\nDate: Thu, 01 Jan 2026 00:00:00 GMT", "clock", "the Date of answers"),
        (rb"Domain=example.org", b"Domain=login.example.org", "cookie", "domain=login.example.org"),
        (rb"SameSite=Lax", b"SameSite=None", "cookie", "samesite=none"),
    ],
    ids=["a wrong clock", "another domain", "another SameSite"],
)
def test_a_careless_proxy_in_front_is_found(it: Chain, old: bytes, new: bytes, check: str, what: str) -> None:
    """What it changes in answers is named."""
    with it.nginx({}), front(it.certificates, it.secure, lambda head: re.sub(old, new, head)) as port:
        _code, found = it.doctor(LOGIN, port=port)

    _says(found, check, what)


def test_changed_files_of_apps_are_found(it: Chain) -> None:
    """Until they are rendered, doctor says what to type."""
    file = it.certificates / "wiki.toml"
    before = file.read_text()
    try:
        with it.nginx({}):
            file.write_text(before.replace("signed-in", "everyone"))
            _code, found = it.doctor(WIKI)
    finally:
        file.write_text(before)

    assert "vestibule proxy render --reload" in _says(found, "rules", "not those in apps.d")["line"]


def test_an_app_on_all_addresses_is_found(it: Chain) -> None:
    """It answers at a second address of the machine, so the door can be gone round: a warning."""
    with it.nginx({}), HTTPServer(("127.0.0.2", it.app.port), BaseHTTPRequestHandler) as beside:
        Thread(target=beside.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        code, found = it.doctor(WIKI)
        beside.shutdown()

    assert f"127.0.0.1:{it.app.port}" in _says(found, "past the door", "127.0.0.2")["line"]
    assert code == 1


def test_another_secret_key_is_found(it: Chain, tmp_path: Path) -> None:
    """Probes that doctor signs with it get no echo."""
    other = tmp_path / "key"
    other.write_text("another key of enough characters for a secret")
    other.chmod(0o600)
    with it.nginx({}):
        code, found = it.doctor(WIKI, VESTIBULE_SECRET_KEY_FILE=str(other))

    assert "VESTIBULE_SECRET_KEY_FILE" in _says(found, "probe", "is answered with 401")["line"]
    assert code == 2


def test_nothing_answers(it: Chain) -> None:
    """Then the exit code is 3."""
    code, found = it.doctor(WIKI)

    assert (code, len(found)) == (3, 1)
