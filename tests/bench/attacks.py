"""What a flood sends: wrong passwords, as many as can be; or the dearest input that the limits let through."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from service.login.passwords import MAXIMUM_CHARACTERS
from tests.bench import load, people

_WRONG: Final = "eleven kettles argue about rain"
_HEAD: Final = 7500  # bytes of one header that nginx takes beside the others
_BODY: Final = 16 * 1024


@dataclass(frozen=True)
class Attack:
    """Requests at a rate, over so many connections, each from an address of its own."""

    requests: Callable[[int], list[bytes]]
    each_second: int
    addresses: int


def _wrong_passwords(port: int) -> list[bytes]:
    return [load.sign_in(port, people.username(number), _WRONG) for number in range(WRONG.addresses)]


def _dear_forms(port: int) -> list[bytes]:
    """Return forms and pages in turn, each header and field as long as nginx takes it, and no two alike."""
    return [_dear_form(port, number) if number % 2 else _dear_page(port, number) for number in range(200)]


def _dear_form(port: int, number: int) -> bytes:
    """Return a name of combining marks, which take longest to put in order, a password of some that is hashed, too."""
    marks = quote("\u0301\u0327")
    password = marks * (MAXIMUM_CHARACTERS // 2)
    name = marks * ((_BODY - len(password) - 100) // len(marks))
    body = f"username={number}{name}&password={password}&remember=on"
    return _request(port, f"POST / HTTP/1.1\r\nCookie: {load.PROBE}{';' * (_HEAD - 10 - len(load.PROBE))}", body)


def _dear_page(port: int, number: int) -> bytes:
    """Return a page that does not exist, in an order of preference that was never seen."""
    return _request(port, f"GET /{number} HTTP/1.1\r\nAccept: {'a/b,' * (_HEAD // 4 - 10)}c/{number}")


def _request(port: int, head: str, body: str = "") -> bytes:
    kind = "Content-Type: application/x-www-form-urlencoded\r\n" if body else ""
    length = f"{kind}Content-Length: {len(body)}\r\n" if body else ""
    return f"{head}\r\nHost: localhost:{port}\r\nSec-Fetch-Site: same-origin\r\n{length}\r\n{body}".encode()


WRONG: Final = Attack(_wrong_passwords, each_second=300, addresses=64)
# A form each second from each of 30 addresses, which no limit of the defaults notices, and as many pages.
DEAR: Final = Attack(_dear_forms, each_second=60, addresses=30)
