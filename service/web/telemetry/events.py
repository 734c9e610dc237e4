"""Lines of the log about requests: one for each answer, one for each security event.

A line holds no password, token, cookie or query string, and names an account only when it exists: people type
passwords into the wrong field.
"""

import re
import uuid
from typing import Any, Final

import structlog

_REQUEST_ID: Final = re.compile(r"[0-9a-f]{32}")
_SHOWN_PATH: Final = 200  # as in nginx.conf
_LINK_LIKE: Final = re.compile(r"[?=&;#]|[^\x21-\x7e]|setup", re.IGNORECASE)
_log = structlog.get_logger()


def security(name: str, *, request_id: str, client: str, account: str | None, **facts: Any) -> None:
    """Write one security event (names after the OWASP logging vocabulary): which account, from where, the result."""
    _log.info(name, kind="security", request_id=request_id, client=client, account=account, **facts)


def answered(*, request_id: str, client: str, path: str, rule: str | None, **facts: Any) -> None:
    """Write the line of one request; `rule` is the page that it was for, None for a path that belongs to no page."""
    shown = shown_path(path, is_page=rule is not None)
    _log.info("request", request_id=request_id, client=client, path=shown, rule=rule, **facts)


def shown_path(path: str, *, is_page: bool) -> str:
    """Return the path, unless it may be a one-time link that was mangled on its way: that would hold its token."""
    shown = path[:_SHOWN_PATH]
    return "(withheld)" if not is_page and _LINK_LIKE.search(shown) else shown


def request_id(claimed: str) -> str:
    """Return the id that nginx gave a request and logged itself, or one of our own."""
    return claimed if _REQUEST_ID.fullmatch(claimed) else uuid.uuid4().hex
