"""Networks: clients are counted and blocked by network, since a single customer owns a /64 of IPv6."""

import ipaddress
from typing import Final

IPV6_PREFIX: Final = 64
UNKNOWN: Final = "unknown"
_MAPPED_PREFIX: Final = 96  # RFC 4291, 2.5.5.2
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def network_of(address: str) -> str:
    """Return a client's network: /32 of IPv4 (mapped too), /64 of IPv6; UNKNOWN for text that is no address."""
    ip = address_of(address)
    if ip is None:
        return UNKNOWN
    return str(network_around(ip, min(ip.max_prefixlen, IPV6_PREFIX)))


def address_of(text: str) -> Address | None:
    """Return the address that a text spells, IPv4 when it is mapped into IPv6; None for any other text."""
    try:
        ip = ipaddress.ip_address(text.partition("%")[0])  # without the zone (RFC 4007, 11.2)
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip


def network_around(ip: Address, prefix: int) -> Network:
    """Return the network of that prefix length around an address."""
    if isinstance(ip, ipaddress.IPv6Address):
        return ipaddress.IPv6Network((int(ip), prefix), strict=False)
    return ipaddress.IPv4Network((int(ip), prefix), strict=False)


def parse(text: str) -> Network | None:
    """Return the network that an operator wrote, such as `192.0.2.0/24` or a single address; None for any other text.

    Bits beyond the prefix are dropped, mapped IPv4 is IPv4, and a network within a /64 of IPv6 becomes that /64.
    """
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    if isinstance(network, ipaddress.IPv4Network):
        return network
    mapped = network.network_address.ipv4_mapped
    if mapped is not None and network.prefixlen >= _MAPPED_PREFIX:
        return network_around(mapped, network.prefixlen - _MAPPED_PREFIX)
    return network if network.prefixlen <= IPV6_PREFIX else network.supernet(new_prefix=IPV6_PREFIX)
