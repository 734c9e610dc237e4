"""The checker finds what was lost, and what lets in that has ended: a ledger that says so of a sound service."""

from collections.abc import Iterator

import pytest

from tests.faults.checker import compare
from tests.faults.ledger import Ledger, Link, Secret, State
from tests.faults.site import Site, site
from tests.rig.passwords import OTHER_PASSWORD, PASSWORD


@pytest.fixture(scope="module")
def service() -> Iterator[Site]:
    """A service with some open sessions."""
    with site(workers=1) as service:
        yield service


def test_a_ledger_that_is_right_agrees(service: Site) -> None:
    """Of a service that did what it said nothing is reported."""
    compare(service.client, service.ledger)

    assert (service.ledger.lost, service.ledger.let_in) == ([], [])


def test_everything_that_was_lost_is_found(service: Site) -> None:
    """A session, a password and a link that are not as acknowledged are each named."""
    ledger = Ledger(
        sessions={f"vestibule_session={'A' * 43}": State.OPEN},
        owners={f"vestibule_session={'A' * 43}": "person1"},
        secrets={"person1": Secret(OTHER_PASSWORD)},
        links=[Link("B" * 43, "invited1", PASSWORD, State.OPEN)],
    )

    compare(service.client, ledger)

    assert len(ledger.lost) == 3
    assert ledger.let_in == []


def test_everything_that_lets_in_is_found(service: Site) -> None:
    """A session, a replaced password, a used link and a disabled account that still work are each named."""
    cookie, usable = next(iter(service.ledger.sessions)), service.ledger.links[0]
    ledger = Ledger(
        sessions={cookie: State.ENDED},
        owners={cookie: "person0"},
        secrets={"person0": Secret(PASSWORD, replaced=PASSWORD), "person1": Secret(PASSWORD)},
        links=[Link(usable.token, usable.username, usable.password, State.ENDED)],
        disabled={"person1": State.ENDED},
    )

    compare(service.client, ledger)

    assert len(ledger.let_in) == 4


def test_a_check_is_judged_by_what_was_known_before_and_after_it() -> None:
    """A session that ends while a check is under way may pass or not; a refusal of an open one is a loss."""
    ledger = Ledger(sessions={"a": State.ENDED, "b": State.OPEN}, owners={"a": "person1", "b": "person2"})

    ledger.judge("a", State.ASKED_TO_END, passed=True)
    ledger.judge("a", State.OPEN, passed=False)
    ledger.judge("b", State.OPEN, passed=None)
    assert ledger.lost + ledger.let_in == []

    ledger.judge("b", State.OPEN, passed=False)
    ledger.judge("a", State.ENDED, passed=True)
    assert (len(ledger.lost), len(ledger.let_in)) == (1, 1)
