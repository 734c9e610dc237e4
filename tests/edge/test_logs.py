"""nginx's log: one JSON line a request, the id shared with the service, and no secret in it."""

import json
from typing import Any

import pytest

from tests.rig.servers import Servers

FIELDS = {
    "time", "event", "request_id", "client", "method", "path", "status", "bytes", "duration_s", "upstream_status",
    "upstream_duration_s", "limited", "app", "door", "protocol", "tls", "user_agent",
}  # fmt: skip
CANARY = "canary-of-a-secret"


def _lines(servers: Servers, request_id: str) -> list[dict[str, Any]]:
    """Return nginx's lines for a request, once it wrote one."""
    servers.wait_until(lambda: request_id in servers.log("nginx"), "nginx logged the request")
    return [json.loads(line) for line in servers.log("nginx").splitlines() if request_id in line]


def test_a_request_is_one_line_of_json(service: Servers) -> None:
    """Every request leaves exactly one line, with every field and nothing else."""
    answer = service.get("/nothing?x=1")

    (line,) = _lines(service, answer.one("x-request-id"))

    assert set(line) == FIELDS
    assert (line["method"], line["path"], line["status"], line["client"]) == ("GET", "/nothing", 404, "127.0.0.1")


def test_nginx_and_the_service_log_the_same_id(service: Servers) -> None:
    """The id in the answer is the one in both logs, so that one search finds both lines."""
    request_id = service.get("/", X_Request_ID="0" * 32).one("x-request-id")

    assert len(_lines(service, request_id)) == 1
    service.wait_until(lambda: request_id in service.log("gunicorn"), "the service logged the request")
    assert request_id != "0" * 32


def test_errors_of_nginx_keep_what_was_asked(service: Servers) -> None:
    """An error page of nginx's does not take the place of the request in the log."""
    answer = service.get("/account", method="FOO")

    (line,) = _lines(service, answer.one("x-request-id"))

    assert (line["method"], line["path"], line["status"]) == ("OTHER", "/account", 405)


def test_a_long_path_is_cut_where_the_service_cuts_it(service: Servers) -> None:
    """Of a path of 7 kB both logs hold the first 200 characters, and of one of 200 all."""
    whole, long = "/" + "a" * 199, "/" + "a" * 7000
    ids = [service.get(path).one("x-request-id") for path in (whole, long)]

    for request_id in ids:
        (line,) = _lines(service, request_id)
        assert line["path"] == whole
        service.wait_until(lambda wanted=request_id: wanted in service.log("gunicorn"), "the service logged it")  # type: ignore[misc]
    paths = [json.loads(line)["path"] for line in service.log("gunicorn").splitlines() if line.count(ids[1])]
    assert paths == [whole]


def test_no_secret_is_logged(service: Servers) -> None:
    """Query strings, cookies, bodies, referrers and credentials appear in neither log (OB-05)."""
    form = {"Content_Type": "application/x-www-form-urlencoded", "Referer": f"http://localhost/?token={CANARY}"}
    secret = {"Cookie": f"vestibule_session={CANARY}", "Authorization": f"Bearer {CANARY}", **form}
    answers = [
        service.get(f"/setup?token={CANARY}", method="GET", body=None, **secret),
        service.get(f"/?username=a&password={CANARY}"),
        service.get("/", method="POST", body=f"username=a&password={CANARY}".encode(), **form),
        service.get(f"/metrics?{CANARY}", method="GET", body=None, **secret),
        service.get(f"/?{CANARY}", Host="a b"),
        service.get("/?" + CANARY * 1000),
    ]
    for answer in answers:
        _lines(service, answer.one("x-request-id"))
    for answer in answers[:3]:  # nginx answers the others
        request_id = answer.one("x-request-id")
        service.wait_until(lambda wanted=request_id: wanted in service.log("gunicorn"), "the service logged it")  # type: ignore[misc]

    assert CANARY not in service.log("nginx")
    assert CANARY not in service.log("gunicorn")


@pytest.mark.parametrize("path", ["/setup%3Ftoken={}", "/setup%3ftoken%3d{}", "/?rd=/setup%253Ftoken={}", "/token={}"])
def test_a_link_that_was_mangled_on_its_way_is_not_logged_either(service: Servers, path: str) -> None:
    """A one-time link whose question mark got encoded has its token in the path: nginx writes no such path down."""
    mangled = "mangled-one-time-token"

    _lines(service, service.get(path.format(mangled), method="FOO").one("x-request-id"))

    assert mangled not in service.log("nginx")


def test_no_byte_of_a_client_breaks_the_log(service: Servers) -> None:
    """Quotes, line breaks, colours and bytes beyond ASCII in any place leave lines that parse (HD-19)."""
    host = f"localhost:{service.port}".encode()
    odd = b'"\\ %0a\x1b[31m\xff\x7f${jndi:ldap://x}'
    service.raw(
        b"GET /%22%0a%1b%ff HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\nUser-Agent: " + odd + b"\r\n\r\n"
    )
    service.raw(b"GET /" + odd + b" HTTP/1.1\r\nHost: " + odd + b"\r\nUser-Agent: " + odd + b"\r\n\r\n")
    service.raw(odd + b" / HTTP/1.1\r\n\r\n")
    _lines(service, service.get("/").one("x-request-id"))

    text = service.log("nginx")

    assert text.isascii()
    assert [character for character in text if not character.isprintable() and character != "\n"] == []
    assert {frozenset(json.loads(line)) for line in text.splitlines()} == {frozenset(FIELDS)}


def test_healthy_probes_leave_no_lines(service: Servers) -> None:
    """A probe that succeeds is not worth a line."""
    before = service.log("nginx").count('"path":"/readyz"')
    for path in ("/readyz", "/healthz", "/metrics", "/edge/healthz"):
        assert service.ops(path).status == 200
    _lines(service, service.get("/").one("x-request-id"))

    assert service.log("nginx").count('"path":"/readyz"') == before
