"""The files of apps: nginx and gixy find no fault in them, whatever an app's file may say."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from service.access.apps import App
from service.access.identity_headers import IdentityHeaders
from service.access.judged_set import JudgedSet
from service.access.public_address import PublicAddress
from service.access.rules import Allow, Rule
from service.edge import nginx, nginx_apps, ram_disk, snippet
from service.settings import load
from tests.rig import certificate
from tests.rig.parts import need

RULES = tuple(
    Rule(number=number, path=path, allow=Allow.SIGNED_IN)
    for number, path in enumerate(
        ["/", "/Admin", "/a b", "/é", "/x$y", '/q"q', "/a'b", "/{x}", "/(a+b)*", "/ſ.", "/a" * 100]
    )
)
HOSTS = ("wiki.example.org", f"{'a' * 63}.{'b' * 63}.example.org")
# An app's answers get no header of the login's, not even HSTS; the login's server is the default one, as the first; and
# a probe of the doctor's tells which Host arrived.
SKIPPED = "add_header_redefinition,hsts_header,default_server_flag,host_spoofing"


def app(name: str, address: str, **facts: object) -> App:
    scheme, _, rest = address.partition("://")
    host, _, port = rest.partition(":")
    at = PublicAddress(scheme, host, int(port or 443))
    known = {"name": name, "address": at, "upstream": "http://127.0.0.1:3000", "title": name, "rules": RULES}
    return App(**(known | facts))  # type: ignore[arg-type]


def written(directory: Path, apps: list[App], **settings: str) -> Mapping[str, str]:
    """Write nginx's files and return their texts."""
    chosen = {
        "STATE_DIR": str(directory),
        "PUBLIC_URL": "https://login.example.org",
        "SERVER__LISTEN": "127.0.0.1:18080",
    }
    chosen |= {"OPS_LISTEN": "127.0.0.1:18081", "SESSIONS__COOKIE_DOMAIN": "example.org", **settings}
    files = nginx.rendered(
        load({f"VESTIBULE_{name}": value for name, value in chosen.items()}),
        directory=directory,
        site={},
        apps=JudgedSet(apps),
    )
    for name, content in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content)
    return {name: content.decode() for name, content in files.items()}


def test_nginx_and_gixy_take_the_files_of_every_kind_of_app(tmp_path: Path) -> None:
    """Names of any length, paths with any character, upstreams of every kind, own certificates, other proxies."""
    tmp_path = tmp_path / "a directory"
    tmp_path.mkdir()
    shown, key = certificate.make(tmp_path, HOSTS[0])
    own = {"certificate": str(shown), "certificate_key": str(key)}
    apps = [
        app("wiki", f"https://{HOSTS[0]}", app_passwords=True, headers=IdentityHeaders(user="X-WEBAUTH-USER"), **own),
        app("a" * 64, f"https://{HOSTS[1]}", upstream="https://grafana.internal:8443"),
        app("at-the-login", "https://login.example.org:18443", upstream="http://localhost:3000", **own),
        app("six", "https://six.example.org", upstream="https://[::1]:8443"),
    ]
    proxies = {"DOOR__LISTEN": "127.0.0.1:18082", "TRUSTED_PROXIES": "10.0.0.0/8 2001:db8::/32"}
    written(tmp_path, apps, DOOR__RESOLVER="127.0.0.53 2001:db8::53", **proxies)
    command: list[str | Path] = [need("nginx"), "-t", "-q", "-e", "stderr", "-p", f"{tmp_path}/", "-c", "nginx.conf"]
    gixy: list[str | Path] = [sys.executable, "-m", "gixy", "--skips", SKIPPED, tmp_path / "nginx.conf"]

    tested = subprocess.run(command, capture_output=True, text=True, check=False)
    checked = subprocess.run(gixy, capture_output=True, text=True, check=False)

    said = [line for line in tested.stderr.splitlines() if '"listen ... http2" directive is deprecated' not in line]
    assert (tested.returncode, said) == (0, [])  # nginx 1.22 has no other way to write it
    assert checked.returncode == 0, checked.stdout


def test_an_app_where_nginx_listens_already_is_refused(tmp_path: Path) -> None:
    """On the login's own host nothing but the port tells an app apart."""
    for port in (18080, 18081):
        with pytest.raises(ValueError, match=f"app wiki has the port {port}, where nginx listens already"):
            written(tmp_path, [app("wiki", f"https://login.example.org:{port}")])


def test_two_apps_of_one_host_are_refused(tmp_path: Path) -> None:
    """Ports tell them apart on the login's own host alone; elsewhere nginx would serve the first one at both."""
    with pytest.raises(ValueError, match=r"apps a and b have the host wiki\.example\.org, by which alone nginx tells"):
        written(tmp_path, [app("a", "https://wiki.example.org"), app("b", "https://wiki.example.org:8443")])

    written(tmp_path, [app(name, f"https://login.example.org:{port}") for name, port in (("a", 18443), ("b", 18444))])


def test_an_app_on_the_logins_host_listens_as_the_login_does(tmp_path: Path) -> None:
    """By TLS for all where nginx serves it, else plainly, for the proxy in front that ends TLS."""
    here = [app("here", "https://login.example.org:18443")]
    plain = written(tmp_path, here)["apps/here.conf"]
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls/server-tls.conf").touch()

    assert "\n    listen 127.0.0.1:18443;\n" in plain
    assert "\n    listen [::]:18443 ssl http2;\n" in written(tmp_path, here)["apps/here.conf"]


def test_several_instances_are_asked_in_turn(tmp_path: Path) -> None:
    """`server.instances` names all sockets, and nginx gives none of them up; without it there is the service's own."""
    several = written(tmp_path, [], SERVER__INSTANCES="/run/a/one.sock, /run/a/two.sock")["upstream.conf"]
    alone = written(tmp_path, [])["upstream.conf"]

    assert re.findall("^    server (.+);", several, re.MULTILINE) == [
        f'"unix:/run/a/{name}.sock" max_fails=0' for name in ("one", "two")
    ]
    assert re.findall("^    server (.+);", alone, re.MULTILINE) == [f'"unix:{tmp_path}/run/gunicorn.sock" max_fails=0']


def test_names_of_upstreams_are_asked_of_the_systems_servers() -> None:
    """Comments and servers by way of an interface are left out."""
    found = nginx_apps.resolvers_of(
        "# nameserver 1.1.1.1\nnameserver 127.0.0.53 \nnameserver ::1\nnameserver fe80::1%eth0\n"
    )

    assert found == ["127.0.0.53", "[::1]"]


def test_without_apps_nothing_is_remembered(tmp_path: Path) -> None:
    """No zone, no directory, and no process of nginx's that looks after it; nor with a life of 0."""
    assert "proxy_cache" not in written(tmp_path, [])["door.conf"]
    files = written(tmp_path, [app("wiki", "https://wiki.example.org")], DOOR__CACHE_SECONDS="0")

    assert "proxy_cache_path" not in files["door.conf"]
    assert "proxy_cache door" not in files["apps/wiki.conf"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/run/edge", "tmpfs"), ("/run/edge/x", "tmpfs"), ("/run/edges", "ext4"), ("/a b/c", "tmpfs"), ("/", "ext4")],
)
def test_what_a_directory_lies_on(path: str, kind: str) -> None:
    """The nearest mount point above it counts, and of several at one place the last."""
    mounts = (
        "21 1 8:1 / / rw - ext4 /dev/sda rw\n22 21 0:5 / /run/edge rw shared:1 - ext4 /dev/sdb rw\n"
        "23 21 0:6 / /run/edge rw shared:1 - tmpfs tmpfs rw\n24 21 0:7 / /a\\040b rw - tmpfs tmpfs rw\n"
    )

    assert ram_disk.kind_of(Path(path), mounts) == kind


@pytest.mark.parametrize(
    ("directory", "words"),
    [("{0}/cache", "not on a RAM disk"), ("/dev/shm/cache", "every user")],  # noqa: S108 - it is refused
)
def test_a_directory_that_others_can_read_is_refused(tmp_path: Path, directory: str, words: str) -> None:
    """nginx writes tokens there: not on a disk, and not where another user could have made the directory."""
    chosen = {"DOOR__CACHE_DIR": directory.format(tmp_path)}

    with pytest.raises(ValueError, match=rf"door\.cache_dir .*{words}"):
        written(tmp_path, [app("wiki", "https://wiki.example.org")], **chosen)


def test_no_app_takes_a_name_of_the_doors(tmp_path: Path) -> None:
    """Whatever its name is: each name that a map or an upstream defines is there once, also in other nginx's files."""
    words = ("door", "app", "path", "group", "upstream", "upgrade", "connection", "authorization", "scheme", "cookie")
    apps = [
        app(name, f"https://{name}.example.org", app_passwords=True)
        for name in ("wiki", "wiki-app", "wiki-upgrade", *words)
    ]
    own = "\n".join(text for name, text in written(tmp_path, apps).items() if name.endswith(".conf"))
    for text in (own, snippet.rendered(apps, "127.0.0.1:18082", whole=True)):
        maps = re.findall(r"^ *(?:map|geo) .* (\$\w+) \{", text, re.MULTILINE)
        upstreams = re.findall(r"^ *upstream (\S+) \{", text, re.MULTILINE)

        for names in (maps, upstreams):
            assert len(set(names)) == len(names) > len(apps)
