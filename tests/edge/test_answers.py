"""What every answer carries: the security headers exactly once, a status of the closed list, our own words, an id."""

import json
import re
from collections.abc import Callable, Iterator

import pytest

from tests.edge.conftest import ECHO, calm
from tests.rig.answer import Answer
from tests.rig.servers import Servers, running

FORM = {"Content_Type": "application/x-www-form-urlencoded"}
CLOSED_LIST = {200, 204, 303, 304, 400, 401, 403, 404, 405, 408, 413, 414, 415, 421, 429, 431, 502, 503}
ONCE = [
    "cache-control",
    "content-security-policy",
    "x-frame-options",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
]
# What nginx may come to think by itself, and what the closed list makes of it.
BECOMES = {
    400: 400, 403: 404, 404: 404, 405: 405, 412: 400, 413: 413, 414: 414, 416: 400, 421: 421, 429: 429,
    431: 431, 495: 400, 496: 400, 497: 400, 500: 503, 501: 400, 502: 502, 503: 503, 504: 502, 505: 400, 507: 503,
}  # fmt: skip


def _made_to_order(nginx_conf: str) -> str:
    """Return nginx.conf with a path for every error that nginx can make, most of which no client can provoke."""
    orders = "".join(f"location = /make/{status} {{ return {status}; }}" for status in BECOMES)
    return calm(nginx_conf).replace("location / {", f"{orders} location / {{", 1)


@pytest.fixture(scope="module")
def orders() -> Iterator[Servers]:
    """Servers with a path for each error, for a public address with https."""
    with running(
        application=ECHO, workers=1, edit_nginx=_made_to_order, PUBLIC_URL="https://login.example.org"
    ) as servers:
        yield servers


def _asset(servers: Servers, name: str = "style.css") -> str:
    (version,) = (path.name for path in (servers.nginx_dir / "static").iterdir())
    return f"/static/{version}/{name}"


ANSWERS: dict[str, Callable[[Servers], Answer]] = {
    "200 page": lambda s: s.get("/"),
    "200 file": lambda s: s.get(_asset(s)),
    "204 file": lambda s: s.get(_asset(s), method="OPTIONS"),
    "303": lambda s: s.get("/account"),
    "304": lambda s: s.get(_asset(s), If_None_Match=s.get(_asset(s)).one("etag")),
    "400 edge": lambda s: s.get("/", Host="a b"),
    "400 service": lambda s: s.get("/", method="POST", body=b"a=1&a=2", **FORM),
    "401": lambda s: s.get("/", method="POST", body=b"username=a&password=b", **FORM),
    "403": lambda s: s.get("/", method="POST", body=b"username=a", Origin="https://evil.test"),
    "404 edge": lambda s: s.get("/metrics"),
    "404 service": lambda s: s.get("/nothing"),
    "404 file": lambda s: s.get("/static/00000000/style.css"),
    "405 edge": lambda s: s.get("/", method="FOO"),
    "405 service": lambda s: s.get("/", method="PUT"),
    "413": lambda s: s.get("/", method="POST", body=b"a" * 20_000),
    "414": lambda s: s.get("/" + "a" * 9_000),
    "415": lambda s: s.get("/", method="POST", body=b"{}", Content_Type="application/json"),
    "421": lambda s: s.get("/", Host="evil.test"),
    "431": lambda s: s.get("/", X_Big="a" * 10_000),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_carries_each_header_exactly_once(service: Servers, name: str) -> None:
    """An answer of nginx and one of the service have the security headers, and none is there twice (BH-01 to BH-07)."""
    answer = ANSWERS[name](service)

    assert answer.status == int(name[:3])
    assert {header: len(answer.all(header)) for header in ONCE} == dict.fromkeys(ONCE, 1)
    assert answer.all("strict-transport-security") == []
    assert answer.one("x-frame-options") == "DENY"
    assert answer.one("x-content-type-options") == "nosniff"
    assert answer.one("server") == "nginx"


@pytest.mark.parametrize("name", ANSWERS)
def test_no_answer_says_what_is_inside(service: Servers, name: str) -> None:
    """Neither headers nor pages name a program or a release of one; nginx says its name and no more (BH-11, OB-15)."""
    answer = ANSWERS[name](service)
    headers = str([each for each in answer.headers if each[0] not in {"server", "etag", "x-request-id"}])
    page = answer.body.decode() if "file" not in name else ""

    assert re.search(r"(?i)nginx|gunicorn|werkzeug|flask|python|sqlite|\d+\.\d+\.\d+|via", headers + page) is None


@pytest.mark.parametrize("name", ANSWERS)
def test_every_policy_forbids_frames_foreign_forms_and_inline_code(service: Servers, name: str) -> None:
    """No answer's policy lets anything in but our own files, and nothing frames it (BH-01, BH-03)."""
    directives = dict(
        each.strip().partition(" ")[::2] for each in ANSWERS[name](service).one("content-security-policy").split(";")
    )

    assert directives["default-src"] == "'none'"
    assert directives["base-uri"] == "'none'"
    assert directives["frame-ancestors"] == "'none'"
    assert directives["form-action"] == "'self'"
    assert "unsafe" not in str(directives)
    assert "*" not in str(directives)


def test_nginx_and_the_service_say_the_same(service: Servers) -> None:
    """An error of nginx's carries the very headers of the service's, but for the nonces, which no file can have."""
    ours, theirs = service.get("/nothing"), service.get("/metrics")
    said = {header: ours.one(header) for header in ONCE}
    without_nonces = re.sub(r" 'nonce-[^']+'", "", said["content-security-policy"])
    said["content-security-policy"] = "; ".join(d for d in without_nonces.split("; ") if d.strip() != "script-src")

    assert {header: theirs.one(header) for header in ONCE} == said


@pytest.mark.parametrize("name", [name for name in ANSWERS if "file" not in name or name.startswith("404")])
def test_nothing_but_files_is_kept(service: Servers, name: str) -> None:
    """Every page and every error says no-store."""
    if name != "304":
        assert "no-store" in ANSWERS[name](service).one("cache-control")


def test_files_are_kept_for_ever_and_set_no_cookie(service: Servers) -> None:
    """A file's name changes with its content, so browsers keep it for a year without asking (BH-09)."""
    answer = service.get(_asset(service))

    assert answer.one("cache-control") == "public, max-age=31536000, immutable"
    assert answer.one("content-type") == "text/css; charset=utf-8"
    assert answer.all("set-cookie") == []


@pytest.mark.parametrize("name", ["style.css", "favicon.svg", "theme.css"])
def test_files_are_sent_small(service: Servers, name: str) -> None:
    """Style sheets and pictures are compressed for who can read it; pages, which hold secrets, never are."""
    compressed, plain = (
        service.get(_asset(service, name), Accept_Encoding="gzip"),
        service.get("/", Accept_Encoding="gzip"),
    )

    assert compressed.status == 200
    assert compressed.one("vary") == "Accept-Encoding"
    assert plain.all("content-encoding") == []


def test_no_part_of_a_file_is_an_answer_of_its_own(service: Servers) -> None:
    """Range and conditions that fail lead to nothing outside of the closed list."""
    sheet = _asset(service)
    found = {
        "range": service.get(sheet, Range="bytes=0-9").status,
        "no such range": service.get(sheet, Range="bytes=9999999-").status,
        "if-match": service.get(sheet, If_Match='"other"').status,
        "if-unmodified": service.get(sheet, If_Unmodified_Since="Thu, 01 Jan 1970 00:00:00 GMT").status,
    }

    assert found == {"range": 200, "no such range": 200, "if-match": 400, "if-unmodified": 400}


@pytest.mark.parametrize("made", BECOMES)
def test_every_error_of_nginx_becomes_one_of_the_closed_list(orders: Servers, made: int) -> None:
    """Whatever nginx comes to think, the answer is on the list, in our words, with every header once, https's too."""
    answer = orders.get(f"/make/{made}")

    assert answer.status == BECOMES[made]
    assert answer.status in CLOSED_LIST
    assert {header: len(answer.all(header)) for header in ONCE} == dict.fromkeys(ONCE, 1)
    assert answer.one("strict-transport-security") == "max-age=63072000; includeSubDomains"
    assert answer.one("content-type") == "text/html; charset=utf-8"
    assert f"Error {answer.status}".encode() in answer.body
    assert re.search(rb"<code>([0-9a-f]{32})</code>", answer.body)
    assert answer.one("x-request-id").encode() in answer.body
    assert re.search(rb"nginx|gunicorn|python|\d+\.\d+\.\d+", answer.body, re.IGNORECASE) is None


@pytest.mark.parametrize("made", BECOMES)
def test_every_error_of_nginx_speaks_json_to_who_prefers_it(orders: Servers, made: int) -> None:
    """The same errors as JSON, of one shape."""
    answer = orders.get(f"/make/{made}", Accept="application/json")

    assert answer.status == BECOMES[made]
    assert answer.one("content-type") == "application/json"
    assert set(json.loads(answer.body)) == {"error", "message", "request_id"}


def test_errors_as_json_hold_the_id_that_the_log_has(service: Servers) -> None:
    """nginx puts the request's id into its JSON as into its pages."""
    answer = service.get("/metrics", Accept="application/json")

    assert json.loads(answer.body)["request_id"] == answer.one("x-request-id")


@pytest.mark.parametrize("made", BECOMES)
@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
def test_errors_of_nginx_do_not_depend_on_the_method(orders: Servers, made: int, method: str) -> None:
    """A HEAD gets the headers alone, a POST or PUT the page."""
    answer = orders.get(f"/make/{made}", method=method, body=b"a=b" if method != "HEAD" else None)

    assert answer.status == BECOMES[made]
    assert bool(answer.body) == (method != "HEAD")


@pytest.mark.parametrize("status", [405, 429, 503])
def test_refusals_say_what_would_work(orders: Servers, status: int) -> None:
    """405 names the methods, 429 and 503 the time; both exactly once, and no other error does."""
    answer = orders.get(f"/make/{status}")

    assert (len(answer.all("allow")), len(answer.all("retry-after"))) == ((1, 0) if status == 405 else (0, 1))


def test_nginx_adds_the_headers_that_an_answer_lacks(orders: Servers) -> None:
    """An answer without headers of its own, a file and an error of nginx's: each header once, HSTS too (BH-05)."""
    for answer in map(orders.get, ("/", _asset(orders), "/metrics")):
        assert {header: len(answer.all(header)) for header in ONCE} == dict.fromkeys(ONCE, 1)
        assert answer.one("strict-transport-security") == "max-age=63072000; includeSubDomains"


@pytest.mark.parametrize(
    ("accept", "prefers_json"),
    [
        ("", False),
        ("*/*", False),
        ("text/html", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("application/json", True),
        ("Application/JSON", True),
        ("application/json, */*;q=0.5", True),
        ("application/json, text/plain, */*", False),
        ("application/json;q=0.9, text/html", False),
        ("text/html;q=0.5, application/json", True),
        ("application/json, text/html", False),
        ("application/json;q=0", False),
        ("application/*", True),
        ("image/png", False),
        ("nonsense", False),
    ],
)
def test_nginx_and_the_service_agree_on_who_gets_json(service: Servers, accept: str, prefers_json: bool) -> None:  # noqa: FBT001
    """For any Accept, an error of nginx's and one of the service's come in the same form."""
    kinds = {
        service.get(path, Accept=accept).one("content-type") == "application/json" for path in ("/metrics", "/nothing")
    }

    assert kinds == {prefers_json}
