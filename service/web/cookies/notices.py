"""A notice: a sentence that the next page shows once, such as that its reader is signed out.

A cookie names the notice. A parameter of the address would let any link show one.
"""

from typing import Final

from flask import Response, after_this_request

from service.web.cookies.reading import HostCookie
from service.web.messages import NOTICES

_COOKIE: Final = HostCookie("notice", max_age=60)


def leave(response: Response, notice: str) -> None:
    """Have the next page show one of NOTICES."""
    _COOKIE.set(response, notice)


def take() -> str | None:
    """Return what this page shows; its answer deletes the cookie."""
    notice = _COOKIE.value()
    if notice:
        after_this_request(_COOKIE.delete)
    return NOTICES.get(notice)
