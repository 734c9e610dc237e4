"""An app behind the door, for benchmarks: nginx answers in the app's place, so that the door is all that is measured.

Beside it, in the same nginx, stands what it is compared with: `auth_request` to a bare `return 204`, and nothing else.
Neither writes nginx's log of JSON lines, which would cost both more than all the rest; requests for the app are counted
(requests.count), as always. nginx remembers on a RAM disk, as with `make run`.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from service.edge.nginx_apps import CACHE_DIR
from tests.rig.directories import give_away, server_directory
from tests.rig.servers import Servers

PAGE: Final = "/wiki/Main_Page"
RAM_DISK: Final = "/dev/shm"  # noqa: S108 - server_directory makes a directory of its own there
_RULES: Final = '[[rules]]\npath = "/admin"\ngroups = ["ops"]\n[[rules]]\nallow = "signed-in"\n'
_LOG: Final = "set $app bench;\n"
_PASSED_ON: Final = "proxy_pass $app_upstream_bench;"
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


@contextlib.contextmanager
def apps_directory(port: int) -> Iterator[Path]:
    """Yield a directory with the file of one app, which needs a session."""
    with server_directory("apps", mode=0o755) as directory:
        own = f'address = "http://localhost:{port}"\nupstream = "http://127.0.0.1:1"\n'
        (directory / "bench.toml").write_text(own + _RULES)
        yield directory


@contextlib.contextmanager
def answered_by_nginx(servers: Servers, bare: int) -> Iterator[None]:
    """Render nginx's files, with nginx itself in the app's place, and the bare `auth_request` at a port."""
    servers.render()
    app = servers.nginx_dir / "apps" / "bench.conf"
    edited = app.read_text()
    assert (edited.count(_LOG), edited.count(_PASSED_ON)) == (1, 1)
    counted = f"{_LOG}    access_log requests.count count buffer=32k flush=1s;\n"
    app.write_text(edited.replace(_LOG, counted).replace(_PASSED_ON, "empty_gif;"))
    (app.parent / "bare.conf").write_text(_BARE % bare)
    with server_directory("cache", below=RAM_DISK) as memory:
        (servers.nginx_dir / CACHE_DIR).symlink_to(memory)
        give_away(servers.nginx_dir)
        yield
