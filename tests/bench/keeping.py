"""backup_writes, restore_cost: what backups cost the service, and a restore its operator, with 100,000 accounts.

backup_writes: sign-ins a second while `vestibule db backup` runs, as a share of those without, with a write-ahead log
and with a rollback journal in turn; the worse of the two counts. restore_cost: the time of `vestibule db restore`, as a
multiple of that of a Python process that copies the same file, checks it (PRAGMA integrity_check) and syncs it.
"""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Final

from tests.bench import load
from tests.bench.rows import Goal, Row
from tests.bench.served import SHED, SIGNED_IN, Served, served, stopped
from tests.rig.directories import server_directory
from tests.rig.parts import ROOT
from tests.rig.servers import VESTIBULE, Servers

PEOPLE: Final = 100_000
RUNS: Final = 3
SECONDS: Final = 6.0
CLIENTS: Final = 16  # fewer may all be led to one of the two workers, and the rate swings by a third
RESTORES: Final = 5
NAMES: Final = ("backup_writes", "restore_cost")
_OLD_LIBRARY: Final = 'raise ImportError("the library of Python itself, which keeps a rollback journal")\n'
_ALONE: Final = """
import os, shutil, sys
from contextlib import closing
from service.storage.engine.sqlite import DRIVER
original, copy = sys.argv[1:]
shutil.copyfile(original, copy)
with closing(DRIVER.connect(copy)) as connection:
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
with open(copy, "r+b") as file:
    os.fsync(file.fileno())
"""


def measure(names: set[str], say: Callable[[str], None]) -> Iterator[Row]:
    """Yield the rows that were asked for."""
    if NAMES[0] in names:
        yield _backup_writes(say)
    if NAMES[1] in names:
        yield _restore_cost(say)


def _backup_writes(say: Callable[[str], None]) -> Row:
    runs: dict[str, list[float]] = {}
    for journal, is_old in (("log", False), ("rollback journal", True)):
        with _served(old_library=is_old) as asked, server_directory("backups") as folder:
            runs[journal] = [_share(asked, folder / str(run), journal, say) for run in range(RUNS)]

    worst = min(runs, key=lambda journal: median(runs[journal]))
    said = ", ".join(f"{median(shares):.3f} with a {journal}" for journal, shares in runs.items())
    singles = tuple(share for shares in runs.values() for share in shares)
    return Row(NAMES[0], median(runs[worst]), "ratio", Goal(0.9, at_least=True), singles, said)


@contextlib.contextmanager
def _served(*, old_library: bool) -> Iterator[Served]:
    """Yield a service; with the library of Python itself where a rollback journal is wanted."""
    with server_directory("library", mode=0o755) as place:
        if old_library:
            (place / "pysqlite3.py").write_text(_OLD_LIBRARY)
        with served(PEOPLE, python_path=place) as asked:
            yield asked


def _share(asked: Served, folder: Path, journal: str, say: Callable[[str], None]) -> float:
    """Return the sign-ins a second during a backup, as a share of those without."""

    def rate() -> float:
        requests = asked.sign_ins()
        found = load.closed_loop(asked.servers.port, requests, clients=CLIENTS, warm_up=0.2, seconds=SECONDS)
        odd = {status: answer for status, answer in found.first.items() if status not in {SIGNED_IN, SHED}}
        assert not odd, odd
        return found.statuses[SIGNED_IN] / SECONDS

    quiet = rate()
    with _started(asked.servers, "db", "backup", "--to", str(folder)) as backup:
        busy = rate()
        assert backup.poll() is None, "the backup ended before the sign-ins"
    say(f"{NAMES[0]}: {busy:.1f} of {quiet:.1f} sign-ins a second with a {journal}")
    return busy / quiet


@contextlib.contextmanager
def _started(servers: Servers, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    command = servers.become(*VESTIBULE, *words)
    with subprocess.Popen(command, env=servers.environ, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def _restore_cost(say: Callable[[str], None]) -> Row:
    restores, alone = [], []
    with stopped(PEOPLE) as servers:
        folder = servers.state_dir / "db-backups"
        done = servers.vestibule("db", "backup")
        assert done.returncode == 0, done.stderr
        (made,) = folder.iterdir()
        copy = [sys.executable, "-c", _ALONE, str(made / "vestibule.sqlite3"), str(servers.state_dir / "copy")]
        for _ in range(RESTORES):
            alone.append(_seconds(servers, *copy))
            restores.append(_seconds(servers, *VESTIBULE, "db", "restore", "--yes", str(made)))
            for kept in servers.state_dir.glob("*.before-restore-*"):
                kept.unlink()
            say(f"{NAMES[1]}: {restores[-1]:.2f} s, copy, check and sync alone {alone[-1]:.2f} s")
    ratios = tuple(restore / copied for restore, copied in zip(restores, alone, strict=True))
    beside = f"{median(restores):.2f} s; copy, integrity_check and sync alone {median(alone):.2f} s"
    return Row(NAMES[1], median(ratios), "ratio", Goal(1.5), ratios, beside)


def _seconds(servers: Servers, *command: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        servers.become(*command), env=servers.environ, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=60
    )
    return time.perf_counter() - began
