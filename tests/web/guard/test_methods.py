"""Methods: each address takes its own, refuses every other by name, and only reads on those that read (MT)."""

from typing import Final

import pytest
from flask import Flask

from tests.rig.answer import Answer
from tests.rig.passwords import PASSWORD
from tests.rig.promises import copy_of, kept
from tests.rig.wire import SAME, ask, post
from tests.rig.world import World
from tests.web.addresses import addresses

RIGHT: Final = f"username=alice&password={PASSWORD.replace(' ', '+')}"
OTHERS: Final = ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "FOOBAR", "get", "G" * 500, "\xff"]


@pytest.fixture
def app(world: World) -> Flask:
    return world.app()


@pytest.mark.parametrize("method", OTHERS, ids=lambda method: ascii(method[:9]))
def test_wrong_verbs_are_named(app: Flask, method: str) -> None:
    """405 on every address, with what it takes; none does anything (MT-05, MT-13)."""
    for target in addresses(app, "GET"):
        answer = kept(ask(app, method, target, headers=[SAME]))
        expected = {"GET", "HEAD", "OPTIONS"} | ({"POST"} if target in addresses(app, "POST") else set())
        assert answer.status == 405
        assert set(str(answer.get("Allow")).split(", ")) == expected


def test_a_form_sent_where_none_is_taken(app: Flask) -> None:
    """A POST to a page that only shows is 405, signed in or not."""
    for target in set(addresses(app, "GET")) - set(addresses(app, "POST")):
        assert kept(post(app, target, RIGHT)).status == 405


def without(answer: Answer, *names: str) -> list[str]:
    """Return the names of an answer's headers, but for some."""
    return sorted(name for name, _ in answer.headers if name not in names)


def test_head_is_get_without_a_body(app: Flask) -> None:
    """The same status and the same headers, and nothing behind them."""
    for target in [*addresses(app, "GET"), "/nope"]:
        got, head = ask(app, "GET", target), kept(ask(app, "HEAD", target), head=True)
        assert (head.status, head.body) == (got.status, b"")
        assert without(head) == without(got)


def test_options_says_what_there_is(app: Flask) -> None:
    """An answer without a body, with Allow, on every address; what does not exist is 404 (MT-03)."""
    for target in addresses(app, "OPTIONS"):
        answer = kept(ask(app, "OPTIONS", target))
        assert (answer.status, answer.body) == (200, b"")
        assert "OPTIONS" in str(answer.get("Allow"))
    assert kept(ask(app, "OPTIONS", "/nope")).status == 404


@pytest.mark.parametrize(
    "target", [f"/?{RIGHT}", f"/?{RIGHT}&_method=POST", f"/logout?{RIGHT}", "/?remember=on&username=alice"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_credentials_in_an_address_open_no_session(world: World, method: str, target: str) -> None:
    """Only a form signs in; what stands in an address is not even put into the form (MT-01)."""
    before = copy_of(world.rows)

    answer = kept(ask(world.app(), method, target), head=True)

    assert ([each for each in answer.all("Set-Cookie") if "probe" not in each], world.rows) == ([], before)
    assert PASSWORD.split()[0] not in answer.text


def test_a_field_counts_where_it_belongs(world: World) -> None:
    """A password in the address and a name in the form do not meet (MT-11)."""
    app = world.app()

    answers = [
        post(app, f"/?{RIGHT}", ""),
        post(app, f"/?{RIGHT}", "username=alice"),
        post(app, f"/?{RIGHT}", "username=alice&password=x"),
        post(app, "/?username=nobody&password=x", RIGHT),
    ]

    assert [answer.status for answer in answers] == [401, 401, 401, 303]
