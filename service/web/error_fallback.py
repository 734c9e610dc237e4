"""What is answered when even the answer to a malfunction failed: needs no template, no store and no request."""

import json
from typing import Final

from service.web.messages import ANSWERS

RETRY_SECONDS: Final = "5"
_SAID: Final = ANSWERS[503]
_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{said.title}</title>
<h1>{said.title}</h1>
<p>{said.message} Please try again in a moment.</p>
<p>Error 503, reference {request_id}</p>
</html>
"""


def answer(accept: str, request_id: str) -> tuple[dict[str, str], bytes]:
    """Return the headers of their own and the body of a 503, as a page or as JSON."""
    if "application/json" in accept and "text/html" not in accept:
        facts = {"error": _SAID.name, "message": _SAID.message, "request_id": request_id}
        content_type, body = "application/json", json.dumps(facts).encode()
    else:
        content_type = "text/html; charset=utf-8"
        body = _PAGE.format(said=_SAID, request_id=request_id).encode()
    headers = {"Content-Type": content_type, "Content-Length": str(len(body)), "Retry-After": RETRY_SECONDS}
    return headers | {"X-Request-ID": request_id}, body
