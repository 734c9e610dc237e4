"""A standby of the tests' PostgreSQL: a copy that follows its primary over a stream, until it is promoted.

    with postgres.running() as first, standby_of(first) as second:
        second.promote()

What is promoted may get a standby of its own, so that a test can fail over again and again.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rig.directories import server_directory
from tests.rig.parts import need, unprivileged
from tests.rig.postgres import Postgres
from tests.rig.until import until


class Standby(Postgres):
    """A server that reads what its primary writes, and refuses to write (SQLSTATE 25006) until it is promoted."""

    def __init__(self, place: Path, programs: Path, primary: Postgres) -> None:
        super().__init__(place, programs)
        self._primary = primary

    def make(self) -> None:
        """Copy the primary's files."""
        primary = ["-h", str(self._primary.directory), "-p", str(self._primary.port), "-U", "vestibule"]
        copy = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "-D", str(self.directory / "data")]
        command = unprivileged(self._programs / "pg_basebackup", *primary, *copy)
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        with (self.directory / "data/postgresql.conf").open("a") as configuration:
            configuration.write(f"port = {self.port}\n")

    def follows(self) -> bool:
        """Whether it has read everything that its primary wrote so far."""
        written = self._primary.value("SELECT pg_current_wal_lsn()::text")
        return bool(self.value("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", written))

    def promote(self) -> None:
        """Make it a primary: it writes from now on, and follows no other server."""
        assert self.value("SELECT pg_promote()")


@contextmanager
def standby_of(primary: Postgres, *, synchronous: bool = False) -> Iterator[Standby]:
    """Run a standby for as long as the block lasts. `synchronous`: the primary acknowledges what the standby has, too.

    A synchronous primary waits in each commit while its standby is away.
    """
    with server_directory("standby") as place:
        server = Standby(place, need("postgres").resolve().parent, primary)
        server.make()
        try:
            server.start()
            until(server.follows, "the standby follows its primary")
            if synchronous:
                primary.configure("synchronous_standby_names", "*")
            yield server
        finally:
            server.stop()
