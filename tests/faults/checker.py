"""Compares a quiet service with the ledger: what was acknowledged holds, what was not is all or nothing."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tests.faults.client import Client
from tests.faults.ledger import Ledger, Link, Secret, State

_PATIENCE_SECONDS: Final = 20.0
_GONE: Final = 404
_AT_ONCE: Final = 8


def compare(client: Client, ledger: Ledger) -> None:
    """Ask about everything in the ledger; what differs is added to what was lost, and to what was let in."""
    _sessions(client, ledger)
    for username, secret in ledger.secrets.items():
        _password(client, ledger, username, secret)
    for link in ledger.links:
        _link(client, ledger, link)
    for username, state in ledger.disabled.items():
        _disabled(client, ledger, username, state)


def _sessions(client: Client, ledger: Ledger) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        answers = list(threads.map(lambda cookie: _answered(client, cookie), ledger.sessions))
    for (cookie, state), passes in zip(ledger.sessions.items(), answers, strict=True):
        if state is State.OPEN and not passes:
            ledger.lost.append(f"the session of {ledger.owners[cookie]} is gone")
        if state is State.ENDED and passes:
            ledger.let_in.append(f"an ended session of {ledger.owners[cookie]} is alive")


def _answered(client: Client, cookie: str) -> bool:
    until = time.monotonic() + _PATIENCE_SECONDS
    while (passes := client.passes(cookie)) is None:
        assert time.monotonic() < until, "the door does not answer"
    return passes


def _password(client: Client, ledger: Ledger, username: str, secret: Secret) -> None:
    if ledger.disabled.get(username):
        return
    works = {each: client.signs_in(username, each) for each in (secret.acknowledged, secret.asked) if each}
    if list(works.values()).count(True) != 1:
        ledger.lost.append(f"of the passwords of {username} that may be in force {works} work")
    if secret.replaced and client.signs_in(username, secret.replaced):
        ledger.let_in.append(f"the replaced password of {username} works")


def _disabled(client: Client, ledger: Ledger, username: str, state: State) -> None:
    alive = [cookie for cookie, owner in ledger.owners.items() if owner == username and _answered(client, cookie)]
    works = client.signs_in(username, ledger.secrets[username].acknowledged)
    if state is State.ENDED and works:
        ledger.let_in.append(f"{username} is disabled, and signed in")
    if works is not bool(alive):
        ledger.lost.append(f"{username} was disabled by half")


def _link(client: Client, ledger: Ledger, link: Link) -> None:
    """A used link is spent and its password works; one that was asked for is spent exactly when its password works."""
    answer = client.get(f"/setup?token={link.token}")
    is_spent = answer is not None and answer.status == _GONE
    if link.state is State.ENDED and not is_spent:
        ledger.let_in.append(f"the used link of {link.username} opens again")
    if link.state is State.ASKED_TO_END and is_spent is not client.signs_in(link.username, link.password):
        ledger.lost.append(f"the link of {link.username} was used by half")
    if link.state is State.OPEN and is_spent:
        ledger.lost.append(f"the link of {link.username} was never used, and is gone")
