"""One account on the command line: found by its name, judged before it is written, shown without its secret."""

import re
import unicodedata
from dataclasses import asdict
from typing import Any, Final

from service.cli import Operator
from service.cli.words import refuse
from service.login.accounts import Account, canonical_group, canonical_username

LONGEST_TEXT: Final = 200
_ADDRESS: Final = re.compile(r"[!-?A-~]+@[!-?A-~]+")  # what fits a header as it is
_UNSPEAKABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})  # control characters, lone surrogates, ends of lines


def existing(op: Operator, name: str) -> Account:
    """Return the account of this name, in any spelling of it; leave when there is none."""
    found = op.services.accounts.by_username(canonical_username(name) or "")
    return found or refuse(f"There is no account called {name!r}.")


def held(op: Operator, name: str) -> Account:
    """Return the account of this name as it is now, and let nobody change it before this transaction ends.

    Two commands that each write what they read would otherwise undo one another. It is read once more when it is held:
    what was read by the statement that waited may be from before the wait.
    """
    op.services.accounts.lock_for_update(existing(op, name).id)
    return existing(op, name)


def username(name: str) -> str:
    """Return the one spelling of a new account's name; leave when it cannot be one."""
    found = canonical_username(name)
    return found or refuse(
        f"{name!r} cannot be a username: 1 to 64 of a-z, 0-9 and . _ @ - starting with a letter or digit."
    )


def groups(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return groups in their one spelling, each once, sorted; leave when one of them cannot be a group."""
    found = {name: canonical_group(name) for name in names}
    for name, group in found.items():
        if group is None:
            refuse(f"{name!r} cannot be a group: 1 to 64 of a-z, 0-9 and . _ - starting with a letter or digit.")
    return tuple(sorted({group for group in found.values() if group}))


def flaw(*, email: str, display_name: str) -> str | None:
    """Return what is wrong with how a person is reached or called, or None."""
    if email and not (len(email) <= LONGEST_TEXT and _ADDRESS.fullmatch(email)):
        return f"The e-mail address is one @ between printable ASCII without blanks, at most {LONGEST_TEXT} characters."
    if len(display_name) > LONGEST_TEXT or any(unicodedata.category(c) in _UNSPEAKABLE for c in display_name):
        return f"The name is one line of at most {LONGEST_TEXT} characters, none of them a control character."
    return None


def facts(person: Account) -> dict[str, Any]:
    """Return what is known of an account; of its password, whether there is one."""
    known = asdict(person)
    known["has_password"] = known.pop("password_hash") is not None
    return known | {"state": state(person)}


def state(person: Account) -> str:
    """Return the state that the metrics count the account under."""
    return "disabled" if person.is_disabled else "active" if person.password_hash else "invited"
