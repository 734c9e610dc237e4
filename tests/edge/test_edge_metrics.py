"""`/edge/metrics`: every request once, by closed labels, also while the service is stopped."""

import re
import signal
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.edge.conftest import calm
from tests.edge.counted import DURATION, FORM, LIMITED, REQUESTS, exposed, limited, requests, wait_for
from tests.rig import scraped
from tests.rig.asking import answers
from tests.rig.promtool import complaints
from tests.rig.servers import VESTIBULE, Servers, prepared, running
from tests.rig.small_disk import fill, small_disk

METHODS: Final = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"}


@pytest.fixture
def servers() -> Iterator[Servers]:
    """The service with what counts its requests."""
    with running(edit_nginx=calm) as own:
        own.start_metrics()
        yield own


def style_sheet(servers: Servers) -> str:
    """Return the path of a file that nginx serves by itself."""
    path, *_ = re.findall(r'href="(/static/[^"]+\.css)"', servers.get("/").body.decode())
    return str(path)


def test_every_request_is_counted_once(servers: Servers) -> None:
    """What clients sent is what is counted, by method and status: pages, files, refusals, errors, pipelined ones."""
    host = f"Host: localhost:{servers.port}".encode()
    sent = Counter[tuple[str, str, int]]({("vestibule", "GET", 200): 1})
    asked = [("GET", "/"), ("GET", style_sheet(servers)), ("GET", "/account"), ("GET", "/nothing"), ("HEAD", "/")]
    asked += [("PUT", "/"), ("DELETE", "/static/"), ("OPTIONS", "/"), ("PATCH", "/account"), ("GET", "/metrics")]
    for method, path in asked * 3:
        sent["vestibule", method, servers.get(path, method=method).status] += 1
    for body in (b"username=alice&password=x", b"username=%ff", b"a" * 20_000):
        sent["vestibule", "POST", servers.get("/", method="POST", body=body, **FORM).status] += 1
    for line, method in (
        (b"TRACE / HTTP/1.1", "OTHER"),
        (b"POST / HTTP/1.1\r\nA: " + b"a" * 9999, "POST"),
        (b"FOO / HTTP/1.1", "OTHER"),
        (b"GET /\xff HTTP/1.1", "GET"),
    ):
        (status,) = answers(servers.raw(line + b"\r\n" + host + b"\r\nConnection: close\r\n\r\n"))
        sent["vestibule", method, status] += 1
    pipelined = (b"GET /edge/metrics HTTP/1.1\r\n" + host + b"\r\n\r\n") * 4 + b"GET /nothing HTTP/1.1\r\n" + host
    statuses = answers(servers.raw(pipelined + b"\r\nConnection: close\r\n\r\n"))
    sent["vestibule", "GET", 404] += 5

    counted = wait_for(servers, sent.total())

    assert statuses == [404] * 5
    assert counted == sent
    timed = scraped.series(exposed(servers))
    assert timed[f"{DURATION}_count", frozenset({("app", "vestibule")})] == sent.total()
    assert timed[f"{DURATION}_bucket", frozenset({("app", "vestibule"), ("le", "+Inf")})] == sent.total()


def test_probes_are_none(servers: Servers) -> None:
    """What the ops listener answers is not counted: neither scrapes nor probes."""
    for path in ("/edge/metrics", "/edge/healthz", "/metrics", "/readyz", "/nothing"):
        servers.ops(path)
    servers.get("/")

    assert wait_for(servers, 1) == {("vestibule", "GET", 200): 1}


def test_it_counts_while_the_service_is_stopped(servers: Servers) -> None:
    """Without gunicorn nginx's 502 are counted, and Prometheus reads them; the public gets 404 for both paths."""
    servers.end("gunicorn")
    statuses = [servers.get(path).status for path in ("/", "/", "/edge/metrics", "/edge/connections")]

    assert statuses == [502, 502, 404, 404]
    assert wait_for(servers, 4) == {("vestibule", "GET", 502): 2, ("vestibule", "GET", 404): 2}
    assert servers.ops("/metrics").status == 502


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_of_what_counts_loses_nothing(servers: Servers, how: signal.Signals) -> None:
    """While it is away nginx answers 502 for its metrics; the next one counts what came meanwhile, nothing twice."""
    for _ in range(7):
        servers.get("/")
    before = wait_for(servers, 7)
    code = servers.end("metrics", how)
    away = servers.ops("/edge/metrics").status
    for _ in range(5):
        servers.get("/nothing")

    servers.start_metrics()

    assert (code, away) == (0 if how is signal.SIGTERM else -signal.SIGKILL, 502)
    assert before == {("vestibule", "GET", 200): 7}
    assert wait_for(servers, 5) == {("vestibule", "GET", 404): 5}


def test_a_second_one_waits_for_the_first(servers: Servers) -> None:
    """Two processes on one directory count no request twice, and the second goes on when the first has ended."""
    first = servers.processes.pop("metrics")
    try:
        servers.start_metrics()  # the first one answers
        for _ in range(6):
            servers.get("/")
        assert wait_for(servers, 6) == {("vestibule", "GET", 200): 6}
    finally:
        first.terminate()
        first.wait()
    servers.get("/nothing")
    servers.wait_until(lambda: servers.ops("/edge/metrics").status == 200, "the second one answers")

    assert wait_for(servers, 1) == {("vestibule", "GET", 404): 1}


def test_a_removed_file_is_followed_by_the_next(servers: Servers) -> None:
    """An operator removes nginx's file and starts nginx anew: its new file is read, and no count is taken back."""
    servers.get("/")
    before = wait_for(servers, 1)
    servers.end("nginx")
    (servers.nginx_dir / "requests.count").unlink()
    servers.start_nginx()
    servers.wait_until(lambda: servers.get("/nothing").status == 404, "nginx answers")

    assert wait_for(servers, 2) == before + Counter({("vestibule", "GET", 404): 1})


def test_odd_input_adds_no_label(servers: Servers) -> None:
    """Whatever a client sends and however it leaves, each label is a member of its closed set."""
    host = b"\r\nHost: localhost:%d\r\n\r\n" % servers.port
    odd = [b"GET", b"\x16\x03\x01", b"get / HTTP/1.1" + host, b"G@T,X,200 / HTTP/1.1" + host, b"GET / HTTP/9.9" + host]
    odd += [
        b"GET /\r\n",
        b"A" * 9000 + b" / HTTP/1.1" + host,
        b"GET /@wiki,GET,200,0.001,-,-, HTTP/1.1\r\nHost: @,\r\n\r\n",
    ]
    odd += [b"POST / HTTP/1.1\r\nVestibule-Limited-By: hashing_gate" + host, b"PROPFIND / HTTP/1.1" + host]
    for data in odd:
        with socket.create_connection(("127.0.0.1", servers.port)) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
    servers.get("/account")

    servers.wait_until(lambda: requests(servers)["vestibule", "GET", 303] == 1, "the last request is counted")
    found = exposed(servers)
    assert set(scraped.label_values(found, "app")) == {"vestibule"}
    assert set(scraped.label_values(found, "method")) <= METHODS
    assert all(re.fullmatch(r"[1-5][0-9]{2}|000", status) for status in scraped.label_values(found, "status"))
    assert limited(servers) == {"requests": 0, "connections": 0, "hashing_gate": 0}


def test_series_are_there_before_the_first_request(servers: Servers) -> None:
    """Every limit, and the usual answers of our own pages, show 0 from the start; so does the histogram."""
    found = scraped.series(exposed(servers))

    assert {value for (name, _), value in found.items() if name in {REQUESTS, LIMITED, f"{DURATION}_count"}} == {0}
    assert limited(servers).keys() == {"requests", "connections", "hashing_gate"}
    for method in ("GET", "POST"):
        for status in ("200", "303", "503"):
            labels = frozenset({("app", "vestibule"), ("method", method), ("status", status)})
            assert (REQUESTS, labels) in found


def test_connections_are_those_of_nginx(servers: Servers) -> None:
    """By state at this moment, and how many were accepted: those of clients, and of this scrape."""

    def now() -> dict[str, float]:
        return {
            dict(labels).get("state", name): value
            for (name, labels), value in scraped.series(exposed(servers)).items()
            if name.startswith("vestibule_edge_connections")
        }

    before = now()
    held = [socket.create_connection(("127.0.0.1", servers.port)) for _ in range(5)]
    try:
        servers.wait_until(lambda: now()["active"] >= 6, "five connections and the scrape's are active")
        during = now()
    finally:
        for connection in held:
            connection.close()

    accepted = "vestibule_edge_connections_accepted_total"
    assert during.keys() == {"active", "reading", "writing", "waiting", accepted}
    assert during[accepted] - before[accepted] >= 6
    assert during["writing"] >= 1


def test_promtool_finds_nothing(servers: Servers) -> None:
    """Names, types and helps are as Prometheus wants them."""
    assert complaints("check", "metrics", text=exposed(servers)) == ""


def test_a_full_disk_costs_counts_and_no_answer() -> None:
    """Under nginx's own directory too: every request is answered, and counted again once there is space."""
    with prepared(edit_nginx=calm) as servers, small_disk(servers.nginx_dir, kilobytes=512) as disk:
        servers.start()
        servers.start_metrics()
        filling = fill(disk)
        during = {servers.get("/").status for _ in range(40)}
        filling.unlink()

        def counted() -> bool:
            servers.get("/nothing")
            return requests(servers)["vestibule", "GET", 404] > 0

        servers.wait_until(counted, "requests are counted again")
        assert during == {200}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shares out memory so")
def test_it_is_small(servers: Servers) -> None:
    """What stays beside nginx takes at most 12 MB, also after some traffic."""
    for _ in range(50):
        servers.get("/nothing")
    wait_for(servers, 50)
    measured = Path(f"/proc/{servers.processes['metrics'].pid}/smaps_rollup").read_text()

    assert int(re.findall(r"^Pss: +(\d+) kB", measured, re.MULTILINE)[0]) < 12_000


def test_it_waits_for_nginx_and_names_the_user() -> None:
    """Started before nginx it waits; where it may not read nginx's file, it ends with 3 and says who must start it."""
    with prepared() as servers:
        servers.render()
        command = [*VESTIBULE, "proxy", "metrics", str(servers.nginx_dir)]
        servers._spawn("metrics", command, servers.environ)
        servers.start_nginx()
        servers.wait_until(lambda: servers.ops("/edge/metrics").status == 200, "it answers once nginx is there")
        servers.end("metrics")
        (servers.nginx_dir / "requests.count").chmod(0o444)
        refused = servers.vestibule("proxy", "metrics", str(servers.nginx_dir))

    assert refused.returncode == 3
    assert f"Permission denied: '{servers.nginx_dir}/requests.count'. Start this command as the user" in refused.stderr
