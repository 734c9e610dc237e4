"""Services: what the pages and the commands are handed, made in `app.py`, and the ports beside those of `login`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from service.access.apps import App
from service.access.block_list import Blocks
from service.access.judged_set import EMPTY, JudgedSet
from service.access.public_address import PublicAddress
from service.login.attempts import Tally
from service.login.sessions import Lifetimes
from service.login.stores import Stores
from service.login.verify_password import Verifier

Progress = Callable[[str, int, int], None]  # shows a step of long work, how far it has come, and how far it goes
SIGN_IN_SECONDS: Final = 15 * 60


class Unavailable(Exception):
    """A store cannot be reached, is locked for too long, or is full: nothing was decided, try again later."""


class BadBackup(Exception):
    """A backup could not be made, is not whole, or cannot be used here: what is wrong, where, and what to type."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup, or a dump of PostgreSQL, that was found whole; `rows` in each table. A dump names no release."""

    path: Path
    engine: str
    made_at: int
    release: str
    revision: str
    oldest_release: str
    rows: Mapping[str, int]
    secret_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: where the database of before lies, if there was one, and how many sessions ended."""

    kept: Path | None
    sessions: int
    key_is_known: bool


@dataclass(frozen=True, slots=True)
class RehearsedStep:
    """A step of an upgrade that was run on a copy: its time, and the mode of its lock on each table."""

    revision: str
    seconds: float
    locks: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """An upgrade that was run on a copy, from one revision to another; `rows` in each table."""

    before: str
    after: str
    steps: tuple[RehearsedStep, ...]
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Brand:
    """The looks of the pages: a name, an accent colour (`#rrggbb`), and the logo's SVG or PNG bytes."""

    name: str
    accent: str
    logo: bytes | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the database, of Redis, and of the file of the apps in force, for `/readyz` and the metrics.

    `migrations_pending` raises Unavailable until the database has answered once with all tables in place; then it asks
    no more. `on_change` takes a function, which is called with True when this process gives Redis up, and with False
    when it uses Redis again.
    """

    database_answers: Callable[[], bool]
    migrations_pending: Callable[[], bool]
    on_change: Callable[[Callable[[bool], None]], None]
    apps_are_readable: Callable[[], bool] = lambda: True
    last_backup: Callable[[], int | None] = lambda: None


@dataclass(frozen=True, slots=True)
class Answer:
    """How a store answers: its name and version, in how many seconds, or why it cannot be used."""

    name: str
    seconds: float = 0.0
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Tables:
    """The revision of the tables (None: there are none), the newest that this release knows, and who may use them."""

    revision: str | None
    newest: str
    oldest_release: str | None = None

    @property
    def are_pending(self) -> bool:
        """Whether `db upgrade` is due."""
        return (self.revision or "") < self.newest


@dataclass(frozen=True, slots=True)
class SignIns:
    """Sign-ins of accounts within SIGN_IN_SECONDS; `refused_known` are those refused from known devices."""

    granted: int = 0
    refused: int = 0
    refused_known: int = 0


@dataclass(frozen=True, slots=True)
class StoreState:
    """What the stores say at one moment; None is what could not be read.

    `counters` is where attempts are counted. The tallies are of each throttle's own window, the most attempts first.
    `is_first_start`: the database was never made.
    """

    database: Answer = Answer("none")
    counters: Answer = Answer("none")
    tables: Tables | None = None
    sign_ins: SignIns | None = None
    sign_ins_day_before: SignIns | None = None
    networks: tuple[Tally, ...] | None = None
    accounts: tuple[Tally, ...] | None = None
    blocked: int = 0
    is_first_start: bool = False
    last_backup: int | None = None


@dataclass(frozen=True, slots=True)
class OuterLimit:
    """The limit on the POSTs of a network, and the `limits` storage where all workers count them.

    The `key` makes the names of the counters, so that no address is stored.
    """

    posts_per_minute: int
    storage_uri: str
    storage_options: Mapping[str, Any]
    key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Services(Stores):
    """Everything together; a rule is handed a part. Of the `keys` the first signs.

    `clock` reads whole seconds. `apps` returns the apps in force.
    """

    blocks: Blocks
    verifier: Verifier
    lifetimes: Lifetimes
    keys: tuple[bytes, ...]
    public: PublicAddress
    brand: Brand
    health: Health
    outer_limit: OuterLimit
    clock: Callable[[], int]
    return_origins: frozenset[str] = frozenset()
    cookie_domain: str | None = None
    apps: Callable[[], JudgedSet] = lambda: EMPTY
    door_cache_seconds: int = 1
    demo: App | None = None
