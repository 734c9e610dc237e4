r"""Apps behind nginx and the service, on free ports, with people who can sign in.

with guarded({"wiki": '[[rules]]\nallow = "signed-in"'}) as it:
    it.ask("wiki", "/page", cookie=it.sign_in("alice"))
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.rig.answer import Answer
from tests.rig.asking import ask, free_port
from tests.rig.directories import server_directory
from tests.rig.echo_app import EchoApp, echo_app
from tests.rig.passwords import PASSWORD
from tests.rig.servers import Servers, prepared

SIGNED_IN = '[[rules]]\nallow = "signed-in"'
GROUPS = {"alice": ("ops", "staff"), "bob": ("staff",)}


@dataclass
class Guarded:
    """The servers, the app that all addresses lead to, and each address's port."""

    servers: Servers
    echo: EchoApp
    ports: Mapping[str, int]
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, app: str, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """Send one request to an app's address. Header names are written with underscores."""
        return ask(self.ports[app], path, method=method, body=body, headers=headers)

    def sign_in(self, name: str) -> str:
        """Return the Cookie header of a new session."""
        form = urlencode({"username": name, "password": PASSWORD}).encode()
        kind = {"Content_Type": "application/x-www-form-urlencoded", "Sec_Fetch_Site": "same-origin"}
        answer = self.servers.get("/", method="POST", body=form, **kind)
        assert answer.status == 303, answer
        (found,) = (value for value in answer.all("set-cookie") if value.startswith("vestibule_session="))
        return found.partition(";")[0]


@contextmanager
def guarded(apps: Mapping[str, str], *, people: Sequence[str] = tuple(GROUPS), **settings: str) -> Iterator[Guarded]:
    """Start everything, one echo app behind all addresses. `apps` has the rules of each, after other keys."""
    with echo_app() as echo, server_directory("apps", mode=0o755) as directory:
        ports = {name: free_port() for name in apps}
        for name, text in apps.items():
            own = f'address = "http://localhost:{ports[name]}"\n'
            own += "" if "upstream" in text else f'upstream = "{echo.upstream}"\n'
            (directory / f"{name}.toml").write_text(own + text)
        chosen: dict[str, Any] = {"workers": 1, "ACCESS__APPS_DIR": str(directory), **settings}
        with prepared(**chosen) as servers:
            for name in people:
                groups = [word for group in GROUPS[name] for word in ("--group", group)]
                done = servers.vestibule("account", "add", name, *groups, "--password-stdin", typed=f"{PASSWORD}\n")
                assert done.returncode == 0, done.stderr
            servers.start()
            yield Guarded(servers, echo, ports)
