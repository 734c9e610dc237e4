"""Servers for the tests of nginx before apps."""

from collections.abc import Iterator

import pytest

from tests.door.guarded import SIGNED_IN, Guarded, guarded
from tests.rig.other_proxies import PROXIES, House, behind_other_proxies

EVERYONE = '[[rules]]\nallow = "everyone"'
OWN_HEADERS = '[headers]\nuser = "X-Staff-Name"\ngroups = "X-Staff-Groups"\n'
PATHS = f"""{SIGNED_IN}
[[rules]]
path = "/admin"
groups = ["ops"]
[[rules]]
path = "/public"
allow = "everyone"
[[rules]]
path = "/read"
methods = ["GET"]
allow = "signed-in"
[[rules]]
path = "/near"
networks = ["127.0.0.1"]
allow = "signed-in"
"""


@pytest.fixture(scope="session")
def it() -> Iterator[Guarded]:
    """Apps with all kinds of rules. Nothing may be changed: many tests share them."""
    apps = {
        "wiki": SIGNED_IN,
        "open": EVERYONE,
        "staff": OWN_HEADERS + SIGNED_IN,
        "programs": "app_passwords = true\n" + SIGNED_IN,
        "paths": PATHS,
    }
    with guarded(apps, LIMITS__POST_PER_MINUTE="600") as servers:
        yield servers


@pytest.fixture(scope="session")
def alice(it: Guarded) -> str:
    """The Cookie header of alice, in the groups ops and staff."""
    return it.sign_in("alice")


@pytest.fixture(scope="session")
def bob(it: Guarded) -> str:
    """The Cookie header of bob, in the group staff."""
    return it.sign_in("bob")


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """Start the service and the apps once."""
    with behind_other_proxies() as started:
        yield started


@pytest.fixture(scope="session", params=PROXIES)
def proxy(request: pytest.FixtureRequest, house: House) -> Iterator[str]:
    """Each proxy in turn."""
    name: str = request.param
    with house.started(name):
        yield name
