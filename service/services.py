"""Services: what every page and every command is handed, and the ports it needs.

One frozen record, made in `app.py`, so that a rule or a page can be tried with anything that keeps the
same contract. Nothing here reads the environment or opens a connection.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from service.access.block_list import Blocks
from service.access.public_address import PublicAddress
from service.login.stores import Stores


class Unavailable(Exception):
    """A store cannot be reached, is locked for too long, or is full: nothing was decided, try again later."""


@dataclass(frozen=True, slots=True)
class Brand:
    """How the pages present themselves: a name, an accent colour (`#rrggbb`), and the logo's SVG or PNG bytes."""

    name: str
    accent: str
    logo: bytes | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """What `/readyz` and the metrics ask of the database, and who tells them of the counters.

    `migrations_pending` raises Unavailable until the database's tables were seen; it asks no more once all are there.
    `tell_degraded` takes what is to be called when this process gives Redis up (True) and has it back (False).
    """

    database_answers: Callable[[], bool]
    migrations_pending: Callable[[], bool]
    tell_degraded: Callable[[Callable[[bool], None]], None]


@dataclass(frozen=True, slots=True)
class OuterLimit:
    """How many POSTs a network may send in a minute, and where all workers count them (a `limits` storage)."""

    posts_per_minute: int
    storage_uri: str
    storage_options: Mapping[str, Any]
    key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Services(Stores):
    """What the rules of `login` are handed, and what pages and commands need besides. `clock` reads whole seconds."""

    blocks: Blocks
    public: PublicAddress
    brand: Brand
    health: Health
    outer_limit: OuterLimit
    clock: Callable[[], int]
    return_origins: frozenset[str] = frozenset()
    cookie_domain: str | None = None
