"""Device cookies (OWASP): a browser that signed in to an account before, with its present password, is a known device.

The cookie opens no session: it gives the device a limit of its own, so that an attack on the account from elsewhere
cannot lock its owner out. It contains no username, and each signature is valid for one account. A new password makes
all devices of the account unknown but the one with which it was chosen; offboarding makes all of them unknown.
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
ACCOUNTS: Final = 4  # of one browser; for each the cookie has an entry `id.time.signature`
_BETWEEN: Final = "~"
_ENTRY: Final = re.compile(r"[A-Za-z0-9_-]{16}\.[0-9]{1,12}\.[A-Za-z0-9_-]{43}", re.ASCII)


def issue(account: Account, cookie: str, *, keys: Sequence[bytes], now: int) -> str:
    """Return the cookie of a device of this account, and of the other accounts of its present cookie.

    The first key signs. A known device keeps its id, and with it the count of its attempts.
    """
    device = verify(cookie, account, keys=keys, now=now) or secrets.token_urlsafe(_ID_BYTES)
    mine = f"{device}.{now}.{_signature(account, device, str(now), keys[0])}"
    others = [each for each in _entries(cookie) if _device_of(each, account, keys=keys, now=now) is None]
    return _BETWEEN.join([mine, *others[: ACCOUNTS - 1]])


def verify(cookie: str, account: Account, *, keys: Sequence[bytes], now: int) -> str | None:
    """Return the id of a known device; None when no entry has a valid signature for this account, or it is too old."""
    found = (_device_of(each, account, keys=keys, now=now) for each in _entries(cookie))
    return next((device for device in found if device is not None), None)


def _entries(cookie: str) -> list[str]:
    return [each for each in cookie.split(_BETWEEN, ACCOUNTS)[:ACCOUNTS] if _ENTRY.fullmatch(each)]


def _device_of(entry: str, account: Account, *, keys: Sequence[bytes], now: int) -> str | None:
    device, moment, signature = entry.split(".")
    if not max(now - LIFETIME, account.device_cookies_after) < int(moment) <= now:
        return None
    signed = [hmac.compare_digest(signature, _signature(account, device, moment, key)) for key in keys]
    return device if any(signed) else None


def _signature(account: Account, device: str, moment: str, key: bytes) -> str:
    """Sign a device of an account with its present password (HMAC-SHA256, RFC 2104)."""
    signed = "\0".join(("known device", account.id, str(account.password_changed_at or 0), device, moment))
    return urlsafe_b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode().rstrip("=")
