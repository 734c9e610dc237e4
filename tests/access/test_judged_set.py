"""The judged set: apps as text and back, and their hash."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from service.access.apps import App
from service.access.identity_headers import IdentityHeaders
from service.access.judged_set import EMPTY, JudgedSet, from_json, to_json
from service.access.public_address import PublicAddress
from service.access.rules import Allow, Rule

WIKI = App(
    "wiki",
    PublicAddress("https", "wiki.example.test", 443),
    "http://127.0.0.1:3000",
    "Wiki",
    (
        Rule(number=1, path="/admin", groups=("ops",), networks=(ip_network("2001:db8::/32"),), fresh=600),
        Rule(number=2, methods=("GET",), allow=Allow.EVERYONE, report_only=True),
    ),
    headers=IdentityHeaders(user="X-WEBAUTH-USER"),
    app_passwords=True,
    certificate="/tls/wiki.pem",
)


def test_round_trip() -> None:
    """Apps come back from their text as they were, with the same hash."""
    found = from_json(to_json([WIKI]))

    assert found.apps == (WIKI,)
    assert found.hash == JudgedSet([WIKI]).hash


def test_hash() -> None:
    """Every change of an app changes the hash, which nginx and the service compare."""
    changed = [replace(WIKI, title="Notes"), replace(WIKI, rules=WIKI.rules[:1]), replace(WIKI, preflight=True)]

    assert len({JudgedSet([each]).hash for each in (WIKI, *changed)} | {EMPTY.hash}) == 5


def test_looked_up_by_address() -> None:
    """An app is found by its origin in its one spelling."""
    found = JudgedSet([WIKI])

    assert found.app_of("https://wiki.example.test") == WIKI
    assert found.app_of("https://other.example.test") is None
    assert found.origins == {"https://wiki.example.test"}


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 2, "apps": []}', '{"format": 1, "apps": [{}]}', "[" * 100_000]
)
def test_other_text(text: str) -> None:
    """A text that is no judged set of this format is refused as a whole."""
    with pytest.raises(ValueError, match=r"judged set|format|Expecting"):
        from_json(text)
