"""The doctor's HTTP client: any Host, any header in any spelling, and connections to other places than DNS names.

It never follows a redirect, uses no proxy, and goes on without a valid certificate once a check has reported that one.
"""

import base64
import http.client
import os
import socket
import ssl
import time
import warnings
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from service.access.public_address import PublicAddress

TIMEOUT_SECONDS: Final = 10
MAXIMUM_BODY_BYTES: Final = 1024 * 1024
Headers = Iterable[tuple[str, str]]
Places = Mapping[tuple[str, int], tuple[str, int]]


class NoAnswer(Exception):
    """No connection, or no answer of HTTP on it; the text says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, the time at which it came, and the client's own address on that connection."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    at: float
    own_address: str

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name: str) -> str:
        """Return a header's first value, or an empty text."""
        return next(iter(self.all(name)), "")


class Client:
    """Asks one address after another. `places` says where to connect in place of what DNS says."""

    def __init__(self, *, ca_file: Path | None = None, places: Places | None = None) -> None:
        self._ca_file = ca_file
        self._places = places or {}
        self._unverified: set[PublicAddress] = set()
        self._trusting = _without_verification()

    def place(self, address: PublicAddress) -> tuple[str, int]:
        """Return the host and the port that are connected to."""
        usual = address.host.strip("[]"), address.port
        return self._places.get((address.host, address.port), usual)

    def ask(
        self, address: PublicAddress, target: str = "/", *, method: str = "GET", headers: Headers = (),
        host: str | None = None, body: bytes = b"",
    ) -> Answer:  # fmt: skip
        """Send one request on a connection of its own. Raises NoAnswer."""
        sent = [("Host", host or address.netloc), ("Accept", "application/json"), *headers]
        sent += [("Content-Length", str(len(body)))] if body else []
        try:
            with closing(self._connect(address)) as connection:
                own = connection.getsockname()[0]
                asking = http.client.HTTPConnection("")
                asking.sock = connection
                asking.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
                for name, value in sent:
                    asking.putheader(name, value)
                with suppress(BrokenPipeError, ConnectionResetError):  # refused while the body was being sent
                    asking.endheaders(body or None)
                answer = asking.getresponse()
                told = tuple(answer.getheaders())
                said = answer.read(MAXIMUM_BODY_BYTES)
                return Answer(answer.status, told, said, time.time(), own)
        except (OSError, http.client.HTTPException, ValueError) as fault:
            raise NoAnswer(_reason(fault)) from fault

    def certificate(self, address: PublicAddress) -> Mapping[str, Any]:
        """Return the certificate of an address. Raises ssl.SSLCertVerificationError, NoAnswer.

        After a failure further requests to this address do without a valid one, so that all else can be checked.
        """
        try:
            with closing(self._connect(address)) as connection:
                found: Mapping[str, Any] = connection.getpeercert()  # type: ignore[attr-defined] # it is TLS
                return found
        except ssl.SSLCertVerificationError:
            self._unverified.add(address)
            raise
        except OSError as fault:
            raise NoAnswer(_reason(fault)) from fault

    def takes_old_tls(self, address: PublicAddress) -> bool:
        """Whether a connection by TLS 1.0 or 1.1 is accepted."""
        context = _without_verification()
        try:
            context.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings(action="ignore"):  # that these are out of date is why they are tried
                context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
            with closing(self._connect(address, context)):
                return True
        except (OSError, ValueError):  # refused, or this machine's OpenSSL cannot ask
            return False

    def upgrade(self, address: PublicAddress, target: str, headers: Headers, message: bytes) -> tuple[int, bytes]:
        """Ask for a web socket and send one message; return the status, and what came back. Raises NoAnswer."""
        key = base64.b64encode(os.urandom(16)).decode()
        asked = [("Host", address.netloc), ("Upgrade", "websocket"), ("Connection", "Upgrade")]
        asked += [("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", key), *headers]
        lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in asked), "", ""]
        try:
            with closing(self._connect(address)) as connection, connection.makefile("rb") as answers:
                connection.sendall("\r\n".join(lines).encode())
                status = int([*answers.readline(1000).split(), b"0", b"0"][1])
                http.client.parse_headers(answers)
                if status != http.client.SWITCHING_PROTOCOLS:
                    return status, b""
                connection.sendall(bytes([0x81, 0x80 | len(message)]) + bytes(4) + message)  # masked with zeros
                return status, answers.read(2 + len(message))[2:]
        except (OSError, http.client.HTTPException, ValueError) as fault:
            raise NoAnswer(_reason(fault)) from fault

    def answers_directly(self, scheme: str, place: tuple[str, int]) -> bool:
        try:
            host = f"[{place[0]}]" if ":" in place[0] else place[0]
            address = PublicAddress(scheme, host, place[1])
            self._unverified.add(address)
            return bool(self.ask(address).status)
        except NoAnswer:
            return False

    def _connect(self, address: PublicAddress, context: ssl.SSLContext | None = None) -> socket.socket:
        connection = socket.create_connection(self.place(address), timeout=TIMEOUT_SECONDS)
        if not address.is_https:
            return connection
        try:
            return (context or self._context(address)).wrap_socket(connection, server_hostname=address.host.strip("[]"))
        except BaseException:
            connection.close()
            raise

    def _context(self, address: PublicAddress) -> ssl.SSLContext:
        return self._trusting if address in self._unverified else self._verifying

    @cached_property
    def _verifying(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._ca_file:
            context.load_verify_locations(self._ca_file)
        return context


def _without_verification() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _reason(fault: Exception) -> str:
    if isinstance(fault, socket.gaierror):
        return "its name does not resolve"
    if isinstance(fault, TimeoutError):
        return f"no answer within {TIMEOUT_SECONDS} s"
    return getattr(fault, "strerror", None) or str(fault) or type(fault).__name__
