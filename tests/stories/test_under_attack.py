"""A night: an account is attacked from 60 networks; she signs in, and the operator ends it."""

import http.client
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlencode

import pytest

from service.login.attempts import PENDING_SECONDS
from tests.rig import scraped
from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.servers import Servers, running
from tests.stories.conftest import Visit
from tests.stories.people import WRONG, move_in, order
from tests.stories.visitor import Visitor

BOTS = [f"127.0.1.{number}" for number in range(1, 61)]
FROM_EVERYWHERE = 50  # the default


@pytest.fixture
def attacked() -> Iterator[Servers]:
    """Servers with the defaults of production and people in them."""
    with running() as servers:
        move_in(servers)
        yield servers


def guess(servers: Servers, address: str, password: str = OTHER_PASSWORD) -> int:
    """Send one guess at anna from an address; return the status."""
    return answered(servers, address, password).status


def wait_of(servers: Servers, address: str) -> int:
    """Return the seconds that a refused guess from an address is told to wait."""
    return int(answered(servers, address, OTHER_PASSWORD).getheader("Retry-After") or 0)


def answered(servers: Servers, address: str, password: str) -> http.client.HTTPResponse:
    """Send one guess at anna from an address; return the answer, of which only the head is still to be had."""
    connection = http.client.HTTPConnection("127.0.0.1", servers.port, timeout=20, source_address=(address, 0))
    with closing(connection):
        headers = {"Host": f"localhost:{servers.port}", "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/", urlencode({"username": "anna", "password": password}), headers)
        return connection.getresponse()


def signed_out_again(visitor: Visitor) -> Visitor:
    """Sign anna in and out: this browser knows her from now on."""
    visitor.open("/").sign_in("anna", PASSWORD)
    visitor.press("Sign out")
    return visitor.open("/")


def test_an_attack_on_one_person(attacked: Servers, visit: Visit) -> None:
    """No guess more than allowed; her own browser lets her in at once; the operator sees who it is and ends it."""
    at_home, on_a_new_phone = signed_out_again(visit(attacked)), visit(attacked)

    statuses = Counter(guess(attacked, address) for address in BOTS)
    right_guess = guess(attacked, "127.0.2.1", PASSWORD)
    fresh = (f"127.0.3.{number}" for number in range(1, 255))
    attacked.wait_until(
        lambda: wait_of(attacked, next(fresh)) > PENDING_SECONDS, "no attempt may be under way any more"
    )
    on_a_new_phone.open("/").sign_in("anna", PASSWORD)
    at_home.sign_in("anna", OTHER_PASSWORD)
    mistyped = at_home.problem
    at_home.sign_in("anna", PASSWORD)

    assert statuses == {401: FROM_EVERYWHERE, 429: len(BOTS) - FROM_EVERYWHERE}
    assert right_guess == 429
    assert (on_a_new_phone.problem, "Please try again in 60 minutes" in on_a_new_phone.text) == ("Too many tries", True)
    assert (mistyped, at_home.heading) == (WRONG, "Anna Example")

    _the_operator_ends_it(attacked, on_a_new_phone)
    _the_numbers_tell_the_same(attacked)


def _the_operator_ends_it(servers: Servers, on_a_new_phone: Visitor) -> None:
    listed = json.loads(order(servers, "attempts", "list", "--json"))
    attackers = {each["network"] for each in listed}
    assert attackers - {"127.0.0.1/32", "::/64"} == {f"{address}/32" for address in BOTS[:FROM_EVERYWHERE]}
    assert json.loads(order(servers, "attempts", "list", "--by", "account", "--json"))[0]["account"] == "anna"

    order(servers, "block", "add", "127.0.1.0/24", "--for", "2h", "--reason", "a night")
    servers.wait_until(lambda: guess(servers, BOTS[0]) == 403, "the block holds in one worker")
    order(servers, "account", "unlock", "anna")
    servers.wait_until(lambda: {guess(servers, address) for address in BOTS[:8]} == {403}, "it holds in all workers")

    assert on_a_new_phone.open("/").sign_in("anna", PASSWORD).heading == "Anna Example"
    trail = json.loads(order(servers, "audit", "list", "--account", "anna", "--json"))
    events = Counter(entry["event"] for entry in trail)
    assert (events["authn_login_success"], events["authn_login_unlock"]) == (3, 1)
    assert events["authn_login_fail"] >= FROM_EVERYWHERE + 1
    assert events["authn_login_fail_max"] == 1


def _the_numbers_tell_the_same(servers: Servers) -> None:
    exposed = servers.ops("/metrics").body.decode()
    attempts = "vestibule_sign_in_attempts_total"
    assert scraped.total(exposed, attempts, outcome="wrong_password") >= FROM_EVERYWHERE + 1
    assert scraped.total(exposed, attempts, outcome="granted") == 3
    assert scraped.total(exposed, "vestibule_throttled_total", scope="account") >= len(BOTS) - FROM_EVERYWHERE + 2
    assert scraped.total(exposed, "vestibule_throttled_total", scope="block") >= 8
