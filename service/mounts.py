"""Directories of our own below a mount, and the socket: orchestrators mount volumes of root's that all may write to.

Every process finds the same one, under whichever user it runs and before it is made, too: the mount alone decides.
`vestibule ping` reads this file, so it imports next to nothing.
"""

import os
from typing import Final

# The most that other users may do. The files of the state directory protect themselves (0600), and volumes of
# orchestrators come as 2775 and cannot be changed. A user who reaches the socket speaks to the service without nginx.
STATE_MODE: Final = 0o755
SOCKET_MODE: Final = 0o750
DATABASE: Final = "vestibule.sqlite3"
# `sun_path` ends at 104 (BSD, macOS) or 108 (Linux) bytes; gunicorn and nginx add nothing to it.
MAXIMUM_SOCKET_BYTES: Final = 100
_INSTALLED: Final = (DATABASE, "database.made", "secret-key")


def state_directory(mount: str) -> str:
    """Return where the state lies. What was installed in the mount itself stays there, where it may be refused."""
    own = _own(mount, "vestibule-state", STATE_MODE)
    is_used = any(os.path.lexists(os.path.join(mount, name)) for name in _INSTALLED)  # noqa: PTH118
    return mount if is_used and not os.path.lexists(own) else own


def socket_directory(mount: str) -> str:
    return _own(mount, "vestibule-socket", SOCKET_MODE)


def socket_path(state: str, chosen: str | None) -> str:
    """Return the chosen socket, else that in the state directory; in the temporary directory where the path is long.

    Another user can take a name in a shared temporary directory first: `serve` checks the owner.
    """
    usual = chosen or f"{state}/run/gunicorn.sock"
    if len(os.fsencode(usual)) <= MAXIMUM_SOCKET_BYTES:
        return usual
    import hashlib
    import tempfile

    name = f"vestibule-{hashlib.sha256(os.fsencode(state)).hexdigest()[:12]}"
    return f"{tempfile.gettempdir()}/{name}/gunicorn.sock"


def is_shared(directory: str, mode: int) -> bool:
    """Whether a directory is root's, who lets others write to it, and lets all users do more than `mode`."""
    try:
        found = os.stat(directory)  # noqa: PTH116
    except OSError:
        return False
    return found.st_uid == 0 and bool(found.st_mode & 0o022 and found.st_mode & 0o007 & ~mode)


def _own(mount: str, name: str, mode: int) -> str:
    """Return the directory below the mount; it stays in use when the mount's rights are others later."""
    own = os.path.join(mount, name)  # noqa: PTH118
    return own if is_shared(mount, mode) or os.path.lexists(own) else mount
