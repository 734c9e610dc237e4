"""What an operator did, for the audit trail: who at this machine, and by which command."""

import os
import pwd

from service.cli import Operator
from service.login.audit import OPERATOR, Entry, Happened


def record(op: Operator, event: Happened, *, account: str = "", detail: str = "") -> None:
    """Write an entry, in the transaction of what it tells of when there is one."""
    op.services.audit.add(Entry(op.services.clock(), event, account, by=f"{OPERATOR} {_who()}", detail=detail))


def _who() -> str:
    """Return whose process this is, and who became root for it; a container may have no names."""
    user = os.getuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:
        name = str(user)
    before = os.environ.get("SUDO_USER", "")
    return f"{before} as {name}" if before and user == 0 else name
