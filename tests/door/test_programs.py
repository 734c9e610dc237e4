"""Programs through nginx: what an app password opens, what the app is told, and that nginx remembers none of it."""

from base64 import b64encode
from itertools import permutations
from typing import Any, Final

import pytest

from tests.door.guarded import Guarded
from tests.rig.answer import Answer

WRONG: Final = f"Bearer vst_{'x' * 43}"
JUNK: Final = f"vestibule_session={'A' * 43}"  # of a token's form, so nginx takes it for one


@pytest.fixture(scope="module")
def phone(it: Guarded) -> str:
    """An app password of alice's."""
    return made(it, "phone")


def made(it: Guarded, name: str) -> str:
    """Make an app password of alice's for the app `programs`."""
    done = it.servers.vestibule("app-password", "add", "alice", "--name", name, "--app", "programs")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def basic(password: str, name: str = "alice") -> str:
    return f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"


def headers_of(answer: Answer) -> dict[str, str]:
    """Return what reached the app, by lower-case names."""
    assert answer.status == 200, answer
    return {name.lower(): value for name, value in answer.json["headers"]}


@pytest.mark.parametrize("method", ["GET", "PROPFIND", "PUT"])
def test_the_app_learns_who_asks_and_not_how(it: Guarded, phone: str, method: str) -> None:
    """Identity as for a browser; the app password is removed, in both forms, and so is another person's cookie."""
    for header in (basic(phone), f"bearer {phone}"):
        found = headers_of(it.ask("programs", "/dav", method=method, Authorization=header, Cookie=JUNK))

        assert (found["remote-user"], found["remote-groups"]) == ("alice", "ops,staff")
        assert not {"authorization", "cookie"} & found.keys()
        assert phone not in str(found)


def test_a_program_is_refused_without_a_page(it: Guarded) -> None:
    """401 and JSON; the challenge is Basic only where Basic came, so that no browser opens a prompt of its own."""
    answers = [it.ask("programs", "/", Authorization=header) for header in (WRONG, basic(f"vst_{'x' * 43}"))]

    assert [answer.status for answer in answers] == [401, 401]
    assert [str(answer.get("WWW-Authenticate")).partition(" ")[0] for answer in answers] == ["Bearer", "Basic"]
    assert {answer.json["reason"] for answer in answers} == {"app-password-wrong"}


@pytest.mark.parametrize("order", list(permutations(["right", "wrong", "none"])), ids="-".join)
def test_each_request_is_judged_by_itself(it: Guarded, phone: str, alice: str, order: tuple[str, ...]) -> None:
    """Within a second and in any order, without a cookie, with a made-up one, and with that of a session."""
    sent: dict[str, dict[str, Any]] = {
        "right": {"Authorization": basic(phone)},
        "wrong": {"Authorization": WRONG},
        "none": {},
    }
    cookies = {"": 401, JUNK: 401, alice: 200}

    for cookie, without in cookies.items():
        kept: dict[str, Any] = {"Cookie": cookie} if cookie else {}
        statuses = {each: it.ask("programs", "/pairs", **sent[each], **kept).status for each in order * 2}
        assert statuses == {"right": 200, "wrong": 401, "none": without}


def test_ended_is_ended(it: Guarded) -> None:
    """The first request after `end` is refused: nginx remembers no yes to a program."""
    tablet = basic(made(it, "tablet"))
    assert it.ask("programs", "/", Authorization=tablet).status == 200

    listed = it.servers.vestibule("app-password", "list", "alice").stdout.splitlines()
    (found,) = [line.split()[0] for line in listed if " tablet " in line]
    assert it.servers.vestibule("app-password", "end", "alice", found).returncode == 0

    assert it.ask("programs", "/", Authorization=tablet).status == 401


def test_the_last_use_is_shown(it: Guarded, phone: str) -> None:
    """An operator sees which app password is still in use."""
    it.ask("programs", "/", Authorization=basic(phone))

    listed = it.servers.vestibule("app-password", "list", "alice").stdout.splitlines()
    assert ["used 2" in line for line in listed if " phone " in line] == [True]


def test_another_app_is_not_opened(it: Guarded, phone: str) -> None:
    """An app that takes none neither learns it nor is opened by it."""
    assert it.ask("wiki", "/", Authorization=basic(phone)).status == 401
    assert phone not in str(headers_of(it.ask("open", "/", Authorization=f"Bearer {phone}")))
