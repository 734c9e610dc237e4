"""The service's side of `vestibule doctor`: what passes the door, and what is answered in place of an app."""

import hashlib

import pytest
from werkzeug.test import Client, TestResponse

from service.access import probe
from service.access.probe import Purpose, Seen, seen_in
from tests.rig.people import KEYS
from tests.web.door.asking import NAME, PUBLIC, Proxy

WIKI = "https://wiki.example.test"


@pytest.fixture
def proxy() -> Proxy:
    return Proxy()


def _signed(proxy: Proxy, purpose: Purpose = Purpose.IDENTITY, origin: str = WIKI) -> str:
    return probe.signed(origin, purpose, keys=KEYS, now=proxy.world.now)


def _echo(proxy: Proxy, header: str, *, body: bytes = b"", **headers: str) -> TestResponse:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    client = Client(proxy.flask.wsgi_app, use_cookies=False)
    return client.open(probe.PATH, method="PUT", data=body, headers={probe.HEADER: header} | sent)


def test_a_probe_passes_the_door_and_says_what_the_door_saw(proxy: Proxy) -> None:
    """Nothing about it is remembered, and its identity is no account's."""
    answer = proxy.verify(probe.PATH, Vestibule_Probe=_signed(proxy))

    assert answer.status_code == 200
    assert answer.headers["Remote-User"] == probe.USER
    assert seen_in(answer.headers["Remote-Groups"]) == Seen("verify", "192.0.2.7", 1, proxy.apps.hash)
    assert answer.headers["X-Accel-Expires"] == "0"


def test_the_first_probe_passes_without_an_identity(proxy: Proxy) -> None:
    """Where a broken chain brings it to an app, the app is told of no account."""
    answer = proxy.verify(probe.PATH, signed_in=False, Vestibule_Probe=_signed(proxy, Purpose.ECHO))

    assert (answer.status_code, answer.headers["Remote-User"], answer.headers["Remote-Groups"]) == (200, "", "")


@pytest.mark.parametrize(
    ("url", "origin"),
    [("/", WIKI), (f"{probe.PATH}/", WIKI), (f"{probe.PATH}?x", WIKI), (f"/x/..{probe.PATH}", WIKI),
     (probe.PATH, "https://mail.example.test"), (probe.PATH, PUBLIC.origin)],
)  # fmt: skip
def test_a_probe_opens_nothing_else(proxy: Proxy, url: str, origin: str) -> None:
    """Another path, and another app's probe, are judged by the rules."""
    assert proxy.verify(url, signed_in=False, Vestibule_Probe=_signed(proxy, origin=origin)).status_code == 401


def test_the_echo_tells_what_reached_the_app(proxy: Proxy) -> None:
    """Method, headers, size and digest of the body; of our cookies only how many there were."""
    cookies = f"a=1; {NAME}={'t' * 43}; __Host-vestibule-device=x; b=2"
    answer = _echo(proxy, _signed(proxy), body=b"body", Cookie=cookies, Remote_User="-doctor")

    said = answer.get_json()
    assert (said["method"], said["origin"], said["session_cookies"]) == ("PUT", WIKI, 1)
    assert (said["body_bytes"], said["body_sha256"]) == (4, hashlib.sha256(b"body").hexdigest())
    assert ["Remote-User", "-doctor"] in said["headers"]
    expected = f"a=1; {NAME}=(withheld); __Host-vestibule-device=(withheld); b=2"
    assert ["Cookie", expected] in said["headers"]
    assert probe.HEADER not in dict(said["headers"])


def test_the_head_of_an_answer_can_be_large(proxy: Proxy) -> None:
    """As apps' answers are that set large cookies."""
    answer = _echo(proxy, _signed(proxy, Purpose.LARGE_ANSWER))

    assert len(answer.headers["Vestibule-Large"]) == probe.LARGE_ANSWER_BYTES


@pytest.mark.parametrize("header", ["", "echo;1;https://wiki.example.test;" + "x" * 43, "of no app"])
def test_everything_else_is_not_found(proxy: Proxy, header: str) -> None:
    """An unsigned probe, and one for an address that is no app's, get a bare 404."""
    sent = _signed(proxy, origin="https://gone.example.test") if header == "of no app" else header

    assert (_echo(proxy, sent).status_code, _echo(proxy, sent).data) == (404, b"")


def test_the_login_answers_probes_of_its_own_address(proxy: Proxy) -> None:
    """There the echo tells what nginx passes to the service."""
    assert _echo(proxy, _signed(proxy, origin=PUBLIC.origin)).get_json()["origin"] == PUBLIC.origin
