"""What was acknowledged holds after kill -9, of workers and of the master (F-01, F-02, F-07)."""

import os
import signal
import threading
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.parse import urlencode

from tests.rig.passwords import PASSWORD
from tests.rig.processes import children
from tests.rig.servers import Servers
from tests.whole.conftest import Start

FORM = {"Content_Type": "application/x-www-form-urlencoded"}
ENOUGH = 40
# What a killed worker was checking stays counted as a failure.
OUT_OF_THE_WAY = {
    "LIMITS__POST_PER_MINUTE": "60000",
    "LIMITS__EDGE_POST_PER_SECOND": "2000",
    "THROTTLES__ACCOUNT_FROM_NETWORK": "1000/15m",
}


@dataclass
class Ledger:
    """What the service said that it did: sessions by their cookies. What was asked for may have happened."""

    opened: set[str] = field(default_factory=set)
    asked_to_end: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)


def come_and_go(servers: Servers, ledger: Ledger, *, every: int) -> None:
    """Sign in until enough was acknowledged; sign every so many out again.

    Broken requests promise nothing: the row may be gone although the answer never came.
    """
    body = urlencode({"username": "alice", "password": PASSWORD}).encode()
    while len(ledger.opened) < ENOUGH:
        try:
            answer = servers.get("/", method="POST", body=body, **FORM)
            if answer.status != 303:
                continue
            cookie = answer.all("set-cookie")[0].partition(";")[0]  # the other one makes the browser known
            ledger.opened.add(cookie)
            if len(ledger.opened) % every == 0:
                ledger.asked_to_end.add(cookie)
                leaving = servers.get("/logout", method="POST", body=b"", Cookie=cookie, Origin=servers.origin, **FORM)
                (ledger.ended if leaving.status == 303 else set()).add(cookie)
        except (OSError, HTTPException):
            continue


def test_acknowledged_sign_ins_and_sign_outs_survive(start_on_sql: Start) -> None:
    """Workers are killed under load, then the master: sessions that were given work, those that ended are dead."""
    ledger = Ledger()
    with start_on_sql(**OUT_OF_THE_WAY) as servers:
        assert servers.vestibule("account", "add", "alice", "--password-stdin", typed=f"{PASSWORD}\n").returncode == 0
        clients = [threading.Thread(target=come_and_go, args=(servers, ledger), kwargs={"every": 3}) for _ in range(4)]
        for client in clients:
            client.start()
        for killed_at in (ENOUGH // 4, ENOUGH // 2):
            servers.wait_until(lambda mark=killed_at: len(ledger.opened) >= mark, "some are in")  # type: ignore[misc]
            os.kill(min(children(servers.processes["gunicorn"].pid)), signal.SIGKILL)
        for client in clients:
            client.join()
        servers.end("gunicorn", signal.SIGKILL)
        servers.start_gunicorn()
        servers.wait_until(lambda: servers.ops("/readyz").status == 200, "ready again")
        works = {cookie for cookie in ledger.opened if servers.get("/account", Cookie=cookie).status == 200}

    assert ledger.opened - ledger.asked_to_end <= works
    assert not works & ledger.ended
    assert len(ledger.ended) > ENOUGH // 6
