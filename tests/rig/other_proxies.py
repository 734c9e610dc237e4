"""Proxies that are not ours, each before an app of its own, and the real service behind the listener `door.listen`.

    with behind_other_proxies() as house, house.started("caddy"):
        house.ask("caddy", "/", house.signed_in)

The app of each is at https://caddy.example.org and the like, with a port; the rules of all are RULES.
"""

import contextlib
import http.client
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from service.login.new_account import Details
from tests.rig import accounts, web_socket
from tests.rig.answer import Answer
from tests.rig.asking import PATIENCE_SECONDS, free_port
from tests.rig.background import started
from tests.rig.certificate import make
from tests.rig.directories import give_away, server_directory
from tests.rig.echo_app import EchoApp, echo_app
from tests.rig.parts import need
from tests.rig.passwords import PASSWORD
from tests.rig.servers import Servers, prepared

DOMAIN: Final = "example.org"
LOGIN: Final = f"login.{DOMAIN}"
BEHIND: Final = "behind"  # a second port of Traefik's, where it believes another proxy
PROXIES: Final = ("caddy", "traefik", "nginx")
RULES: Final = """
app_passwords = true
[headers]
email = "X-WEBAUTH-EMAIL"
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
IDENTITY: Final = {  # of alice, as the apps name it
    "remote-user": "alice",
    "remote-name": "Alice Example",
    "x-webauth-email": "alice@example.org",
    "remote-groups": "staff",
}
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

    def netloc(self, proxy: str) -> str:
        """Return the host and port of a proxy's app."""
        return f"{proxy}.{DOMAIN}:{self.ports[proxy]}"

    def ask(
        self, proxy: str, target: str, *lines: Line, method: str = "GET", body: bytes | None = None, source: str = ""
    ) -> Answer:
        """Send one request to a proxy, as the lines say and no others, but for Host and Content-Length."""
        headers, tls = [("Host", self.netloc(proxy)), *lines], f"{proxy}.{DOMAIN}"
        return request(self.ports[proxy], target, *headers, method=method, body=body, source=source, tls=tls)

    def web_socket(self, proxy: str, *lines: Line) -> contextlib.AbstractContextManager[web_socket.Messages]:
        """Open a web socket through a proxy."""

        def wrapped(plain: socket.socket) -> socket.socket:
            return any_certificate().wrap_socket(plain, server_hostname=f"{proxy}.{DOMAIN}")

        return web_socket.connected(self.ports[proxy], "/live", {"Host": self.netloc(proxy), **dict(lines)}, wrapped)

    @contextlib.contextmanager
    def started(self, proxy: str) -> Iterator[None]:
        """Start a proxy with the whole site that the command prints. One that is missing skips the test."""
        with _START[proxy](self, self.rendered(proxy, "--full")):
            yield

    def rendered(self, proxy: str, *options: str) -> str:
        """Return what the command prints for this proxy's app."""
        told = self.servers.vestibule("proxy", "render", proxy, "--app", proxy, *options)
        assert told.returncode == 0, told.stderr
        return told.stdout


def any_certificate() -> ssl.SSLContext:
    """Return a client that trusts every server: here the tests made them all."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def request(
    port: int,
    target: str,
    *lines: Line,
    method: str = "GET",
    body: bytes | None = None,
    source: str = "",
    tls: str = "",
) -> Answer:
    """Send one request from an address of this machine, with TLS to the host `tls`."""
    plain = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS, (source or "127.0.0.1", 0))
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        connection.sock = any_certificate().wrap_socket(plain, server_hostname=tls) if tls else plain
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in lines:
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
        app, door = stack.enter_context(echo_app()), free_port()
        ports = {name: free_port() for name in (*PROXIES, BEHIND)}
        directory = stack.enter_context(server_directory("proxies"))
        (directory / "apps.d").mkdir()
        certificate, key = make(directory, f"*.{DOMAIN}")
        tls = f'certificate = "{certificate}"\ncertificate_key = "{key}"\n'
        for name in PROXIES:
            head = f'address = "https://{name}.{DOMAIN}:{ports[name]}"\nupstream = "{app.upstream}"\n'
            (directory / "apps.d" / f"{name}.toml").write_text(head + tls + RULES)
        give_away(directory)
        service = prepared(
            PUBLIC_URL=f"https://{LOGIN}",
            SESSIONS__COOKIE_DOMAIN=DOMAIN,
            ACCESS__APPS_DIR=str(directory / "apps.d"),
            DOOR__LISTEN=f"127.0.0.1:{door}",
            TRUSTED_PROXIES="127.0.0.1/32",
        )
        servers = stack.enter_context(service)
        alice: Details = {"display_name": "Alice Example", "email": "alice@example.org", "groups": ("staff",)}
        accounts.add(servers, {"alice": alice})
        servers.start()
        yield House(servers, app, ports, door, directory, _signed_in(servers))


def _signed_in(servers: Servers) -> Line:
    form = urlencode({"username": "alice", "password": PASSWORD}).encode()
    sent = ("Content-Type", "application/x-www-form-urlencoded")
    answer = request(servers.port, "/", ("Host", LOGIN), sent, method="POST", body=form)
    return "Cookie", answer.all("set-cookie")[0].partition(";")[0]


def reached(answer: Answer) -> dict[str, str]:
    """Return the headers that reached the app, by their lower-case names; one that came twice fails."""
    assert answer.status == 200, answer.text
    headers = [(name.lower(), value) for name, value in answer.json["headers"]]
    assert len(dict(headers)) == len(headers), headers
    return dict(headers)


def nginx_conf(sites: str) -> str:
    """Return a small configuration of an nginx, with what it needs to run as any user."""
    temporary = "".join(f"{kind}_temp_path {kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    lenient = "underscores_in_headers on; ignore_invalid_headers off;"  # the site says otherwise
    return f"pid nginx.pid; events {{ }} http {{ access_log off; server_tokens off; {lenient} {temporary}\n{sites}}}\n"


def caddyfile(sites: str) -> str:
    """Return a Caddyfile that opens no other ports than those of its sites."""
    return f"{{\n\tadmin off\n\tauto_https off\n}}\n\n{sites}"


def _answers(house: House, proxy: str) -> Callable[[], bool]:
    return lambda: house.ask(proxy, "/public").status == HTTPStatus.OK


@contextlib.contextmanager
def _caddy(house: House, sites: str) -> Iterator[None]:
    file = _written(house.directory / "Caddyfile", caddyfile(sites))
    places = (f"HOME={house.directory}", f"XDG_DATA_HOME={house.directory}", f"XDG_CONFIG_HOME={house.directory}")
    command = ("env", *places, need("caddy"), "run", "--adapter", "caddyfile", "--config", file)
    with started(house.directory, *command, answers=_answers(house, "caddy")):
        yield


@contextlib.contextmanager
def _traefik(house: House, sites: str) -> Iterator[None]:
    file = _written(house.directory / "sites.yml", sites)
    options = (
        f"--providers.file.filename={file}",
        f"--entryPoints.web.address=127.0.0.1:{house.ports['traefik']}",
        f"--entryPoints.behind.address=127.0.0.1:{house.ports[BEHIND]}",  # where another proxy is believed
        "--entryPoints.behind.forwardedHeaders.trustedIPs=127.0.0.0/8",
    )
    quiet = ("--global.checkNewVersion=false", "--global.sendAnonymousUsage=false")
    with started(house.directory, need("traefik"), *options, *quiet, answers=_answers(house, "traefik")):
        yield


@contextlib.contextmanager
def _nginx(house: House, sites: str) -> Iterator[None]:
    _written(house.directory / "nginx.conf", nginx_conf(sites))
    command = (need("nginx"), "-e", "stderr", "-p", f"{house.directory}/", "-c", "nginx.conf", "-g", "daemon off;")
    with started(house.directory, *command, answers=_answers(house, "nginx")):
        yield


_START: Final = {"caddy": _caddy, "traefik": _traefik, "nginx": _nginx}


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    give_away(path.parent)
    return path
