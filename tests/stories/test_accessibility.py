"""Every page in every state: by eye, by screen reader, on small screens, and without a mouse."""

import pytest

from tests.rig.servers import Servers, running
from tests.stories.conftest import Visit
from tests.stories.looks import faults
from tests.stories.people import order
from tests.stories.places import EMPTY, INHABITED


@pytest.mark.parametrize("name", INHABITED)
def test_in_a_house_with_people(house: Servers, visit: Visit, name: str) -> None:
    """axe finds nothing in light and dark, at 320 and 1280 pixels, and no page scrolls sideways."""
    visitor = visit(house, bypass_csp=True)
    INHABITED[name](visitor, house)

    assert faults(visitor.page) == []


@pytest.mark.parametrize("name", EMPTY)
def test_in_an_empty_house(empty: Servers, visit: Visit, name: str) -> None:
    """The same holds before there is an account, and for a person who was too fast."""
    visitor = visit(empty, bypass_csp=True)
    EMPTY[name](visitor, empty)

    assert faults(visitor.page) == []


def test_in_a_network_that_is_shut_out(visit: Visit) -> None:
    """And for a person in a blocked network."""
    with running() as servers:
        visitor = visit(servers, bypass_csp=True)
        for network in ("127.0.0.1/32", "::1/128"):
            order(servers, "block", "add", network, "--for", "1h", "--reason", "a story")
        servers.wait_until(lambda: visitor.open("/").heading == "Not from here", "the network is blocked")

        assert faults(visitor.page) == []
