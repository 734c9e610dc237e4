"""revocation_s: from the end of a session to the last 200 at the door, the worst of 200 ends, at the default life.

Three services share a database behind one nginx, which remembers a yes for a second. Each of 200 people asks for the
app ten times a second; meanwhile their sessions end one after the other, as `vestibule session end` ends them.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from service.login.sessions import hash_of
from service.storage.engine.database import Database
from service.storage.sessions import SqlSessions
from tests.bench.flood import PASSED
from tests.bench.open_loop import Stream, run, schedule
from tests.bench.rows import Goal, Row
from tests.bench.served import Served, served
from tests.rig.directories import give_away

NAME: Final = "revocation_s"
SERVICES: Final = 3
ENDS: Final = 200
BOUND_SECONDS: Final = 2.0
_PEOPLE: Final = 1000
_ASKS_A_SECOND: Final = 10
_BEGIN: Final = 2.0
_ENDS_WITHIN: Final = 10.0
_SECONDS: Final = _BEGIN + _ENDS_WITHIN + 4.0
_FROM: Final = range(2000, 2032)


def measure(say: Callable[[str], None]) -> Row:
    """End all sessions under way; the row is the longest time after which one still passed."""
    with served(_PEOPLE, cache_seconds=1) as door, _more_services(door):
        cookies = [door.cookie(number) for number in range(ENDS)]
        moments = schedule(each_second=_ASKS_A_SECOND * ENDS, since=0, until=_SECONDS - 1)
        stream = Stream(door.app, [door.page(each) for each in cookies], moments, networks=_FROM, until=_SECONDS)
        ended: list[float] = []
        ending = threading.Thread(target=_end, args=(door, cookies, time.perf_counter(), ended))
        ending.start()
        run([stream], _SECONDS)
        ending.join()
    asked = {due: number % ENDS for number, due in enumerate(moments)}
    last = [0.0] * ENDS
    for answer in stream.answers:
        if answer.status == PASSED:
            last[asked[answer.due]] = max(last[asked[answer.due]], answer.due + answer.seconds)
    took = tuple(max(0.0, passed - end) for passed, end in zip(last, ended, strict=True))
    say(f"the last 200 came {max(took):.2f} s after the end of its session, at worst")
    beside = f"{ENDS} sessions, {SERVICES} services; half within {sorted(took)[ENDS // 2]:.2f} s"
    return Row(NAME, max(took), "s", Goal(BOUND_SECONDS), took, beside)


def _end(door: Served, cookies: list[str], began: float, ended: list[float]) -> None:
    """End the sessions in their order; note when each row was gone, in seconds since the beginning."""
    database = Database(f"sqlite:///{door.servers.state_dir / 'vestibule.sqlite3'}")
    sessions = SqlSessions(database)
    for number, cookie in enumerate(cookies):
        due = _BEGIN + _ENDS_WITHIN * number / ENDS
        time.sleep(max(0.0, began + due - time.perf_counter()))
        assert sessions.end(hash_of(cookie.partition("=")[2]))
        ended.append(time.perf_counter() - began)
    database.close()


@contextlib.contextmanager
def _more_services(door: Served) -> Iterator[None]:
    """Start two more gunicorn masters on the same state, and have nginx ask all three in turn."""
    servers, first = door.servers, door.servers.socket
    sockets = [first, *(first.with_name(f"gunicorn-{number}.sock") for number in range(2, SERVICES + 1))]
    try:
        for number, socket in enumerate(sockets[1:], start=2):
            servers.start_gunicorn(name=f"gunicorn-{number}", SERVER__SOCKET=str(socket))
        conf: Path = servers.nginx_dir / "upstream.conf"
        one = f'server "unix:{first}" max_fails=0;'
        text = conf.read_text()
        assert one in text
        conf.write_text(text.replace(one, "\n".join(one.replace(str(first), str(each)) for each in sockets)))
        give_away(servers.nginx_dir)
        servers.end("nginx")
        servers.start_nginx()
        servers.wait_until(lambda: all(each.exists() for each in sockets), "all services listen")
        servers.wait_until(lambda: servers.ops("/readyz").status == 200, "/readyz answers 200")
        yield
    finally:
        for number in range(2, SERVICES + 1):
            servers.end(f"gunicorn-{number}")
