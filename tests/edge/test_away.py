"""The service is away: nginx answers for it, and says so to probes."""

from collections.abc import Iterator

import pytest

from tests.rig.asking import answers
from tests.rig.servers import Servers, prepared


@pytest.fixture(scope="module")
def alone() -> Iterator[Servers]:
    """An nginx without a service behind it."""
    with prepared() as servers:
        servers.render()
        servers.start_nginx()
        servers.wait_until(lambda: servers.ops("/edge/healthz").status == 200, "nginx answers")
        yield servers


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_a_service_that_is_away_means_502_with_our_page(alone: Servers, method: str) -> None:
    """Without the service every page is 502, in our words, with its headers and its id."""
    answer = alone.get("/", method=method, body=b"a=b" if method == "POST" else None)

    assert answer.status == 502
    assert len(answer.all("content-security-policy")) == 1
    assert method == "HEAD" or answer.one("x-request-id").encode() in answer.body


def test_files_are_there_without_the_service(alone: Servers) -> None:
    """The error page is not bare: its style sheet comes from nginx."""
    (sheet,) = alone.nginx_dir.glob("static/*/style.css")

    assert alone.get(f"/static/{sheet.parent.name}/style.css").status == 200


def test_the_edge_is_alive_while_the_service_is_not(alone: Servers) -> None:
    """The edge's own liveness depends on no other server; readiness, health and metrics do."""
    found = {path: alone.ops(path).status for path in ("/edge/healthz", "/readyz", "/healthz", "/metrics")}

    assert found == {"/edge/healthz": 200, "/readyz": 502, "/healthz": 502, "/metrics": 502}


def test_the_ops_listener_says_what_is_away(alone: Servers) -> None:
    """Its 502 is a line for a terminal: the service, or the process that counts nginx's requests, does not answer."""
    service, counting = (alone.ops(path) for path in ("/readyz", "/edge/metrics"))

    assert service.body == b"nginx runs, but the service does not answer\n"
    assert b"`vestibule proxy metrics`, does not answer" in counting.body
    assert {answer.get("Content-Type") for answer in (service, counting)} == {"text/plain"}


def test_the_ops_listener_has_nothing_else(alone: Servers) -> None:
    """What is no probe and no metric is 404 there, and only GET and HEAD are methods."""
    head = b"Host: localhost\r\nConnection: close\r\n\r\n"

    assert {alone.ops(path).status for path in ("/", "/account", "/metrics/", "/edge", "/static/", "/nginx.conf")} == {
        404
    }
    assert answers(alone.raw(b"POST /metrics HTTP/1.1\r\n" + head, port=alone.ops_port)) == [405]
    assert answers(alone.raw(b"FOO /healthz HTTP/1.1\r\n" + head, port=alone.ops_port)) == [405]


def test_the_public_has_no_edge_health(alone: Servers) -> None:
    """The edge's liveness and metrics are on the ops listener alone, and are 502 there while nothing counts."""
    paths = ("/edge/healthz", "/edge/metrics", "/edge/connections", "/edge/", "//edge/./metrics", "/edge%2fmetrics")
    assert {alone.get(path).status for path in paths} == {404}
    assert [alone.ops(path).status for path in ("/edge/metrics", "/edge/connections")] == [502, 404]


def test_ping_says_that_nobody_answers(alone: Servers) -> None:
    """`vestibule ping` ends with 3 when the service is away, and names the socket."""
    said = alone.vestibule("ping")

    assert said.returncode == 3
    assert str(alone.socket) in said.stdout


def test_what_went_wrong_behind_nginx_shows_no_request_line(alone: Servers) -> None:
    """A failed request leaves its status in the log, and its query string, which may be a one-time link, nowhere."""
    alone.get("/setup?token=canary-of-a-link")

    alone.wait_until(lambda: '"path":"/setup","status":502' in alone.log("nginx"), "nginx logged the request")
    assert "canary" not in alone.log("nginx")
