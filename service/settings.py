"""Settings: what the operator chose, read once: environment, then the TOML file, then the default.

Refuses with every fault at once (SettingsFault). `load` touches nothing; only `secret_keys` may make a file.
"""

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from service.access import public_address

PREFIX: Final = "VESTIBULE_"
DEFAULT_CONFIG: Final = Path("/etc/vestibule/vestibule.toml")
PROJECT: Final = Path(__file__).resolve().parent.parent
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class SettingsFault(Exception):
    """The settings cannot be used; `faults` says, one sentence each, what to change."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _seconds(value: object) -> int:
    found = re.fullmatch(r"([0-9]+)([smhd])", str(value).strip())
    if found is None:
        raise ValueError("write a duration such as 90s, 15m, 12h or 14d")
    return int(found[1]) * _UNITS[found[2]]


def _items(value: object) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\s,]+", value)) if isinstance(value, str) else tuple(value)  # type: ignore[arg-type, var-annotated]


def _origin(value: object) -> str:
    address = public_address.parse(str(value))
    if isinstance(address, public_address.Flaw):
        raise ValueError(f"not a public address ({address})")
    return address.origin


Seconds = Annotated[int, BeforeValidator(_seconds)]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Section(BaseModel):
    """A group of settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)


class Sessions(Section):
    """How long people stay signed in, in seconds."""

    idle: Seconds = Field("12h")
    absolute: Seconds = Field("24h")
    remember_idle: Seconds = Field("14d")
    remember_absolute: Seconds = Field("30d")
    cookie_domain: str | None = None


class Passwords(Section):
    """The cost of one argon2id hash (memory in KiB)."""

    memory: int = 19_456
    iterations: int = 2
    parallelism: int = 1


class Hashing(Section):
    """The hashing gate."""

    threads: int | None = None


class Limits(Section):
    """The outer limits on POST."""

    post_per_minute: int = 60
    edge_post_per_second: int = 20


class Access(Section):
    """Where browsers may be sent."""

    return_origins: Annotated[tuple[Annotated[str, BeforeValidator(_origin)], ...], BeforeValidator(_items)] = ()


class Brand(Section):
    """How the pages present themselves."""

    name: str = "Vestibule"
    logo: Path | None = None
    accent: str = "#2f5bd0"


class Server(Section):
    """gunicorn and nginx."""

    listen: str = "localhost:8080"
    socket: Path | None = None
    workers: int | None = None
    threads: int = 8


class Settings(BaseSettings):
    """Every setting, checked."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)

    public_url: Annotated[str, BeforeValidator(_origin)] = "http://localhost:8080"
    database_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    state_dir: Path = PROJECT / "var"
    secret_key: SecretStr | None = None
    config: Path | None = None
    trusted_proxies: Annotated[tuple[Network, ...], BeforeValidator(_items)] = ()
    ops_listen: str = "127.0.0.1:9180"
    sessions: Sessions = Sessions()
    passwords: Passwords = Passwords()
    hashing: Hashing = Hashing()
    limits: Limits = Limits()
    access: Access = Access()
    brand: Brand = Brand()
    server: Server = Server()

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, **_: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is handed in counts: `load` reads the environment and the file."""
        return (init_settings,)

    @property
    def public(self) -> public_address.PublicAddress:
        """The public address as the rules want it."""
        address = public_address.parse(self.public_url)
        assert isinstance(address, public_address.PublicAddress)
        return address

    @property
    def database_address(self) -> str:
        """The database for SQLAlchemy, password included: `sqlite:////…` or `postgresql+psycopg://…`."""
        if self.database_url is None:
            return f"sqlite:///{self.state_dir / 'vestibule.sqlite3'}"
        return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", self.database_url.get_secret_value())

    @property
    def redis_address(self) -> str | None:
        """The address of Redis, password included."""
        return self.redis_url and self.redis_url.get_secret_value()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What works and still deserves a look."""
        return ()


def load(environ: Mapping[str, str] = os.environ, *, config: Path | None = None) -> Settings:
    """Read and check everything. Raises SettingsFault with all faults."""
    path = config or (Path(environ["VESTIBULE_CONFIG"]) if "VESTIBULE_CONFIG" in environ else DEFAULT_CONFIG)
    values: dict[str, Any] = tomllib.loads(path.read_text()) if path.is_file() else {}
    for name, value in environ.items():
        if name.startswith(PREFIX) and name != "VESTIBULE_CONFIG":
            *sections, key = name.removeprefix(PREFIX).lower().split("__")
            at = values
            for section in sections:
                at = at.setdefault(section, {})
            at[key] = value
    try:
        return Settings(**values)
    except ValidationError as refused:
        raise SettingsFault([f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in refused.errors()]) from None


def secret_keys(settings: Settings) -> tuple[bytes, ...]:
    """Return the secret keys; the first signs, all verify. Makes `secret-key` in the state directory when missing."""
    if settings.secret_key is not None:
        text = settings.secret_key.get_secret_value()
    else:
        path = settings.state_dir / "secret-key"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(0o600)
            path.write_text(os.urandom(32).hex() + "\n")
        text = path.read_text()
    return tuple(line.strip().encode() for line in text.splitlines() if line.strip())
