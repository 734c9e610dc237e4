"""nginx.conf, gunicorn's configuration and the service agree: nginx is the stricter one, and answers for all."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from gunicorn.util import load_class
from gunicorn.workers import gthread

from service.settings.sections import Server
from service.web.front import KNOWN_METHODS
from service.web.guard.forms import MAXIMUM_BODY_BYTES
from service.web.telemetry.ops_pages import OPS_PATHS
from tests.house_rules.project import lines, load, read
from tests.rig.parts import ROOT

SECONDS: Final = {"s": 1, "m": 60}
BYTES: Final = {"": 1, "k": 1024}


def nginx(directive: str) -> str:
    """Return what nginx.conf says for a directive, once for all of its servers."""
    (value,) = re.findall(rf"^(?: {{4}})?{directive}\s+([^;]+);", read("nginx.conf"), re.MULTILINE)
    return str(value)


def seconds(value: str) -> int:
    """Return a time of nginx's."""
    return int(value[:-1]) * SECONDS[value[-1]]


def size(value: str) -> int:
    """Return a size of nginx's."""
    number, unit = re.fullmatch(r"(\d+)(k?)", value).groups()  # type: ignore[union-attr]
    return int(number) * BYTES[unit]


@pytest.fixture(scope="module")
def gunicorn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return gunicorn's settings as it prints them with our configuration and the default settings."""
    state = tmp_path_factory.mktemp("state")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VESTIBULE_")}
    counters = state / "counters"
    counters.mkdir(mode=0o700)
    environ = kept | {"VESTIBULE_STATE_DIR": str(state), "PROMETHEUS_MULTIPROC_DIR": str(counters)}
    command = [str(Path(sys.executable).with_name("gunicorn")), "--print-config", "--config", "deploy/gunicorn.conf.py"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    return dict(re.findall(r"^(\w+)\s+= (.*)$", done.stdout, re.MULTILINE))


def test_no_request_meets_a_connection_that_gunicorn_closes(gunicorn: dict[str, str]) -> None:
    """nginx gives up an idle connection to gunicorn well before gunicorn does, a worker that ends included."""
    (kept,) = re.findall(r"keepalive_timeout (\d+)s;", read("service/edge/nginx.py"))
    lingers: float = gthread.STOP_KEEPALIVE_LINGER  # type: ignore[attr-defined] # the stubs lack it

    assert int(kept) * 2 <= min(lingers, Server().drain, int(gunicorn["keepalive"]))


def test_a_head_that_nginx_takes_gunicorn_takes(gunicorn: dict[str, str]) -> None:
    """The whole head at nginx is smaller than a request line, a field, and the number of fields of it at gunicorn."""
    number, buffer = nginx("large_client_header_buffers").split()
    sent = len(re.findall(r"proxy_set_header", "\n".join(lines("nginx.conf"))))

    assert int(number) == 1
    assert size(buffer) < int(gunicorn["limit_request_line"])
    assert size(buffer) + 1024 < int(gunicorn["limit_request_field_size"])
    assert size(buffer) + size(nginx("client_header_buffer_size")) < 10_000
    assert sent + 2 < int(gunicorn["limit_request_fields"])


def test_a_head_that_nginx_takes_for_an_app_the_door_takes(gunicorn: dict[str, str]) -> None:
    """All of it in one header is smaller than a field at gunicorn: else any client could make the door fail (503)."""
    ((number, buffer),) = re.findall(r"large_client_header_buffers (\d+) (\d+k);", read("service/edge/app.conf"))

    whole = int(number) * size(buffer) + size(nginx("client_header_buffer_size"))
    assert whole + 1024 < int(gunicorn["limit_request_field_size"])


def test_a_form_is_as_large_at_nginx_as_in_the_service() -> None:
    """nginx refuses what the service would refuse, and keeps the rest in memory."""
    assert size(nginx("client_max_body_size")) == MAXIMUM_BODY_BYTES
    assert size(nginx("client_body_buffer_size")) > MAXIMUM_BODY_BYTES


def test_slow_clients_have_ten_seconds() -> None:
    """Ten seconds for a head, ten for each piece of a body, ten for each piece of an answer."""
    assert {seconds(nginx(f"{what}_timeout")) for what in ("client_header", "client_body", "send")} == {10}


def test_ends_are_long_enough_for_one_another(gunicorn: dict[str, str]) -> None:
    """A process that stops another one waits for longer than that one takes to finish."""
    graceful, stop = int(gunicorn["graceful_timeout"]), _constant("deploy/supervisor.py", "STOP_SECONDS")
    compose = load("deploy/compose/compose.yaml")["services"]["service"]["stop_grace_period"]

    assert seconds(nginx("worker_shutdown_timeout")) < graceful < stop < seconds(compose)
    assert Server().drain + graceful < seconds(compose)
    assert seconds(nginx("proxy_read_timeout")) >= int(gunicorn["timeout"])


def test_gunicorn_trusts_no_header(gunicorn: dict[str, str]) -> None:
    """No header makes a scheme, a script name or an address; no second socket takes commands (HD-11, OB-11)."""
    names = ("forwarded_allow_ips", "secure_scheme_headers", "header_map")

    assert [gunicorn[name] for name in names] == ["[]", "{}", "drop"]
    assert not {"SCRIPT_NAME", "PATH_INFO", "X_FORWARDED_FOR"} & set(ast.literal_eval(gunicorn["forwarder_headers"]))
    assert gunicorn["control_socket_disable"] == "True"
    assert gunicorn["http_parser"] == "python"
    assert gunicorn["proxy_protocol"] in {"False", "off"}
    assert gunicorn["umask"] == str(0o117)


def test_gunicorn_is_started_as_the_design_says(gunicorn: dict[str, str]) -> None:
    """Threads in preloaded workers, on a unix socket alone, with no log of its own requests."""
    assert issubclass(load_class(gunicorn["worker_class"]), gthread.ThreadWorker)
    assert gunicorn["preload_app"] == "True"
    assert gunicorn["accesslog"] == "None"
    assert re.fullmatch(r"\['unix:[^']+'\]", gunicorn["bind"])


def test_nginx_forwards_the_methods_that_the_service_knows() -> None:
    """nginx refuses the methods that have no meaning for the service, and no others."""
    (listed,) = re.findall(r'"~\^\(\?<known_method>([A-Z|]+)\) " \$known_method;', read("nginx.conf"))

    assert set(listed.split("|")) == KNOWN_METHODS - {"TRACE", "CONNECT"}


def test_nginx_knows_the_ops_paths() -> None:
    """The paths that nginx keeps from the public are those that the service has."""
    listed = re.findall(r"location ~ \^/\(\?:([a-z|]+)\)", read("nginx.conf"))

    assert len(listed) == 2
    assert {frozenset(f"/{name}" for name in names.split("|")) for names in listed} == {OPS_PATHS}


def test_every_error_page_is_made() -> None:
    """For every status that nginx answers itself there is a page and a JSON body."""
    from service.services import Brand
    from service.web.look.assets import nginx_files

    named = set(re.findall(r"/errors/(\d+)\.\$error_form", read("nginx.conf")))
    made = set(nginx_files(Brand("Name", "#0f5f6b")))

    assert {f"errors/{status}.{form}" for status in named for form in ("html", "json")} <= made


def test_headers_stand_in_one_place() -> None:
    """A location with an add_header of its own would lose all the others, so all stand at the http level."""
    indented = [line for line in lines("nginx.conf") if "add_header" in line]

    assert len(indented) == 12
    assert {len(line) - len(line.lstrip()) for line in indented} == {4}
    assert all(line.split("#")[0].rstrip().endswith("always;") for line in indented)


def test_nginx_conf_keeps_away_from_what_bites() -> None:
    """No cookie is read by name, nothing is rewritten, and an `if` does nothing but return."""
    text = "\n".join(lines("nginx.conf"))

    assert "$cookie_" not in text
    assert "rewrite" not in text
    assert "$http_authorization" not in text
    assert "proxy_add_x_forwarded_for" not in text
    assert re.findall(r"\bif \(", text) == re.findall(r"\bif \((?=[^)]*\)?[^{]*\{ return \d+; \})", text)


def _constant(path: str, name: str) -> int:
    """Return an annotated constant of a file that is not imported."""
    for node in ast.parse((Path(ROOT) / path).read_text()).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name and node.value is not None:
            return int(ast.literal_eval(node.value))
    raise AssertionError(f"{name} is not in {path}")
