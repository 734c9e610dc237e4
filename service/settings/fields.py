"""All settings together: frozen, checked when they are made, and what follows from several of them."""

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from service.access import public_address
from service.machine import cpu_budget
from service.settings import addresses, files
from service.settings.addresses import Network
from service.settings.listeners import LISTENERS, Listener
from service.settings.secret import Secret
from service.settings.section import Section, setting
from service.settings.sections import (
    Access,
    Audit,
    Brand,
    Hashing,
    Limits,
    Passwords,
    Server,
    Sessions,
    Throttles,
)

_PROJECT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Settings(Section):
    """Everything that an operator chose; `load` adds where it came from."""

    public_url: str = setting(
        addresses.PUBLIC,
        "http://localhost:8080",
        "The address that people type: scheme, host and port. Cookies, redirects and HSTS follow from it. "
        "Plain http only on localhost, 127.0.0.1 and [::1].",
    )
    database_url: Secret | None = setting(
        addresses.DATABASE,
        None,
        "PostgreSQL (`postgresql://user:password@host:5432/name`) or another SQLite file (`sqlite:////path`). "
        "Attempts are counted beside that file: who shares it shares them.",
        unset="SQLite, `vestibule.sqlite3` in the state directory",
    )
    redis_url: Secret | None = setting(
        addresses.REDIS,
        None,
        "Redis or Valkey for counting attempts (`redis://`, `rediss://`, `redis+unix://`).",
        unset="counted in SQL",
    )
    state_dir: Path = setting(
        files.PATH,
        _PROJECT / "var",
        "What the service keeps: the SQLite database, the secret key, nginx's files, backups.",
    )
    secret_key: Secret | None = setting(
        files.KEY,
        None,
        "Signs what browsers keep for us, never sessions or passwords. One key a line: the first signs, all verify. "
        "Several machines need the same.",
        unset="`secret-key` in the state directory, made at the first start",
    )
    config: Path | None = setting(
        files.PATH,
        None,
        "The TOML file with all the others.",
        unset="`/etc/vestibule/vestibule.toml`, when there is one",
    )
    trusted_proxies: tuple[Network, ...] = setting(
        addresses.NETWORKS, (), "Networks of proxies in front of nginx, whose word on the client's address counts."
    )
    ops_listen: tuple[Listener, ...] = setting(
        LISTENERS,
        (Listener("127.0.0.1", 9180),),
        "Where nginx waits for `/metrics`, `/healthz` and `/readyz`; never for the public.",
    )
    sessions: Sessions = field(default=Sessions())
    passwords: Passwords = field(default=Passwords())
    hashing: Hashing = field(default=Hashing())
    throttles: Throttles = field(default=Throttles())
    limits: Limits = field(default=Limits())
    audit: Audit = field(default=Audit())
    access: Access = field(default=Access())
    brand: Brand = field(default=Brand())
    server: Server = field(default=Server())

    # Where each setting that was given came from: `environment`, the TOML file, or the `…_FILE` that named it.
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    # What works and still deserves a look, one sentence each.
    warnings: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def public(self) -> public_address.PublicAddress:
        """The public address as the rules want it."""
        return cast(
            "public_address.PublicAddress", public_address.parse(self.public_url)
        )  # its reader parsed it before

    @property
    def database_address(self) -> str:
        """The database for SQLAlchemy, password included."""
        if self.database_url is None:
            return f"sqlite:///{self.state_dir / 'vestibule.sqlite3'}"
        return self.database_url.reveal()

    @property
    def redis_address(self) -> str | None:
        """The address of Redis, password included."""
        return None if self.redis_url is None else self.redis_url.reveal()

    @property
    def secret_key_file(self) -> Path:
        """Where the key is that the service makes for itself."""
        return self.state_dir / "secret-key"

    @property
    def socket_path(self) -> Path:
        """The socket between nginx and gunicorn; in the temporary directory where the state directory's path is long.

        Names in a shared temporary directory can be taken by others first: who makes it checks its owner.
        """
        usual = self.server.socket or self.state_dir / "run" / "gunicorn.sock"
        if len(bytes(usual)) <= files.MAXIMUM_SOCKET_BYTES:
            return usual
        short = hashlib.sha256(bytes(self.state_dir)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"vestibule-{short}" / "gunicorn.sock"

    @property
    def workers(self) -> int:
        """How many worker processes gunicorn starts."""
        return self.server.workers or cpu_budget()

    @property
    def hash_threads_per_worker(self) -> int:
        """Each worker's share of the one budget for hashing, at least 1; of its threads half at most, if not chosen."""
        if self.hashing.threads is not None:
            return max(1, self.hashing.threads // self.workers)
        return max(1, min(cpu_budget() // self.workers, self.server.threads // 2))
