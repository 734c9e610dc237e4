"""How fast this machine hashes: as sign-ins do, in a process that is started as the service is.

Its threads step back for everybody else. On a busy machine the figures are those of what is left of it.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass
from typing import Final

from service.login.hashing import step_back
from service.login.passwords import Parameters, Passwords
from service.machine import with_large_pages

_SHARE_OF_ONE_ALONE: Final = 1 / 3


@dataclass(frozen=True, slots=True)
class Speed:
    """One hash alone: seconds, and what its lanes took of processors (medians); hashes a second of all threads."""

    seconds: float
    processor_seconds: float
    per_second: float


def measure(parameters: Parameters, *, threads: int, seconds: float) -> Speed | None:
    """Measure in a process of its own, which gets its memory as the service does; None when that did not survive."""
    given = [*map(str, astuple(parameters)), str(threads), str(seconds)]
    command = [sys.executable, "-m", __name__, *given]
    done = subprocess.run(command, env=with_large_pages(os.environ), stdout=subprocess.PIPE, check=False)  # noqa: S603 - ourselves, with numbers
    return None if done.returncode else Speed(**json.loads(done.stdout))


def measured_here(parameters: Parameters, *, threads: int, seconds: float) -> Speed:
    """Check wrong passwords for about so many seconds: one after another, then in all threads at once."""
    passwords = Passwords(parameters)

    def check() -> None:
        passwords.check(None, "a wrong password")

    with ThreadPoolExecutor(threads, initializer=step_back) as pool:
        alone = pool.submit(_one_after_another, check, seconds * _SHARE_OF_ONE_ALONE).result()
        together = [pool.submit(_rate, check, seconds * (1 - _SHARE_OF_ONE_ALONE)) for _ in range(threads)]
        per_second = sum(rate.result() for rate in together)
    took, worked = (statistics.median(each) for each in zip(*alone, strict=True))
    return Speed(took, worked, per_second)


def _one_after_another(check: Callable[[], None], seconds: float) -> list[tuple[float, float]]:
    """Return what each check took, on the wall and of processors (lanes are threads of their own); at least one."""
    taken: list[tuple[float, float]] = []
    end = time.perf_counter() + seconds
    while not taken or time.perf_counter() < end:
        began, worked = time.perf_counter(), time.process_time()
        check()
        taken.append((time.perf_counter() - began, time.process_time() - worked))
    return taken


def _rate(check: Callable[[], None], seconds: float) -> float:
    """Return this thread's checks in a second, the last one whole; at least one."""
    done, began = 0, time.perf_counter()
    while not done or time.perf_counter() - began < seconds:
        check()
        done += 1
    return done / (time.perf_counter() - began)


def main(memory: str, iterations: str, parallelism: str, threads: str, seconds: str) -> None:
    """Print the speed as JSON."""
    parameters = Parameters(int(memory), int(iterations), int(parallelism))
    speed = measured_here(parameters, threads=int(threads), seconds=float(seconds))
    sys.stdout.write(json.dumps(asdict(speed)))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
