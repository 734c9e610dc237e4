"""What the pages and the commands are handed, made in `app.py`, and the ports beside those of `login`.

upkeep        what `vestibule db …` did to the database
store_state   what the stores say at one moment, for `vestibule status`
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from service.access.apps import App
from service.access.block_list import Blocks
from service.access.judged_set import EMPTY, JudgedSet
from service.access.public_address import PublicAddress
from service.access.session_cookie import cookie_name
from service.login.sessions import Lifetimes
from service.login.stores import Stores
from service.login.verify_password import Verifier


class Unavailable(Exception):
    """A store cannot be reached, is locked for too long, or is full: nothing was decided, try again later."""


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
    """Everything together; a rule is handed a part.

    `clock` reads whole seconds. `apps` returns the apps in force.
    """

    blocks: Blocks
    verifier: Verifier
    lifetimes: Lifetimes
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

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The secret keys, of which the first signs and all verify."""
        return self.verifier.keys

    @property
    def session_cookie(self) -> str:
        """The name of the session's cookie."""
        return cookie_name(self.public, self.cookie_domain)
