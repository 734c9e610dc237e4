"""Paths, secrets and the brand among the settings."""

import re
import unicodedata
from pathlib import Path
from typing import Final

from service.settings.kinds import Kind, Unfit, text
from service.settings.secret import Secret

MAXIMUM_LOGO_BYTES: Final = 100_000
# `sun_path` ends at 104 (BSD, macOS) or 108 (Linux) bytes; gunicorn and nginx add nothing to it.
MAXIMUM_SOCKET_BYTES: Final = 100
MINIMUM_KEY_CHARACTERS: Final = 32
# 32 random hexadecimal digits have fewer than 8 different ones once in 28 million times; "changeme changeme" has 7.
_DIFFERENT_CHARACTERS: Final = 8
_LONGEST_NAME: Final = 40
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}", re.ASCII)
# What a path would have to escape in nginx's files or in SQLite's address.
_UNQUOTABLE: Final = frozenset("?\"'\\$;{}")
_PNG: Final = b"\x89PNG\r\n\x1a\n"


def path(value: object) -> Path:
    """Return an absolute path: a relative one would mean another place to each command that is run elsewhere."""
    found = Path(text(value))
    if not found.is_absolute():
        raise Unfit(f"must be an absolute path{_absolute(found)}")
    if _UNQUOTABLE & set(str(found)):
        raise Unfit("must be a path without any of " + " ".join(sorted(_UNQUOTABLE)))
    return found


def _absolute(relative: Path) -> str:
    """Return what to write for a relative path, where that can be said."""
    if "@" in str(relative):  # an address that went into the wrong setting, password and all
        return ""
    try:
        return f": write {relative.expanduser().absolute()}"
    except (OSError, RuntimeError):  # no working directory, or nobody of that name
        return ""


def socket(value: object) -> Path:
    """Return the absolute path of a unix socket."""
    found = path(value)
    length = len(bytes(found))
    if length > MAXIMUM_SOCKET_BYTES:
        raise Unfit(
            f"is {length} bytes long, and a socket's path has at most {MAXIMUM_SOCKET_BYTES}: choose a shorter one"
        )
    return found


def logo(value: object) -> Path:
    """Return the path of an SVG or PNG file that can be read and is small enough for every first visit."""
    found = path(value)
    if found.suffix.lower() not in {".svg", ".png"}:
        raise Unfit("must be a file that ends in .svg or .png")
    try:
        with found.open("rb") as file:
            content = file.read(MAXIMUM_LOGO_BYTES + 1)
    except OSError as failed:
        raise Unfit(f"cannot be read ({failed.strerror}): name a file that the service may read") from None
    if len(content) > MAXIMUM_LOGO_BYTES:
        raise Unfit(f"is larger than {MAXIMUM_LOGO_BYTES // 1000} kB: make it smaller")
    is_right = content.startswith(_PNG) if found.suffix.lower() == ".png" else b"<svg" in content
    if not is_right:
        raise Unfit(f"holds no {found.suffix[1:].upper()} image: export it again")
    return found


def name(value: object) -> str:
    """Return a name to show: 1 to 40 characters in NFC, none of them invisible."""
    found = unicodedata.normalize("NFC", text(value))
    if len(found) > _LONGEST_NAME:
        raise Unfit(f"must have at most {_LONGEST_NAME} characters")
    return found


def colour(value: object) -> str:
    """Return a colour as `#rrggbb` in lower case: it is written into a style sheet."""
    found = text(value).lower()
    if not _COLOUR.fullmatch(found):
        raise Unfit("must be a colour written #rrggbb, such as #0f5f6b")
    return found


def key(value: object) -> Secret:
    """Return secret keys, one a line: the first signs, all verify."""
    clear = value.reveal() if isinstance(value, Secret) else value
    if not isinstance(clear, str):
        raise Unfit("must be text in quotes")
    keys = [line.strip() for line in clear.splitlines() if line.strip()]
    if not keys:
        raise Unfit("is empty: make a key with `openssl rand -base64 32`, or remove the setting")
    for number, each in enumerate(keys, start=1):
        if len(each) < MINIMUM_KEY_CHARACTERS or len(set(each)) < _DIFFERENT_CHARACTERS or not each.isprintable():
            where = f" in line {number}" if len(keys) > 1 else ""
            raise Unfit(
                f"can be guessed{where} (a key has 32 random characters): make one with `openssl rand -base64 32`"
            )
    return Secret("\n".join(keys))


PATH: Final = Kind("an absolute path", path)
SOCKET: Final = Kind("the absolute path of a socket", socket)
LOGO: Final = Kind("the path of an SVG or PNG file of at most 100 kB", logo)
NAME: Final = Kind("1 to 40 characters", name)
COLOUR: Final = Kind("a colour such as #0f5f6b", colour)
KEY: Final = Kind("a secret, one key of at least 32 characters a line", key, lambda _: "(hidden)", is_secret=True)
