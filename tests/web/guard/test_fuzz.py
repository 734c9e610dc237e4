"""Properties of what reads a request: the form parser, the cookie reader, and the whole app."""

from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlencode

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import BadRequest

from service.services import OuterLimit
from service.web.guard import forms
from tests.rig.passwords import PASSWORD
from tests.rig.promises import kept
from tests.rig.wire import FORM, ask
from tests.rig.world import World

RAW: Final = "'\"><x-raw>&"
WORLD: Final = World()
APP: Final[Flask] = WORLD.app(outer_limit=OuterLimit(10**9, "memory://", {}, b"a key"))

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
header_texts = st.one_of(st.text(st.characters(max_codepoint=255), max_size=60), st.just(RAW), st.just("a" * 10_000))
nasty = st.sampled_from(
    [RAW, "alice", PASSWORD, "//evil.test", "https://evil.test/", "\x00", "\r\nX: y", "{{7*7}}", "/a?b"]
)
escaped = st.one_of(texts.map(str.encode), st.binary(max_size=30), nasty.map(str.encode)).map(quote_from_bytes)
fields = st.sampled_from(["username", "password", "remember", "rd", "token", "repeat", "current", "notice", "x"])
queries = st.lists(st.tuples(fields, escaped), max_size=6).map(lambda pairs: "&".join(map("=".join, pairs)))
known = st.sampled_from(
    ["/", "/logout", "/setup", "/account/app-passwords/new", "/account/password", "/static/x/style.css", "/healthz"]
)
targets = st.tuples(st.one_of(known, escaped.map("/{}".format)), queries).map("?".join)
methods = st.one_of(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "OTHER"]),
    st.text("ABCXYZ-", min_size=3, max_size=20),
)
names = st.sampled_from(
    [
        *("Accept", "Cookie", "Origin", "Sec-Fetch-Site", "User-Agent", "X-Request-ID", "X-Forwarded-For", "Referer"),
        *("X-Forwarded-Proto", "X-Forwarded-Host", "X-Original-URL", "Authorization", "Range", "If-None-Match", "Te"),
    ]
)
values = st.one_of(
    header_texts, st.sampled_from(["same-origin", "none", "application/json", "https", "http://localhost:8080"])
)
types = st.one_of(st.just(FORM), st.none(), header_texts, st.just("multipart/form-data; boundary=x"))
bodies = st.one_of(queries.map(str.encode), st.binary(max_size=300), st.just(b"a" * 17_000))


def reference(body: bytes) -> dict[str, str]:
    """Read a urlencoded body by the letter (URL Standard, 5.1), without any library's leniency."""
    pairs = [part.partition(b"=") for part in body.split(b"&")] if body else []
    decoded = [
        [unquote_to_bytes(side.replace(b"+", b" ")).decode() for side in (name, value)] for name, _, value in pairs
    ]
    return {name: value for name, value in decoded}  # noqa: C416 - lists, not pairs


@given(st.one_of(st.binary(max_size=200), queries.map(str.encode)))
def test_any_body_is_read_in_one_way_or_refused(body: bytes) -> None:
    """The parser returns what the standard says, each field once, or raises BadRequest; nothing else."""
    try:
        read = forms.parse(body)
    except BadRequest:
        return

    assert read == reference(body)
    assert len(read) == (body.count(b"&") + 1 if body else 0)


@given(st.dictionaries(texts, texts, max_size=20))
def test_whatever_a_browser_encodes_is_read_back(form: dict[str, str]) -> None:
    """Every text that people can type arrives as they typed it."""
    assert forms.parse(urlencode(form).encode()) == form


@pytest.mark.parametrize("count", [20, 21])
def test_fields_are_counted(count: int) -> None:
    """Twenty fields are read, one more is refused."""
    body = "&".join(f"f{n}=" for n in range(count)).encode()

    if count == 20:
        assert len(forms.parse(body)) == 20
        return
    with pytest.raises(BadRequest):
        forms.parse(body)


@given(st.text(st.characters(max_codepoint=255), max_size=300))
def test_any_cookie_header_is_read(header: str) -> None:
    """No bytes in a Cookie header stop a page, and none opens a session."""
    answer = kept(ask(APP, "GET", "/", headers=[("Cookie", header)]))

    assert answer.status == 200


@settings(max_examples=4 * settings().max_examples)
@given(methods, targets, st.lists(st.tuples(names, values), max_size=5), types, bodies)
def test_any_request_gets_an_answer_of_ours(
    method: str, target: str, headers: list[tuple[str, str]], content_type: str | None, body: bytes
) -> None:
    """The closed list, every header once, never stored, and nothing of what was sent comes back as markup."""
    answer = kept(
        ask(APP, method, target, headers=headers, content_type=content_type, body=body),
        head=method == "HEAD",
    )

    assert RAW.encode() not in answer.body
    assert RAW not in str(answer.headers)
    assert "evil.test" not in (answer.get("Location") or "")
