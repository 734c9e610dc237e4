"""Known devices: browsers in which somebody signed in to an account before, with the password that it has now.

Such a browser keeps a signed value (a cookie, in `web/`). It opens nothing; it gives the browser an allowance of
attempts of its own, so that an attack on an account from elsewhere cannot lock its owner out. It names nobody: the
signature holds for one account only. A new password makes all of an account's browsers unknown.
"""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Final

from service.login.accounts import Account

LIFETIME: Final = 180 * 24 * 60 * 60
_ID_BYTES: Final = 12
_VALUE: Final = re.compile(r"([A-Za-z0-9_-]{16})\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})", re.ASCII)


def new_id() -> str:
    """Return the id of a browser that was not known: 96 random bits, as 16 base64url characters."""
    return secrets.token_urlsafe(_ID_BYTES)


def introduce(account: Account, device: str, *, key: bytes, now: int) -> str:
    """Return what makes a browser known to this account from now on: `id.time.signature`."""
    return f"{device}.{now}.{_signature(account, device, str(now), key)}"


def recognise(value: str, account: Account, *, keys: Sequence[bytes], now: int) -> str | None:
    """Return the id of a known browser; None for what was not signed by us, for this account, or is too old."""
    found = _VALUE.fullmatch(value)
    if found is None or not now - LIFETIME < int(found[2]) <= now:
        return None
    signed = [hmac.compare_digest(found[3], _signature(account, found[1], found[2], key)) for key in keys]
    return found[1] if any(signed) else None


def _signature(account: Account, device: str, moment: str, key: bytes) -> str:
    """Sign a browser for an account as it is: the time of its password is part of it (HMAC-SHA256, RFC 2104)."""
    said = "\0".join(("known device", account.id, str(account.password_changed_at or 0), device, moment))
    return urlsafe_b64encode(hmac.new(key, said.encode(), hashlib.sha256).digest()).decode().rstrip("=")
