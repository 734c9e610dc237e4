"""/auth/verify: yes, no, whose request it is, and how long nginx may remember that."""

import re
import time
from dataclasses import replace

import pytest

from tests.web.door.asking import WIKI, Proxy

IDENTITY = ("Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups")


@pytest.fixture
def proxy() -> Proxy:
    return Proxy(groups=("ops", "staff"), display_name="Zoë 100%", email="alice@example.test")


@pytest.mark.parametrize(
    ("url", "signed_in", "status"),
    [
        ("/", True, 200),
        ("/", False, 401),
        ("/admin/x", True, 200),
        ("/public/../admin", False, 401),
        ("/public", False, 200),
        ("https://other.example.test/", True, 403),
        ("http://wiki.example.test/", True, 403),
        ("https://WIKI.example.test:443/", True, 200),
        ("https://wiki.example.test/search?in=a,https://b.example,/c", True, 200),
    ],
)
def test_verdicts(proxy: Proxy, *, url: str, signed_in: bool, status: int) -> None:
    """The door answers by the rules of the app whose address was asked; an address of no app is refused."""
    assert proxy.verify(url, signed_in=signed_in).status_code == status


def test_identity(proxy: Proxy) -> None:
    """A yes names the account in printable ASCII; what is not ASCII is percent-encoded, and so is the percent sign."""
    answer = proxy.verify("/")

    assert [answer.headers[name] for name in IDENTITY] == [
        "alice",
        "Zo%C3%AB 100%25",
        "alice@example.test",
        "ops,staff",
    ]
    assert answer.headers["Vestibule-Credential"] == "session"


def test_identity_is_always_set(proxy: Proxy) -> None:
    """A yes to a client without a session names all identity headers, empty: none of a client's own is left."""
    answer = proxy.verify("/public", signed_in=False)

    assert [answer.headers[name] for name in IDENTITY] == [""] * 4
    assert (answer.headers["Vestibule-Credential"], answer.headers["X-Accel-Expires"]) == ("none", "0")


def test_remembered_for_a_second(proxy: Proxy) -> None:
    """nginx may remember a yes for a second from when the service read what it rests on."""
    before = int(time.time())
    until = re.fullmatch(r"@(\d+)", proxy.verify("/").headers["X-Accel-Expires"])

    assert until is not None
    assert before <= int(until[1]) <= time.time() + 1


@pytest.mark.parametrize(("url", "rules"), [("/", "0123456789abcdef"), ("/", ""), ("/a%2Fb", None), ("/a;b", None)])
def test_not_remembered(proxy: Proxy, url: str, rules: str | None) -> None:
    """A yes by rules that are newer than nginx's files, or for a doubtful path, is not remembered."""
    answer = proxy.verify(url, Vestibule_Rules=proxy.apps.hash if rules is None else rules)

    assert (answer.status_code, answer.headers["X-Accel-Expires"]) == (200, "0")


def test_cache_off() -> None:
    """With `door.cache_seconds` at 0 nginx remembers nothing."""
    assert Proxy(cache_seconds=0).verify("/").headers["X-Accel-Expires"] == "0"


def test_a_refusal_has_no_life(proxy: Proxy) -> None:
    """A no carries nothing that nginx would obey as a time to remember it."""
    answer = proxy.verify("/", signed_in=False)

    assert answer.data == b""
    assert {"X-Accel-Expires", "Cache-Control", "Expires", "Set-Cookie"} & {*answer.headers.keys()} == set()


@pytest.mark.parametrize(
    "changed",
    [
        {"X-Original-URL": None},
        {"X-Original-Method": None},
        {"X-Original-Method": "GET,GET"},
        {"X-Original-URL": "https://wiki.example.test/public,https://wiki.example.test/admin"},
        {"X-Original-URL": "https://wiki.example.test"},
        {"X-Original-URL": "//wiki.example.test/"},
        {"X-Original-URL": "https://wiki.example.test@evil.test/"},
        {"X-Forwarded-Uri": "/public"},
        {"X-Forwarded-Host": "wiki.example.test"},
    ],
)
def test_original_address(proxy: Proxy, changed: dict[str, str | None]) -> None:
    """An original address that is missing, doubled, contradicted or no URL is refused, signed in or not."""
    sent = {"X-Original-URL": "https://wiki.example.test/public", "X-Original-Method": "GET"} | changed
    headers = {name: value for name, value in sent.items() if value is not None}

    assert proxy.ask("/auth/verify", headers).status_code == 403


def test_ended_at_once(proxy: Proxy) -> None:
    """A session that was ended, and an account that was disabled or lost a group, are refused at the next check."""
    proxy.change_account(groups=("staff",))
    without_group = proxy.verify("/admin").status_code
    proxy.change_account(disabled_at=1)
    disabled = proxy.verify("/").status_code
    proxy.change_account(disabled_at=None)
    proxy.world.rows.sessions.clear()

    assert (without_group, disabled, proxy.verify("/").status_code) == (403, 401, 401)


def test_not_fresh(proxy: Proxy) -> None:
    """A rule that asks for a fresh sign-in is not satisfied by an older one; other paths are."""
    sessions = proxy.world.rows.sessions
    for key, session in sessions.items():
        sessions[key] = replace(session, created_at=session.created_at - 600)

    assert (proxy.verify("/admin").status_code, proxy.verify("/").status_code) == (401, 200)


def test_counts() -> None:
    """Checks are counted by app, rule and outcome; what a rule that only reports would decide is counted apart."""
    proxy = Proxy(WIKI)
    proxy.verify("/")
    text = proxy.flask.test_client().get("/metrics", base_url="https://auth.example.test").text

    assert 'vestibule_door_checks_total{app="wiki",enforced="true",outcome="allowed",rule="4"} 1.0' in text
    assert 'vestibule_door_checks_total{app="wiki",enforced="false",outcome="not-admitted",rule="3"} 1.0' in text


def test_forwarded() -> None:
    """Other proxies name the request in X-Forwarded-*; web sockets have the address of pages."""
    sent = {"X-Forwarded-Method": "GET", "X-Forwarded-Proto": "wss", "X-Forwarded-Host": "wiki.example.test"}
    answer = Proxy().ask("/auth/forward", sent | {"X-Forwarded-Uri": "/public"})

    assert (answer.status_code, answer.headers["Remote-User"]) == (200, "")


@pytest.mark.parametrize(("query", "status"), [("?next=/a", 200), ("?next=a,b", 200), ("?x,/admin", 401)])
def test_a_target_that_may_be_two_is_doubtful(query: str, status: int) -> None:
    """Of a doubled X-Forwarded-Uri the first is the client's: it opens nothing that the second one would not."""
    sent = {"X-Forwarded-Method": "GET", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "wiki.example.test"}

    assert Proxy().ask("/auth/forward", sent | {"X-Forwarded-Uri": f"/public{query}"}).status_code == status


def test_a_yes_to_nginxs_second_question_is_503(proxy: Proxy) -> None:
    """nginx asks it after a no, and shows the answer: an empty 200 of ours would stand for the app's page."""
    answer = proxy.forward("/", signed_in=True)

    assert answer.status_code == 503
    assert "Remote-User" not in answer.headers
