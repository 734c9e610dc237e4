"""What a client says of itself, through Caddy, Traefik and another nginx: no app and no rule believes it."""

from itertools import product

import pytest

from service.access.identity_headers import STRIPPED
from tests.rig.other_proxies import BEHIND, DOMAIN, IDENTITY, House, Line, reached, request

FORGED = "forged"


def test_rules_see_the_client_s_address(house: House, proxy: str) -> None:
    """The address of the connection to the proxy counts, and no X-Forwarded-For of the client's own."""
    told = ("X-Forwarded-For", "127.0.0.3")

    assert house.ask(proxy, "/office", house.signed_in, source="127.0.0.3").status == 200
    assert house.ask(proxy, "/office", house.signed_in, told).status == 403
    assert house.ask(proxy, "/office", house.signed_in, told, told, ("X-Real-IP", "127.0.0.3")).status == 403


@pytest.mark.parametrize("proxy", ["traefik"], indirect=True)
def test_a_proxy_before_traefik_tells_the_client_s_address_alone(house: House, proxy: str) -> None:
    """Also from a proxy that Traefik believes, no header of a client's that it lets through chooses the question."""
    port, app = house.ports[BEHIND], ("Host", house.netloc(proxy))

    def status(target: str, *lines: Line) -> int:
        return request(port, target, app, house.signed_in, *lines, tls=f"{proxy}.{DOMAIN}").status

    assert status("/office", ("X-Forwarded-For", "127.0.0.3"), ("X-Forwarded-Proto", "http")) == 200
    for name, value in (("Uri", "/public"), ("Method", "OPTIONS"), ("Host", f"nginx.{DOMAIN}")):
        for spelled in (f"X-Forwarded-{name}", f"X_Forwarded_{name}"):
            assert status("/admin", (spelled, value)) == 403


def spellings(name: str) -> list[str]:
    """Return a header's name in every spelling that some app takes for it."""
    parts = name.split("-")
    joined = (
        "".join(map("".join, zip(parts, (*marks, ""), strict=True))) for marks in product("-_.", repeat=len(parts) - 1)
    )
    return [each for one in joined for each in (one, one.upper(), one.lower())]


@pytest.mark.parametrize("signed_in", [True, False])
def test_no_client_tells_an_app_who_it_is(house: House, proxy: str, signed_in: bool) -> None:  # noqa: FBT001
    """No header of an identity, an address or an original request gets through, however it is spelled, or doubled."""
    session = [house.signed_in] if signed_in else []
    lines = [(spelled, FORGED) for name in STRIPPED for spelled in spellings(name) for _ in range(2)]
    for start in range(0, len(lines), 80):  # gunicorn takes 100 headers
        headers = reached(house.ask(proxy, "/public", *session, *lines[start : start + 80]))
        assert not [pair for pair in headers.items() if FORGED in pair[1]]
        assert headers.get("remote-user", "") == ("alice" if signed_in else "")


def test_connection_removes_no_identity(house: House, proxy: str) -> None:
    """A client that names them in Connection has the proxy drop neither the identity nor the question to the door."""
    named = ", ".join([*IDENTITY, "X-Forwarded-Host", "X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-For"])

    headers = reached(house.ask(proxy, "/", house.signed_in, ("Connection", named)))

    assert {name: headers.get(name) for name in IDENTITY} == IDENTITY
    assert house.ask(proxy, "/admin", house.signed_in, ("Connection", named)).status == 403


@pytest.mark.parametrize("name", ["X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Host", "X-Original-URL"])
def test_no_client_chooses_what_the_door_is_asked(house: House, proxy: str, name: str) -> None:
    """A client's own word on the original request changes no verdict, doubled or not."""
    for value in ("/public", "OPTIONS", f"nginx.{DOMAIN}", f"https://{house.netloc(proxy)}/public"):
        for lines in ([(name, value)], [(name, value)] * 2, [(name.replace("-", "_"), value)]):
            assert house.ask(proxy, "/admin", house.signed_in, *lines).status == 403


@pytest.mark.parametrize(
    "target",
    [
        "/admin", "/%61dmin/x", "//admin", "/./admin", "/ADMIN", "/admin;x", "/admin%00", "/admin%2f", "/%2fadmin",
        "/public/../admin", "/public/%2e%2e/admin", "/public/..%2fadmin", "/public/..;/admin", "/public/..%5cadmin",
        "/public%2f..%2fadmin", "/public//../admin", "/%2561dmin", "/public/.%2e/admin", "/admin.", "/admin%20",
        "/public\\..\\admin", "https://{netloc}/admin", "https://{netloc}/public/../admin",
    ],
)  # fmt: skip
def test_no_spelling_of_a_path_passes_a_stricter_rule(house: House, proxy: str, target: str) -> None:
    """The door is asked about the very path that the app would get, and the app never gets one that may be /admin."""
    seen = house.app.seen()

    status = house.ask(proxy, target.format(netloc=house.netloc(proxy)), house.signed_in).status

    assert (status < 200 or status > 299, house.app.seen()) == (True, seen)


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "Script-Name", "PATH_INFO", "Path-Info", "REMOTE_USER", "Host_"])
def test_no_client_leads_the_question_elsewhere(house: House, proxy: str, name: str) -> None:
    """Another page's 200 would be a yes: a client's headers never change which question gunicorn is asked."""
    for value in ("/auth/forward", "/auth", "alice"):
        assert house.ask(proxy, "/", (name, value)).status == 401


def test_no_other_protocol_is_opened(house: House, proxy: str) -> None:
    """Through h2c a client could send requests past the door: the app is not asked for it."""
    upgrade = (("Connection", "Upgrade"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"))

    headers = reached(house.ask(proxy, "/", house.signed_in, *upgrade))

    assert "upgrade" not in headers


def test_the_door_refuses_what_it_is_not_asked_rightly(house: House) -> None:
    """An original address that is missing, doubled, or of no app is refused, and no path but /auth/forward is there."""
    asked = {"Method": "GET", "Proto": "https", "Host": house.netloc("caddy"), "Uri": "/public"}
    right = [(f"X-Forwarded-{name}", value) for name, value in asked.items()]

    def status(*lines: Line, source: str = "", path: str = "/auth/forward") -> int:
        return request(house.door, path, ("Host", "door"), *lines, source=source).status

    assert status(*right) == 200
    assert {status(*(line for line in right if line != missing)) for missing in right} == {403}
    assert {status(*right, doubled) for doubled in right} == {403}
    assert status(*right[:2], ("X-Forwarded-Host", "other.example.org"), right[3]) == 403
    assert status(*right, source="127.0.0.2") in {403, 404}
    assert {status(*right, path=path) for path in ("/auth/verify", "/", "/metrics", "/account")} == {404}
