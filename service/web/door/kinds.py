"""The kind of a request that may not pass: what its client can do with a refusal.

| the client says                                                        | GET, HEAD | another method |
| ---------------------------------------------------------------------- | --------- | -------------- |
| Sec-Fetch-Mode: navigate, and Sec-Fetch-Dest names a frame or an object | a frame   | a frame        |
| Sec-Fetch-Mode: navigate                                               | a page    | a form         |
| another Sec-Fetch-Mode                                                 | a program | a program      |
| no Sec-Fetch-Mode, and X-Requested-With: XMLHttpRequest                | a program | a program      |
| no Sec-Fetch-Mode, and Accept names HTML, and not JSON above it        | a page    | a form         |
| nothing of that: curl, WebDAV, git                                     | a program | a program      |

Browsers send Fetch metadata to https and to localhost; the last three rows are for older ones and for programs. Of a
form they want its content type, too: some programs send JSON with the Accept of a browser.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from wsgiref.types import WSGIEnvironment

from service.web.front import LONGEST_ACCEPT

_FRAMES: Final = frozenset({"iframe", "frame", "embed", "object", "fencedframe"})
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
READS: Final = frozenset({"GET", "HEAD"})


class Kind(StrEnum):
    """What a person, or a program, was doing."""

    PAGE = "page"
    FORM = "form"
    FRAME = "frame"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the client's request says of itself (W3C Fetch Metadata, RFC 9110); empty where it says nothing."""

    accept: str
    mode: str
    destination: str
    referer: str
    requested_with: str
    content_type: str
    scheme: str  # of Authorization, in lower case


def asked(environ: WSGIEnvironment) -> Asked:
    get = environ.get
    return Asked(
        get("HTTP_ACCEPT", ""),
        get("HTTP_SEC_FETCH_MODE", ""),
        get("HTTP_SEC_FETCH_DEST", ""),
        get("HTTP_REFERER", ""),
        get("HTTP_X_REQUESTED_WITH", ""),
        get("CONTENT_TYPE", ""),
        get("HTTP_AUTHORIZATION", "").partition(" ")[0].lower(),
    )


def kind_of(said: Asked, method: str) -> Kind:
    """Return the kind of a request by the table above."""
    if said.mode == "navigate" and said.destination in _FRAMES:
        return Kind.FRAME
    is_read = method in READS
    if said.mode:
        is_shown = said.mode == "navigate"
    else:
        is_form = said.content_type.lower().startswith(_FORMS)
        is_shown = said.requested_with != "XMLHttpRequest" and _prefers_html(said.accept) and (is_read or is_form)
    if not is_shown:
        return Kind.PROGRAM
    return Kind.PAGE if is_read else Kind.FORM


def _prefers_html(accept: str) -> bool:
    """Whether Accept names HTML, and JSON not above it (RFC 9110, 12.5.1); a wildcard names neither."""
    if len(accept) > LONGEST_ACCEPT:
        return False
    html = max(_weight(accept, "text/html"), _weight(accept, "application/xhtml+xml"))
    return html > 0 and html >= _weight(accept, "application/json")


def _weight(accept: str, media_type: str) -> float:
    """Return the weight of a media type that Accept names; 0 for one that it does not name, or not readably."""
    for part in accept.lower().split(","):
        name, *parameters = (text.strip() for text in part.split(";"))
        if name == media_type:
            weights = [text[2:] for text in parameters if text.startswith("q=")]
            try:
                return float(weights[0]) if weights else 1.0
            except ValueError:
                return 0.0
    return 0.0
