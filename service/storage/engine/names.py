"""Names of the stores' hosts, resolved in time: `getaddrinfo` takes no time limit, so a thread asks it."""

import ipaddress
import socket
import threading
from collections.abc import Callable
from typing import Any, Final

Resolve = Callable[[str, None], list[tuple[Any, ...]]]
THREAD: Final = "resolver"


class Names:
    """What is known of names. One thread at a time asks for a name, however long the resolver takes."""

    def __init__(self, resolve: Resolve = socket.getaddrinfo) -> None:
        self._resolve = resolve
        self._lock = threading.Lock()
        self._running: dict[str, _LookUp] = {}
        self._known: dict[str, list[str]] = {}

    def addresses(self, name: str, *, seconds: float) -> list[str]:
        """Return the addresses of a host; the last known ones when no new ones come in time. Raises OSError."""
        if _is_address(name):
            return [name]
        with self._lock:
            look_up = self._running.get(name)
            if look_up is None or not look_up.is_alive():
                look_up = self._running[name] = _LookUp(name, self._resolve)
                look_up.start()
        look_up.join(seconds)
        if look_up.found:
            self._known[name] = look_up.found
        if name in self._known:
            return self._known[name]
        raise look_up.failure or TimeoutError(f"the name {name} was not resolved in time")


class _LookUp(threading.Thread):
    """One question to the resolver."""

    def __init__(self, name: str, resolve: Resolve) -> None:
        super().__init__(name=THREAD, daemon=True)
        self._question = name
        self._resolve = resolve
        self.found: list[str] = []
        self.failure: OSError | None = None

    def run(self) -> None:
        try:
            self.found = list(dict.fromkeys(address[0] for *_, address in self._resolve(self._question, None)))
        except (OSError, UnicodeError) as failure:
            self.failure = OSError(f"the name {self._question} is not known ({failure})")


def _is_address(name: str) -> bool:
    """Whether this is an IP address, or the directory of a socket, and needs no resolver."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name.startswith(("/", "@")) or not name
    return True
