"""The servers of the benchmarks: two workers, SQLite, the outer limits out of the way."""

import compileall
import contextlib
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench import load, people
from tests.bench.apps import PAGE, answered_by_nginx, apps_directory
from tests.rig import accounts
from tests.rig.asking import free_port
from tests.rig.instances import Instances, instances
from tests.rig.parts import ROOT
from tests.rig.passwords import PASSWORD
from tests.rig.servers import SERVICE, Servers, prepared

WORKERS: Final = 2
SIGNED_IN: Final = 303
SHED: Final = 503
MADE_BEFOREHAND: Final = 1000
# What is asked here comes from few addresses and never stops: no limit but the gate may notice.
UNLIMITED: Final = {
    "LIMITS__POST_PER_MINUTE": "1000000",
    "LIMITS__EDGE_POST_PER_SECOND": "100000",
    "THROTTLES__ACCOUNT_FROM_NETWORK": "1000000/15m",
    "THROTTLES__NETWORK": "1000000/15m",
    "THROTTLES__ACCOUNT": "1000000/15m",
    "THROTTLES__KNOWN_DEVICE": "1000000/15m",
}


@dataclass(frozen=True)
class Served:
    """A running service and how many people it knows; the ports of an app behind it, and of a bare `auth_request`."""

    servers: Servers
    people: int
    app: int
    bare: int

    def sign_ins(self) -> Iterator[bytes]:
        """Return right sign-ins without end, made beforehand: of many people in turn, far apart in the database."""
        stride = int(self.people * 0.618) | 1
        who = [people.username(number * stride % self.people) for number in range(min(self.people, MADE_BEFOREHAND))]
        return itertools.cycle([load.sign_in(self.servers.port, each, PASSWORD) for each in who])

    def cookie(self, number: int) -> str:
        """Sign one of the people in; return the cookie of the session."""
        _, _, body = load.sign_in(self.servers.port, people.username(number), PASSWORD).partition(b"\r\n\r\n")
        form = "application/x-www-form-urlencoded"
        while True:  # the warm-up may still have the line
            answer = self.servers.get("/", method="POST", body=body, Content_Type=form)
            if answer.status == SIGNED_IN:
                return answer.all("set-cookie")[0].partition(";")[0]
            assert answer.status == SHED, answer

    def page(self, cookie: str, path: str = PAGE) -> bytes:
        """Return how a browser that is signed in asks for a page of the app, as bytes on the wire."""
        return load.page(self.app, path, cookie)


@contextlib.contextmanager
def stopped(
    count: int, *, application: str = SERVICE, python_path: Path | None = None, **settings: str
) -> Iterator[Servers]:
    """Yield servers that are not started, over a database with so many people; `python_path` hides more of Python."""
    with prepared(workers=WORKERS, application=application, edit_nginx=str, **(UNLIMITED | settings)) as servers:
        compileall.compile_dir(ROOT / "service", quiet=1)
        _hide_what_is_not_installed(servers, python_path)
        people.populate(servers, count)
        yield servers


def _hide_what_is_not_installed(servers: Servers, python_path: Path | None) -> None:
    """Keep structlog from loading `rich`, which only tools of development bring: it would count as ours (4 MB)."""
    hidden = servers.state_dir / "hidden"
    hidden.mkdir(mode=0o755)
    (hidden / "rich.py").write_text('raise ModuleNotFoundError("rich")\n')
    servers.environ["PYTHONPATH"] = os.pathsep.join(map(str, filter(None, (hidden, python_path))))


@contextlib.contextmanager
def served(
    count: int,
    *,
    application: str = SERVICE,
    cache_seconds: int = 0,
    warm: bool = True,
    python_path: Path | None = None,
    **more: str,
) -> Iterator[Served]:
    """Yield a running service that knows so many people, warm, and an app behind it; nginx remembers nothing."""
    app, bare = free_port(), free_port()
    with apps_directory(app) as directory:
        settings = {"ACCESS__APPS_DIR": str(directory), "DOOR__CACHE_SECONDS": str(cache_seconds)} | more
        with (
            stopped(count, application=application, python_path=python_path, **settings) as servers,
            answered_by_nginx(servers, bare),
        ):
            servers.start_gunicorn()
            servers.start_nginx()
            servers.wait_until(lambda: servers.ops("/readyz").status == 200, "/readyz answers 200")
            asked = Served(servers, count, app, bare)
            if warm:
                load.closed_loop(servers.port, asked.sign_ins(), clients=8, warm_up=0, seconds=1)
            try:
                yield asked
            finally:
                servers.stop()  # before the directories go


@contextlib.contextmanager
def several_served(number: int, count: int, database: str) -> Iterator[tuple[Instances, Served]]:
    """Yield so many instances on a database, and an app behind their nginx, which remembers nothing."""
    app, bare = free_port(), free_port()
    with apps_directory(app) as directory:
        chosen = UNLIMITED | {"ACCESS__APPS_DIR": str(directory), "DOOR__CACHE_SECONDS": "0"}
        with instances(number, database=database, edit_nginx=str, **chosen) as it, answered_by_nginx(it.front, bare):  # type: ignore[arg-type]
            accounts.add(it.front, {people.username(each): {} for each in range(count)})
            it.start_instances()
            it.start_nginx()
            yield it, Served(it.front, count, app, bare)
