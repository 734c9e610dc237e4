"""How fast this machine hashes, as sign-ins do: in a process that is started as the service is, at low priority."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from typing import NamedTuple

from service.hashing.cpu_budget import free_memory, with_large_pages
from service.hashing.threads import lower_priority
from service.login.passwords import Parameters, Passwords


class Speed(NamedTuple):
    """What one hash takes of processors, in seconds, and how many hashes a second all threads make together."""

    processor_seconds: float
    per_second: float


def measure(cost: Parameters, *, threads: int, seconds: float) -> Speed | None:
    """Measure in a process of its own; None where memory is short: the service may be using the rest of it."""
    free = free_memory()
    if free is not None and threads * cost.memory_kib > free:
        return None
    command = [sys.executable, __file__, *map(str, (*astuple(cost), threads, seconds))]
    done = subprocess.run(command, env=with_large_pages(os.environ), stdout=subprocess.PIPE, check=False)  # noqa: S603 - this file, with numbers
    return None if done.returncode else Speed(*json.loads(done.stdout))


def measured_here(cost: Parameters, *, threads: int, seconds: float) -> Speed:
    """Check wrong passwords in all threads at once, at least one in each, for about so many seconds."""
    passwords = Passwords(cost)

    def checks(end: float) -> int:
        done = 0
        while not done or time.perf_counter() < end:
            passwords.check(None, "a wrong password")
            done += 1
        return done

    with ThreadPoolExecutor(threads, initializer=lower_priority) as pool:
        began, worked = time.perf_counter(), time.process_time()
        done = sum(pool.map(checks, [began + seconds] * threads))
        return Speed((time.process_time() - worked) / done, done / (time.perf_counter() - began))


if __name__ == "__main__":
    *numbers, count, wanted = sys.argv[1:]
    said = measured_here(Parameters(*map(int, numbers)), threads=int(count), seconds=float(wanted))
    sys.stdout.write(json.dumps(said))
