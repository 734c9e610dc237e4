"""No answer tells whether an account exists: known and unknown usernames get the same answers (EN, UN)."""

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import pytest
from argon2 import PasswordHasher, extract_parameters
from flask.testing import FlaskClient

from service.hashing.fair_queue import Job
from service.hashing.gate import Result, Shed
from tests.rig.answer import Answer
from tests.rig.gates import Gate
from tests.rig.passwords import PASSWORD
from tests.rig.people import NOW, PASSWORDS, alice
from tests.rig.promises import kept
from tests.rig.wire import JSON, ask, post
from tests.rig.world import World, browser

# Same length each, so that sizes may be compared too.
NAMES: Final = {"known": "alice", "unknown": "nobod", "disabled": "shutt", "invited": "guest"}
SEVERAL: Final = ["", "x", PASSWORD, PASSWORD + " ", "a" * 128, "a" * 129, "a" * 9000, "\u0000", "é"]


@pytest.fixture
def people(world: World) -> World:
    """A world with an account in every state."""
    world.rows.accounts |= {
        "b": alice(id="b", username="shutt", disabled_at=NOW),
        "c": alice(id="c", username="guest", password_hash=None),
    }
    return world


def seen(answer: Answer, name: str) -> tuple[object, ...]:
    """Return what a stranger sees, but for what differs in every answer and for the name that was typed."""
    kept(answer)
    policy = str(answer.get("Content-Security-Policy"))
    nonce = policy.partition("nonce-")[2].partition("'")[0]
    own = {nonce: "NONCE", str(answer.get("X-Request-ID")): "ID", f'"{name}"': '"NAME"'}
    text, headers = answer.text, str(answer.headers)
    for what, instead in own.items():
        text, headers = text.replace(what, instead), headers.replace(what, instead)
    return answer.status, headers, text


@pytest.mark.parametrize("password", SEVERAL, ids=lambda text: f"{text[:9]!r} {len(text)}")
def test_a_refusal_looks_the_same_for_every_username(people: World, password: str) -> None:
    """Status, every header in its order, cookies, length and page are alike, in HTML and in JSON (EN-01, EN-03)."""
    app = people.app()
    tried = {state: name for state, name in NAMES.items() if not (state == "known" and password == PASSWORD)}

    for headers in ([], [JSON]):
        answers = {
            seen(post(app, "/", f"username={name}&password={quote(password)}", headers=headers), name)
            for name in tried.values()
        }
        assert len(answers) == 1
        assert next(iter(answers))[0] == 401


class Watched(Gate):
    """A gate that remembers how often it was asked."""

    def __init__(self) -> None:
        super().__init__(threads=1, waiting=1)
        self.asked = 0

    def work(self, job: Job, work: Callable[[], Result]) -> Result | Shed:
        self.asked += 1
        return super().work(job, work)


class Verified:
    """A hasher that remembers what it was compared with."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self.hashes: list[str] = []

    def verify(self, kept_hash: str, typed: str) -> bool:
        self.hashes.append(kept_hash)
        return self._hasher.verify(kept_hash, typed)


@pytest.mark.parametrize("name", [*NAMES.values(), "no such name!", ""])
def test_every_username_costs_the_same_work(people: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """One turn at the gate and one verification, also for an unknown or an invalid username."""
    gate, verified = Watched(), Verified(PASSWORDS._hasher)
    monkeypatch.setattr(PASSWORDS, "_hasher", verified)

    post(people.app(gate=gate), "/", f"username={quote(name)}&password=wrong")

    assert gate.asked == 1
    assert list(map(extract_parameters, verified.hashes)) == [extract_parameters(PASSWORDS._decoy)]


def test_a_full_gate_tells_nothing_either(people: World) -> None:
    """503 is the same for every username."""

    class Full(Gate):
        def work(self, job: object, work: object) -> Shed:  # noqa: ARG002 - none is done
            return Shed.BUSY

    app = people.app(gate=Full(threads=1, waiting=0))

    answers = {seen(post(app, "/", f"username={name}&password=x"), name) for name in NAMES.values()}

    assert len(answers) == 1


@pytest.mark.parametrize("token", ["A" * 43, "short", "", "expired", "ended"])
def test_no_session_looks_like_any_other_that_is_none(world: World, token: str) -> None:
    """Unknown, malformed, expired and ended tokens get the same refusal (EN-13)."""
    app = world.app()
    real = (post(app, "/", f"username=alice&password={quote(PASSWORD)}").get("Set-Cookie") or "")[18:61]
    if token == "ended":
        world.rows.sessions.clear()
    world.now += 101
    sent = real if token in {"expired", "ended"} else token

    answer = ask(app, "GET", "/account", headers=[("Cookie", f"vestibule_session={sent}"), JSON])

    assert (answer.status, answer.json["error"], answer.all("Set-Cookie")) == (401, "unauthorized", [])


def test_no_page_says_how_many_there_are(client: FlaskClient, people: World) -> None:
    """What a stranger may see is the same with one account and with a hundred (EN-15)."""
    paths = ["/", "/nope", "/setup", "/logout", "/account"]
    before = [client.get(path).status_code for path in paths], len(client.get("/").text)
    people.rows.accounts |= {f"x{n}": alice(id=f"x{n}", username=f"x{n}") for n in range(100)}

    assert ([client.get(path).status_code for path in paths], len(client.get("/").text)) == before


SPELLINGS: Final = {
    **dict.fromkeys(["alice", "Alice", "ALICE", " alice ", "ａlice", "ⓐlice", "ᴬlice", "alice\n", "\u00a0alice"], True),
    **dict.fromkeys(
        ["al\u0131ce", "al\u0130ce", "alice\x00", "ali\nce", "al ice", "аlice", "alice\u200b", "alice\u202e"], False
    ),
    **dict.fromkeys(["al\u0301ice", "", "'alice'", "alice'--", "alice%", "a_ice", "a%"], False),
}


@pytest.mark.parametrize(("typed", "is_alice"), SPELLINGS.items(), ids=ascii)
def test_one_name_in_many_spellings(world: World, typed: str, *, is_alice: bool) -> None:
    """Case, width and outer blanks make the same name; any other text is an unknown name, never an error (UN)."""
    client = browser(world.app())

    answer = client.post("/", data={"username": typed, "password": PASSWORD})

    assert answer.status_code == (303 if is_alice else 401)
    assert not is_alice or ">alice<" in client.get("/account").text


def test_a_typed_name_comes_back_as_text(client: FlaskClient) -> None:
    """The form keeps what was typed, escaped; the password is never there again."""
    typed = "\"><script>alert(1)</script>{{7*7}}'"

    page = client.post("/", data={"username": typed, "password": "a canary of a password"}).text

    assert "<script" not in page
    assert 'value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}&#39;"' in page
    assert "canary" not in page
