"""Stores that keep the ports' contract in memory, for rules that are tried without a database."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace

from service.access.block_list import Block
from service.login.accounts import Account, UsernameTaken
from service.login.app_passwords import AppPassword, Owned, seen_is_due
from service.login.attempts import Attempt
from service.login.audit import Entry
from service.login.links import Link, is_usable
from service.login.sessions import Lifetimes, Session, SignedIn, is_live


@dataclass
class Rows:
    """Everything that is kept; a transaction that raises puts it back."""

    accounts: dict[str, Account] = field(default_factory=dict)
    sessions: dict[bytes, Session] = field(default_factory=dict)
    links: dict[bytes, Link] = field(default_factory=dict)
    app_passwords: dict[bytes, AppPassword] = field(default_factory=dict)
    trail: list[Entry] = field(default_factory=list)
    attempts: dict[str, tuple[int, Attempt]] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Put back what it holds when it raises; attempts are no part of it."""
        before = {name: copy(rows) for name, rows in vars(self).items() if name != "attempts"}
        try:
            yield
        except BaseException:
            vars(self).update(before)
            raise


class MemoryAccounts:
    """Accounts in a dictionary."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def by_username(self, username: str) -> Account | None:
        return next((a for a in self._rows.accounts.values() if a.username == username), None)

    def by_id(self, account_id: str) -> Account | None:
        return self._rows.accounts.get(account_id)

    def lock_for_update(self, account_id: str) -> Account | None:
        return self.by_id(account_id)

    def all(self) -> Iterator[Account]:
        return iter(sorted(self._rows.accounts.values(), key=lambda a: a.username))

    def count(self) -> dict[str, int]:
        states = {"active": 0, "disabled": 0, "invited": 0}
        for account in self._rows.accounts.values():
            states["disabled" if account.is_disabled else "active" if account.password_hash else "invited"] += 1
        return states

    def has_administrator(self, *, besides: str = "") -> bool:
        return any(a.is_admin and not a.is_disabled and a.id != besides for a in self._rows.accounts.values())

    def add(self, account: Account) -> None:
        if self.by_username(account.username):
            raise UsernameTaken(account.username)
        self._rows.accounts[account.id] = account

    def replace(self, account: Account) -> None:
        kept = self._rows.accounts[account.id]
        self._rows.accounts[account.id] = replace(account, password_hash=kept.password_hash)

    def set_password(self, account_id: str, password_hash: str, *, now: int) -> None:
        kept = self._rows.accounts[account_id]
        self._rows.accounts[account_id] = replace(kept, password_hash=password_hash, password_changed_at=now)

    def rehash_password(self, account_id: str, *, old: str, new: str) -> bool:
        kept = self._rows.accounts.get(account_id)
        if kept is None or kept.password_hash != old:
            return False
        self._rows.accounts[account_id] = replace(kept, password_hash=new)
        return True

    def delete(self, account_id: str) -> None:
        self._rows.accounts.pop(account_id, None)
        self._rows.sessions = {k: s for k, s in self._rows.sessions.items() if s.account_id != account_id}
        self._rows.links = {k: link for k, link in self._rows.links.items() if link.account_id != account_id}
        MemoryAppPasswords(self._rows).end_of_account(account_id)


class MemorySessions:
    """Sessions in a dictionary."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, session: Session) -> None:
        self._rows.sessions[session.token_hash] = session

    def find(self, token_hash: bytes) -> SignedIn | None:
        session = self._rows.sessions.get(token_hash)
        return SignedIn(session, self._rows.accounts[session.account_id]) if session else None

    def of_account(self, account_id: str) -> list[Session]:
        own = [s for s in self._rows.sessions.values() if s.account_id == account_id]
        return sorted(own, key=lambda s: s.created_at, reverse=True)

    def all(self) -> Iterator[SignedIn]:
        newest = sorted(self._rows.sessions.values(), key=lambda s: s.created_at, reverse=True)
        return iter([SignedIn(s, self._rows.accounts[s.account_id]) for s in newest])

    def count_live(self, lifetimes: Lifetimes, *, now: int) -> int:
        return sum(is_live(s, lifetimes, now=now) for s in self._rows.sessions.values())

    def touch(self, token_hash: bytes, *, now: int) -> None:
        if token_hash in self._rows.sessions:
            self._rows.sessions[token_hash] = replace(self._rows.sessions[token_hash], seen_at=now)

    def end(self, token_hash: bytes) -> bool:
        return self._rows.sessions.pop(token_hash, None) is not None

    def end_by_id(self, session_id: str) -> bool:
        found = [k for k, s in self._rows.sessions.items() if s.id == session_id]
        return any(self.end(k) for k in found)

    def end_of_account(self, account_id: str) -> int:
        found = [k for k, s in self._rows.sessions.items() if s.account_id == account_id]
        return sum(self.end(k) for k in found)

    def end_all(self) -> int:
        ended = len(self._rows.sessions)
        self._rows.sessions.clear()
        return ended

    def delete_expired(self, lifetimes: Lifetimes, *, now: int, limit: int) -> int:
        dead = [k for k, s in self._rows.sessions.items() if not is_live(s, lifetimes, now=now)][:limit]
        return sum(self.end(k) for k in dead)


class MemoryLinks:
    """Links in a dictionary."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def put(self, link: Link) -> None:
        others = {k: kept for k, kept in self._rows.links.items() if kept.account_id != link.account_id}
        self._rows.links = others | {link.token_hash: link}

    def find(self, token_hash: bytes) -> Link | None:
        return self._rows.links.get(token_hash)

    def consume(self, token_hash: bytes) -> bool:
        return self._rows.links.pop(token_hash, None) is not None

    def end_of_account(self, account_id: str) -> int:
        found = [k for k, link in self._rows.links.items() if link.account_id == account_id]
        return sum(self.consume(k) for k in found)

    def delete_expired(self, *, now: int, limit: int) -> int:
        dead = [k for k, link in self._rows.links.items() if not is_usable(link, now=now)][:limit]
        return sum(self.consume(k) for k in dead)


class MemoryAppPasswords:
    """App passwords in a dictionary."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, password: AppPassword) -> None:
        self._rows.app_passwords[password.token_hash] = password

    def find(self, token_hash: bytes) -> Owned | None:
        found = self._rows.app_passwords.get(token_hash)
        return Owned(found, self._rows.accounts[found.account_id]) if found else None

    def of_account(self, account_id: str) -> list[AppPassword]:
        own = [p for p in self._rows.app_passwords.values() if p.account_id == account_id]
        return sorted(own, key=lambda p: (p.created_at, p.id), reverse=True)

    def touch(self, token_hash: bytes, *, now: int) -> None:
        found = self._rows.app_passwords.get(token_hash)
        if found and seen_is_due(found, now=now):
            self._rows.app_passwords[token_hash] = replace(found, seen_at=now)

    def end(self, account_id: str, password_id: str) -> bool:
        return self._end(p for p in self.of_account(account_id) if p.id == password_id) == 1

    def end_of_account(self, account_id: str) -> int:
        return self._end(self.of_account(account_id))

    def _end(self, gone: Iterable[AppPassword]) -> int:
        return sum(self._rows.app_passwords.pop(p.token_hash, None) is not None for p in gone)


class MemoryAudit:
    """The trail in a list."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, entry: Entry) -> None:
        self._rows.trail.append(entry)

    def note(self, *entries: Entry) -> None:
        self._rows.trail += entries

    def entries(self, *, account: str | None = None, since: int = 0) -> Iterator[Entry]:
        return (
            entry
            for entry in reversed(self._rows.trail)
            if entry.at >= since and (account is None or entry.account == account)
        )


class MemoryBlocks:
    """Blocks in a dictionary."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def put(self, block: Block) -> None:
        self._rows.blocks[block.network] = block

    def remove(self, network: str) -> bool:
        return self._rows.blocks.pop(network, None) is not None

    def all(self, *, now: int) -> list[Block]:
        return sorted((b for b in self._rows.blocks.values() if b.until > now), key=lambda b: b.network)

    def delete_expired(self, *, now: int) -> int:
        gone = [network for network, block in self._rows.blocks.items() if block.until <= now]
        return sum(self.remove(network) for network in gone)
