"""The file of settings without the secrets that stand in it, for a backup."""

import re
import tomllib
from typing import Final

from service.settings.fields import CATALOGUE

_SECRETS: Final = {name for name, setting in CATALOGUE.items() if setting.kind.is_secret}
# A line that gives a secret, also one that was commented out.
_GIVEN: Final = re.compile(rf"^[ \t]*#?[ \t]*[\"']?({'|'.join(sorted(_SECRETS))})[\"']?[ \t]*=.*$", re.MULTILINE)


def without_secrets(text: str) -> str | None:
    """Return the text of a TOML file without secrets; None where they cannot be told from the rest by their lines."""
    cut = _GIVEN.sub(r"# \1 is not in this backup", text)
    wanted = {name: value for name, value in tomllib.loads(text).items() if name not in _SECRETS}
    try:
        return cut if tomllib.loads(cut) == wanted else None
    except tomllib.TOMLDecodeError:  # a secret of several lines
        return None
