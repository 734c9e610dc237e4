"""An app behind the door, for benchmarks: nginx answers in the app's place, so that the door is all that is measured.

Beside it, in the same nginx, stands what it is compared with: `auth_request` to a bare `return 204`, and nothing else.
Neither writes nginx's log of JSON lines, which would cost both more than all the rest; requests for the app are counted
(requests.count), as always.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.bench import load
from tests.bench.flood import cookie
from tests.bench.served import stopped
from tests.rig.asking import free_port
from tests.rig.directories import give_away, server_directory
from tests.rig.servers import SERVICE, Servers

PEOPLE: Final = 1000
_LOG: Final = "access_log /dev/stdout line;"
_PASSED_ON: Final = "proxy_pass http://app_bench;"
_BARE: Final = """
server {
    listen 127.0.0.1:%d;
    access_log off;
    set $app bare;
    set $path "";
    set $method "";
    location / {
        auth_request /bare;
        empty_gif;
    }
    location = /bare {
        internal;
        return 204;
    }
}
"""


@dataclass(frozen=True)
class Behind:
    """The running servers, the app's port, and that of the bare `auth_request`."""

    servers: Servers
    app: int
    bare: int

    def cookies(self, count: int) -> list[str]:
        """Sign so many people in; return their Cookie headers."""
        return [cookie(self.servers, number) for number in range(count)]

    def page(self, sent: str = "", path: str = "/wiki/Main_Page") -> bytes:
        """Return how a browser asks for a page of the app, as bytes on the wire."""
        return load.page(self.app, path, sent)


@contextlib.contextmanager
def behind(*, application: str = SERVICE, cache_seconds: int = 1) -> Iterator[Behind]:
    """Yield running servers with an app that needs a session, and the same nginx without a door."""
    app, bare = free_port(), free_port()
    with server_directory("apps", mode=0o755) as directory:
        rules = '[[rules]]\npath = "/admin"\ngroups = ["ops"]\n[[rules]]\nallow = "signed-in"\n'
        own = f'address = "http://localhost:{app}"\nupstream = "http://127.0.0.1:1"\n'
        (directory / "bench.toml").write_text(own + rules)
        settings = {"ACCESS__APPS_DIR": str(directory), "DOOR__CACHE_SECONDS": str(cache_seconds)}
        with stopped(PEOPLE, application=application, **settings) as servers:
            servers.render()
            _answer_in_its_place(servers, bare)
            servers.start_gunicorn()
            servers.start_nginx()
            servers.wait_until(lambda: servers.ops("/readyz").status == 200, "/readyz answers 200")
            yield Behind(servers, app, bare)


def _answer_in_its_place(servers: Servers, bare: int) -> None:
    conf, app = servers.nginx_dir / "nginx.conf", servers.nginx_dir / "apps" / "bench.conf"
    edited = conf.read_text(), app.read_text()
    assert (_LOG in edited[0], _PASSED_ON in edited[1]) == (True, True)
    conf.write_text(edited[0].replace(_LOG, ""))
    app.write_text(edited[1].replace(_PASSED_ON, "empty_gif;"))
    (app.parent / "bare.conf").write_text(_BARE % bare)
    give_away(servers.nginx_dir)
