"""Known devices: browsers in which somebody signed in to an account before, with the password that it has now.

Such a browser keeps what we signed (a cookie, in `web/`). It opens nothing; it gives the browser an allowance of
attempts of its own, so that an attack on an account from elsewhere cannot lock its owner out. It names nobody: each
signature holds for one account only. A new password makes all of an account's browsers unknown but the one in which
it was chosen.
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
# `id.time.signature` for each account, of the few that one browser signs in to.
ACCOUNTS: Final = 4
_BETWEEN: Final = "~"
_ENTRY: Final = re.compile(r"[A-Za-z0-9_-]{16}\.[0-9]{1,12}\.[A-Za-z0-9_-]{43}", re.ASCII)


def issue(account: Account, cookie: str, *, keys: Sequence[bytes], now: int) -> str:
    """Return the cookie that makes a browser known to this account from now on, and keeps it known to a few others.

    The first key signs. A browser that was known already keeps its id, and with it what it used of its allowance.
    """
    device = verify(cookie, account, keys=keys, now=now) or secrets.token_urlsafe(_ID_BYTES)
    mine = f"{device}.{now}.{_signature(account, device, str(now), keys[0])}"
    others = [each for each in _entries(cookie) if _device_of(each, account, keys=keys, now=now) is None]
    return _BETWEEN.join([mine, *others[: ACCOUNTS - 1]])


def verify(cookie: str, account: Account, *, keys: Sequence[bytes], now: int) -> str | None:
    """Return the id of a known browser; None for what was not signed by us, for this account, or is too old."""
    found = (_device_of(each, account, keys=keys, now=now) for each in _entries(cookie))
    return next((device for device in found if device is not None), None)


def _entries(cookie: str) -> list[str]:
    return [each for each in cookie.split(_BETWEEN, ACCOUNTS)[:ACCOUNTS] if _ENTRY.fullmatch(each)]


def _device_of(entry: str, account: Account, *, keys: Sequence[bytes], now: int) -> str | None:
    device, moment, signature = entry.split(".")
    if not now - LIFETIME < int(moment) <= now:
        return None
    signed = [hmac.compare_digest(signature, _signature(account, device, moment, key)) for key in keys]
    return device if any(signed) else None


def _signature(account: Account, device: str, moment: str, key: bytes) -> str:
    """Sign a browser for an account as it is: the time of its password is part of it (HMAC-SHA256, RFC 2104)."""
    said = "\0".join(("known device", account.id, str(account.password_changed_at or 0), device, moment))
    return urlsafe_b64encode(hmac.new(key, said.encode(), hashlib.sha256).digest()).decode().rstrip("=")
