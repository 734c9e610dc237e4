"""Forms: one strict reading of a urlencoded body.

Refused are another content type (415), bytes that are not UTF-8, a field that comes twice, too many fields, too many
signs of % that encode nothing (400). Flask refuses bodies larger than MAXIMUM_BODY_BYTES (413).
"""

import re
from urllib.parse import parse_qsl

from flask import request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from service.login.passwords import LONGEST_TYPED

MAXIMUM_BODY_BYTES = 16 * 1024
MAXIMUM_FIELDS = 20
# Decoding one costs more than any other text. A program that encodes nothing sends at most a password of them.
_MOST_BROKEN_ESCAPES = LONGEST_TYPED
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_LONGEST_TYPE = 100  # of its parameters only `charset` has a meaning


def read(*, most: int = MAXIMUM_FIELDS) -> dict[str, str]:
    """Return the fields of this request's form. Raises BadRequest, UnsupportedMediaType, RequestEntityTooLarge."""
    if len(request.content_type or "") > _LONGEST_TYPE or request.mimetype != "application/x-www-form-urlencoded":
        raise UnsupportedMediaType
    if request.mimetype_params.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType
    try:
        body = request.get_data()  # cached: a refused form is read again, to be shown again
        request.stream.read(1)  # a chunked body is cut at the limit; reading the byte after it raises 413
    except ParseException as unreadable:  # chunks, which nginx refuses: another client of the socket sent them
        raise BadRequest from unreadable
    return parse(body, most=most)


def parse(body: bytes, *, most: int = MAXIMUM_FIELDS) -> dict[str, str]:
    """Return the fields of a urlencoded body (URL Standard, 5.1). Raises BadRequest."""
    if len(_BROKEN_ESCAPE.findall(body)) > _MOST_BROKEN_ESCAPES:
        raise BadRequest
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=most)
    except ValueError as unreadable:
        raise BadRequest from unreadable
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadRequest
    return fields
