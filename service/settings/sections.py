"""The settings in sections: each setting's name, kind, default and sentence in the manual.

A setting without a value (None) has a meaning, which `setting(…, unset=…)` says. Durations are kept in seconds, sizes
in KiB. Defaults are those of production.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from service.listeners import Listener
from service.login.attempts import Limit, Scope
from service.login.sessions import Lifetimes
from service.settings import addresses, kinds
from service.settings.kinds import DAY, HOUR, MINUTE, Kind


def setting(kind: Kind, default: Any, description: str, *, unset: str = "") -> Any:  # noqa: ANN401 - as dataclasses.field
    """One field: its kind, its default, the manual's sentence, and what holds without a value where that is None."""
    return field(default=default, metadata={"kind": kind, "description": description, "unset": unset})


@dataclass(frozen=True, slots=True)
class Section:
    """A group of settings: a table in TOML, the part before `__` in an environment name."""


# A session's last use is written once a minute: a shorter life would end sessions that are in use.
_LIFE: Final = kinds.duration(2 * MINUTE, 400 * DAY)
_LIMIT: Final = kinds.limit(DAY)


@dataclass(frozen=True, slots=True)
class Sessions(Section):
    """How long people stay signed in, and where."""

    idle: int = setting(_LIFE, 12 * HOUR, "A session ends when it was not used for this long.")
    absolute: int = setting(_LIFE, 24 * HOUR, "A session ends this long after sign-in, however much it is used.")
    remember_idle: int = setting(_LIFE, 14 * DAY, "As `idle`, for people who chose to stay signed in.")
    remember_absolute: int = setting(_LIFE, 30 * DAY, "As `absolute`, for people who chose to stay signed in.")
    cookie_domain: str | None = setting(
        addresses.DOMAIN,
        None,
        "The host of the public address or a parent domain of it: every server in that domain sees the session cookie.",
        unset="the host of the public address alone",
    )

    def lifetimes(self) -> Lifetimes:
        remembered = {"remembered_idle": self.remember_idle, "remembered_absolute": self.remember_absolute}
        return Lifetimes(idle=self.idle, absolute=self.absolute, **remembered)


@dataclass(frozen=True, slots=True)
class Passwords(Section):
    """What hashing one password costs (argon2id, RFC 9106). Hashes are renewed at the next sign-in after a change.

    At least 47104k of memory with 1 pass, 19456k with 2, or 12288k with 3 or more (OWASP ASVS 5.0, 11.4.2).
    `vestibule calibrate` measures what a choice gives, and what a guess then costs.
    """

    memory: int = setting(kinds.kibibytes(12_288, 4_194_304), 19_456, "Memory for one hash.")
    iterations: int = setting(kinds.whole(1, 20), 2, "Passes over that memory.")
    parallelism: int = setting(kinds.whole(1, 16), 1, "Lanes of one hash, each a thread.")


@dataclass(frozen=True, slots=True)
class Hashing(Section):
    """The gate before password hashing: a flood of sign-ins cannot take the processors from other requests."""

    threads: int | None = setting(
        kinds.whole(1, 256),
        None,
        "How many passwords are hashed at once, by all workers together; each worker has at least one thread.",
        unset="one for each processor that the service may use (affinity and cgroup quota), and at most half of "
        "`server.threads` in each worker",
    )


@dataclass(frozen=True, slots=True)
class Throttles(Section):
    """How many wrong passwords in how much time. A right one is not counted; unknown usernames count as known ones.

    A network is an IPv4 address, or a /64 of IPv6; an office behind one address shares it. A known device is a browser
    that signed in to that account before, since its password was chosen. Beyond `account` the owner needs a known
    device, or waits.
    """

    account_from_network: Limit = setting(
        _LIMIT, Limit(5, 15 * MINUTE), "For one account from one network: enough for mistyping."
    )
    network: Limit = setting(
        _LIMIT, Limit(100, 15 * MINUTE), "For one network and all accounts: enough for an office where many mistype."
    )
    account: Limit = setting(
        _LIMIT, Limit(50, HOUR), "For one account from all networks: what a botnet may guess. Known devices are exempt."
    )
    known_device: Limit = setting(
        _LIMIT, Limit(10, 15 * MINUTE), "For one account from one known device, whatever other devices do."
    )
    app_password_network: Limit = setting(
        _LIMIT,
        Limit(100, 15 * MINUTE),
        "For wrong app passwords from one network, counted apart from passwords. A right one always passes.",
    )

    def by_scope(self) -> dict[Scope, Limit]:
        return {scope: getattr(self, scope.value) for scope in Scope}


@dataclass(frozen=True, slots=True)
class Audit(Section):
    """The audit trail: what happened to accounts."""

    keep: int = setting(kinds.duration(DAY, 3650 * DAY), 180 * DAY, "How long entries are kept.")


@dataclass(frozen=True, slots=True)
class Limits(Section):
    """The outer limits on forms, above what people need. A network is an IPv4 address, or a /64 of IPv6.

    An office behind one address shares them.
    """

    post_per_minute: int = setting(kinds.whole(1, 1_000_000), 60, "Forms that one network may send in a minute.")
    edge_post_per_second: int = setting(
        kinds.whole(1, 100_000), 20, "Forms that nginx passes to the service in a second from one address."
    )


@dataclass(frozen=True, slots=True)
class Access(Section):
    """Where browsers may be sent, and the apps with their rules ([apps](apps.md))."""

    return_origins: tuple[str, ...] = setting(
        addresses.ORIGINS, (), "Addresses besides the public one to which people are sent back after signing in."
    )
    apps_dir: Path | None = setting(
        addresses.PATH,
        None,
        "The directory with a file `NAME.toml` for each app.",
        unset="`apps.d` beside the file of settings, else in `/etc/vestibule`, else in the state directory",
    )


@dataclass(frozen=True, slots=True)
class Door(Section):
    """How nginx and other proxies ask who may use an app."""

    cache_seconds: int = setting(
        kinds.whole(0, 60),
        1,
        "How long nginx remembers that a session may pass; 0 is not at all. A session that was ended passes for at "
        "most one second more than this.",
    )
    nginx_dir: Path | None = setting(
        addresses.PATH,
        None,
        "Where `proxy render` writes nginx's files and the apps in force, and where workers read those.",
        unset="`nginx` in the state directory",
    )
    demo: bool | None = setting(
        kinds.FLAG,
        None,
        "A page at `/demo/` behind the door, which shows what an app is told.",
        unset="where the public address is plain http on this machine, as with `make run`",
    )
    cache_dir: Path | None = setting(
        addresses.PATH,
        None,
        "Where nginx keeps what it remembers; the files hold tokens: the directory must lie on a RAM disk and be "
        "nginx's own.",
        unset="chosen on a RAM disk; without one nginx remembers nothing",
    )
    listen: tuple[Listener, ...] = setting(
        addresses.DOOR_LISTENERS,
        (),
        "Where nginx listens for other proxies (Caddy, Traefik), which ask `/auth/forward`: for those in "
        "`trusted_proxies` alone.",
    )
    resolver: tuple[str, ...] = setting(
        addresses.RESOLVERS,
        (),
        "DNS servers that nginx asks for the names of upstreams. None: those of `/etc/resolv.conf`, when it renders.",
    )


@dataclass(frozen=True, slots=True)
class Brand(Section):
    """How the pages present themselves."""

    name: str = setting(kinds.NAME, "Vestibule", "The name on every page.")
    logo: Path | None = setting(addresses.LOGO, None, "The image above the form.", unset="the built-in one")
    accent: str = setting(kinds.COLOUR, "#0f5f6b", "The colour of buttons and links.")


@dataclass(frozen=True, slots=True)
class Server(Section):
    """gunicorn, and nginx in front of it."""

    listen: tuple[Listener, ...] = setting(
        addresses.LISTENERS,
        (Listener("localhost", 8080),),
        "Where nginx listens for browsers; `localhost` is 127.0.0.1 and, on a machine with IPv6, ::1.",
    )
    socket: Path | None = setting(
        addresses.SOCKET, None, "Where gunicorn listens for nginx.", unset="`run/gunicorn.sock` in the state directory"
    )
    instances: tuple[Path, ...] = setting(
        addresses.SOCKETS,
        (),
        "The sockets of all instances that nginx passes requests to, in turn, where it stands before several; it "
        "passes over one that is away. None: `server.socket` alone.",
    )
    drain: int = setting(
        kinds.duration(0, 5 * MINUTE),
        2,
        "How long an instance that is told to end still takes requests while `/readyz` answers 503, so that what "
        "passes requests to it learns of the end first. 0 is not at all. With a longer one, raise what kills an "
        "instance by as much: `TimeoutStopSec`, `stop_grace_period`, `terminationGracePeriodSeconds`.",
    )
    workers: int | None = setting(
        kinds.whole(1, 256), None, "Worker processes.", unset="one for each processor that the service may use"
    )
    threads: int = setting(kinds.whole(1, 256), 24, "Requests that one worker answers at once.")
    database_connections: int = setting(
        kinds.whole(2, 256),
        16,
        "Connections that one worker opens to PostgreSQL at most. Requests beyond them wait, for 0.8 seconds at most.",
    )
