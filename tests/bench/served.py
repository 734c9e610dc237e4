"""The servers of the benchmarks: two workers, SQLite, the outer limits out of the way."""

import compileall
import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from service.settings import CATALOGUE
from tests.bench import load, people
from tests.rig.parts import ROOT
from tests.rig.passwords import PASSWORD
from tests.rig.servers import SERVICE, Servers, prepared

WORKERS: Final = 2
MADE_BEFOREHAND: Final = 1000
# What is asked here comes from few addresses and never stops: no limit but the gate may notice.
_LIMITS: Final = {
    "limits.post_per_minute": "1000000",
    "limits.edge_post_per_second": "100000",
    "throttles.account_from_network": "1000000/15m",
    "throttles.network": "1000000/15m",
    "throttles.account": "1000000/15m",
    "throttles.known_device": "1000000/15m",
}


@dataclass(frozen=True)
class Served:
    """A running service and how many people it knows."""

    servers: Servers
    people: int

    def sign_ins(self) -> Iterator[bytes]:
        """Return right sign-ins without end, made beforehand: of many people in turn, far apart in the database."""
        stride = int(self.people * 0.618) | 1
        who = [people.username(number * stride % self.people) for number in range(min(self.people, MADE_BEFOREHAND))]
        return itertools.cycle([load.sign_in(self.servers.port, each, PASSWORD) for each in who])


@contextlib.contextmanager
def stopped(count: int, *, application: str = SERVICE) -> Iterator[Servers]:
    """Yield servers that are not started, over a database with so many people."""
    limits = {name.replace(".", "__").upper(): limit for name, limit in _LIMITS.items() if name in CATALOGUE}
    with prepared(workers=WORKERS, application=application, edit_nginx=str, **limits) as servers:
        compileall.compile_dir(ROOT / "service", quiet=1)
        _hide_what_is_not_installed(servers)
        people.populate(servers, count)
        yield servers


def _hide_what_is_not_installed(servers: Servers) -> None:
    """Keep structlog from loading `rich`, which only tools of development bring: it would count as ours (4 MB)."""
    hidden = servers.state_dir / "hidden"
    hidden.mkdir(mode=0o755)
    (hidden / "rich.py").write_text('raise ModuleNotFoundError("rich")\n')
    servers.environ["PYTHONPATH"] = str(hidden)


@contextlib.contextmanager
def served(count: int, *, application: str = SERVICE) -> Iterator[Served]:
    """Yield a running service that knows so many people, warm."""
    with stopped(count, application=application) as servers:
        servers.start()
        asked = Served(servers, count)
        load.closed_loop(servers.port, asked.sign_ins(), clients=8, warm_up=0, seconds=1)
        yield asked
