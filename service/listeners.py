"""Where nginx listens, for all listeners alike: how an operator writes it, and which sockets that means here.

`localhost` is both loopback addresses, and `[::]` is every address of both families: one socket takes both where the
machine has IPv6, and 0.0.0.0 stands in where it has none.
"""

import socket
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

_ANY: Final = {"0.0.0.0", "::"}  # noqa: S104 - compared and rendered
_LOOPBACKS: Final = ("127.0.0.1", "::1")


class Listener(NamedTuple):
    """A host (`localhost` or an IP address) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def sockets(listeners: Sequence[Listener]) -> list[Listener]:
    """Return the sockets that nginx opens, by IP address. One on `::` takes both families, so it stands alone."""
    opened = [Listener(host, each.port) for each in listeners for host in _hosts(each.host)]
    of_both_families = {each.port for each in opened if each.host == "::"}
    return [each for each in dict.fromkeys(opened) if each.host == "::" or each.port not in of_both_families]


def directives(opened: Sequence[Listener]) -> list[str]:
    """Return nginx's directive for each socket; the one on `::` says that it takes IPv4, too."""
    return [f"listen {each}{' ipv6only=off' if each.host == '::' else ''};" for each in opened]


def _hosts(host: str) -> Iterator[str]:
    if host == "localhost":
        yield _LOOPBACKS[0]
        if _is_usable(_LOOPBACKS[1]):
            yield _LOOPBACKS[1]
    else:
        yield "0.0.0.0" if host == "::" and not _is_usable(host) else host  # noqa: S104 - what the operator asked for


def _is_usable(host: str) -> bool:
    return fault_of(Listener(host, 0)) is None


def fault_of(listener: Listener) -> OSError | None:
    """Return why nginx could not open this socket; None when it can."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in listener.host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if ":" in listener.host:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, listener.host != "::")
            probe.bind(listener)
    except OSError as fault:
        return fault
    return None


def reachable(listeners: Sequence[Listener]) -> Listener:
    """Return where a client on this machine reaches the first of them."""
    first = sockets(listeners)[0]
    return Listener(_LOOPBACKS[0], first.port) if first.host in _ANY else first


def overlap(some: Sequence[Listener], others: Sequence[Listener]) -> bool:
    """Whether two of them would take the same connection, on a machine with both families."""
    return any(one.port == other.port and _meet(one.host, other.host) for one in some for other in others)


def _meet(one: str, other: str) -> bool:
    hosts = {one, other}
    return len(hosts) == 1 or bool(hosts & _ANY) or ("localhost" in hosts and bool(hosts & {*_LOOPBACKS}))
