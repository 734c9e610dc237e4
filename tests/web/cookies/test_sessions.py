"""Sessions as browsers have them: whose they are, when they end, and what a stale one meets (SS, CK)."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from service.hashing.fair_queue import Job
from service.hashing.gate import Result, Shed
from service.login.sessions import Session, hash_of
from tests.rig.gates import Gate
from tests.rig.passwords import PASSWORD
from tests.rig.people import NOW, alice
from tests.rig.promises import copy_of
from tests.rig.wire import JSON, ask, post
from tests.rig.world import HTTPS, World, browser

RIGHT = {"username": "alice", "password": PASSWORD}
NAME = "vestibule_session"


class Racing(Gate):
    """A gate behind which alice is disabled while her password is being checked."""

    def __init__(self, world: World) -> None:
        super().__init__(threads=1, waiting=1)
        self._world = world

    def work(self, job: Job, work: Callable[[], Result]) -> Result | Shed:
        result = super().work(job, work)
        self._world.rows.accounts["a1"] = alice(disabled_at=NOW)
        return result


def token(client: FlaskClient) -> str:
    """Return the token in a browser's jar."""
    cookie = client.get_cookie(NAME, domain="localhost")
    assert cookie is not None
    return cookie.value


def test_only_a_digest_is_kept(client: FlaskClient, world: World) -> None:
    """The token is 256 random bits in the browser; the row holds SHA-256 of it, and nothing that opens a door."""
    client.post("/", data=RIGHT)
    session = next(iter(world.rows.sessions.values()))

    assert len(token(client)) == 43
    assert token(client) not in repr(session)
    assert session.id not in token(client)
    assert len(session.token_hash) == 32


def test_tokens_never_repeat(client: FlaskClient) -> None:
    """A hundred sign-ins give a hundred tokens (SS-12)."""
    tokens = set()
    for _ in range(100):
        client.post("/", data=RIGHT)
        tokens.add(token(client))

    assert len(tokens) == 100


EDITS: dict[str, Callable[[str], str]] = {
    "cut": lambda t: t[:-1],
    "longer": lambda t: t + "A",
    "padded": lambda t: t + "=",
    "other case": str.swapcase,
    "last character": lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"),
    "encoded NUL": lambda t: t + "%00",
    "NUL": lambda t: t + "\x00",
    "percent": lambda t: "%" + t,
    "not ASCII": lambda t: "\xff" + t[1:],
    "digest": lambda t: hash_of(t).hex(),
    "empty": lambda _: "",
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_token_opens_nothing(world: World, edit: str) -> None:
    """Cut, longer, padded, in other case, or the digest itself: signed out, never an error (SS-13)."""
    app = world.app()
    given = (post(app, "/", "username=alice&password=" + PASSWORD.replace(" ", "+")).get("Set-Cookie") or "")[18:61]

    answer = ask(app, "GET", "/account", headers=[("Cookie", f"{NAME}={EDITS[edit](given)}"), JSON])

    assert ask(app, "GET", "/account", headers=[("Cookie", f"{NAME}={given}"), JSON]).status == 200
    assert answer.status == 401


def test_two_browsers_have_two_sessions(world: World) -> None:
    """Signing out in one leaves the other in (SS-11)."""
    app = world.app()
    first, second = browser(app), browser(app)
    first.post("/", data=RIGHT)
    second.post("/", data=RIGHT)

    first.post("/logout")

    assert (first.get("/account").status_code, second.get("/account").status_code) == (303, 200)


@pytest.mark.parametrize(("remember", "lasts"), [("", 1000), ("on", 9000)])
def test_a_session_ends_however_much_it_is_used(client: FlaskClient, world: World, remember: str, lasts: int) -> None:
    """The absolute end comes on the second, for a plain and for a remembered session (SS-10)."""
    client.post("/", data=RIGHT | {"remember": remember})
    answers = []
    for world.now in [*range(NOW, NOW + lasts, 90), NOW + lasts - 1, NOW + lasts]:
        answers.append(client.get("/account").status_code)

    assert set(answers[:-1]) == {200}
    assert answers[-1] == 303


def test_a_disabled_account_is_out_at_once(client: FlaskClient, world: World) -> None:
    """Disabling shuts the sessions that are open, even if their rows were still there (SS-08)."""
    client.post("/", data=RIGHT)
    world.rows.accounts["a1"] = alice(disabled_at=NOW)

    assert client.get("/account").status_code == 303
    assert client.get("/account", headers={"Accept": "application/json"}).status_code == 401
    assert client.post("/account/password", data={}).status_code == 303


def test_an_account_disabled_while_its_password_is_checked(world: World) -> None:
    """Between the check and the session the account is read again: no session is left behind (RC-05)."""
    client = browser(world.app(gate=Racing(world)))

    assert client.post("/", data=RIGHT).status_code == 401
    assert world.rows.sessions == {}


def test_a_deleted_account_is_out(client: FlaskClient, world: World) -> None:
    """With the account its sessions are gone."""
    client.post("/", data=RIGHT)
    world.services().accounts.delete("a1")

    assert client.get("/account").status_code == 303


def test_a_double_click_signs_in_once_or_twice_but_well(world: World) -> None:
    """Two sign-ins of one browser at once both end in; the second replaces the first where it brought its cookie."""
    app = world.app()
    first, second = browser(app), browser(app)

    answers = [first.post("/", data=RIGHT), second.post("/", data=RIGHT)]

    assert [answer.headers["Location"] for answer in answers] == ["/account", "/account"]
    assert second.get("/account").status_code == 200


def test_the_back_button_shows_nothing_afterwards(client: FlaskClient) -> None:
    """Nothing that depends on who asks may be stored, so that going back asks again."""
    client.post("/", data=RIGHT)
    shown = [client.get(path) for path in ("/account", "/account/password", "/logout")]
    client.post("/logout")
    gone = [client.get(path) for path in ("/account", "/account/password")]

    assert {page.headers["Cache-Control"] for page in shown + gone} == {"no-store"}
    assert [page.status_code for page in gone] == [303, 303]
    assert [page.text for page in gone if "alice" in page.text] == []


def test_the_sign_in_page_leads_on_with_a_session(client: FlaskClient) -> None:
    """Going back to the form while signed in leads on, and never shows it."""
    client.post("/", data=RIGHT)

    assert client.get("/").headers["Location"] == "/account"


def test_a_request_in_flight_brings_nothing_back(client: FlaskClient, world: World) -> None:
    """A slow request that ends after the sign-out does not write the session again (SS-17)."""
    client.post("/", data=RIGHT)
    digest = next(iter(world.rows.sessions))
    client.post("/logout")

    world.services().sessions.touch(digest, now=NOW + 60)

    assert world.rows.sessions == {}


def test_looking_at_the_page_keeps_nothing(client: FlaskClient, world: World) -> None:
    """Anonymous visitors leave no row and get no cookie but the probe, however many they are (SS-19)."""
    before = copy_of(world.rows)
    cookies = [client.get("/").headers.getlist("Set-Cookie") for _ in range(50)]

    assert world.rows == before
    assert {tuple(each.partition("=")[0] for each in answer) for answer in cookies} == {("vestibule_session_probe",)}


def test_wrong_passwords_keep_nothing(client: FlaskClient, world: World) -> None:
    """A refusal leaves no session and no cookie, for known and unknown usernames."""
    answers = [client.post("/", data={"username": name, "password": "x"}) for name in ("alice", "nobody", "")]

    assert [answer.headers.getlist("Set-Cookie") for answer in answers] == [[]] * 3
    assert world.rows.sessions == {}


def test_a_cookie_stays_small(world: World) -> None:
    """However many groups an account has, the cookie is a name and a token (CK-15)."""
    world.rows.accounts["a1"] = alice(groups=tuple(f"group-{n}" for n in range(500)))
    client = browser(world.app(public=HTTPS))

    cookie = client.post("/", data=RIGHT | {"remember": "on"}).headers["Set-Cookie"]

    assert len(cookie) < 200
    assert client.get("/account").status_code == 200


def test_the_cookie_is_taken_as_it_was_given(world: World) -> None:
    """Emptying it names the same path, domain and locks, or a browser would keep it (RFC 6265, 5.3)."""
    client = browser(world.app(public=HTTPS, cookie_domain="example.test"))
    given = client.post("/", data=RIGHT).headers["Set-Cookie"].split("; ")
    taken = client.post("/logout").headers["Set-Cookie"].split("; ")

    assert taken[0] == "__Secure-vestibule="
    assert set(given[1:]) <= set(taken)


def test_a_cookie_of_another_name_is_left_alone(world: World) -> None:
    """On https a cookie under the plain name is neither read nor cleared."""
    plain, secure = world.app(), world.app(public=HTTPS)
    cookie = (post(plain, "/", "username=alice&password=" + PASSWORD.replace(" ", "+")).get("Set-Cookie") or "")[:61]

    answer = ask(secure, "GET", "/account", headers=[("Cookie", cookie)])

    assert (answer.status, answer.all("Set-Cookie")) == (303, [])


def test_an_expired_row_is_swept_out_in_time(client: FlaskClient, world: World) -> None:
    """Rows of sessions that ended by themselves go with later sign-ins, a few at a time."""
    old = Session("old", b"x" * 32, "a1", NOW - 5000, NOW - 5000, False, "", "")  # noqa: FBT003
    world.rows.sessions = {bytes([n]) * 32: replace(old, token_hash=bytes([n]) * 32) for n in range(15)}

    for _ in range(2):
        client.post("/", data=RIGHT)

    assert len(world.rows.sessions) == 1
