"""A sentence that the next page says once, such as that its reader is signed out.

It waits in a cookie that the page reads and deletes: a sentence chosen by the address could be put into any link.
"""

from typing import Final

from flask import Response

from service.web import cookies
from service.web.sentences import NOTICES

_NAME: Final = "notice"
_LIFETIME_SECONDS: Final = 60


def leave(response: Response, notice: str) -> None:
    """Have the next page say one of NOTICES."""
    cookies.give(response, cookies.host_name(_NAME), notice, max_age=_LIFETIME_SECONDS)


def waiting() -> str | None:
    """Return what this page should say."""
    return NOTICES.get(next(iter(cookies.sent(cookies.host_name(_NAME))), ""))


def said(response: Response) -> None:
    """Delete the notice that this page says."""
    if cookies.sent(cookies.host_name(_NAME)):
        cookies.give(response, cookies.host_name(_NAME), "", max_age=0)
