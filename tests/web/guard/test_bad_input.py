"""Anything may be sent to any path: the answer comes from the closed list, in our own words (SZ, MT, CK, HD)."""

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from flask import Flask

from service.hashing.fair_queue import Job
from service.hashing.gate import Result, Shed
from service.services import OuterLimit
from tests.rig.answer import Answer
from tests.rig.gates import Gate
from tests.rig.passwords import PASSWORD
from tests.rig.promises import kept
from tests.rig.wire import FORM, JSON, SAME, ask, post, probe
from tests.rig.world import World

RIGHT = f"username=alice&password={PASSWORD.replace(' ', '+')}"
PATHS = ["/", "/logout", "/setup", "/account", "/account/password", "/nope", "/static/x/y", "/healthz"]
FORMS = ["/", "/setup"]
APP: Final = World().app(outer_limit=OuterLimit(10**9, "memory://", {}, b"a key"))
SIGNED_IN: Final = ("Cookie", (post(APP, "/", RIGHT).get("Set-Cookie") or "").partition(";")[0])


class Watched(Gate):
    """A gate that remembers how often it was asked."""

    def __init__(self) -> None:
        super().__init__(threads=1, waiting=8)
        self.asked = 0

    def work(self, job: Job, work: Callable[[], Result]) -> Result | Shed:
        self.asked += 1
        return super().work(job, work)


def both(app: Flask, method: str, target: str, **request: Any) -> Answer:
    """Ask for a page and for JSON; both keep the promises and agree (for a redirect to sign in, JSON says 401)."""
    headers = list(request.pop("headers", [SAME, ("Cookie", probe(app))]))
    page = kept(ask(app, method, target, headers=headers, **request), head=method == "HEAD")
    other = kept(ask(app, method, target, headers=[*headers, JSON], **request), head=method == "HEAD")
    assert {page.status, other.status} in ({page.status}, {303, 401})
    return page


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param("username=alice&password=" + "a" * 1_000_000, 413, id="1 MB password"),
        pytest.param("username=" + "a" * 1_000_000, 413, id="1 MB username"),
        pytest.param("a" * 16_385, 413, id="one byte too many"),
        pytest.param("password=" + "a" * 16_000, 401, id="just not too large"),
        pytest.param("username=" + "a" * 10_000 + "&password=x", 401, id="10 kB username"),
        pytest.param("username=alice%00&password=x", 401, id="NUL in the name"),
        pytest.param(f"{RIGHT}%00", 401, id="NUL behind the right password"),
        pytest.param("username=%ff%fe&password=x", 400, id="invalid UTF-8, encoded"),
        pytest.param(b"username=\xff\xfe&password=x", 400, id="invalid UTF-8, raw"),
        pytest.param("username=alice&password=%ed%a0%80", 400, id="lone surrogate"),
        pytest.param("username=alice&password=%c0%af", 400, id="overlong encoding"),
        pytest.param("username=alice&username=bob&password=x", 400, id="a name twice"),
        pytest.param(f"{RIGHT}&password=x", 400, id="a password twice"),
        pytest.param("username=alice&password[]=x", 401, id="brackets"),
        pytest.param("&".join(f"f{n}=x" for n in range(21)), 400, id="21 fields"),
        pytest.param("&".join(f"f{n}=x" for n in range(2000)), 400, id="2,000 fields"),
        pytest.param("username", 400, id="no value"),
        pytest.param("&", 400, id="nothing but a separator"),
        pytest.param("username=alice;password=x", 401, id="semicolon"),
        pytest.param("=x", 401, id="nameless"),
        pytest.param("", 401, id="empty"),
        pytest.param("username=%&password=%zz", 401, id="broken escapes are text"),
        pytest.param("username={{7*7}}&password=${7*7}", 401, id="template"),
        pytest.param("username=%25s%25n{0.__class__}&password=x", 401, id="format"),
        pytest.param(
            "username=%e2%80%ae%f0%9f%91%a9%e2%80%8d%f0%9f%9a%80&password=" + "%cc%81" * 300, 401, id="joiners"
        ),
        pytest.param(json.dumps({"username": "alice", "password": "x"}), 400, id="JSON"),
        pytest.param("[" * 16_000, 400, id="deep JSON"),
    ],
)
def test_a_form_that_cannot_be_read(body: bytes | str, status: int) -> None:
    """Sign-in answers 400, 413 or the same 401 as a wrong password, in the page and in JSON."""
    raw = body.encode() if isinstance(body, str) else body

    assert both(APP, "POST", "/", body=raw, content_type=FORM).status == status


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/json",
        "application/json; charset=utf-16",
        "multipart/form-data",
        "multipart/form-data; boundary=" + "b" * 10_000,
        "multipart/form-data; boundary=x",
        f"{FORM}; charset=utf-16",
        f"{FORM}; charset=utf-7",
        f"{FORM}; charset*=utf-8''%ff",
        f"{FORM}, text/plain",
        "application/x-www-form-urlencoded-2",
        "\xff\x00",
        ";" * 5000,
    ],
)
@pytest.mark.parametrize("target", FORMS)
def test_another_content_type(target: str, content_type: str | None) -> None:
    """A form is urlencoded UTF-8; everything else is 415, whatever is in it."""
    answer = both(APP, "POST", target, body=RIGHT.encode(), content_type=content_type)

    assert (answer.status, answer.all("Set-Cookie")) == (415, [])


@pytest.mark.parametrize("content_type", [FORM, FORM.upper(), f"{FORM}; charset=UTF-8", f'{FORM};charset="utf-8"'])
def test_the_same_content_type_in_other_words(world: World, content_type: str) -> None:
    """Case, quotes and a charset that says UTF-8 are the same content type."""
    assert post(world.app(), "/", RIGHT, content_type=content_type).status == 303


def test_refused_input_costs_no_hash(world: World) -> None:
    """What cannot be read, or is no password at all, never reaches argon2."""
    gate = Watched()
    app = world.app(gate=gate)

    answers = [
        post(app, "/", b"a" * 20_000).status,
        post(app, "/", "username=%ff").status,
        post(app, "/", RIGHT, content_type="text/plain").status,
        post(app, "/", RIGHT, headers=[("Origin", "x")], HTTP_SEC_FETCH_SITE="cross-site").status,
    ]

    assert (answers, gate.asked) == ([413, 400, 415, 403], 0)


@pytest.mark.parametrize("length", ["", "abc", "-1", "+4", "0x4", "4,4", "9" * 40, "²", "1e3"])
def test_a_length_that_is_none(world: World, length: str) -> None:
    """A Content-Length that gunicorn would refuse is still answered from the closed list, and opens no session."""
    answer = kept(post(world.app(), "/", RIGHT, CONTENT_LENGTH=length))

    assert answer.status in {400, 401, 413}
    assert world.rows.sessions == {}


def test_a_body_that_ends_early(world: World) -> None:
    """A client that promises more than it sends gets 400, not an answer to half a form."""
    assert kept(post(world.app(), "/", RIGHT, CONTENT_LENGTH="5000")).status == 400


@pytest.mark.parametrize(("body", "status"), [(RIGHT, 303), (f"{RIGHT}&x={'a' * 16_400}", 413), ("a" * 1_000_000, 413)])
def test_a_chunked_body(world: World, body: str, status: int) -> None:
    """A body without a length has the same limit, and is refused behind it instead of being cut."""
    environ: dict[str, Any] = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}

    assert kept(post(world.app(), "/", body, **environ)).status == status


@pytest.mark.parametrize("target", PATHS)
@pytest.mark.parametrize(
    "header",
    [
        ("Cookie", "; ".join(f"c{n}=v" for n in range(100))),
        ("Cookie", "; ".join("vestibule_session=x" for _ in range(100))),
        ("Cookie", "vestibule_session=" + "A" * 10_000),
        ("Cookie", "vestibule_session=\xff\xfe\x00; \xff=\xff"),
        ("Cookie", ";;=;==;\x00"),
        ("User-Agent", "${jndi:ldap://x}'\"<script>\x00\x1b[31m" + "\xf0\x9f\x98\x80" * 2000),
        ("Accept", "a" * 10_000),
        ("Accept", "\xff/\xff;q=nan, */*;q=1e999, ;;=,"),
        ("Accept-Language", "\x00" * 8000),
        ("X-Request-ID", "x" * 10_000),
        ("X-Request-ID", "A" * 32),
        ("Origin", "\xff" * 10_000),
        ("Referer", "//\xff"),
        ("If-None-Match", "*"),
        ("Range", "bytes=0-1,2-3,-9"),
        ("Expect", "100-continue"),
        ("X-Forwarded-For", ", " * 5000),
        ("X-HTTP-Method-Override", "DELETE"),
        ("Upgrade", "h2c, websocket"),
    ],
    ids=lambda header: f"{header[0]}: {header[1][:20]!r}",
)
def test_odd_headers(target: str, header: tuple[str, str]) -> None:
    """No header makes a difference that the rules did not ask for, and none is sent back."""
    plain, answer = ask(APP, "GET", target), both(APP, "GET", target, headers=[header])

    assert answer.status == plain.status
    assert header[1] not in answer.text
    assert header[1] not in str(answer.headers)


@pytest.mark.parametrize(
    "target",
    [
        *("//", "///", "//account", "//logout", "/account/", "/account/x.css", "/account;x.js", "/account%2f.css"),
        *("/%00", "/%0a", "/%0d%0aX:y", "/%ff", "/%ed%a0%80", "/%u0041", "/%", "/.", "/..", "/../etc/passwd"),
        *("/.git/config", "/;", "/\\", "/?", "*", "/{{7*7}}", "/static", "/static/", "/static/../app.py"),
        *("/static/00000000/style.css", "/static/%2e%2e/app.py", "/static//style.css", "/static/..;/x"),
        *("/" + "a" * 8000, "/metrics/", "/METRICS", "/metrics%00", "/healthz/", "/readyz;"),
        *("/account/password/", "/account//password"),
    ],
)
def test_odd_paths(target: str) -> None:
    """A page has one address; every other one is 404, also with a session."""
    answer = both(APP, "GET", target, headers=[SIGNED_IN])

    assert answer.status == (303 if target == "/?" else 404)


@pytest.mark.parametrize(
    "target", ["", "?", "/?" + "a=b&" * 2000, "/?rd=%ff&rd=%00&notice=%ed%a0%80", "/?notice=<script>"]
)
def test_the_page_under_any_query(target: str) -> None:
    """An empty path is the sign-in page, and no query changes it."""
    answer = both(APP, "GET", target)

    assert answer.status == 200
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    "host", ["", "evil.test", "localhost", "localhost:80", "localhost:8080.", "[", "\xff", "a@localhost:8080"]
)
def test_another_host(host: str) -> None:
    """A request for another name gets 421, and neither a form nor that name back (HD-01)."""
    answer = both(APP, "GET", "/", HTTP_HOST=host)

    assert answer.status == 421
    assert "<form" not in answer.text
    assert "evil.test" not in answer.text + str(answer.headers)
