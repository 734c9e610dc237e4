"""Sessions that come from where they did not begin: another network, another instance, an older token (SS)."""

from typing import Final

import pytest
from flask import Flask

from service.services import OuterLimit
from tests.rig.answer import Answer
from tests.rig.passwords import PASSWORD
from tests.rig.promises import kept
from tests.rig.wire import JSON, ask, post
from tests.rig.world import World
from tests.web.addresses import addresses

RIGHT: Final = f"username=alice&password={PASSWORD.replace(' ', '+')}"


def signed_in(app: Flask, *cookie: tuple[str, str]) -> tuple[str, str]:
    """Sign alice in, with the cookie that the browser has; the cookie that it has then."""
    given = str(post(app, "/", RIGHT, headers=cookie).get("Set-Cookie"))
    return "Cookie", given.partition(";")[0]


def account(app: Flask, cookie: tuple[str, str], address: str = "192.0.2.7") -> Answer:
    """Ask who is signed in, from an address and with a browser's name that was not there at the sign-in."""
    headers = [cookie, JSON, ("User-Agent", "another")]
    return kept(ask(app, "GET", "/account", headers=headers, HTTP_X_FORWARDED_FOR=address))


def test_every_older_token_is_dead(world: World) -> None:
    """A browser that signs in again, out and in has one token that opens anything, the last (SS-02, SS-03)."""
    app = world.app()
    tokens = [signed_in(app)]
    tokens.append(signed_in(app, tokens[-1]))
    post(app, "/logout", headers=[tokens[-1]])
    tokens.append(signed_in(app, tokens[-1]))

    assert [account(app, token).status for token in tokens] == [401, 401, 200]


def test_a_token_that_ended_opens_no_page_at_all(world: World) -> None:
    """After the sign-out every address answers the old token like no token, and shows no name (SS-06, BH-15)."""
    app = world.app()
    cookie = signed_in(app)
    out = post(app, "/logout", headers=[cookie])

    for target in addresses(app, "GET"):
        without, old = ask(app, "GET", target), ask(app, "GET", target, headers=[cookie])
        assert (old.status, old.get("Location")) == (without.status, without.get("Location"))
        assert "alice" not in old.text
    assert "alice" not in ask(app, "GET", str(out.get("Location"))).text
    assert str(out.get("Set-Cookie")).startswith("vestibule_session=;")


def test_the_cookie_of_another_instance_opens_nothing(world: World) -> None:
    """Two services with the same people and the same key share no session (SS-15)."""
    cookie = signed_in(World().app())

    assert account(world.app(), cookie).status == 401


def test_another_key_ends_no_session(world: World) -> None:
    """Sessions do not hang on the secret key: after a new one people are still in (SS-15, RC-07)."""
    cookie = signed_in(world.app())

    assert account(world.app(outer_limit=OuterLimit(1000, "memory://", {}, b"another key")), cookie).status == 200


@pytest.mark.parametrize("address", ["198.51.100.9", "2001:db8::9", "nonsense"])
def test_a_session_goes_on_in_another_network(world: World, address: str) -> None:
    """Neither address nor browser's name is asked for again; what is kept is where the session began (SS-21)."""
    app = world.app()
    cookie = signed_in(app)
    world.now += 70

    assert account(app, cookie, address).status == 200
    assert [(session.address, session.user_agent) for session in world.rows.sessions.values()] == [("192.0.2.7", "")]
