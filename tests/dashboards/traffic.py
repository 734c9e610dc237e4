"""Traffic for the dashboards: what people send, an attack from one /24, and one address that floods forms."""

import math
import random
import re
import selectors
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench import load, people
from tests.bench.open_loop import Arrivals, Stream
from tests.rig.passwords import PASSWORD
from tests.rig.servers import Servers

ACCOUNTS: Final = 400
ATTACKED: Final = "127.0.4.0/24"  # the network of the attackers' addresses
_WRONG: Final = "eleven kettles argue about rain"
_ATTACKERS: Final = range(1000, 1024)
_FLOODER: Final = range(1500, 1501)
_FAMILIAR: Final = 24
_WAVE_SECONDS: Final = 110


@dataclass(frozen=True)
class Known:
    """A person who is signed in, at a browser that is known."""

    username: str
    session: str
    device: str


def settle(servers: Servers) -> list[Known]:
    """Make a backup; sign some people in; let some accounts be disabled and some wait for their owners."""
    done = servers.vestibule("db", "backup")
    assert done.returncode == 0, done.stderr
    for number in range(3):
        done = servers.vestibule("account", "disable", people.username(ACCOUNTS - 1 - number))
        assert done.returncode == 0, done.stderr
        done = servers.vestibule("account", "add", f"newcomer{number}", "--invite")
        assert done.returncode == 0, done.stderr
    return [_signed_in(servers, number) for number in range(_FAMILIAR)]


def _signed_in(servers: Servers, number: int) -> Known:
    name = people.username(number)
    with load.Client(servers.port, 4000 + number) as client:
        client.socket.sendall(load.sign_in(servers.port, name, PASSWORD))
        head = client.socket.recv(65536).partition(b"\r\n\r\n")[0].decode("latin-1")
    cookies = re.findall(r"^set-cookie: ([^;]+)", head, re.MULTILINE | re.IGNORECASE)
    session = next(cookie for cookie in cookies if cookie.startswith("vestibule_session="))
    device = next(cookie for cookie in cookies if cookie != session)
    return Known(name, session, device)


def ordinary(servers: Servers, known: Sequence[Known], seconds: float) -> Iterator[Arrivals]:
    """Yield what people send, and what the scanners send that visit every public address."""
    port = servers.port
    style = re.findall(r'"(/static/[^"]+)"', servers.get("/").text)
    newcomers = [people.username(number) for number in range(100, 200)]
    kinds: list[tuple[float, list[bytes]]] = [
        (5.0, [load.page(port, "/account", each.session) for each in known]),
        (3.0, [load.page(port, "/", each.session) for each in known]),
        (1.5, [_asking(port, "GET", "/")]),
        (2.5, [_asking(port, "GET", path) for path in style]),
        (0.7, [_from(each, load.sign_in(port, each.username, PASSWORD)) for each in known]),
        (0.05, [_from(each, load.sign_in(port, each.username, _WRONG)) for each in known]),
        (0.25, [load.sign_in(port, name, PASSWORD) for name in newcomers]),
        (0.1, [load.sign_in(port, name, _WRONG) for name in newcomers]),
        (0.05, [load.sign_in(port, f"stranger{number}", _WRONG) for number in range(50)]),
        (0.6, [_asking(port, "GET", path) for path in ("/wp-login.php", "/.env", "/admin")]),
        (0.3, [_asking(port, "HEAD", "/")]),
        (0.1, [_asking(port, method, "/") for method in ("PUT", "DELETE", "OPTIONS")]),
    ]
    for number, (rate, requests) in enumerate(kinds):
        due = list(moments(rate, number, 0, seconds))
        yield Stream(port, requests, due, networks=range(2000 + 40 * number, 2040 + 40 * number), until=seconds)


def attack(servers: Servers, *, since: float, until: float) -> Iterator[Arrivals]:
    """Yield wrong passwords from one /24: some for one account, most for many."""
    port = servers.port
    guesses = [load.sign_in(port, people.username(200 + number), _WRONG) for number in range(150)]
    yield _steady(port, guesses, 32, since=since, until=until, networks=_ATTACKERS)
    one = [load.sign_in(port, people.username(0), _WRONG)]
    networks = range(_ATTACKERS.stop, _ATTACKERS.stop + 20)
    yield _steady(port, one, 9, since=since, until=until, networks=networks)


def flood(servers: Servers, *, since: float, until: float) -> Iterator[Arrivals]:
    """Yield far more forms from one address than nginx takes."""
    forms = [load.sign_in(servers.port, "nobody", _WRONG)]
    networks = range(_FLOODER.start, _FLOODER.start + 1)
    streams = [_steady(servers.port, forms, 9, since=since, until=until, networks=networks) for _ in range(8)]
    yield from streams


def strangers(servers: Servers, until: float) -> Stream:
    """Return sign-ins with usernames that no account has."""
    forms = [load.sign_in(servers.port, f"stranger{number}", _WRONG) for number in range(50)]
    return _steady(servers.port, forms, 3, since=0, until=until, networks=range(4200, 4240))


class Later:
    """Something that is done at a moment, beside the traffic."""

    def __init__(self, moment: float, action: Callable[[], object]) -> None:
        self._moment, self._thread = moment, threading.Thread(target=action)

    def due(self) -> float:
        return self._moment

    def send(self, now: float, selector: selectors.BaseSelector) -> None:  # noqa: ARG002 - it sends nothing
        if now >= self._moment:
            self._moment = math.inf
            self._thread.start()

    def receive(self, client: load.Client, now: float, selector: selectors.BaseSelector) -> None:
        """Receive nothing, as nothing was sent."""

    def end(self, now: float) -> None:  # noqa: ARG002 - whenever that is
        self._thread.join()


def _steady(
    port: int, requests: Sequence[bytes], rate: float, *, since: float, until: float, networks: range
) -> Stream:
    due = list(moments(rate, int(rate), since, until, wave=0))
    return Stream(port, requests, due, networks=networks, until=until)


def moments(rate: float, seed: int, since: float, until: float, wave: float = 0.4) -> Iterator[float]:
    """Yield moments at random about a rate that rises and falls."""
    chance = random.Random(seed)  # noqa: S311 - the same in every run
    moment = since
    while True:
        swing = 1 + wave * math.sin(2 * math.pi * moment / _WAVE_SECONDS + seed)
        moment += chance.expovariate(rate * swing)
        if moment >= until:
            return
        yield moment


def _asking(port: int, method: str, path: str) -> bytes:
    return load.page(port, path, "a=b").replace(b"GET", method.encode(), 1)


def _from(known: Known, request: bytes) -> bytes:
    """Return a request with the cookie of a known device."""
    return request.replace(b"\r\nContent-Type", f"\r\nCookie: {known.device}\r\nContent-Type".encode(), 1)
