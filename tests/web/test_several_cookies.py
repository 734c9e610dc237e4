"""A browser with several cookies of our name, or with one that opens nothing any more (CK)."""

import pytest

from tests.rig.answer import Answer
from tests.rig.memory_store import MemorySessions
from tests.rig.passwords import PASSWORD
from tests.rig.wire import ask, post
from tests.rig.world import HTTPS, World, browser

RIGHT = {"username": "alice", "password": PASSWORD}
NAME = "vestibule_session"


def deleted(answer: Answer) -> set[str]:
    """Return the `Domain` of each cookie that an answer deletes, "" for one of this host alone."""
    cookies = [cookie for cookie in answer.all("Set-Cookie") if "Max-Age=0" in cookie]
    return {cookie.partition("Domain=")[2].partition(";")[0] for cookie in cookies}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_dead_cookie_of_an_earlier_domain_is_deleted(world: World, method: str) -> None:
    """After a change of `cookie_domain` the old cookie has the same name: it goes under the domain it was set with."""
    app = world.app(public=HTTPS, cookie_domain="example.test")

    answer = ask(app, method, "/account", headers=[("Cookie", f"__Secure-vestibule={'D' * 43}")])

    assert (answer.status, deleted(answer)) == (303, {"example.test", "auth.example.test"})


def test_signing_out_ends_every_session_of_the_browser(world: World) -> None:
    """Two live cookies, as after a change of `cookie_domain`: neither opens anything after signing out."""
    app = world.app()
    browsers = [browser(app), browser(app)]
    for each in browsers:
        each.post("/", data=RIGHT)
    jars = [each.get_cookie(NAME, domain="localhost") for each in browsers]
    tokens = [cookie.value for cookie in jars if cookie]

    post(app, "/logout", headers=[("Cookie", "; ".join(f"{NAME}={each}" for each in tokens))])

    assert world.rows.sessions == {}


def test_a_dead_cookie_costs_no_write(world: World) -> None:
    """Signing out with tokens that no session has writes nothing."""

    class ReadOnly(MemorySessions):
        def end(self, token_hash: bytes) -> bool:
            raise AssertionError(token_hash)

    app = world.app(sessions=ReadOnly(world.rows))

    assert post(app, "/logout", headers=[("Cookie", f"{NAME}={'D' * 43}")]).status == 303
