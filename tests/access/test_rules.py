"""One rule: which requests it is for, whom it admits, and which rules no request reaches."""

from ipaddress import ip_network

import pytest

from service.access.rules import Allow, Misfit, Rule, never_reached
from tests.rig.people import alice

NETWORKS = (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))


@pytest.mark.parametrize(
    ("methods", "method", "fits"),
    [
        ((), "PROPFIND", True),
        (("GET",), "GET", True),
        (("GET",), "HEAD", True),
        (("GET",), "POST", False),
        (("GET",), "get", False),
        (("HEAD",), "HEAD", True),
        (("HEAD",), "GET", False),
        (("POST", "PUT"), "HEAD", False),
        (("POST", "PUT"), "PUT", True),
    ],
)
def test_a_rule_is_for_its_methods(methods: tuple[str, ...], method: str, fits: bool) -> None:  # noqa: FBT001 - a case
    """All of them without `methods`; GET covers HEAD."""
    assert Rule(number=1, methods=methods).misfit(method, "") == (None if fits else Misfit.METHOD)


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("192.0.3.7", False),
        ("2001:db8:9::1", True),
        ("2001:db9::1", False),
        ("", False),
        ("unknown", False),
    ],
)
def test_a_rule_is_for_its_networks(address: str, fits: bool) -> None:  # noqa: FBT001 - a case
    """IPv4, also when it is mapped into IPv6, and IPv6; a client without an address is in no network."""
    assert Rule(number=1, networks=NETWORKS).misfit("GET", address) == (None if fits else Misfit.NETWORK)
    assert Rule(number=1).misfit("GET", address) is None


@pytest.mark.parametrize(
    ("rule", "admits"),
    [
        (Rule(number=1, allow=Allow.SIGNED_IN), True),
        (Rule(number=1, users=("alice",)), True),
        (Rule(number=1, users=("bob",)), False),
        (Rule(number=1, groups=("ops", "staff")), True),
        (Rule(number=1, groups=("ops",)), False),
        (Rule(number=1, users=("bob",), groups=("staff",)), True),
        (Rule(number=1, users=("alice",), groups=("ops",)), True),
        (Rule(number=1), False),
    ],
)
def test_a_rule_admits_its_users_and_the_members_of_its_groups(rule: Rule, admits: bool) -> None:  # noqa: FBT001 - a case
    """Either is enough; a rule that names none admits no account."""
    assert rule.admits(alice(groups=("staff",))) == admits


@pytest.mark.parametrize(
    ("first", "later", "is_hidden"),
    [
        ({}, {}, True),
        ({}, {"methods": ("POST",)}, True),
        ({"methods": ("POST",)}, {}, False),
        ({"networks": NETWORKS}, {}, False),
        ({"path": "/a"}, {}, False),
        ({"report_only": True}, {}, False),
        ({"report_only": True}, {"report_only": True}, True),
        ({}, {"report_only": True}, True),
    ],
)
def test_a_rule_that_no_request_reaches_is_found(
    first: dict[str, object],
    later: dict[str, object],
    is_hidden: bool,  # noqa: FBT001 - a case
) -> None:
    """One of the same path before it takes all requests; one that only reports leaves them to the next."""
    one, two = Rule(number=1, **first), Rule(number=2, **later)  # type: ignore[arg-type]

    assert never_reached([one, two]) == ([(two, one)] if is_hidden else [])
