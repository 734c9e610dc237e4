"""An attack on one account: small limits, many networks, and the owner's browser."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlencode

from flask import Flask

from service.login.attempts import Limit, Scope
from tests.rig.answer import Answer
from tests.rig.passwords import PASSWORD
from tests.rig.promises import kept
from tests.rig.wire import post

DEVICE: Final = "vestibule_device"
HOME: Final = "203.0.113.9"
LIMITS: Final = {
    Scope.ACCOUNT_FROM_NETWORK: Limit(3, 900),
    Scope.NETWORK: Limit(5, 900),
    Scope.ACCOUNT: Limit(8, 3600),
    Scope.KNOWN_DEVICE: Limit(2, 900),
    Scope.APP_PASSWORD_NETWORK: Limit(2, 900),
}


def sign_in(
    app: Flask,
    password: str = "wrong",
    *,
    username: str = "alice",
    address: str = HOME,
    cookie: str = "",
    headers: Iterable[tuple[str, str]] = (),
) -> Answer:
    """Send the form from an address, perhaps from a browser that is known."""
    body = urlencode({"username": username, "password": password})
    sent = [*headers, *([("Cookie", cookie)] if cookie else [])]
    return kept(post(app, "/", body, headers=sent, HTTP_X_FORWARDED_FOR=address))


def use_up(app: Flask, username: str = "alice", address: str = "192.0.2.1") -> list[int]:
    """Guess from one network until it is refused; the statuses."""
    return [sign_in(app, username=username, address=address).status for _ in range(4)]


def attack(app: Flask, username: str = "alice") -> None:
    """Guess from many networks until new browsers are throttled."""
    statuses = [sign_in(app, username=username, address=f"198.51.100.{number}").status for number in range(9)]
    assert statuses == [401] * 8 + [429]


def known_browser(app: Flask, username: str = "alice", password: str = PASSWORD, address: str = HOME) -> str:
    """Sign in; return the cookie by which the browser is known from now on, as it is sent."""
    answer = sign_in(app, password, username=username, address=address)
    assert answer.status == 303
    return cookie_of(answer)


def cookie_of(answer: Answer, name: str = DEVICE) -> str:
    """Return a cookie that came with an answer, as a browser sends it back."""
    (found,) = [cookie.partition(";")[0] for cookie in answer.all("Set-Cookie") if cookie.startswith(f"{name}=")]
    return found
