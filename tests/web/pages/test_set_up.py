"""One-time links in a browser: the first administrator, invitations, resets (6.4.1, RC)."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.hashing.fair_queue import Job
from service.hashing.gate import Result, Shed
from service.login.links import LIFETIME, Purpose, hand_out
from service.services import Unavailable
from tests.rig.gates import Gate
from tests.rig.memory_store import MemoryLinks, Rows
from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.people import NOW, PASSWORDS, alice
from tests.rig.promises import copy_of, kept
from tests.rig.wire import ask, post
from tests.rig.world import World, browser

NEW = {"password": OTHER_PASSWORD, "repeat": OTHER_PASSWORD}
AS_JSON = {"Accept": "application/json"}
every_purpose = pytest.mark.parametrize("purpose", Purpose)


def link(world: World, purpose: Purpose = Purpose.INVITATION, account: str | None = "a1") -> str:
    """Return the token of a fresh link."""
    owner = None if purpose is Purpose.SET_UP else account
    return hand_out(purpose, owner, links=MemoryLinks(world.rows), now=NOW)


def first_start(purpose: Purpose) -> World:
    """Return a world in which a link of this purpose can be used: a set-up link only without an administrator."""
    return World(Rows()) if purpose is Purpose.SET_UP else World()


@every_purpose
def test_a_link_is_looked_at_and_used(purpose: Purpose) -> None:
    """The form shows what the link is for; choosing a password leads to signing in with it, as who the link says."""
    world = first_start(purpose)
    client, token = browser(world.app()), link(world, purpose)

    page = client.get("/setup", query_string={"token": token})
    answer = client.post("/setup", data=NEW | {"token": token, "username": "Root"})
    name = "root" if purpose is Purpose.SET_UP else "alice"
    signed_in = client.post("/", data={"username": name, "password": OTHER_PASSWORD})

    assert (page.status_code, token in page.text) == (200, True)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert signed_in.status_code == 303
    assert [a.is_admin for a in world.rows.accounts.values()] == [purpose is Purpose.SET_UP]


@every_purpose
def test_looking_uses_nothing_up(purpose: Purpose) -> None:
    """Mail scanners look at links: twenty looks later it still works."""
    world = first_start(purpose)
    client, token = browser(world.app()), link(world, purpose)

    looks = [client.get("/setup", query_string={"token": token}).status_code for _ in range(20)]

    assert looks == [200] * 20
    assert client.post("/setup", data=NEW | {"token": token, "username": "root"}).status_code == 303


@every_purpose
def test_a_link_works_once(purpose: Purpose) -> None:
    """The second click, and a look afterwards, find a page that says so; the password stays the first one."""
    world = first_start(purpose)
    client, token = browser(world.app()), link(world, purpose)
    client.post("/setup", data=NEW | {"token": token, "username": "root"})
    before = copy_of(world.rows)

    again = client.post("/setup", data={"token": token, "username": "root2", "password": PASSWORD, "repeat": PASSWORD})
    look = client.get("/setup", query_string={"token": token})

    assert (again.status_code, look.status_code) == (404, 404)
    assert world.rows == before


@every_purpose
def test_a_link_expires_to_the_second(purpose: Purpose) -> None:
    """One second before its end it works, at its end it does not."""
    world = first_start(purpose)
    client, token = browser(world.app()), link(world, purpose)
    answers = []
    for world.now in (NOW + LIFETIME[purpose] - 1, NOW + LIFETIME[purpose]):
        answers.append(client.get("/setup", query_string={"token": token}).status_code)

    assert answers == [200, 404]


@pytest.mark.parametrize(
    ("token", "title"),
    [
        ("A" * 43, "This link no longer works"),
        *((cut, "This link is not complete") for cut in ("", "x", "A" * 42, "A" * 44, "A" * 43 + "%0a", "A" * 8000)),
        *((odd, "This link is not complete") for odd in ("%00", "%ff", "<script>", "A" * 43 + ".x", "." + "A" * 43)),
    ],
)
def test_what_is_no_link_says_whether_it_is_used_or_cut(world: World, token: str, title: str) -> None:
    """Unknown, expired and used-up links get one answer, cut and mangled ones another; neither repeats the link."""
    app, spent = world.app(), link(world)
    post(app, "/setup", f"token={spent}&password={OTHER_PASSWORD}&repeat={OTHER_PASSWORD}".replace(" ", "+"))
    reference = kept(ask(app, "GET", f"/setup?token={spent if title.endswith('works') else 'x'}"))

    answers = [kept(ask(app, "GET", f"/setup?token={token}")), kept(post(app, "/setup", f"token={token}"))]

    same = {answer.text.replace(str(answer.get("X-Request-ID")), "") for answer in [reference, *answers[:1]]}
    assert reference.status == answers[0].status == 404
    assert (len(same), f"<h1>{title}</h1>" in reference.text) == (1, True)
    assert answers[1].status in {400, 404}


@pytest.mark.parametrize("end", [".", ",", ").", ">", ";", "!", "?", ":", "'", '"', "*", "]", "%20", "+"])
def test_the_end_of_a_sentence_is_no_part_of_a_link(client: FlaskClient, world: World, end: str) -> None:
    """Mail programs take what follows a link for a part of it: the link is looked at and used without that."""
    token = link(world)

    page = client.get(f"/setup?token={token}{end}")

    assert (page.status_code, f'value="{token}"' in page.text) == (200, True)
    assert (
        client.post("/setup", data=NEW | {"token": token + end.replace("%20", " ").replace("+", " ")}).status_code
        == 303
    )


def test_a_newer_link_ends_the_older_one(client: FlaskClient, world: World) -> None:
    """Of two links for one account only the last one works."""
    old, new = link(world), link(world, Purpose.RESET)

    answers = [client.get("/setup", query_string={"token": token}).status_code for token in (old, new)]

    assert answers == [404, 200]


def test_a_link_for_a_disabled_account_is_spent(client: FlaskClient, world: World) -> None:
    """A disabled account does not come back through an old link."""
    token = link(world)
    world.rows.accounts["a1"] = alice(disabled_at=NOW)

    answer = client.post("/setup", data=NEW | {"token": token})

    assert answer.status_code == 404
    assert world.rows.accounts["a1"] == alice(disabled_at=NOW, password_hash=world.rows.accounts["a1"].password_hash)


def test_there_is_one_first_administrator(client: FlaskClient, world: World) -> None:
    """A set-up link does nothing once there is an administrator."""
    token = link(world, Purpose.SET_UP)
    world.rows.accounts["a1"] = alice(is_admin=True)

    assert client.post("/setup", data=NEW | {"token": token, "username": "mallory"}).status_code == 404
    assert len(world.rows.accounts) == 1


BAD: dict[str, dict[str, Any]] = {
    "short": {"password": "too short", "repeat": "too short"},
    "long": {"password": "long " * 30, "repeat": "long " * 30},
    "common": {"password": "password1234567", "repeat": "password1234567"},
    "unlike": {"repeat": "something else"},
    "missing": {"password": "", "repeat": ""},
    "no name": {"username": ""},
    "bad name": {"username": "no spaces"},
    "taken": {"username": "ALICE"},
}


@pytest.mark.parametrize("case", BAD)
def test_a_refused_choice_keeps_the_link(client: FlaskClient, world: World, case: str) -> None:
    """400 with the reason, in the form and in JSON; the link can be tried again, no password comes back."""
    token = link(world, Purpose.SET_UP)
    form = NEW | {"token": token, "username": "root"} | BAD[case]

    page, answer = client.post("/setup", data=form), client.post("/setup", data=form, headers=AS_JSON)

    assert (page.status_code, answer.status_code) == (400, 400)
    assert token in page.text
    assert answer.json is not None
    assert answer.json["message"] in page.text.replace("&#39;", "'")
    assert not form["password"] or form["password"] not in page.text
    assert client.post("/setup", data=NEW | {"token": token, "username": "root"}).status_code == 303


def test_a_reset_ends_every_session(world: World) -> None:
    """Sessions opened with the old password have ended."""
    app = world.app()
    inside = browser(app)
    inside.post("/", data={"username": "alice", "password": PASSWORD})

    browser(app).post("/setup", data=NEW | {"token": link(world, Purpose.RESET)})

    assert (inside.get("/account").status_code, world.rows.sessions) == (303, {})


def test_a_session_of_another_account_is_ended(client: FlaskClient, world: World) -> None:
    """Using another person's link on one's own browser ends one's session there, row and cookie."""
    world.rows.accounts["b1"] = alice(id="b1", username="bob")
    client.post("/", data={"username": "alice", "password": PASSWORD})

    answer = client.post("/setup", data=NEW | {"token": link(world, account="b1")})

    assert answer.headers["Set-Cookie"].startswith("vestibule_session=;")
    assert world.rows.sessions == {}


class Clicked(Gate):
    """A gate behind which the second click of a double click arrives while the first one's password is hashed."""

    def __init__(self) -> None:
        super().__init__(threads=1, waiting=1)
        self.second: Callable[[], object] = str

    def work(self, job: Job, work: Callable[[], Result]) -> Result | Shed:
        click, self.second = self.second, str
        click()
        return super().work(job, work)


@every_purpose
def test_of_two_clicks_at_once_one_counts(purpose: Purpose) -> None:
    """Both found the link usable; one password is set, the other click is told that the link is spent (RC)."""
    world, gate = first_start(purpose), Clicked()
    app, token = world.app(gate=gate), link(world, purpose)
    other = {"password": PASSWORD, "repeat": PASSWORD, "token": token, "username": "other"}
    statuses: list[int] = []
    gate.second = lambda: statuses.append(browser(app).post("/setup", data=other).status_code)

    statuses.append(browser(app).post("/setup", data=NEW | {"token": token, "username": "root"}).status_code)

    hashes = [PASSWORDS.check(account.password_hash, PASSWORD).matches for account in world.rows.accounts.values()]
    assert (statuses, hashes) == ([303, 404], [True])


def test_a_half_written_choice_is_none(world: World) -> None:
    """When the store goes away in the middle, the answer is 503 and both link and password are as before."""

    class Failing(type(world.services().sessions)):  # type: ignore[misc]
        def end_of_account(self, *_args: object, **_kwargs: object) -> int:
            raise Unavailable("gone")

    token, before = link(world), copy_of(world.rows)
    client = browser(world.app(sessions=Failing(world.rows)))

    assert client.post("/setup", data=NEW | {"token": token}).status_code == 503
    assert world.rows == before
