"""The manual of the settings, docs/settings.md, made from the settings themselves.

`python -m tests.house_rules.settings_manual > docs/settings.md` writes it anew; a house rule compares the two.
"""

from collections.abc import Iterator
from dataclasses import fields
from inspect import getdoc
from pathlib import Path
from typing import Final

from service.settings import CATALOGUE, Setting, Settings
from service.settings.sections import Section

_HEAD: Final = """\
# Settings

Everything has a default that is meant for production; for a first look nothing needs to be set.

A setting is read from the environment, else from the TOML file, else it has its default. The file is the one that
`VESTIBULE_CONFIG` names, or `/etc/vestibule/vestibule.toml` when that exists. `vestibule config check` names everything
that is wrong, at once; `vestibule config show` prints every value and where it came from, but no secret. A change needs
a new start of the service.

| | environment | TOML |
| --- | --- | --- |
| at the top | `VESTIBULE_STATE_DIR=/srv/vestibule` | `state_dir = "/srv/vestibule"`, before the first table |
| in a section | `VESTIBULE_SESSIONS__IDLE=8h` | `idle = "8h"` below `[sessions]` |
| a list | `VESTIBULE_TRUSTED_PROXIES=10.0.0.0/8,::1` (or spaces) | `trusted_proxies = ["10.0.0.0/8", "::1"]` |
| a secret in a file | `VESTIBULE_SECRET_KEY_FILE=/run/secrets/key` | `secret_key_file = "/run/secrets/key"` |

Durations are written `90s`, `15m`, `12h`, `14d`; sizes `16k`, `64m`. A name that no setting has is refused, so that a
misspelt one is noticed; what Kubernetes sets for a Service called `vestibule` is ignored with a warning. An empty value
is refused, too, except for a list, which is then empty.

Files are UTF-8, with or without a byte order mark, or UTF-16 with one; lines end as on Unix or on Windows. Quotes
around a value of an environment file, and a comment after a blank and `#`, are removed where the program that read the
file left them in (of `brand.name` only the quotes).
"""
_STORES: Final = """\
## Addresses of stores

    postgresql://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem
    postgresql://USER@%2Fvar%2Frun%2Fpostgresql/DATABASE        # through a unix socket, by its directory
    redis://USER:PASSWORD@HOST:6379/0                           # 0 is the number of the database
    rediss://USER:PASSWORD@HOST:6379/0?ssl_ca_certs=/etc/ssl/ca.pem
    redis+unix://USER:PASSWORD@/run/redis/redis.sock?db=0       # through a unix socket

In a user name, a password, and a database's name, write these characters percent-encoded:

| `%` | `/` | `?` | `#` | `@` | `:` | `[` | `]` |
| --- | --- | --- | --- | --- | --- | --- | --- |
| `%25` | `%2F` | `%3F` | `%23` | `%40` | `%3A` | `%5B` | `%5D` |

**TLS.** PostgreSQL takes libpq's options: `sslmode` (`verify-full` checks the certificate and the name), `sslrootcert`
(a file, or `system`), `sslcert` and `sslkey` for a certificate of the client's own. Redis takes `rediss://` with
`ssl_ca_certs` (without it the system's authorities count), `ssl_certfile` and `ssl_keyfile`; certificate and name are
always checked. Each option names a file by its absolute path.

**Users.** PostgreSQL's user needs a database, and the right to make tables in its schema `public`. Redis needs a
password, a user of its own, or neither. This user has all the rights that are needed:

    @ACL@

**Several services** may share one Redis when each has a database number of its own (`/0`, `/1`, …; Redis has 16 unless
its `databases` says otherwise). Keys begin with `vestibule:` and expire by themselves; losing them resets the limits.
"""
REDIS_USER: Final = (
    "ACL SETUSER vestibule on >PASSWORD resetkeys ~vestibule:* -@all +@connection +script|load +evalsha "
    "+get +ttl +incrby +expire +del +zadd +zcount +zrange +zrangebyscore +zrem +zremrangebyscore +scan +multi +exec"
)
_FROM_FILE: Final = "Or, as `{}_FILE`, the path of a file that holds it."


def manual() -> str:
    """Return the whole document."""
    return "\n".join([_HEAD, *_sections(), _STORES.replace("@ACL@", REDIS_USER)]).rstrip() + "\n"


def _sections() -> Iterator[str]:
    yield from _section("General", "", [s for s in CATALOGUE.values() if "." not in s.name])
    for each in fields(Settings):
        if isinstance(each.default, Section):
            belonging = [s for s in CATALOGUE.values() if s.name.startswith(f"{each.name}.")]
            yield from _section(f"`[{each.name}]`", getdoc(each.default) or "", belonging)


def _section(title: str, words: str, settings: list[Setting]) -> Iterator[str]:
    yield f"## {title}\n"
    if words:
        yield f"{words}\n"
    yield "| Setting | Default | What it does |\n| --- | --- | --- |"
    yield from map(_row, settings)
    yield ""


def _row(setting: Setting) -> str:
    secret = [_FROM_FILE.format(setting.environment)] if setting.kind.is_secret else []
    words = " ".join([setting.description, f"Takes {setting.kind.words}.", *secret])
    return f"| `{setting.name}`<br>`{setting.environment}` | {_default(setting)} | {words} |"


def _default(setting: Setting) -> str:
    if setting.default is None:
        return setting.unset
    if isinstance(setting.default, Path):
        return "`var` beside the code (the image sets `/var/lib/vestibule`)"
    return f"`{setting.shown(setting.default)}`" if setting.default != () else "none"


if __name__ == "__main__":
    print(manual(), end="")  # noqa: T201 - this is what the command is for
