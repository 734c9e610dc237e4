"""nginx's outermost limit: POSTs of one address, well above the service's own limit."""

import re
from collections.abc import Iterator

import pytest

from tests.edge.conftest import ECHO
from tests.rig.servers import Servers, running


@pytest.fixture(scope="module")
def strict() -> Iterator[Servers]:
    """Servers that let one POST a second through, after a handful at once."""

    def handful(nginx_conf: str) -> str:
        assert "burst=40" in nginx_conf
        return nginx_conf.replace("burst=40", "burst=3")

    chosen = {"LIMITS__EDGE_POST_PER_SECOND": "1", "LIMITS__POST_PER_MINUTE": "60", "TRUSTED_PROXIES": "127.0.0.0/8"}
    with running(application=ECHO, workers=1, edit_nginx=handful, **chosen) as servers:
        yield servers


def _posts(servers: Servers, address: str, number: int) -> list[int]:
    return [servers.get("/", method="POST", body=b"", X_Forwarded_For=address).status for _ in range(number)]


def test_a_flood_of_posts_gets_429_with_a_time_and_our_page(strict: Servers) -> None:
    """Beyond its burst an address gets 429, Retry-After and the page that says when to come back."""
    statuses = _posts(strict, "192.0.2.1", 6)
    refused = strict.get("/", method="POST", body=b"a=b", X_Forwarded_For="192.0.2.1")

    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert refused.status == 429
    assert refused.one("retry-after") == "60"
    assert b"in a minute" in refused.body


def test_others_are_not_held_back(strict: Servers) -> None:
    """The limit counts by address: another one posts, and the flooding one still reads."""
    _posts(strict, "192.0.2.2", 6)

    assert _posts(strict, "192.0.2.3", 1) == [200]
    assert strict.get("/", X_Forwarded_For="192.0.2.2").status == 200


def test_a_refusal_shows_in_the_log(strict: Servers) -> None:
    """The log says that a limit refused, since nothing else does: the service never saw the request."""
    _posts(strict, "192.0.2.4", 6)
    refusal = re.compile(r'"client":"192.0.2.4".*"status":429.*"limited":"REJECTED')

    strict.wait_until(lambda: bool(refusal.search(strict.log("nginx"))), "the log names the address and the refusal")
