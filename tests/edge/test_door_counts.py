"""The door at nginx: what became of each question, counted and logged by app; and whether the door answers at all."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Final

import pytest

from service.access.judged_set import to_json
from tests.edge.counted import exposed
from tests.rig import scraped
from tests.rig.apps import app
from tests.rig.asking import ask, free_port
from tests.rig.echo_app import echo_app
from tests.rig.processes import children
from tests.rig.servers import Servers, running

CHECKS: Final = "vestibule_edge_door_checks_total"
WAITED: Final = "vestibule_edge_door_duration_seconds"
# As for an app. The query says what the door answers (`door`), the service after a no (`then`), and the app (`status`).
APP: Final = """
    proxy_cache_path remembered keys_zone=remembered:1m;
    server {{
        listen 127.0.0.1:{port};
        set $app wiki;
        location / {{
            set $says $arg_door;    # a sub-request has no arguments
            set $key $arg_key;
            set $new $arg_new;
            auth_request /door;
            auth_request_set $door_cache $upstream_cache_status;
            auth_request_set $door_status $upstream_status;
            auth_request_set $door_seconds $upstream_response_time;
            error_page 401 403 = @refused;
            error_page 500 =503 @failed;
            proxy_pass http://127.0.0.1:{echo};
        }}
        location = /door {{
            internal;
            proxy_pass http://127.0.0.1:{echo}/?status=$says;
            proxy_read_timeout 1s;
            proxy_cache remembered;
            proxy_cache_key $key;
            proxy_cache_valid 200 1m;
            proxy_no_cache $new;
        }}
        location @failed {{
            return 503 failed;
        }}
        location @refused {{
            rewrite ^ / break;
            proxy_pass http://127.0.0.1:{echo}/?status=$arg_then;
        }}
    }}
"""
PROBES: Final = "    # === Probes and Prometheus"


def _impatient(nginx_conf: str) -> str:
    """Return nginx.conf with a probe that waits for no hanging service."""
    return nginx_conf.replace("proxy_read_timeout 2s", "proxy_read_timeout 200ms")


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Servers, int]]:
    """The service, what counts, and the port of the app."""
    port = free_port()
    with echo_app() as echo:
        with_app = APP.format(port=port, echo=echo.port)
        with running(workers=1, edit_nginx=lambda conf: _impatient(conf).replace(PROBES, with_app + PROBES, 1)) as own:
            own.start_metrics()
            yield own, port


def checks(servers: Servers) -> Counter[str]:
    """Return the questions about the app by what became of each; those at zero stay."""
    return Counter(
        {
            dict(labels)["outcome"]: int(value)
            for (name, labels), value in scraped.series(exposed(servers)).items()
            if name == CHECKS and dict(labels)["app"] == "wiki"
        }
    )


ASKED: Final = (
    ("/?door=200&new=1", 200, "allowed"),
    ("/?door=200&new=1&status=500", 500, "allowed"),  # the app's own error
    ("/?door=200&key=k", 200, "allowed"),
    ("/?door=200&key=k", 200, "cached"),
    ("/?door=200&key=k&status=503", 503, "cached"),  # the app's own error
    ("/?door=401&then=303", 303, "refused"),
    ("/?door=403&then=403", 403, "refused"),
    ("/?door=403&then=503", 503, "failed"),  # the refusal could not be written
    ("/?door=503", 503, "failed"),
    ("/?door=404", 503, "failed"),  # no answer to the question
)


def test_every_question_is_counted_once(servers: tuple[Servers, int]) -> None:
    """A 5xx that the door caused is counted apart from the app's own; so is what nginx answered from its cache."""
    own, port = servers
    statuses = [ask(port, path).status for path, *_ in ASKED]
    own.wait_until(lambda: checks(own).total() >= len(ASKED), "all questions are counted")

    assert statuses == [status for _, status, _ in ASKED]
    assert checks(own) == Counter(outcome for *_, outcome in ASKED)
    found = scraped.series(exposed(own))
    assert found[f"{WAITED}_count", frozenset()] == len(ASKED)
    failed = frozenset({("app", "wiki"), ("method", "GET"), ("status", "503")})
    assert found["vestibule_edge_requests_total", failed] == 4


def test_the_log_names_the_app_and_what_the_door_said(servers: tuple[Servers, int]) -> None:
    """The line of a request has its app and the outcome; the login's own has no door."""
    own, port = servers
    ask(port, "/named?door=200&new=1")
    own.get("/own-page")
    own.wait_until(
        lambda: all(f'"{path}"' in own.log("nginx") for path in ("/named", "/own-page")), "nginx logged both"
    )
    lines = {each["path"]: each for each in map(json.loads, own.log("nginx").splitlines())}

    assert (lines["/named"]["app"], lines["/named"]["door"]) == ("wiki", "allowed")
    assert (lines["/own-page"]["app"], lines["/own-page"]["door"]) == ("vestibule", "")


def door(servers: Servers) -> tuple[int, float]:
    """Return the status of the probe, and what the scrape says."""
    return servers.ops("/edge/door").status, scraped.series(exposed(servers))["vestibule_edge_door_up", frozenset()]


def test_the_probe_says_whether_the_door_answers(servers: tuple[Servers, int]) -> None:
    """200 and 1 while it refuses a made-up address; 503 and 0 while the service hangs, and while it is stopped."""
    own, _ = servers
    works = door(own)
    (worker,) = children(own.processes["gunicorn"].pid)
    os.kill(worker, signal.SIGSTOP)
    hangs = door(own)
    os.kill(worker, signal.SIGCONT)
    own.end("gunicorn")
    stopped = door(own)
    own.start_gunicorn()
    own.wait_until(lambda: own.ops("/readyz").status == 200, "the service is back")

    assert (works, hangs, stopped, door(own)) == ((200, 1), (503, 0), (503, 0), (200, 1))


def test_the_probe_is_no_app(servers: tuple[Servers, int]) -> None:
    """Its question is counted for no app, and each one reaches the service; the public reaches no part of it."""
    own, _ = servers
    name, labels = "vestibule_door_checks_total", {"app": "", "rule": "", "outcome": "no-app", "enforced": "true"}

    def asked() -> float:
        return scraped.series(own.ops("/metrics").body.decode())[name, frozenset(labels.items())]

    before = asked()
    for _ in range(3):
        own.ops("/edge/door")

    assert asked() == before + 3
    assert {own.get(path).status for path in ("/edge/door", "/edge/door-check", "/edge/door-up")} == {404}
    assert {own.ops(path).status for path in ("/edge/door-check", "/edge/door-up", "/edge/door-answers")} == {404}


def test_the_probe_tells_of_older_files(servers: tuple[Servers, int]) -> None:
    """It asks by the hash of nginx's files, so that other apps in force show without any request for an app."""
    own, _ = servers
    in_force = own.nginx_dir / "apps.json"
    rendered = in_force.read_text()

    def outdated() -> float:
        own.ops("/edge/door")
        return scraped.series(own.ops("/metrics").body.decode())["vestibule_door_edge_outdated", frozenset()]

    assert outdated() == 0
    in_force.write_text(to_json([app()]))
    own.wait_until(lambda: outdated() == 1, "the service tells of older files")
    in_force.write_text(rendered)
    own.wait_until(lambda: outdated() == 0, "the files are those of the apps in force")
