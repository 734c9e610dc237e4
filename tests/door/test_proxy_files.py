"""What is printed for other proxies, by itself: valid for the proxy, and clean for its linter."""

import subprocess
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.access.apps import App
from service.access.identity_headers import IdentityHeaders
from service.access.public_address import PublicAddress
from service.edge import caddy, snippet, traefik
from tests.rig.asking import ask, free_port
from tests.rig.background import started
from tests.rig.certificate import make
from tests.rig.directories import give_away, server_directory
from tests.rig.echo_app import echo_app
from tests.rig.other_proxies import caddyfile, nginx_conf
from tests.rig.parts import need

DOOR = "127.0.0.1:9181"
INSIDE = "# Inside the server"
both = pytest.mark.parametrize("whole", [True, False])


@pytest.fixture
def apps(tmp_path: Path) -> list[App]:
    """One app as most are, and one with everything that may differ."""
    certificate, key = map(str, make(tmp_path, "git-2.example.org"))
    named = IdentityHeaders(user="X-WEBAUTH-USER", groups="X-Forwarded-Groups")
    wiki = App("wiki", PublicAddress("https", "wiki.example.org", 443), "http://127.0.0.1:3000", "Wiki", ())
    git = App(
        "2-git", PublicAddress("https", "git-2.example.org", 8443), "https://[::1]:3443", "Git", (), headers=named,
        app_passwords=True, certificate=certificate, certificate_key=key,
    )  # fmt: skip
    return [wiki, git]


def _runs(directory: Path, *command: str | Path) -> str:
    """Run a program that finds no fault; return what it says."""
    environ = {"HOME": str(directory), "PATH": "/usr/sbin:/usr/bin:/bin"}
    told = subprocess.run(command, cwd=directory, env=environ, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


@both
def test_caddy_takes_it(tmp_path: Path, apps: list[App], *, whole: bool) -> None:
    """`caddy validate` finds no fault in several apps of one file, and `caddy fmt` would change nothing."""
    printed = caddy.rendered(apps, DOOR, whole=whole)
    sites = (
        printed if whole else "".join(f":{8000 + number} {{\n{part}}}\n" for number, part in enumerate(_parts(printed)))
    )
    (tmp_path / "Caddyfile").write_text(caddyfile(sites))

    _runs(tmp_path, need("caddy"), "validate", "--adapter", "caddyfile", "--config", "Caddyfile")
    (tmp_path / "Caddyfile").write_text(printed)
    assert _runs(tmp_path, need("caddy"), "fmt", "Caddyfile") == printed


def _parts(printed: str) -> list[str]:
    return [f"# App {part}" for part in printed.split("# App ")[1:]]


@both
def test_nginx_takes_it(tmp_path: Path, apps: list[App], *, whole: bool) -> None:
    """`nginx -t` and gixy find no fault in several apps of one file."""
    printed = snippet.rendered(apps[1:] if whole else apps, DOOR, whole=whole)  # a whole site needs its certificate
    sites = printed if whole else "".join(map(_server, _parts(printed)))
    (tmp_path / "nginx.conf").write_text(nginx_conf(sites))

    _runs(tmp_path, need("nginx"), "-t", "-q", "-e", "stderr", "-p", f"{tmp_path}/", "-c", "nginx.conf")
    # The app's own Strict-Transport-Security passes; one of nginx's would be beside it. A variable with a scheme in it
    # (of an app by https) names an upstream, which needs no resolver.
    _runs(tmp_path, Path(sys.executable).with_name("gixy"), "--skips", "hsts_header,missing_resolver", "nginx.conf")


def _server(part: str) -> str:
    http, _, inside = part.partition(INSIDE)
    listening = f"listen 127.0.0.1:{9000 + len(http)};\nserver_name {len(inside)}.example.org;\n"
    return f"{http}server {{\n{listening}{INSIDE}{inside}}}\n"


@both
def test_traefik_s_file_has_the_right_form(apps: list[App], *, whole: bool) -> None:
    """Every name leads to something in the file, each app has its own, and only a whole one has routers of the app."""
    found: dict[str, Any] = yaml.safe_load(traefik.rendered(apps, DOOR, whole=whole))
    http = found["http"]

    chains = {name: made["chain"]["middlewares"] for name, made in http["middlewares"].items() if "chain" in made}
    assert [*chains] == ["vestibule-wiki", "vestibule-2-git"]
    assert {name for chain in chains.values() for name in chain} == http["middlewares"].keys() - chains.keys()
    asked = [made["forwardAuth"]["address"] for made in http["middlewares"].values() if "forwardAuth" in made]
    assert asked == [f"http://{DOOR}/auth/forward"] * 2
    assert (len(http["routers"]), len(http["services"]), "tls" in found) == ((4, 3, True) if whole else (2, 1, False))
    for name, router in http["routers"].items():
        asking = [name.removesuffix("-probe")]
        assert (router["middlewares"], router["service"] in http["services"], router["tls"]) == (asking, True, {})


def test_an_app_s_own_header_names_are_removed_and_given(apps: list[App]) -> None:
    """The names of the app's file, not the usual ones, are what each proxy takes over."""
    for module in (caddy, snippet, traefik):
        printed = module.rendered(apps[1:], DOOR, whole=False)
        assert "X-WEBAUTH-USER" in printed
        assert "X-Forwarded-Groups" in printed


def test_a_door_that_is_another_program_opens_nothing() -> None:
    """Caddy takes no 200 for a yes that names no credential: the client gets that answer, and the app no request."""
    port = free_port()
    with echo_app() as other, echo_app() as behind, server_directory("caddy") as directory:
        address = PublicAddress("http", "localhost", port)
        sites = caddy.rendered(
            [App("wiki", address, behind.upstream, "Wiki", ())], f"127.0.0.1:{other.port}", whole=True
        )
        (directory / "Caddyfile").write_text(caddyfile(sites))
        give_away(directory)
        command = ("env", f"HOME={directory}", need("caddy"), "run", "--adapter", "caddyfile", "--config", "Caddyfile")
        with started(directory, *command, answers=lambda: ask(port, "/wiki").status == HTTPStatus.OK):
            assert ask(port, "/wiki").json["path"] == "/auth/forward"

        assert behind.seen() == 0
