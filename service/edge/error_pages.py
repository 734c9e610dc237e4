"""The pages that nginx shows itself at an app's address: they use no file of the login's, which has another origin."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Final

from service.edge.template import filled

_TOO_MUCH: Final = (
    "Most often it is cookies, sometimes a very long address. In your browser's settings, delete the cookies of this "
    "site and of its domain. You will have to sign in again there."
)
_WORDS: Final = {
    400: ("bad_request", "That request could not be read", "Going back and trying again usually helps."),
    404: ("not_found", "There is nothing here", "The address may be mistyped."),
    421: ("misdirected_request", "Wrong address", "No app answers to that name here. The address may be mistyped."),
    429: ("too_many_requests", "Too many connections", "There are many open connections from where you are."),
    431: ("headers_too_large", "Your browser sends too much", _TOO_MUCH),
    502: ("bad_gateway", "The app does not answer", "It may be starting again."),
    503: (
        "unavailable",
        "Sign-in is not available right now",
        "The service that decides who may use this app does not answer. Nothing was sent to the app.",
    ),
}
_STYLE: Final = (
    ":root{color-scheme:light dark;background:Canvas;color:CanvasText}"  # body's scheme would not colour the page
    "body{max-width:36em;margin:4em auto;padding:0 1.5em;font:1.05em/1.5 system-ui,sans-serif}"
    "h1{font-size:1.5em;line-height:1.25}p:last-child{opacity:.7}"
)
_REFERENCE: Final = "<!--# echo var='request_id' -->"  # for nginx's SSI

FOLDER: Final = "errors/apps"
STYLE_SOURCE: Final = f"sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}"


def pages() -> Iterator[tuple[str, bytes]]:
    for status, (name, title, text) in _WORDS.items():
        shown = {"status": str(status), "title": title, "text": text, "style": _STYLE, "reference": _REFERENCE}
        yield f"{FOLDER}/{status}.html", filled("error_page.html", shown).encode()
        body = {"error": name, "message": text, "request_id": _REFERENCE}
        yield f"{FOLDER}/{status}.json", json.dumps(body).encode()
