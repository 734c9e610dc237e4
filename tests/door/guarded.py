r"""Apps behind nginx and the service, on free ports, with people who can sign in.

with guarded({"wiki": '[[rules]]\nallow = "signed-in"'}) as it:
    it.ask("wiki", "/page", Cookie=it.sign_in("alice"))
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.rig import accounts
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

    def ask(self, app: str, path: str, **request: Any) -> Answer:
        """Send one request to an app's address. Header names are written with underscores, and begin with a capital."""
        headers = {name: request.pop(name) for name in list(request) if name[0].isupper()}
        return ask(self.ports[app], path, headers=headers, **request)

    def checks(self) -> int:
        """Return how many questions about requests the service has answered."""
        counted = re.findall(
            r'door_checks_total\{[^}]*enforced="true"[^}]*\} ([0-9.]+)', self.servers.ops("/metrics").text
        )
        return sum(int(float(each)) for each in counted)

    def sign_in(self, name: str) -> str:
        """Return the Cookie header of a new session."""
        form = urlencode({"username": name, "password": PASSWORD}).encode()
        kind = {"Content_Type": "application/x-www-form-urlencoded"}  # as a program, which has seen no form
        answer = self.servers.get("/", method="POST", body=form, **kind)
        assert answer.status == 303, answer
        (found,) = (value for value in answer.all("set-cookie") if value.startswith("vestibule_session="))
        return found.partition(";")[0]


@contextmanager
def guarded(
    apps: Mapping[str, str],
    *,
    people: Sequence[str] = tuple(GROUPS),
    edit: Callable[[Path], object] = str,
    **settings: str,
) -> Iterator[Guarded]:
    """Start everything, one echo app behind all addresses. `apps` has the rules of each, after other keys.

    `edit` may change what was rendered, before nginx starts.
    """
    with echo_app() as echo, server_directory("apps", mode=0o755) as directory:
        ports = {name: free_port() for name in apps}
        for name, text in apps.items():
            own = "" if "address" in text else f'address = "http://localhost:{ports[name]}"\n'
            own += "" if "upstream" in text else f'upstream = "{echo.upstream}"\n'
            (directory / f"{name}.toml").write_text(own + text.replace("ECHO_PORT", str(echo.port)))
        chosen: dict[str, Any] = {"workers": 1, "ACCESS__APPS_DIR": str(directory), **settings}
        with prepared(**chosen) as servers:
            accounts.add(servers, {name: {"groups": GROUPS[name]} for name in people})
            servers.render()
            edit(servers.nginx_dir)
            servers.start_gunicorn()
            servers.start_nginx()
            servers.wait_until(lambda: servers.ops("/readyz").status == 200, "/readyz answers 200")
            yield Guarded(servers, echo, ports)
