"""Proxies that are not ours, each before an app of its own, and the real service behind the listener `door.listen`.

    with behind_other_proxies() as house, house.started("caddy"):
        house.ask("caddy", "/", house.signed_in)

The apps are `caddy`, `traefik` and `nginx`, at localhost with a port each; their rules are RULES.
"""

import contextlib
import http.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from tests.rig.answer import Answer
from tests.rig.asking import PATIENCE_SECONDS, ask, free_port
from tests.rig.background import started
from tests.rig.directories import give_away, server_directory
from tests.rig.echo_app import EchoApp, echo_app
from tests.rig.parts import need
from tests.rig.passwords import PASSWORD
from tests.rig.servers import Servers, prepared

PROXIES: Final = ("caddy", "traefik", "nginx")
RULES: Final = """
[[rules]]
path = "/admin"
groups = ["ops"]
[[rules]]
path = "/office"
networks = ["127.0.0.3/32"]
allow = "signed-in"
[[rules]]
path = "/public"
allow = "everyone"
[[rules]]
allow = "signed-in"
"""
Line = tuple[str, str]


@dataclass(frozen=True)
class House:
    """The servers, an app behind all three proxies, and alice's session."""

    servers: Servers
    app: EchoApp
    ports: dict[str, int]
    door: int
    directory: Path
    signed_in: Line

    @contextlib.contextmanager
    def started(self, proxy: str) -> Iterator[None]:
        """Start a proxy with the whole site that the command prints. One that is missing skips the test."""
        with _START[proxy](self.directory, self.ports[proxy], self.rendered(proxy, "--full")):
            yield

    def rendered(self, proxy: str, *options: str) -> str:
        """Return what the command prints for this proxy's app."""
        told = self.servers.vestibule("proxy", "render", proxy, "--app", proxy, *options)
        assert told.returncode == 0, told.stderr
        return told.stdout

    def ask(
        self, proxy: str, target: str, *lines: Line, method: str = "GET", body: bytes | None = None, source: str = ""
    ) -> Answer:
        """Send one request to a proxy, as the lines say and no others, but for Host and Content-Length."""
        return request(self.ports[proxy], target, *lines, method=method, body=body, source=source)


def request(
    port: int, target: str, *lines: Line, method: str = "GET", body: bytes | None = None, source: str = ""
) -> Answer:
    """Send one request from an address of this machine."""
    own = (source or "127.0.0.1", 0)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS, source_address=own)
    with contextlib.closing(connection):
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in (("Host", f"localhost:{port}"), *lines):
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return Answer(response.status, tuple((k.lower(), v) for k, v in response.getheaders()), response.read())


@contextlib.contextmanager
def behind_other_proxies() -> Iterator[House]:
    """Start the service and the apps, with alice signed in, who is in the group staff."""
    with contextlib.ExitStack() as stack:
        app, ports, door = stack.enter_context(echo_app()), {name: free_port() for name in PROXIES}, free_port()
        directory = stack.enter_context(server_directory("proxies"))
        (directory / "apps.d").mkdir()
        for name, port in ports.items():
            head = f'address = "http://localhost:{port}"\nupstream = "{app.upstream}"\n'
            (directory / "apps.d" / f"{name}.toml").write_text(head + RULES)
        give_away(directory)
        service = prepared(
            edit_nginx=_left_to_others,
            ACCESS__APPS_DIR=str(directory / "apps.d"),
            DOOR__LISTEN=f"127.0.0.1:{door}",
            TRUSTED_PROXIES="127.0.0.1/32",
        )
        servers = stack.enter_context(service)
        servers.start()
        yield House(servers, app, ports, door, directory, _signed_in(servers))


def _left_to_others(nginx_conf: str) -> str:
    """Return nginx.conf without the apps, whose ports the other proxies take."""
    return nginx_conf.replace("include apps/*.conf;", "")


def _signed_in(servers: Servers) -> Line:
    added = servers.vestibule(
        "account", "add", "alice", "--name", "Alice Example", "--email", "alice@example.org", "--group", "staff",
        "--password-stdin", typed=f"{PASSWORD}\n",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    form = urlencode({"username": "alice", "password": PASSWORD}).encode()
    answer = servers.get("/", method="POST", body=form, Content_Type="application/x-www-form-urlencoded")
    return "Cookie", answer.all("set-cookie")[0].partition(";")[0]


def nginx_conf(sites: str) -> str:
    """Return a small configuration of an nginx, with what it needs to run as any user."""
    temporary = "".join(f"{kind}_temp_path {kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"pid nginx.pid; events {{ }} http {{ access_log off; server_tokens off; {temporary}\n{sites}}}\n"


def caddyfile(sites: str) -> str:
    """Return a Caddyfile that opens no other ports than those of its sites."""
    return f"{{\n\tadmin off\n\tauto_https off\n}}\n\n{sites}"


def _answers(port: int) -> Callable[[], bool]:
    return lambda: ask(port, "/public").status == 200


@contextlib.contextmanager
def _caddy(directory: Path, port: int, sites: str) -> Iterator[None]:
    file = _written(directory / "Caddyfile", caddyfile(sites))
    places = (f"HOME={directory}", f"XDG_DATA_HOME={directory}", f"XDG_CONFIG_HOME={directory}")
    command = ("env", *places, need("caddy"), "run", "--adapter", "caddyfile", "--config", file)
    with started(directory, *command, answers=_answers(port)):
        yield


@contextlib.contextmanager
def _traefik(directory: Path, port: int, sites: str) -> Iterator[None]:
    file = _written(directory / "sites.yml", sites)
    options = (f"--entryPoints.web.address=127.0.0.1:{port}", f"--providers.file.filename={file}")
    quiet = ("--global.checkNewVersion=false", "--global.sendAnonymousUsage=false")
    with started(directory, need("traefik"), *options, *quiet, answers=_answers(port)):
        yield


@contextlib.contextmanager
def _nginx(directory: Path, port: int, sites: str) -> Iterator[None]:
    _written(directory / "nginx.conf", nginx_conf(sites))
    command = (need("nginx"), "-e", "stderr", "-p", f"{directory}/", "-c", "nginx.conf", "-g", "daemon off;")
    with started(directory, *command, answers=_answers(port)):
        yield


_START: Final = {"caddy": _caddy, "traefik": _traefik, "nginx": _nginx}


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    give_away(path.parent)
    return path
