"""A whole chain over TLS: nginx with the login and one app, the service, an echo app; and doctor in front of it.

with chain() as it:
    with it.nginx({"apps/wiki.conf": [("internal;", "")]}):
        exit_code, findings = it.doctor(WIKI)
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.doctor.asking import Findings, doctor
from tests.rig import certificate
from tests.rig.asking import free_port
from tests.rig.directories import give_away, server_directory
from tests.rig.echo_app import EchoApp, echo_app
from tests.rig.parts import ROOT, need
from tests.rig.servers import Servers, prepared

LOGIN, WIKI = "https://login.example.org", "https://wiki.example.org"
Edits = Mapping[str, Sequence[tuple[str, str]]]
_APP: Final = """address = "https://wiki.example.org"
upstream = "{upstream}"
[[rules]]
allow = "signed-in"
"""


@dataclass
class Chain:
    """The servers, the app, and the ports of nginx: with TLS, and without."""

    servers: Servers
    app: EchoApp
    secure: int
    plain: int
    certificates: Path

    def doctor(self, url: str, *, port: int | None = None, **environ: str) -> tuple[int, Findings]:
        """Run doctor as outside of this machine, where both names lead to nginx, or to another port."""
        places = [f"{each[8:]}:443:127.0.0.1:{port or self.secure}" for each in (LOGIN, WIKI)]
        places += [f"{each[8:]}:80:127.0.0.1:{self.plain}" for each in (LOGIN, WIKI)]
        options = [word for place in places for word in ("--resolve", place)]
        options += ["--ca-file", str(self.certificates / "certificate.pem")]
        return doctor(self.servers.environ | environ, url, *options)

    @contextmanager
    def nginx(self, edits: Edits) -> Iterator[None]:
        """Run nginx with its files edited: each expression is replaced, everywhere in its file."""
        directory = self.servers.nginx_dir
        before = {name: (directory / name).read_text() for name in edits}
        try:
            for name, pairs in edits.items():
                text = before[name]
                for pattern, new in pairs:
                    text, found = re.subn(pattern, new, text, flags=re.DOTALL)
                    assert found, f"{pattern} is not in {name}"
                (directory / name).write_text(text.replace("SECURE", str(self.secure)))
            self.servers.start_nginx()
            self.servers.wait_until(lambda: self.servers.ops("/edge/healthz").status == 200, "nginx answers")
            yield
        finally:
            self.servers.end("nginx")
            for name, text in before.items():
                (directory / name).write_text(text)

    @contextmanager
    def shown(self, host: str, *, days: int) -> Iterator[None]:
        """Have nginx show another certificate."""
        shown, key = self.certificates / "certificate.pem", self.certificates / "key.pem"
        request: list[str | Path] = [need("openssl"), "req", "-new", "-key", key, "-subj", f"/CN={host}"]
        request += ["-addext", f"subjectAltName=DNS:{host}"]
        sign: list[str | Path] = [
            need("openssl"),
            "x509",
            "-req",
            "-signkey",
            key,
            "-days",
            str(days),
            "-copy_extensions",
            "copy",
        ]
        before = shown.read_bytes()
        asked = subprocess.run(request, check=True, capture_output=True)
        shown.write_bytes(subprocess.run(sign, check=True, capture_output=True, input=asked.stdout).stdout)
        try:
            yield
        finally:
            shown.write_bytes(before)


@contextmanager
def chain() -> Iterator[Chain]:
    """Start gunicorn and the app, and write nginx's files; nginx itself is started by `Chain.nginx`."""
    with ExitStack() as stack:
        app = stack.enter_context(echo_app())
        directory = stack.enter_context(server_directory("apps", mode=0o755))
        (directory / "wiki.toml").write_text(_APP.format(upstream=app.upstream))
        where = str(directory)
        one_app = prepared(workers=1, PUBLIC_URL=LOGIN, SESSIONS__COOKIE_DOMAIN="example.org", ACCESS__APPS_DIR=where)
        servers = stack.enter_context(one_app)
        it = Chain(servers, app, free_port(), free_port(), directory)
        certificate.make(directory, "*.example.org")
        _configure_tls(it)
        servers.render()
        servers.start_gunicorn()
        with it.nginx({}):
            servers.wait_until(lambda: servers.ops("/readyz").status == 200, "the service is ready")
        yield it


def _configure_tls(it: Chain) -> None:
    """Copy the files of deploy/tls, with free ports and the certificate."""
    target = it.servers.nginx_dir / "tls"
    shutil.copytree(ROOT / "deploy" / "tls", target)
    changed = {"8443": str(it.secure), "8081": str(it.plain)}
    changed |= {"/etc/vestibule/tls/fullchain.pem": str(it.certificates / "certificate.pem")}
    changed |= {"/etc/vestibule/tls/privkey.pem": str(it.certificates / "key.pem")}
    for path in target.glob("*.conf"):
        text = path.read_text()
        for shipped, here in changed.items():
            text = text.replace(shipped, here)
        path.write_text(text)
    give_away(it.servers.nginx_dir)
