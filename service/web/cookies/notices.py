"""A sentence that the next page says once, such as that its reader is signed out.

It waits in a cookie that the page reads and deletes: a sentence chosen by the address could be put into any link.
"""

from typing import Final

from flask import Response

from service.web.cookies import reading
from service.web.messages import NOTICES

_NAME: Final = "notice"
_LIFETIME_SECONDS: Final = 60


def leave(response: Response, notice: str) -> None:
    """Have the next page say one of NOTICES."""
    reading.give(response, reading.host_name(_NAME), notice, max_age=_LIFETIME_SECONDS)


def waiting() -> str | None:
    """Return what this page should say."""
    return NOTICES.get(next(iter(reading.sent(reading.host_name(_NAME))), ""))


def said(response: Response) -> None:
    """Delete the notice that this page says."""
    if reading.sent(reading.host_name(_NAME)):
        reading.give(response, reading.host_name(_NAME), "", max_age=0)
