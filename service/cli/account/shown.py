"""One account as the command line shows it: never its password hash."""

from dataclasses import asdict
from typing import Any

from service.login.accounts import Account


def facts(account: Account) -> dict[str, Any]:
    """Return what is known of an account; of its password, whether there is one."""
    known = asdict(account)
    known["has_password"] = known.pop("password_hash") is not None
    return known | {"state": state(account)}


def state(account: Account) -> str:
    """Return the state that the metrics count the account under."""
    return "disabled" if account.is_disabled else "active" if account.password_hash else "invited"
