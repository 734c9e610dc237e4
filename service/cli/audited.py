"""Who runs this command, and when: what a rule writes into the audit trail."""

import os
import pwd
from typing import TypedDict

from service.cli import Operator
from service.login.audit import OPERATOR


class Audited(TypedDict):
    """The arguments that every rule of an operator's change takes."""

    by: str
    now: int


def audited(op: Operator) -> Audited:
    """Return the operator and the present time."""
    return Audited(by=f"{OPERATOR} {_user()}", now=op.services.clock())


def _user() -> str:
    """Return the user of this process, and the user who became root for it; a container may have no user names."""
    user = os.getuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:
        name = str(user)
    before = os.environ.get("SUDO_USER", "")
    return f"{before} as {name}" if before and user == 0 else name
