"""Sends a flood from a process of its own, so that it does not hold up the traffic that is measured.

    python -m tests.faults.sender wrong 8080 10

prints how often which status came back.
"""

import itertools
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from tests.bench.attacks import DEAR, WRONG, Attack
from tests.bench.load import closed_loop, page
from tests.bench.open_loop import Stream, run, schedule
from tests.rig.parts import ROOT

_ATTACKERS_FROM: Final = 1000  # networks 127.0.4.x and on
_LAST_ANSWERS_SECONDS: Final = 1.0
_CLIENTS: Final = 16
_CHECKS: Final = 3000
_ROUND_SECONDS: Final = 2.0  # nginx ends a connection after 1,000 requests


def _open(attack: Attack, port: int, seconds: float) -> Counter[int]:
    """Send an attack by schedule; what came back."""
    stream = Stream(
        port,
        attack.requests(port),
        schedule(each_second=attack.each_second, since=0, until=seconds),
        networks=range(_ATTACKERS_FROM, _ATTACKERS_FROM + attack.addresses),
        until=seconds,
    )
    run([stream], seconds + _LAST_ANSWERS_SECONDS)
    return Counter(each.status for each in stream.answers)


def _mixed(port: int, seconds: float) -> Counter[int]:
    """Send session checks with unknown tokens, wrong passwords and the dearest input, as fast as they are answered."""
    checks = [page(port, "/demo/", f"vestibule_session={number:043}") for number in range(_CHECKS)]
    requests = itertools.cycle([*WRONG.requests(port), *DEAR.requests(port), *checks])
    statuses: Counter[int] = Counter()
    for _ in range(round(seconds / _ROUND_SECONDS)):
        statuses += closed_loop(port, requests, clients=_CLIENTS, warm_up=0, seconds=_ROUND_SECONDS).statuses
    return statuses


_KINDS: Final[dict[str, Callable[[int, float], Counter[int]]]] = {
    "wrong": lambda port, seconds: _open(WRONG, port, seconds),
    "mixed": _mixed,
}


@contextmanager
def sending(kind: str, port: int, seconds: float) -> Iterator[Counter[int]]:
    """Send meanwhile; what came back is known at the end."""
    statuses: Counter[int] = Counter()
    command = [sys.executable, "-m", __name__, kind, str(port), str(seconds)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        yield statuses
        said, _ = process.communicate(timeout=seconds + 60)
        statuses.update({int(status): count for status, count in json.loads(said).items()})
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_KINDS[sys.argv[1]](int(sys.argv[2]), float(sys.argv[3]))))
