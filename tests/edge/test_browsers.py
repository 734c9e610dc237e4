"""Cookies and other sites' forms through nginx: what it joins, drops or reads differently opens no session (CK, CS)."""

from urllib.parse import urlencode

import pytest

from tests.rig.asking import answers
from tests.rig.passwords import PASSWORD
from tests.rig.servers import Servers

NAME = "vestibule_session"


@pytest.fixture(scope="module")
def token(service: Servers) -> str:
    """Sign in; return the token."""
    added = service.vestibule("account", "add", "browsing", "--password-stdin", typed=f"{PASSWORD}\n")
    form = urlencode({"username": "browsing", "password": PASSWORD}).encode()
    answer = service.get("/", method="POST", body=form, Content_Type="application/x-www-form-urlencoded")
    assert (added.returncode, answer.status) == (0, 303)
    return answer.all("set-cookie")[0].partition(";")[0].partition("=")[2]


def ask(service: Servers, request_line: str, *lines: str) -> int:
    """Send one request without a body; the status of its one answer."""
    own = [] if any(line.startswith("Host:") for line in lines) else [f"Host: localhost:{service.port}"]
    head = [f"{request_line} HTTP/1.1", *own, "Connection: close", *lines, "", ""]
    (status,) = answers(service.raw("\r\n".join(head).encode("latin-1")))
    return status


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("N=T", 200),
        ("x=1; N=T; y=2", 200),
        ("N=T; N=bad", 200),
        ("N=bad; N=T", 200),
        ("N=T\r\nCookie: N=bad", 200),
        ("N=bad\r\nCookie: N=T", 200),
        ("=N=bad; N=T", 200),
        ("N; N=T", 200),
        ("N =bad; N=T", 200),
        ('N="T"', 303),
        ('$Version=1; x="a; N=bad"; N=T', 200),
        ("__Host-vestibule=T", 303),
        ("__host-N=T", 303),
        ("n=T", 303),
        ("N=T=", 303),
        ("N=T%00", 303),
        ("N=T,N=bad", 303),
        ("N=T\xff", 303),
        ("N=T\0", 400),
        ("; ".join(["N=bad"] * 100), 303),
        ("c=v; " * 100 + "N=T", 200),
    ],
)
def test_cookies_are_read_in_one_way(service: Servers, token: str, sent: str, status: int) -> None:
    """The live cookie of the exact name counts, in however many lines they come; any other is no session (CK-01)."""
    cookie = sent.replace("N", NAME).replace("T", token)

    assert ask(service, "GET /account", f"Cookie: {cookie}") == status


@pytest.mark.parametrize(
    ("target", "status"), [("/account", 401), ("/account?N=T", 401), ("/account;N=T", 404), ("/account/T", 404)]
)
def test_no_token_counts_outside_of_a_cookie(service: Servers, token: str, target: str, status: int) -> None:
    """A session's token opens nothing in an address, in Authorization, or in another header (CK-14)."""
    path = target.replace("N", NAME).replace("T", token)
    elsewhere = [f"Authorization: Bearer {token}", f"Vestibule-Session: {token}", f"Set-Cookie: {NAME}={token}"]

    assert ask(service, f"GET {path}", "Accept: application/json", *elsewhere) == status


@pytest.mark.parametrize(
    "sent",
    [
        ["Sec-Fetch-Site: cross-site"],
        ["Sec-Fetch-Site: same-site"],
        ["Sec-Fetch-Site: cross-site", "Sec_Fetch_Site: same-origin"],
        ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-origin"],
        ["Sec-Fetch-Site: cross-site", "Origin: {}"],
        ["Origin: https://evil.test"],
        ["Origin: https://evil.test", "Origin: {}"],
        ["Origin: https://evil.test", "X-Forwarded-Host: evil.test", "X-Forwarded-Proto: https"],
        ["Origin: null"],
        ["Origin:"],
        ["Origin: {}.evil.test"],
        ["Origin: {}0"],
        ["Origin: {}/"],
        ["Referer: {}/"],
        ["X-Requested-With: XMLHttpRequest"],
        ["Connection: close, Origin, Sec-Fetch-Site, Cookie", "Origin: https://evil.test"],
        [],
    ],
    ids=str,
)
def test_another_sites_form_does_nothing(service: Servers, token: str, sent: list[str]) -> None:
    """Whatever nginx makes of doubled, empty and misspelt headers, signing out is 403 and the session lives (CS)."""
    cookie = f"Cookie: {NAME}={token}"

    refused = ask(service, "POST /logout", cookie, *(line.format(service.origin) for line in sent))

    assert refused == 403
    assert ask(service, "GET /account", cookie) == 200


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_nobody_learns_through_nginx_who_is_there(service: Servers, accept: str) -> None:
    """A wrong password for a name that is there and one that is not: the same status, headers and length (EN-01)."""
    sent = {"Content_Type": "application/x-www-form-urlencoded", "Accept": accept}

    known, unknown = (
        service.get("/", method="POST", body=f"username={name}&password=wrong".encode(), **sent)
        for name in ("browsing", "wandered")
    )

    assert (known.status, unknown.status) == (401, 401)
    assert [name for name, _ in known.headers] == [name for name, _ in unknown.headers]
    assert len(known.body) == len(unknown.body)
