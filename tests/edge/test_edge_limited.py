"""Whose requests `/edge/metrics` counts, and what was refused by a limit, at nginx and at the hashing gate."""

import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.edge.conftest import calm
from tests.edge.counted import FORM, limited, requests, wait_for
from tests.rig.asking import ask, free_port
from tests.rig.servers import Servers, prepared, running


def test_requests_of_another_app_are_counted_by_its_name() -> None:
    """The app is the one whose server nginx chose; its answers, and what it refuses itself, are none of our pages'."""
    port = free_port()

    def with_wiki(nginx_conf: str) -> str:
        server = "server { listen 127.0.0.1:%d; set $app wiki; location / { return 204; } location /a { return 404; } }"
        begin = nginx_conf.index("    # === Browsers")
        return nginx_conf[:begin] + server % port + nginx_conf[begin:]

    with prepared(edit_nginx=with_wiki) as servers:
        servers.render()
        servers.start_nginx()
        servers.wait_until(lambda: ask(port, "/").status == 204, "nginx answers")
        servers.start_metrics()
        statuses = [ask(port, path, method=method).status for path in ("/", "/a") for method in ("POST", "DELETE")]
        servers.get("/nothing")

        counted = wait_for(servers, 6)

    assert statuses == [204, 204, 404, 404]
    assert counted == {
        ("vestibule", "GET", 502): 1,
        ("wiki", "GET", 204): 1,
        **{("wiki", method, status): 1 for method in ("POST", "DELETE") for status in (204, 404)},
    }


def test_a_shed_sign_in_is_told_from_an_error() -> None:
    """The gate's 503 counts as limited by hashing_gate, each of them; its mark does not reach the client."""
    patient = {
        "THROTTLES__ACCOUNT_FROM_NETWORK": "1000/15m",
        "THROTTLES__ACCOUNT": "1000/15m",
        "LIMITS__POST_PER_MINUTE": "600",
    }
    slow = {"HASHING__THREADS": "1", "PASSWORDS__ITERATIONS": "20"}
    with running(workers=1, edit_nginx=calm, **patient, **slow) as servers:
        servers.start_metrics()
        body = b"username=alice&password=x"
        with ThreadPoolExecutor(40) as clients:
            sent = [clients.submit(servers.get, "/", method="POST", body=body, **FORM) for _ in range(40)]
            came = [each.result() for each in sent]
        shed = [answer for answer in came if answer.status == 503]

        counted = wait_for(servers, 40)

        assert shed, Counter(answer.status for answer in came)
        assert [answer for answer in came if answer.get("Vestibule-Limited-By")] == []
        assert counted["vestibule", "POST", 503] == len(shed)
        assert limited(servers) == {"requests": 0, "connections": 0, "hashing_gate": len(shed)}
        servers.end("gunicorn")
        servers.get("/", method="POST", body=body, **FORM)
        wait_for(servers, 41)
        assert limited(servers)["hashing_gate"] == len(shed)


def test_refusals_of_nginx_are_counted_by_limit() -> None:
    """Each 429 of nginx is one of `requests` or of `connections`."""

    def strict(nginx_conf: str) -> str:
        assert nginx_conf.count("limit_conn clients 100;") == 2
        return nginx_conf.replace("burst=40", "burst=3").replace("limit_conn clients 100;", "limit_conn clients 1;")

    with running(workers=1, edit_nginx=strict, LIMITS__EDGE_POST_PER_SECOND="1") as servers:
        servers.start_metrics()
        statuses = [servers.get("/", method="POST", body=b"username=%ff", **FORM).status for _ in range(9)]

        def is_refused() -> bool:
            statuses.append(servers.get("/").status)
            return statuses[-1] == 429

        with socket.create_connection(("127.0.0.1", servers.port)) as held:
            held.sendall(b"PUT / HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 9\r\n\r\n" % servers.port)
            servers.wait_until(is_refused, "one connection is one too many")
        servers.wait_until(lambda: _refused(servers) == statuses.count(429), "each 429 is counted")

        # A form may be one of `connections`, too, where nginx has not ended the connection of the one before.
        found = limited(servers)
        assert found["requests"] > 0
        assert found["connections"] > 0
        assert sum(found.values()) == statuses.count(429)


def _refused(servers: Servers) -> int:
    return sum(times for (_, _, status), times in requests(servers).items() if status == 429)
