"""Whether nearly all sign-ins come from one private address: a proxy, most likely, that is not trusted yet.

Then all clients behind that proxy share one client's limits, and the log names the proxy in place of each client.
"""

import ipaddress
import threading
from collections import Counter, deque
from typing import Final, NamedTuple

from service.login.networks import address_of

WINDOW: Final = 20
SHARE: Final = 0.95
WARN_EVERY_SECONDS: Final = 3600
# What routers on the way leave alone: RFC 1918, 4193, 3927, 4291, 6598 (networks of providers and of virtual ones).
_PRIVATE: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
)


class Suspicion(NamedTuple):
    """The private address that nearly all sign-ins come from, if there is one, and whether a warning is due."""

    address: str | None
    is_due: bool


class SignIns:
    """Where the last sign-ins of one worker came from; safe for threads."""

    def __init__(self) -> None:
        self._last: deque[str] = deque(maxlen=WINDOW)
        self._warned_at: float | None = None
        self._lock = threading.Lock()

    def come_from(self, address: str, *, now: float) -> Suspicion:
        """Add one sign-in; return what the last ones say together, at `now` of a clock that never goes back."""
        with self._lock:
            self._last.append(address)
            ((commonest, times),) = Counter(self._last).most_common(1)
            suspect = _private(commonest) if len(self._last) == WINDOW and times >= SHARE * WINDOW else None
            is_due = suspect is not None and (self._warned_at is None or now - self._warned_at >= WARN_EVERY_SECONDS)
            if is_due:
                self._warned_at = now
        return Suspicion(suspect, is_due)


def advice(address: str) -> str:
    """Return what to do about it."""
    return (
        f"nearly all sign-ins come from {address}: if that is a proxy, its clients share the limits of one client. "
        f"Add {address} (or its network) to VESTIBULE_TRUSTED_PROXIES, and have the proxy send X-Forwarded-For"
    )


def _private(text: str) -> str | None:
    """Return a private address as one types it (IPv4-mapped IPv6 as IPv4), or None for any other text."""
    address = address_of(text)
    return str(address) if address and any(address in network for network in _PRIVATE) else None
