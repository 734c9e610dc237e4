"""What an operator did, for the audit trail: who at this machine, and by which command."""

import getpass

from service.cli import Operator
from service.login.audit import OPERATOR, Entry, Happened


def record(op: Operator, event: Happened, *, account: str = "", detail: str = "") -> None:
    """Write an entry, in the transaction of what it tells of when there is one."""
    op.services.audit.add(Entry(op.services.clock(), event, account, by=f"{OPERATOR} {_who()}", detail=detail))


def _who() -> str:
    """Return the operator's name at this machine; in a container there may be none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
