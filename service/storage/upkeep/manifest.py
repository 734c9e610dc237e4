"""What lies beside the database in a backup: a manifest that says what the backup is, and how to tell that it is whole.

The digests find what was cut short or changed by chance. They prove nothing against a writer of the directory.
"""

import hashlib
import json
import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, Self

from service.services.upkeep import BadBackup

FILE: Final = "manifest.json"
DATABASE: Final = "vestibule.sqlite3"
FORMAT: Final = 1
_PROGRAM: Final = "vestibule"
_LONGEST: Final = 16 * 1024 * 1024  # of a manifest: thousands of apps
_SLICE: Final = 1024 * 1024
_TEXTS: Final = ("release", "revision", "oldest_release")
_TEXT: Final = re.compile(r"[0-9A-Za-z.+-]{1,40}")
_LATEST: Final = 253_402_300_799  # 9999-12-31, after which a moment cannot be written


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files are named by their paths in the backup; a secret key by its fingerprint alone."""

    release: str
    revision: str
    oldest_release: str
    made_at: int
    files: Mapping[str, Mapping[str, int | str]]
    secret_keys: tuple[str, ...] = ()
    engine: str = "sqlite"
    program: str = _PROGRAM
    format: int = FORMAT

    def write(self, place: Path) -> None:
        (place / FILE).write_text(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, place: Path) -> Self:
        """Return the manifest of a backup that this release can read. Raises BadBackup."""
        try:
            with permitted(place):
                if not (place / FILE).is_file():
                    raise BadBackup(f"{place} is no backup: {_instead(place)}")
                with (place / FILE).open("rb") as file:
                    found = json.loads(file.read(_LONGEST))
        except (OSError, ValueError, RecursionError) as fault:
            why = fault.strerror if isinstance(fault, OSError) else fault
            raise BadBackup(f"{place / FILE} cannot be read ({why}): take another backup") from None
        if not isinstance(found, dict) or found.get("program") != _PROGRAM:
            raise BadBackup(f"{place} is a backup of another program")
        if found.get("format") != FORMAT:
            raise BadBackup(f"{place} was made by a later release ({found.get('release')}): install that one")
        if found.get("engine") != "sqlite":
            raise BadBackup(f"{place} is of another engine ({found.get('engine')}), and not of SQLite")
        if found.keys() != cls.__dataclass_fields__.keys() or not _is_well_formed(found):
            raise BadBackup(f"{place / FILE} is not what `db backup` writes: take another backup")
        return cls(**found | {"secret_keys": tuple(found["secret_keys"])})

    def check(self, place: Path, rest: Callable[[], None]) -> None:
        """Compare each file with the manifest. Raises BadBackup."""
        for name in self.files:
            self.require(name, described(readable(place / name), rest), place)

    def require(self, name: str, found: Mapping[str, int | str], place: Path) -> None:
        """Raise BadBackup unless the file has its size and its digest."""
        size, expected = found["size"], self.files[name].get("size")
        if size != expected:
            raise BadBackup(f"{place / name} is cut short or longer ({size} bytes of {expected}): take another backup")
        if found["sha256"] != self.files[name].get("sha256"):
            raise BadBackup(f"{place / name} is not as it was backed up (SHA-256 differs): take another backup")


def _is_well_formed(found: Mapping[str, Any]) -> bool:
    files, keys, moment = found["files"], found["secret_keys"], found["made_at"]
    return (
        all(isinstance(found[name], str) and _TEXT.fullmatch(found[name]) for name in _TEXTS)
        and (isinstance(files, dict) and DATABASE in files and all(map(_lies_inside, files)))
        and all(isinstance(each, dict) for each in files.values())
        and (isinstance(keys, list) and all(isinstance(key, str) for key in keys))
        and (isinstance(moment, int) and 0 <= moment <= _LATEST)
    )


def _lies_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return name.isprintable() and not path.is_absolute() and ".." not in path.parts


def readable(file: Path) -> Path:
    """Return a file of a backup that can be opened, and ends. Raises BadBackup."""
    try:
        with permitted(file.parent):
            if file.exists() and not file.is_file():
                raise BadBackup(f"{file} is not a file: take another backup")
            file.open("rb").close()
    except OSError as fault:
        raise BadBackup(f"{file} cannot be read ({fault.strerror}): take another backup") from None
    return file


@contextmanager
def permitted(place: Path) -> Iterator[None]:
    """Turn a lack of rights at a backup or a dump into what to type. Raises BadBackup."""
    try:
        yield
    except PermissionError as fault:
        user, give = os.geteuid(), f"sudo chown -R {os.geteuid()}:{os.getegid()} {shlex.quote(str(place))}"
        todo = f"type this as root or, where it belongs to the service alone: {give}"
        raise BadBackup(f"user {user} may not read {fault.filename}: {todo}") from None


def _instead(place: Path) -> str:
    """Return what a path lacks, and the path that may have been meant."""
    if place.is_file():
        return "it is a file; name the directory that `vestibule db backup` made"
    inside = sorted(found.parent.name for found in place.glob(f"*/{FILE}"))
    return f"it has no {FILE}" + (f"; of the {len(inside)} in it the newest is {place / inside[-1]}" if inside else "")


def described(path: Path, rest: Callable[[], None]) -> dict[str, int | str]:
    """Return the size and the digest of a file. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while data := file.read(_SLICE):
            digest.update(data)
            rest()
        return {"size": file.tell(), "sha256": digest.hexdigest()}


def fingerprint(key: bytes) -> str:
    """Return a name for a secret key, from which it cannot be found."""
    return hashlib.sha256(b"vestibule secret key\0" + key).hexdigest()[:16]
