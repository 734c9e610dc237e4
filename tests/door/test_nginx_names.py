"""Apps by their names: upstreams that DNS knows while nginx runs, apps on hosts of their own, TLS and plain http."""

import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.door.conftest import EVERYONE
from tests.door.guarded import Guarded, guarded
from tests.rig import certificate, tls_files
from tests.rig.asking import answers, ask, free_port, received, send
from tests.rig.dns import dns

LOGIN, WIKI, BOARD = "login.example.org", "wiki.example.org", "board.example.org"


def asking(port: int) -> object:
    """Return what has nginx ask a DNS server at a port of its own (the setting knows port 53 alone)."""

    def edit(nginx_dir: Path) -> None:
        conf = nginx_dir / "door.conf"
        conf.write_text(re.sub("resolver 127.0.0.1 valid=10s", f"resolver 127.0.0.1:{port} valid=1s", conf.read_text()))

    return edit


def test_of_thirty_apps_one_without_dns_is_502_alone() -> None:
    """nginx starts although a name is unknown; that app is 502 and the others work, and it works once DNS knows it."""
    names = [f"app-{number}" for number in range(30)]
    apps = {name: f'upstream = "http://{name}.internal:ECHO_PORT"\n{EVERYONE}' for name in names}
    known = {f"{name}.internal" for name in names[1:]}
    with dns(known) as port, guarded(apps, people=(), edit=asking(port), DOOR__RESOLVER="127.0.0.1") as it:  # type: ignore[arg-type]
        found = [it.ask(name, "/x?a=%2F").status for name in names]
        told = it.ask("app-1", "/x?a=%2F").json
        known.add("app-0.internal")
        it.servers.wait_until(lambda: it.ask("app-0", "/x").status == 200, "nginx asks again")

    assert found == [502] + [200] * 29
    assert (told["path"], ["Host", f"localhost:{it.ports['app-1']}"] in told["headers"]) == ("/x?a=%2F", True)


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Guarded, int, int]]:
    """The login and two apps on hosts of their own, by TLS at one port; the other port leads there from plain http."""
    secure, plain = free_port(), free_port()
    folder = tmp_path_factory.mktemp("certificates")
    folder.chmod(0o755)
    folder.parent.chmod(0o755)
    shared, own = folder / "shared", folder / "own"
    for each in (shared, own):
        each.mkdir()
    login = certificate.make(shared, LOGIN)
    wiki, key = certificate.make(own, WIKI)
    apps = {
        "wiki": f'address = "https://{WIKI}"\ncertificate = "{wiki}"\ncertificate_key = "{key}"\n{EVERYONE}',
        "board": f'address = "https://{BOARD}"\n{EVERYONE}',
    }
    chosen = {"PUBLIC_URL": f"https://{LOGIN}", "SESSIONS__COOKIE_DOMAIN": "example.org"}

    def edit(nginx_dir: Path) -> None:
        tls_files.install(nginx_dir, *login, port=secure, plain=plain)

    with guarded(apps, people=(), edit=edit, **chosen) as it:
        yield it, secure, plain


def over_tls(port: int, host: str, *, protocol: str = "http/1.1", sni: str = "") -> tuple[bytes, str, str]:
    """Ask for a page; return the answer, the name in the certificate, and the protocol that was agreed on."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as connection,
        context.wrap_socket(connection, server_hostname=sni or host) as secured,
    ):
        name = re.search(rb"[a-z]+\.example\.org", secured.getpeercert(binary_form=True) or b"")
        if protocol == "http/1.1":
            secured.sendall(f"GET /x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        said = received(secured) if protocol == "http/1.1" else b""
        return said, name[0].decode() if name else "", secured.selected_alpn_protocol() or ""


@pytest.mark.parametrize(("host", "shown"), [(WIKI, WIKI), (BOARD, LOGIN)])
def test_an_app_has_a_name_and_a_certificate(hosts: tuple[Guarded, int, int], host: str, shown: str) -> None:
    """Its own where its file names one, else that of the login; the app is told its own address."""
    _, secure, _ = hosts
    said, name, _ = over_tls(secure, host)

    assert (answers(said), name) == ([200], shown)
    for line in (b'["Host", "%b"]', b'["X-Forwarded-Host", "%b"]'):
        assert line % host.encode() in said
    assert b'["X-Forwarded-Proto", "https"], ["X-Forwarded-Host"' in said
    assert b'["X-Forwarded-Port", "443"]' in said


def test_an_unknown_name_is_the_logins(hosts: tuple[Guarded, int, int]) -> None:
    """The first server is the default one: an unknown host reaches no app, and is refused there."""
    it, secure, _ = hosts
    before = it.echo.seen()
    said, name, _ = over_tls(secure, "other.example.org")

    assert (answers(said), name, it.echo.seen()) == ([421], LOGIN, before)


@pytest.mark.parametrize("host", [LOGIN, WIKI])
def test_browsers_may_speak_http_2(hosts: tuple[Guarded, int, int], host: str) -> None:
    """For the login and for apps, at the same port."""
    assert over_tls(hosts[1], host, protocol="h2")[2] == "h2"


@pytest.mark.parametrize(
    ("host", "target"), [(WIKI, WIKI), (BOARD, BOARD), (WIKI.upper(), WIKI), (LOGIN, LOGIN), ("evil.test", LOGIN)]
)
def test_plain_http_leads_to_the_apps_own_https(hosts: tuple[Guarded, int, int], host: str, target: str) -> None:
    """To an address of the settings, whatever Host says, with path and query as they were (HD-17)."""
    _, _, plain = hosts
    said = send(plain, f"GET /a%2Fb?c=d HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())

    assert answers(said) == [303]
    assert f"\r\nLocation: https://{target}/a%2Fb?c=d\r\n".encode() in said


def test_a_name_without_a_resolver_is_502_alone() -> None:
    """Without any DNS server nginx starts, and the other apps work."""
    apps = {"named": f'upstream = "http://nowhere.internal:1"\n{EVERYONE}', "open": EVERYONE}

    def edit(nginx_dir: Path) -> None:
        conf = nginx_dir / "door.conf"
        conf.write_text(re.sub("resolver .*", "", conf.read_text()))

    with guarded(apps, people=(), edit=edit) as it:
        assert [ask(it.ports[name], "/x").status for name in apps] == [502, 200]
