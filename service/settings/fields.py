"""All settings together, what follows from several of them, and the catalogue: every setting by its dotted name.

`sessions.idle` is VESTIBULE_SESSIONS__IDLE in the environment and `idle` below `[sessions]` in TOML. A secret, and an
address that may hold a password, can also be named by a file: the same names with `_FILE` or `_file`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from pathlib import Path
from typing import Final, cast

from service import mounts
from service.access import apps, public_address
from service.hashing.cpu_budget import cpu_budget
from service.hashing.gate_size import GateSize, gate_size
from service.listeners import Listener
from service.login.networks import Network
from service.settings import addresses, sections, stores
from service.settings.kinds import KEY, Kind, Secret
from service.settings.sections import Section, setting

PREFIX: Final = "VESTIBULE_"
CONFIG: Final = "config"
CONFIG_DIRECTORY: Final = Path("/etc/vestibule")
_PROJECT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Settings(Section):
    """Everything that an operator chose; `load` makes it, and adds where each value came from."""

    public_url: str = setting(
        addresses.PUBLIC,
        "http://localhost:8080",
        "The address that people type. Cookies, redirects and HSTS follow from it. Plain http only on this machine.",
    )
    database_url: Secret | None = setting(
        stores.DATABASE,
        None,
        "PostgreSQL, or another SQLite file (`sqlite:////path`): see [addresses of stores](#addresses-of-stores). "
        "Services that share an SQLite file share the attempts, which are counted in a file beside it.",
        unset="SQLite, `vestibule.sqlite3` in the state directory",
    )
    redis_url: Secret | None = setting(
        stores.REDIS,
        None,
        "Redis or Valkey for counting attempts: see [addresses of stores](#addresses-of-stores).",
        unset="counted in SQL",
    )
    state_dir: Path = setting(
        addresses.STATE, _PROJECT / "var", "Holds the SQLite database, the secret key, nginx's files and backups."
    )
    secret_key: Secret | None = setting(
        KEY,
        None,
        "Signs the device cookies, never sessions or passwords. One key a line: the first signs, all verify. "
        "Several machines need the same keys.",
        unset="`secret-key` in the state directory, made at the first start",
    )
    config: Path | None = setting(
        addresses.PATH, None, "The file of settings.", unset="`/etc/vestibule/vestibule.toml`, when that file exists"
    )
    trusted_proxies: tuple[Network, ...] = setting(
        addresses.NETWORKS, (), "Networks of proxies in front of nginx whose X-Forwarded-For counts."
    )
    ops_listen: tuple[Listener, ...] = setting(
        addresses.LISTENERS,
        (Listener("127.0.0.1", 9180),),
        "Where nginx listens for `/metrics`, `/healthz` and `/readyz`; not for the public.",
    )
    sessions: sections.Sessions = field(default=sections.Sessions())
    passwords: sections.Passwords = field(default=sections.Passwords())
    hashing: sections.Hashing = field(default=sections.Hashing())
    throttles: sections.Throttles = field(default=sections.Throttles())
    limits: sections.Limits = field(default=sections.Limits())
    audit: sections.Audit = field(default=sections.Audit())
    access: sections.Access = field(default=sections.Access())
    door: sections.Door = field(default=sections.Door())
    brand: sections.Brand = field(default=sections.Brand())
    server: sections.Server = field(default=sections.Server())

    # Where each setting that was given came from: `environment`, the TOML file, or the `…_FILE` that named it.
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    # What works and still deserves a look, one sentence each.
    warnings: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def public(self) -> public_address.PublicAddress:
        """The public address as the rules want it; its reader has parsed it before."""
        return cast("public_address.PublicAddress", public_address.parse(self.public_url))

    @property
    def database_address(self) -> str:
        """The database for SQLAlchemy, password included."""
        if self.database_url is None:
            return f"sqlite:///{self.state_dir / mounts.DATABASE}"
        return self.database_url.reveal()

    @property
    def database_named(self) -> str:
        """Where the database's address was given, as an operator finds it."""
        origin = self.origins.get("database_url", "environment")
        environment = CATALOGUE["database_url"].environment
        return {"environment": environment, str(self.config): f"database_url in {self.config}"}.get(origin, origin)

    @property
    def nginx_dir(self) -> Path:
        """Where nginx's files and the apps in force are written, and where workers read those."""
        return self.door.nginx_dir or self.state_dir / "nginx"

    @property
    def demo(self) -> apps.App | None:
        is_there = not self.public.is_https if self.door.demo is None else self.door.demo
        return apps.demo(self.public) if is_there else None

    @property
    def redis_address(self) -> str | None:
        """The address of Redis, password included."""
        return None if self.redis_url is None else self.redis_url.reveal()

    @property
    def secret_key_file(self) -> Path:
        return self.state_dir / "secret-key"

    @property
    def socket_path(self) -> Path:
        """The socket between nginx and gunicorn."""
        chosen = str(self.server.socket) if self.server.socket else None
        return Path(mounts.socket_path(str(self.state_dir), chosen))

    @property
    def apps_dir(self) -> Path:
        """The directory with a file for each app: beside the settings, or, without any, with the state."""
        if self.access.apps_dir:
            return self.access.apps_dir
        beside = self.config.parent if self.config else CONFIG_DIRECTORY
        return (beside if self.config or beside.is_dir() else self.state_dir) / "apps.d"

    @property
    def workers(self) -> int:
        return self.server.workers or cpu_budget()

    @property
    def gate_size(self) -> GateSize:
        return gate_size(
            budget=self.hashing.threads, cpus=cpu_budget(), workers=self.workers, threads=self.server.threads
        )


@dataclass(frozen=True)
class Setting:
    """One setting as operators meet it. `unset` says what holds without a value, where that has a meaning."""

    name: str
    kind: Kind
    default: object
    description: str
    unset: str

    @property
    def environment(self) -> str:
        return PREFIX + self.name.replace(".", "__").upper()

    def value_in(self, settings: Settings) -> object:
        return attrgetter(self.name)(settings)

    def shown(self, value: object) -> str | None:
        """Return a value as an operator would write it, without what is secret; None when it has none."""
        return None if value is None else self.kind.write(value)


def _settings_of(section: type[Section], prefix: str = "") -> Iterator[Setting]:
    for each in fields(section):
        if isinstance(each.default, Section):
            yield from _settings_of(type(each.default), f"{each.name}.")
        elif "kind" in each.metadata:
            yield Setting(prefix + each.name, default=each.default, **each.metadata)


CATALOGUE: Final = {setting.name: setting for setting in _settings_of(Settings)}
