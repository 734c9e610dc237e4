"""The manual of the settings, docs/settings.md, made from the settings themselves.

`python -m service.settings.manual > docs/settings.md` writes it anew; a house rule compares the two.
"""

from collections.abc import Iterator
from dataclasses import fields
from inspect import cleandoc
from pathlib import Path
from typing import Final

from service.settings.catalogue import CATALOGUE, Setting
from service.settings.fields import Settings
from service.settings.section import Section

_HEAD: Final = """\
# Settings

Everything has a default that is meant for production; for a first look nothing needs to be set.

A setting is read from the environment, else from the TOML file, else it has its default. The file is the one that
`VESTIBULE_CONFIG` names, or `/etc/vestibule/vestibule.toml` when there is one. `vestibule config check` names all that
is wrong, at once; `vestibule config show` prints every value and where it came from, but no secret. A change needs a
new start of the service.

| | environment | TOML |
| --- | --- | --- |
| at the top | `VESTIBULE_STATE_DIR=/srv/vestibule` | `state_dir = "/srv/vestibule"`, before the first table |
| in a section | `VESTIBULE_SESSIONS__IDLE=8h` | `idle = "8h"` below `[sessions]` |
| a list | `VESTIBULE_TRUSTED_PROXIES=10.0.0.0/8,::1` (or spaces) | `trusted_proxies = ["10.0.0.0/8", "::1"]` |
| a secret in a file | `VESTIBULE_SECRET_KEY_FILE=/run/secrets/key` | `secret_key_file = "/run/secrets/key"` |

Durations are written `90s`, `15m`, `12h`, `14d`; sizes `16k`, `64m`. A name that no setting has is refused, so that a
misspelt one is noticed; what Kubernetes sets for a Service called `vestibule` is ignored with a warning. An empty value
is refused, too, except for a list, which is then empty.
"""
_FROM_FILE: Final = "Or, as `{}_FILE`, the path of a file that holds it."


def manual() -> str:
    """Return the whole document."""
    return "\n".join([_HEAD, *_sections()]).rstrip() + "\n"


def _sections() -> Iterator[str]:
    yield from _section("General", "", [s for s in CATALOGUE.values() if "." not in s.name])
    for each in fields(Settings):
        if isinstance(each.default, Section):
            belonging = [s for s in CATALOGUE.values() if s.name.startswith(f"{each.name}.")]
            yield from _section(f"`[{each.name}]`", cleandoc(each.default.__doc__ or ""), belonging)


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
