"""Where gunicorn's workers count: files on a RAM disk that all of them read, one set for each place in the pool.

By itself prometheus_client begins files for each new process and keeps those of the dead for ever. Here a worker
that takes another's place goes on with its files, so that many exchanges of workers fill no disk and slow no scrape.
gunicorn reads its configuration anew whenever it reloads; this module is loaded once, and so remembers.
"""

import os
import sys
from itertools import count
from pathlib import Path
from typing import Any, Final

_PREPARED: Final = "PROMETHEUS_MULTIPROC_PREPARED"


class _Place:
    """The name under which this process counts; no two that run at the same time have the same."""

    name = f"master{os.getpid()}"


def prepare(directory: Path) -> None:
    """Count in this directory. Comes before anything that makes a metric; the first master empties the files.

    Not a master that reloads (HUP), and not one that takes over from another (USR2): workers count there already.
    """
    if os.environ.get(_PREPARED) != str(directory) or "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        clear(directory)
        os.environ[_PREPARED] = os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
    _count_by_place()


def nowhere() -> bool:
    """Whether gunicorn serves without our configuration: each of its workers would count for itself."""
    return "gunicorn.arbiter" in sys.modules and "PROMETHEUS_MULTIPROC_DIR" not in os.environ


def _count_by_place() -> None:
    from prometheus_client import values

    made: Any = values.ValueClass
    if made.__dict__.get("by_place"):
        return
    by_place: Any = values.MultiProcessValue(lambda: _Place.name)  # type: ignore[no-untyped-call]
    by_place.by_place = True
    values.ValueClass = by_place


def clear(directory: Path) -> None:
    """Remove every count."""
    for counted in directory.glob("*.db"):
        counted.unlink(missing_ok=True)


class Places:
    """The places in this master's pool, and who has which; a worker is known by a number that never comes twice."""

    def __init__(self) -> None:
        self._of: dict[int, int] = {}

    def give(self, worker: int) -> None:
        """Give a worker that is about to start the lowest place that nobody has."""
        self._of[worker] = next(place for place in count() if place not in self._of.values())

    def take(self, worker: int) -> None:
        """Count as this worker from now on: called in the worker, whose parent is the master."""
        _Place.name = f"{os.getppid()}-{self._of[worker]}"

    def end(self, worker: int) -> str:
        """Free the place of a worker that is gone; return the name under which it counted."""
        return f"{os.getpid()}-{self._of.pop(worker)}"


PLACES: Final = Places()
