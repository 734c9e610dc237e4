"""The secret keys, and the file in the state directory that holds the one the service makes for itself.

A reader of the key can forge device cookies. The file appears whole or not at all, so that workers and machines that
start together agree; an existing file is never replaced.
"""

import contextlib
import errno
import os
import secrets
import shlex
from pathlib import Path
from typing import Final

from service import state_dir
from service.as_owner import as_owner_of
from service.settings import kinds
from service.settings.fields import Settings
from service.settings.kinds import InvalidValue, Secret, SettingsFault
from service.settings.sources import MAXIMUM_FILE_BYTES
from service.text_files import NotText, decoded

_KEY_BYTES: Final = 32


def secret_keys(settings: Settings) -> tuple[bytes, ...]:
    """Return the secret keys; the first signs, all verify. Makes the file `secret-key` when it is missing and needed.

    Raises SettingsFault with the command to type when the file or the directory is not as it must be.
    """
    keys = settings.secret_key or _kept(settings.secret_key_file, make=True)
    return tuple(line.encode() for line in keys.reveal().splitlines())


def faults_of_key(settings: Settings) -> list[str]:
    """Return what is wrong with the file, where it exists and is needed. Makes nothing."""
    file = settings.secret_key_file
    try:
        if settings.secret_key is None and file.exists():
            _kept(file, make=False)
    except SettingsFault as fault:
        return fault.faults
    return []


def _kept(file: Path, *, make: bool) -> Secret:
    """Return the keys in the file. Refuses a file that other users may read: they may know the keys."""
    try:
        if make and not file.exists():
            _make(file)
        if not file.is_file():
            raise SettingsFault([f"{file} is not a file: {_begin_anew('rmdir', file)}"])
        if fault := state_dir.fault_of_rights([file]):
            raise SettingsFault([fault])
        with file.open("rb") as opened:
            return kinds.key(decoded(opened.read(MAXIMUM_FILE_BYTES)))
    except (InvalidValue, NotText) as refused:
        raise SettingsFault([f"{file} {refused}; or {_begin_anew('rm', file)}"]) from None
    except OSError as failed:
        raise SettingsFault([_remedy(file, failed)]) from None


def _make(file: Path) -> None:
    """Make the file with a new key, whole and at once. A file that another process made meanwhile stays."""
    with as_owner_of(file.parent) as directory:
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        draft = directory / f".{file.name}.{secrets.token_hex(8)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as opened:
                opened.write(secrets.token_urlsafe(_KEY_BYTES) + "\n")
                opened.flush()
                os.fsync(opened.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(draft, directory / file.name)  # unlike rename, never replaces
        finally:
            draft.unlink()
        state_dir.sync(directory)


def _begin_anew(remove: str, file: Path) -> str:
    command = f"{remove} {shlex.quote(str(file))}"
    return f"remove it ({command}): the next start makes a new key, and knows no device of before"


def _remedy(file: Path, failed: OSError) -> str:
    if failed.errno in state_dir.OF_THE_DISK and (disk := state_dir.fault_of_disk(file)):
        return f"{disk}; or set VESTIBULE_SECRET_KEY_FILE"
    if failed.errno != errno.EACCES:
        return f"{file} cannot be used ({failed.strerror}): correct that, or set VESTIBULE_SECRET_KEY_FILE"
    return state_dir.remedy(file if os.access(file.parent, state_dir.USABLE) else file.parent)
