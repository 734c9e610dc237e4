"""The directories that the service needs, judged by who may use them and who may enter. Nothing is made here."""

import os
import shlex
from pathlib import Path
from typing import Final

USABLE: Final = os.R_OK | os.W_OK | os.X_OK
# What others may do, at most. The state directory's files protect themselves (0600), and volumes of orchestrators
# come as 2775 and cannot be changed; who reaches the socket speaks to the service without nginx.
STATE_MODE: Final = 0o755
SOCKET_MODE: Final = 0o750


def fault_of(directory: Path, mode: int, *, user: int) -> str | None:
    """Return what keeps this user from a directory that is there, or that others could have made it or may enter it."""
    found, quoted = directory.lstat(), shlex.quote(str(directory))
    if found.st_uid not in {0, user} or not os.access(directory, os.W_OK | os.X_OK):
        return f"{directory} is not ours: chown {user}:{os.getegid()} {quoted}"
    if found.st_mode & 0o7 & ~mode:
        return f"{directory} is open to everybody: chmod {mode:04o} {quoted}"
    return None


def fault_of_place(directory: Path, mode: int, *, user: int) -> str | None:
    """Return what keeps this user from a directory, or from making it where it is missing."""
    nearest = next(each for each in (directory, *directory.parents) if os.access(each, os.F_OK))
    if not nearest.is_dir():
        return f"{nearest} is no directory: name another one, or move it away"
    if nearest != directory and not os.access(nearest, os.X_OK):
        user, quoted = os.geteuid(), shlex.quote(str(nearest))
        return f"{directory} is below {nearest}, which user {user} may not enter: chmod o+x {quoted}, or choose another"
    if not os.access(nearest, USABLE):
        return remedy(directory)
    return fault_of(directory, mode, user=user) if nearest == directory else None


def remedy(directory: Path) -> str:
    """Return what to type so that we can make or use a directory."""
    user, group, quoted = os.geteuid(), os.getegid(), shlex.quote(str(directory))
    if not os.access(directory, os.F_OK):
        return f"{quoted} cannot be made by us: sudo install -d -m 750 -o {user} -g {group} {quoted}"
    return f"{quoted} cannot be used by us: sudo chown -R {user}:{group} {quoted}"
