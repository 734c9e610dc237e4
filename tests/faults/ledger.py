"""What the service said that it did, as its clients wrote it down.

A change whose answer did not come may have happened, or not: it is asked for, and promises nothing but all or nothing.
"""

import threading
from dataclasses import dataclass, field
from enum import IntEnum


class State(IntEnum):
    """How far the end of a session has come, as its client knows it."""

    OPEN = 0
    ASKED_TO_END = 1
    ENDED = 2


@dataclass
class Secret:
    """A password: the one that was acknowledged last, the one before, and one whose change was not acknowledged."""

    acknowledged: str
    replaced: str | None = None
    asked: str | None = None


@dataclass
class Link:
    """A one-time link, and the password that is chosen with it."""

    token: str
    username: str
    password: str
    state: State = State.OPEN


@dataclass
class Ledger:
    """Sessions by their cookie, passwords and ended accounts by their username, links; and what went wrong."""

    sessions: dict[str, State] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    disabled: dict[str, State] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    let_in: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def opened(self, cookie: str, username: str) -> None:
        """A sign-in was acknowledged."""
        with self._lock:
            self.owners[cookie] = username
            self.sessions[cookie] = State.OPEN

    def advance(self, cookie: str, state: State) -> None:
        """The end of a session was asked for, or acknowledged."""
        with self._lock:
            self.sessions[cookie] = max(self.sessions[cookie], state)

    def advance_all(self, username: str, state: State) -> None:
        """The same for every session that an account has had so far."""
        with self._lock:
            for cookie in [each for each, owner in self.owners.items() if owner == username]:
                self.sessions[cookie] = max(self.sessions[cookie], state)

    def disable(self, username: str, state: State) -> None:
        """That an account is disabled was asked for, or acknowledged; with it all its sessions end."""
        self.disabled[username] = max(state, self.disabled.get(username, state))
        self.advance_all(username, state)

    def password_changed(self, username: str, password: str) -> None:
        """A new password was acknowledged."""
        self.secrets[username] = Secret(password, replaced=self.secrets[username].acknowledged)

    def cookies(self, state: State) -> list[str]:
        """Return the cookies of the sessions in a state."""
        with self._lock:
            return [cookie for cookie, found in self.sessions.items() if found is state]

    def judge(self, cookie: str, before: State, *, passed: bool | None) -> None:
        """Compare a check with what was known when it was sent and when it was answered; None: no proper answer."""
        if passed and before is State.ENDED:
            self.let_in.append(f"an ended session of {self.owners[cookie]} passed")
        if passed is False and self.sessions[cookie] is State.OPEN:
            self.lost.append(f"a session of {self.owners[cookie]} was refused")

    @property
    def acknowledged(self) -> str:
        """Say how much was acknowledged."""
        changed = sum(secret.replaced is not None for secret in self.secrets.values())
        used = sum(link.state is State.ENDED for link in self.links)
        return (
            f"{len(self.sessions)} sign-ins, {len(self.cookies(State.ENDED))} ended sessions, "
            f"{changed} changed passwords, {used} used links"
            + (f", {sum(state is State.ENDED for state in self.disabled.values())} disabled" if self.disabled else "")
        )
