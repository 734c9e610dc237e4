"""What a browser does at the service: sign in, ask for a page behind the door, sign out, choose passwords."""

import contextlib
import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Final
from urllib.parse import urlencode

from tests.rig.answer import Answer
from tests.rig.asking import ask

IN: Final = 303
PAGE: Final = "/demo/"  # an app behind the door
_WRONG: Final = 401
_LATER: Final = frozenset({429, 503})
_NETWORKS: Final = 20_000
_PATIENCE_SECONDS: Final = 20.0
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Client:
    """Browsers at one public address, each request from another network of 127.0.0.0/8."""

    port: int
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def get(self, path: str, cookie: str = "") -> Answer | None:
        """Ask for a page; None without an answer."""
        return self._ask("GET", path, None, {"Cookie": cookie} if cookie else {})

    def post(self, path: str, cookie: str = "", **form: str) -> Answer | None:
        """Send a form as a browser does; None without an answer."""
        own = _FORM | {"Origin": f"http://localhost:{self.port}"}
        return self._ask("POST", path, urlencode(form).encode(), own | ({"Cookie": cookie} if cookie else {}))

    def sign_in(self, username: str, password: str, cookie: str = "") -> Answer | None:
        """Send the form."""
        return self.post("/", cookie, username=username, password=password, rd="")

    def guess(self, username: str) -> int:
        """Send a wrong password, always from the same network; the status."""
        body = urlencode({"username": username, "password": "wrong"}).encode()
        return ask(self.port, "/", method="POST", body=body, headers=_FORM, source="127.200.0.1").status

    def passes(self, cookie: str) -> bool | None:
        """Whether the door lets a session pass; None without a proper answer."""
        return passed(self.get(PAGE, cookie))

    def signs_in(self, username: str, password: str) -> bool:
        """Whether a password opens an account: asked again until the answer is yes or no."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while (answer := self.sign_in(username, password)) is None or answer.status not in {IN, _WRONG}:
            assert time.monotonic() < until, f"no answer for {username}: {answer}"
            time.sleep(0.1)
        return answer.status == IN

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer | None:
        number = next(self._numbers) % _NETWORKS
        source = f"127.{1 + number // 250}.{number % 250 + 1}.1"
        with contextlib.suppress(OSError, HTTPException):
            return ask(
                self.port, path, method=method, body=body, source=source,
                headers={"Sec-Fetch-Site": "same-origin", **headers},
            )  # fmt: skip
        return None


def session_of(answer: Answer) -> str:
    """Return the session cookie that an answer sets, as a browser sends it."""
    return cookie_of(answer, "vestibule_session")


def cookie_of(answer: Answer, name: str) -> str:
    """Return a cookie that an answer sets, as a browser sends it."""
    return next(each for each in answer.all("set-cookie") if each.startswith(f"{name}=")).partition(";")[0]


def passed(answer: Answer | None) -> bool | None:
    """Whether the door said yes, or no; None for everything else."""
    known = {200: True, 303: False, 401: False, 403: False}
    return known.get(answer.status) if answer else None


def is_later(answer: Answer | None) -> bool:
    """Whether the answer is to come back at a time that it says."""
    return answer is not None and answer.status in _LATER and bool(answer.all("retry-after"))
