"""Networks: what stands for a client, and what an operator may write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.login.networks import network_of, parse


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", "unknown"),
        ("192.0.2.7:80", "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_what_stands_for_a_client(address: str, network: str) -> None:
    """An IPv4 address alone, a /64 of IPv6: a customer who has one address of it has them all (RL-04, RL-05)."""
    assert network_of(address) == network


@given(st.ip_addresses())
def test_every_address_has_a_network_that_can_be_written_down(address: object) -> None:
    """And an operator who copies it from a list names the same network."""
    network = network_of(str(address))

    assert str(parse(network)) == network


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        (" 192.0.2.7/24 ", "192.0.2.0/24"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::/0", "::/0"),
        ("192.0.2.0/33", None),
        ("example.org", None),
        ("", None),
    ],
)
def test_what_an_operator_may_write(text: str, network: str | None) -> None:
    """A network or an address, in any spelling; an IPv6 address stands for its /64."""
    found = parse(text)

    assert (str(found) if found else None) == network
