"""Which account a program is: headers in every form, which app an app password opens, and what counts as a failure."""

from base64 import b64encode
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.app_passwords import Known, NotOurs, Wrong, holds_app_password, identify, takers
from service.access.rules import Allow, Rule
from service.login.app_passwords import AppPassword
from service.login.attempts import Limit, Scope, Throttled
from service.login.sessions import CLOCK_TOLERANCE_SECONDS, hash_of
from tests.rig.apps import app
from tests.rig.memory_attempts import MemoryAttempts
from tests.rig.memory_store import Rows
from tests.rig.people import NOW, alice, stores

LIMIT: Final = Limit(3, 900)
TEXT: Final = "vst_" + "aB3-_" * 8 + "xyz"
PHONE: Final = AppPassword("p1", hash_of(TEXT), "a1", "phone", ("files", "wiki"), NOW, NOW + 100)
UNKNOWN: Final = "vst_" + "x" * 43


def basic(username: str, password: str = TEXT, scheme: str = "Basic") -> str:
    return f"{scheme} {b64encode(f'{username}:{password}'.encode()).decode()}"


@pytest.fixture
def rows() -> Rows:
    """Alice, with an app password for two apps."""
    return Rows(accounts={"a1": alice()}, app_passwords={PHONE.token_hash: PHONE})


def ask(
    rows: Rows, header: str, app: str = "wiki", *, now: int = NOW, address: str = "192.0.2.7", counts: bool = True
) -> NotOurs | Known | Wrong | Throttled:
    made = {"stores": stores(rows), "attempts": MemoryAttempts(rows), "limit": LIMIT}
    return identify(header, app, address=address, now=now, counts=counts, **made)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "header",
    [
        basic("alice"),
        basic(" ALICE "),
        basic("alice", scheme="bASIC"),
        basic("alice").rstrip("="),
        basic("alice").replace(" ", "   "),
        f"Bearer {TEXT}",
        f"bearer  {TEXT}",
    ],
)
def test_a_right_app_password_names_its_account(rows: Rows, header: str) -> None:
    """As Basic with any spelling of the owner's username, or as Bearer; schemes have no case (RFC 9110, 11.1)."""
    assert ask(rows, header) == Known(rows.accounts["a1"], PHONE.id)
    assert rows.attempts == {}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ?",
        "Basic YQ",
        basic("alice", "a password"),
        basic("alice", TEXT[:-1]),
        basic("alice", TEXT + "x"),
        basic("alice", "x" + TEXT),
        basic("alice", TEXT.upper()),
        "Basic " + b64encode(b"\xff\xfe:\xff").decode(),
        "Bearer an.access.token",
        "Bearer vst_short",
        f"Bearer {TEXT}x",
        "Digest username=alice",
        "Negotiate YII",
    ],
)
def test_other_headers_are_the_apps_own(rows: Rows, header: str) -> None:
    """They hold nothing of the form of an app password: no attempt, whatever they say."""
    assert ask(rows, header) == NotOurs()
    assert rows.attempts == {}


@pytest.mark.parametrize(
    "header",
    [
        f"Bearer {UNKNOWN}",
        basic("alice", UNKNOWN),
        basic("bob"),
        basic(""),
        basic("älice"),
        basic(TEXT, ""),
        basic("alice", f"{TEXT}:{TEXT}"),
        f"Token {TEXT}",
        f"Basic {TEXT}",
        f"Bearer {TEXT}, {basic('alice')}",
        TEXT,
    ],
)
def test_an_app_password_that_does_not_fit_is_wrong(rows: Rows, header: str) -> None:
    """An unknown one, another's name, or one where none belongs: it must not reach the app, which would learn it."""
    assert ask(rows, header) == Wrong()
    assert len(rows.attempts) == 1


@pytest.mark.parametrize(
    ("password", "account", "app"),
    [
        (PHONE, alice(), "mail"),
        (PHONE, alice(), "wik"),
        (PHONE, alice(), "files,wiki"),
        (PHONE, alice(disabled_at=NOW), "wiki"),
        (replace(PHONE, ends_at=NOW), alice(), "wiki"),
        (replace(PHONE, created_at=NOW + CLOCK_TOLERANCE_SECONDS + 1), alice(), "wiki"),
    ],
)
def test_an_app_password_opens_only_what_it_is_for(password: object, account: object, app: str) -> None:
    """Not another app, not after its end, not for a disabled account, and not when a wrong clock made it."""
    rows = Rows(accounts={"a1": account}, app_passwords={PHONE.token_hash: password})  # type: ignore[dict-item]

    assert ask(rows, f"Bearer {TEXT}", app) == Wrong()


def test_an_app_password_without_an_end_stays_right(rows: Rows) -> None:
    """A year later, too."""
    rows.app_passwords[PHONE.token_hash] = replace(PHONE, ends_at=None)

    assert isinstance(ask(rows, basic("alice"), now=NOW + 400 * 86_400), Known)


@pytest.mark.parametrize(
    ("facts", "takes"),
    [
        ({}, True),
        ({"app_passwords": False}, False),
        ({"rules": (Rule(number=1, groups=("ops",)),)}, False),
        ({"rules": (Rule(number=1, groups=("ops",)), Rule(number=2, path="/x", users=("alice",)))}, True),
        ({"rules": (Rule(number=1, allow=Allow.SIGNED_IN, fresh=60),)}, False),
        ({"rules": (Rule(number=1, allow=Allow.SIGNED_IN, report_only=True),)}, False),
    ],
)
def test_apps_that_take_app_passwords_of_an_account(facts: dict[str, object], *, takes: bool) -> None:
    """Some rule in force admits the account, without a fresh sign-in: a program has typed no password."""
    assert takers([app("wiki", title="The wiki", **facts)], alice()) == ({"wiki": "The wiki"} if takes else {})


def test_the_last_use_is_written_once_a_minute(rows: Rows) -> None:
    """Each request would else be a write."""
    seen = []
    for moment in (0, 1, 59, 60, 61):
        ask(rows, basic("alice"), now=NOW + moment)
        seen.append(rows.app_passwords[PHONE.token_hash].seen_at)

    assert seen == [NOW, NOW, NOW, NOW + 60, NOW + 60]


def test_wrong_ones_count_by_network_alone(rows: Rows) -> None:
    """Beyond the limit the answer says until when; another network goes on, and so does a right app password."""
    wrong = [ask(rows, f"Bearer {UNKNOWN}", now=NOW + moment) for moment in (0, 10, 20, 30)]

    assert wrong == [Wrong()] * 3 + [Throttled(Scope.APP_PASSWORD_NETWORK, NOW + 900)]
    assert isinstance(ask(rows, basic("alice"), now=NOW + 30), Known)
    assert ask(rows, basic("bob"), now=NOW + 30, address="192.0.2.8") == Wrong()
    assert ask(rows, basic("bob"), now=NOW + 900) == Wrong()
    assert len(rows.attempts) == 5


def test_a_second_question_about_a_request_counts_nothing(rows: Rows) -> None:
    """nginx asks for the answer that the client gets after it was told no: it hears the same, and until when."""
    outcomes = [ask(rows, f"Bearer {UNKNOWN}", counts=counts) for counts in [True, False] * 4]

    assert outcomes[:5] == [Wrong()] * 5
    assert all(isinstance(each, Throttled) for each in outcomes[5:])
    assert (len(rows.attempts), len(rows.trail)) == (3, 1)


def test_the_trail_names_a_network_that_reached_the_limit_once(rows: Rows) -> None:
    """A forgotten program that asks every minute fills no trail; the entry has no username: none was verified."""
    for moment in range(10):
        ask(rows, basic("bob"), now=NOW + moment)

    assert [(each.event, each.address, each.account, each.outcome, each.detail) for each in rows.trail] == [
        ("authn_login_fail_max", "192.0.2.7", "", "throttled", "app_password_network")
    ]


def test_wrong_app_passwords_leave_passwords_alone(rows: Rows) -> None:
    """They fill no window in which passwords count, nor do passwords fill theirs."""
    attempts = MemoryAttempts(rows)
    for moment in range(10):
        ask(rows, f"Bearer {UNKNOWN}", now=NOW + moment)

    assert attempts.throttled_networks(Limit(1, 900), now=NOW) == 0
    assert list(attempts.tallies(by=Scope.ACCOUNT, since=0)) == []


SCHEMES: Final = st.sampled_from(["Basic ", "bearer ", "Token ", ""])
AROUND: Final = st.text(st.characters(max_codepoint=255), max_size=12)  # as WSGI decodes a header


@given(SCHEMES, AROUND, st.booleans(), AROUND, st.booleans())
def test_no_header_hides_an_app_password(scheme: str, before: str, held: bool, after: str, encoded: bool) -> None:  # noqa: FBT001
    """Whatever stands around it, in clear or in Basic's base64, a header that holds one is no app's own."""
    credentials = f"{before}:{UNKNOWN if held else 'x'}:{after}"
    value = b64encode(credentials.encode()).decode() if encoded and scheme == "Basic " else credentials
    rows = Rows(accounts={"a1": alice()})

    outcome = ask(rows, scheme + value)

    assert outcome == (Wrong() if held else NotOurs())
    assert (len(rows.attempts), holds_app_password(scheme + value)) == (held, held)


@given(st.text(st.characters(max_codepoint=255)) | st.binary().map(lambda raw: f"Basic {b64encode(raw).decode()}"))
def test_every_header_has_an_answer(header: str) -> None:
    """Bytes that are no text, half a code, no code at all: the app's own, and never a malfunction."""
    assert ask(Rows(), header) == NotOurs()
