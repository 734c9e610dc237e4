"""Which addresses are taken: origins, listeners, networks."""

import ipaddress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.settings import addresses
from service.settings.kinds import InvalidValue
from tests.settings.asked import refusal

_ANY_NETWORK = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.integers(8, 32)), st.tuples(st.ip_addresses(v=6), st.integers(7, 128))
)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("http://login.example.org", "plain http, which is for localhost, 127.0.0.1 and [::1] only"),
        ("login.example.org", "must begin with https://"),
        ("https://me:secret@login.example.org", "must not contain a user name or a password"),
        ("https://login.example.org/auth", "no path, no query, no fragment"),
        ("https://bücher.example", "xn--"),
        ("https://login.example.org:0", "from 1 to 65535"),
        ("https://login_in.example.org", "no valid host"),
    ],
)
def test_a_public_address_is_refused_with_what_to_write(written: str, words: str) -> None:
    """Each flaw of a public address has its own sentence."""
    assert words in refusal(addresses.PUBLIC, written)


def test_plain_http_is_refused_with_the_ways_to_tls() -> None:
    """The refusal of plain http says why, and that nginx or a proxy in front can do TLS."""
    reason = refusal(addresses.PUBLIC, "http://login.example.org")

    assert "passwords would cross the network readable" in reason
    assert "give nginx a certificate (deploy/tls) or keep an existing TLS proxy in front" in reason


def test_origins_of_a_list_are_all_named_when_they_are_invalid() -> None:
    """A list with two mistakes names both; what may hold a password is not quoted."""
    written = "https://ok.example, wiki.example, https://me:CANARY@x.example, https://[2001:db8::1]"

    reason = refusal(addresses.ORIGINS, written)

    assert '"wiki.example" must begin with https://' in reason
    assert "must not contain a user name" in reason
    assert '"https://[2001:db8::1]" must have a name' in reason
    assert "CANARY" not in reason
    assert "ok.example" not in reason


@given(_ANY_NETWORK)
def test_every_exact_network_is_taken(given_network: tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]) -> None:
    """Whatever address and prefix: the network of both is taken as it stands."""
    exact = ipaddress.ip_network(given_network, strict=False)
    assume(not (exact.version == 6 and exact.network_address.ipv4_mapped) and "%" not in str(exact))

    assert addresses.NETWORKS.read(str(exact)) == (exact,)


@given(_ANY_NETWORK)
def test_host_bits_are_refused_with_the_right_network(
    given_network: tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int],
) -> None:
    """A network with bits behind its prefix is refused, and the correction is a network that is taken."""
    address, prefix = given_network
    exact = ipaddress.ip_network(given_network, strict=False)
    assume(address != exact.network_address and "%" not in str(address))
    assume(not (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped))

    reason = refusal(addresses.NETWORKS, f"{address}/{prefix}")

    assert reason == f'"{address}/{prefix}" has bits set after the prefix: write {exact}'


@given(st.text(max_size=40))
def test_any_text_is_networks_or_a_refusal(written: str) -> None:
    """Whatever stands there, the reader has an answer, and takes nothing wide."""
    try:
        networks = addresses.NETWORKS.read(written)
    except InvalidValue:
        return
    assert all(network.prefixlen >= 7 for network in networks)


@pytest.mark.parametrize("written", ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "2000::/3", "0.0.0.0/0.0.0.0"])
def test_a_network_of_the_internet_is_refused(written: str) -> None:
    """A network that takes in the internet is refused: its clients could forge their address."""
    assert "clients in it could forge their address" in refusal(addresses.NETWORKS, written)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("proxy.example.org", "is not a network"),
        ("10.0.0.0/33", "is not a network"),
        ("10", "is not a network"),
        ("fe80::1%eth0", "must have no interface after a %"),
        ("::ffff:10.0.0.0/104", "IPv4 is written as IPv4, such as 10.0.0.0/8"),
    ],
)
def test_what_is_no_network_is_refused(written: str, words: str) -> None:
    """Names, wrong prefixes, interfaces and IPv4 written as IPv6 are refused."""
    assert words in refusal(addresses.NETWORKS, written)


@pytest.mark.parametrize(
    ("written", "read"),
    [("example.org", "example.org"), (".Example.ORG", "example.org"), ("a.b.example.co.uk", "a.b.example.co.uk")],
)
def test_a_cookie_domain_is_a_name(written: str, read: str) -> None:
    """Case and the leading dot, which browsers ignore, disappear."""
    assert addresses.DOMAIN.read(written) == read


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("org", "must be a domain name"),
        (".org", "must be a domain name"),
        ("localhost", "must be a domain name"),
        ("192.0.2.7", "must be a domain name"),
        ("[::1]", "must be a domain name"),
        ("example.org:8443", "must be a domain name"),
        ("https://example.org", "must be a domain name"),
        ("me@example.org", "must be a domain name"),
        ("*.example.org", "must be a domain name"),
        ("example.org/", "must be a domain name"),
        ("..example.org", "must be a domain name"),
        ("", "is empty"),
    ],
)
def test_a_cookie_domain_that_browsers_refuse_is_refused(written: str, words: str) -> None:
    """Single labels, addresses and URLs would lose the cookie without a word."""
    assert words in refusal(addresses.DOMAIN, written)
