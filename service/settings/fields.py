"""Every setting: its name, kind, default and the sentence of the manual. Frozen, and checked when it is made.

An empty setting (None) has a meaning of its own, which `setting(…, unset=…)` says. Durations are kept in
seconds, sizes in KiB. Defaults are those of production.
"""

import hashlib
import tempfile
from pathlib import Path
from typing import Annotated, Any, Final, Self, cast

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from service.access import public_address
from service.machine import cpu_budget
from service.settings import addresses, files, kinds
from service.settings.addresses import Network
from service.settings.kinds import DAY, HOUR, MINUTE

_PROJECT: Final = Path(__file__).resolve().parents[2]
# A session's last use is written once a minute: a shorter life would end sessions that are in use.
_LIFE: Final = kinds.duration(2 * MINUTE, 400 * DAY)
_Seconds = Annotated[int, _LIFE]


def setting(default: Any, description: str, *, unset: str = "") -> Any:  # noqa: ANN401 - as pydantic's Field
    """One field: its default, the manual's sentence, and what happens without a value where None is the default."""
    return Field(default, description=description, json_schema_extra={"unset": unset})


class Section(BaseModel):
    """A group of settings: a table in TOML, the part before `__` in an environment name."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Sessions(Section):
    """How long people stay signed in, and where."""

    idle: _Seconds = setting(12 * HOUR, "A session ends when it was not used for this long.")
    absolute: _Seconds = setting(24 * HOUR, "A session ends this long after sign-in, however much it is used.")
    remember_idle: _Seconds = setting(14 * DAY, "As `idle`, for people who chose to stay signed in.")
    remember_absolute: _Seconds = setting(30 * DAY, "As `absolute`, for people who chose to stay signed in.")
    cookie_domain: Annotated[str | None, addresses.DOMAIN] = setting(
        None,
        "The domain whose sub-domains share the session: the host of the public address, or a parent of it. "
        "Every server in that domain sees the cookie.",
        unset="the host of the public address alone",
    )


class Passwords(Section):
    """What hashing one password costs (argon2id, RFC 9106). Hashes are renewed at the next sign-in after a change."""

    memory: Annotated[int, kinds.kibibytes(12_288, 4_194_304)] = setting(
        19_456, "Memory for one hash. `vestibule calibrate` measures what a choice gives, and what a guess then costs."
    )
    iterations: Annotated[int, kinds.whole(1, 20)] = setting(
        2,
        "Passes over that memory. At least 47104k of memory with 1 pass, 19456k with 2, or 12288k with 3 or more "
        "(OWASP ASVS 5.0, 11.4.2).",
    )
    parallelism: Annotated[int, kinds.whole(1, 16)] = setting(1, "Lanes of one hash, each a thread.")


class Hashing(Section):
    """The gate before password hashing: what keeps a flood of sign-ins from starving everybody else."""

    threads: Annotated[int | None, kinds.whole(1, 256)] = setting(
        None,
        "How many passwords are hashed at once, by all workers together; each worker has at least one thread.",
        unset="one for each processor that the service may use (affinity and cgroup quota), and at most half of "
        "`server.threads` in each worker",
    )


class Limits(Section):
    """The outer limits, above what people need. A network is an IPv4 address, or a /64 of IPv6."""

    post_per_minute: Annotated[int, kinds.whole(1, 1_000_000)] = setting(
        60, "Forms that one network may send in a minute; an office behind one address shares it."
    )
    edge_post_per_second: Annotated[int, kinds.whole(1, 100_000)] = setting(
        20, "Forms that nginx lets through in a second from one address, before the service sees them."
    )


class Access(Section):
    """Where browsers may be sent."""

    return_origins: Annotated[tuple[str, ...], addresses.ORIGINS] = setting(
        (), "Addresses besides our own to which people are sent back after signing in."
    )


class Brand(Section):
    """How the pages present themselves."""

    name: Annotated[str, files.NAME] = setting("Vestibule", "The name on every page.")
    logo: Annotated[Path | None, files.LOGO] = setting(None, "The image above the form.", unset="the built-in one")
    accent: Annotated[str, files.COLOUR] = setting("#0f5f6b", "The colour of buttons and links.")


class Server(Section):
    """gunicorn, and nginx in front of it."""

    listen: Annotated[str, addresses.LISTEN] = setting(
        "localhost:8080", "Where nginx waits for browsers; `localhost` is 127.0.0.1 and, where there is one, ::1."
    )
    socket: Annotated[Path | None, files.SOCKET] = setting(
        None,
        "The unix socket between nginx and gunicorn, in a directory that only they may enter.",
        unset="`run/gunicorn.sock` in the state directory",
    )
    workers: Annotated[int | None, kinds.whole(1, 256)] = setting(
        None, "Worker processes.", unset="one for each processor that the service may use"
    )
    threads: Annotated[int, kinds.whole(1, 256)] = setting(
        24, "Requests that one worker answers at once; at most all but four of them wait for a password to be hashed."
    )


class Settings(BaseSettings):
    """Everything that an operator chose."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    public_url: Annotated[str, addresses.PUBLIC] = setting(
        "http://localhost:8080",
        "The address that people type: scheme, host and port. Cookies, redirects and HSTS follow from it. "
        "Plain http only on localhost, 127.0.0.1 and [::1].",
    )
    database_url: Annotated[SecretStr | None, addresses.DATABASE] = setting(
        None,
        "PostgreSQL (`postgresql://user:password@host:5432/name`) or another SQLite file (`sqlite:////path`). "
        "Attempts are counted beside that file: who shares it shares them.",
        unset="SQLite, `vestibule.sqlite3` in the state directory",
    )
    redis_url: Annotated[SecretStr | None, addresses.REDIS] = setting(
        None,
        "Redis or Valkey for counting attempts (`redis://`, `rediss://`, `redis+unix://`).",
        unset="counted in SQL",
    )
    state_dir: Annotated[Path, files.PATH] = setting(
        _PROJECT / "var", "What the service keeps: the SQLite database, the secret key, nginx's files, backups."
    )
    secret_key: Annotated[SecretStr | None, files.KEY] = setting(
        None,
        "Signs what browsers keep for us, never sessions or passwords. One key a line: the first signs, all verify. "
        "Several machines need the same.",
        unset="`secret-key` in the state directory, made at the first start",
    )
    config: Annotated[Path | None, files.PATH] = setting(
        None, "The TOML file with all the others.", unset="`/etc/vestibule/vestibule.toml`, when there is one"
    )
    trusted_proxies: Annotated[tuple[Network, ...], addresses.NETWORKS] = setting(
        (), "Networks of proxies in front of nginx, whose word on the client's address counts."
    )
    ops_listen: Annotated[str, addresses.LISTEN] = setting(
        "127.0.0.1:9180", "Where nginx waits for `/metrics`, `/healthz` and `/readyz`; never for the public."
    )
    sessions: Sessions = Sessions()
    passwords: Passwords = Passwords()
    hashing: Hashing = Hashing()
    limits: Limits = Limits()
    access: Access = Access()
    brand: Brand = Brand()
    server: Server = Server()

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)
    _warnings: tuple[str, ...] = PrivateAttr(default=())

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - all are passed by name
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Made of what it is given and of nothing else: `load` reads the environment and the file."""
        return (init_settings,)

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
        return self.database_url.get_secret_value()

    @property
    def redis_address(self) -> str | None:
        """The address of Redis, password included."""
        return None if self.redis_url is None else self.redis_url.get_secret_value()

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

    def noting(self, *, origins: dict[str, str], warnings: tuple[str, ...]) -> Self:
        """Keep where the values came from, and what to warn of."""
        self._origins, self._warnings = origins, warnings
        return self

    @property
    def origins(self) -> dict[str, str]:
        """Where each setting that was given came from: `environment`, the TOML file, or the `…_FILE` that named it."""
        return dict(self._origins)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What works and still deserves a look, one sentence each."""
        return self._warnings
