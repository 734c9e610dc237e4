"""Programs at the door: an app password says who asks, whatever else the request carries."""

from base64 import b64encode
from dataclasses import replace
from typing import Final

import pytest
from werkzeug.test import TestResponse

from service.access.judged_set import JudgedSet
from service.access.rules import Allow, Rule
from service.login.app_passwords import AppPassword
from service.login.attempts import Limit, Scope
from service.login.sessions import hash_of
from tests.rig import scraped
from tests.rig.people import NOW, THROTTLES, alice
from tests.web.door.asking import WIKI, Proxy
from tests.web.door.kinds import DOCUMENT

TEXT: Final = "vst_" + "aB3-_" * 8 + "xyz"
RIGHT: Final = f"Bearer {TEXT}"
BASIC: Final = f"Basic {b64encode(f'alice:{TEXT}'.encode()).decode()}"
WRONG: Final = f"Bearer vst_{'x' * 43}"
PREFLIGHT: Final = {"Origin": "https://other.example.test", "Access_Control_Request_Method": "PUT"}
TAKES: Final = replace(
    WIKI,
    app_passwords=True,
    preflight=True,
    rules=(
        Rule(number=1, path="/admin", groups=("ops",), fresh=600),
        Rule(number=2, path="/public", allow=Allow.EVERYONE),
        Rule(number=3, groups=("staff",)),
    ),
)


@pytest.fixture
def proxy() -> Proxy:
    """A wiki that takes app passwords, alice's app password for it, and bob's session."""
    limits = THROTTLES | {Scope.APP_PASSWORD_NETWORK: Limit(3, 900)}
    proxy = Proxy(TAKES, services={"throttles": limits}, username="bob", groups=("staff",))
    proxy.world.rows.accounts["a"] = alice(id="a", groups=("ops", "staff"))
    phone = AppPassword("p1", hash_of(TEXT), "a", "phone", ("wiki",), NOW)
    proxy.world.rows.app_passwords[phone.token_hash] = phone
    return proxy


def said(answer: TestResponse) -> tuple[int, str | None, str | None, str | None]:
    """Return the status, who asked, what told that, and for how long nginx may remember it."""
    names = ("Remote-User", "Vestibule-Credential", "X-Accel-Expires")
    user, credential, until = (answer.headers.get(name) for name in names)
    return answer.status_code, user, credential, until


@pytest.mark.parametrize("header", [RIGHT, BASIC])
@pytest.mark.parametrize("signed_in", [False, True])
def test_an_app_password_is_who_asks(proxy: Proxy, header: str, *, signed_in: bool) -> None:
    """Also beside another person's session; nginx removes it, and asks again about the next request."""
    answer = proxy.verify("/page", signed_in=signed_in, Authorization=header)

    assert said(answer) == (200, "alice", "app-password", "0")
    assert answer.headers["Remote-Groups"] == "ops,staff"


@pytest.mark.parametrize("url", ["/page", "/public"])
@pytest.mark.parametrize("signed_in", [False, True])
def test_a_wrong_one_is_refused(proxy: Proxy, url: str, *, signed_in: bool) -> None:
    """Also beside a good session, and where everyone may pass: the app would be told what the program tried."""
    assert proxy.verify(url, signed_in=signed_in, Authorization=WRONG).status_code == 401


def test_another_authorization_leaves_the_session(proxy: Proxy) -> None:
    """It is the app's own: the session says who asks, and nothing is counted."""
    answers = [
        proxy.verify("/page", signed_in=signed_in, Authorization="Bearer abc.def") for signed_in in (True, False)
    ]

    assert [said(answer)[:3] for answer in answers] == [(200, "bob", "session"), (401, None, None)]
    assert proxy.world.rows.attempts == {}


def test_an_app_that_takes_none_looks_at_none(proxy: Proxy) -> None:
    """Off unless the app's file says so: neither who asks nor an attempt."""
    proxy.apps = JudgedSet([replace(TAKES, app_passwords=False)])

    statuses = [proxy.verify("/page", signed_in=False, Authorization=header).status_code for header in (RIGHT, WRONG)]

    assert (statuses, proxy.world.rows.attempts) == ([401, 401], {})


def test_rules_hold_for_programs(proxy: Proxy) -> None:
    """A group that was taken away ends it at once."""
    proxy.world.rows.accounts["a"] = alice(id="a")
    assert proxy.verify("/page", signed_in=False, Authorization=RIGHT).status_code == 403


@pytest.mark.parametrize("header", [RIGHT, WRONG])
def test_a_preflight_carries_no_app_password(proxy: Proxy, header: str) -> None:
    """Browsers send none with it, so a request with one is decided by the rules: the app must not be told."""
    asked = {"method": "OPTIONS", "signed_in": False, **PREFLIGHT}

    plain = said(proxy.verify("/page", **asked))  # type: ignore[arg-type]
    with_one = said(proxy.verify("/page", Authorization=header, **asked))  # type: ignore[arg-type]

    assert plain[::2] == (200, "none")
    assert with_one[:3] == ((200, "alice", "app-password") if header == RIGHT else (401, None, None))


def test_right_then_wrong_then_right(proxy: Proxy) -> None:
    """Each request is judged by what it carries itself."""
    statuses = [
        proxy.verify("/", signed_in=False, Authorization=header).status_code for header in (RIGHT, WRONG, RIGHT, WRONG)
    ]

    assert statuses == [200, 401, 200, 401]


def test_one_request_counts_once(proxy: Proxy) -> None:
    """nginx asks twice about a refused request. Beyond the limit it is told when to come back; a right one passes."""
    asked, answers = {"signed_in": False, "Authorization": WRONG}, []
    for _ in range(4):
        assert proxy.verify("/", **asked).status_code == 401  # type: ignore[arg-type]
        answers.append(proxy.forward("/", **asked))  # type: ignore[arg-type]

    assert len(proxy.world.rows.attempts) == 3
    assert [answer.headers.get("Retry-After") for answer in answers[:2]] == [None, None]
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 900
    assert answers[3].get_json()["reason"] == "app-password-throttled"
    assert said(proxy.verify("/", signed_in=False, Authorization=RIGHT))[0] == 200


def test_other_proxies_ask_once(proxy: Proxy) -> None:
    """Caddy and Traefik get verdict and refusal in one answer, which counts."""
    sent = {"X-Forwarded-Method": "GET", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "wiki.example.test"}
    sent |= {"X-Forwarded-Uri": "/", "X-Forwarded-For": "192.0.2.7", "Authorization": WRONG}

    assert proxy.ask("/auth/forward", sent).status_code == 401
    assert len(proxy.world.rows.attempts) == 1


@pytest.mark.parametrize("takes", [True, False])
def test_other_proxies_are_told_what_the_app_may_see(proxy: Proxy, *, takes: bool) -> None:
    """No app password reaches an app, one that takes none included; what is the app's own is passed on."""
    proxy.apps = JudgedSet([replace(TAKES, app_passwords=takes)])
    sent = {"X-Forwarded-Method": "GET", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "wiki.example.test"}
    sent |= {"X-Forwarded-Uri": "/public", "X-Forwarded-For": "192.0.2.7"}

    answers = [proxy.ask("/auth/forward", sent | {"Authorization": header}) for header in (RIGHT, BASIC, "Bearer x.y")]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert [answer.headers.get("Authorization") for answer in answers] == [None, None, "Bearer x.y"]


def test_a_fresh_sign_in_is_no_matter_of_programs(proxy: Proxy) -> None:
    """Where a rule asks for a fresh sign-in both questions refuse a program for good: no app password would help."""
    verified = proxy.verify("/admin", signed_in=False, Authorization=RIGHT)
    answer = proxy.forward("/admin", Authorization=BASIC)

    assert verified.status_code == 403
    assert (answer.status_code, answer.get_json()["reason"]) == (403, "not-fresh")
    assert "No app password opens this part of Wiki" in answer.text
    assert "WWW-Authenticate" not in answer.headers


def test_a_program_is_not_sent_to_a_page(proxy: Proxy) -> None:
    """A wrong app password is answered with 401 and what is wrong, as JSON, or as a page where a page was opened."""
    answer = proxy.forward("/", Authorization=WRONG)
    page = proxy.forward("/", Authorization=WRONG, **DOCUMENT)

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (
        401,
        'Bearer realm="wiki", error="invalid_token"',
    )
    assert answer.get_json()["reason"] == "app-password-wrong"
    assert (page.status_code, page.mimetype) == (401, "text/html")


def test_what_is_counted(proxy: Proxy) -> None:
    """Each outcome under the app's name, and throttled programs beside throttled people."""
    for header in (RIGHT, *[WRONG] * 5):
        proxy.verify("/", signed_in=False, Authorization=header)
        proxy.forward("/", signed_in=False, Authorization=header)
    shown = scraped.text(proxy.flask)

    outcomes = ("allowed", "app-password-wrong", "app-password-throttled")
    checks = [scraped.total(shown, "vestibule_door_checks_total", app="wiki", outcome=each) for each in outcomes]
    assert checks == [1, 3, 2]
    assert scraped.total(shown, "vestibule_throttled_total", scope="app_password_network") == 2
