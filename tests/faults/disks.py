"""F-05: the disk of the database is full, SQLite's and PostgreSQL's."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psycopg

from tests.faults.findings import Findings
from tests.faults.killed import integrity
from tests.faults.recovery import Kind, Outcome
from tests.faults.site import site
from tests.faults.traffic import QUIET_SECONDS, Traffic
from tests.rig.directories import give_away, server_directory
from tests.rig.parts import need
from tests.rig.postgres import Postgres
from tests.rig.small_disk import FILLING, fill, small_disk

_FULL_SECONDS: Final = 4.0


def sqlite(findings: Findings) -> None:
    """The disk under SQLite is full for some seconds."""
    with _disk(kilobytes=16_000) as disk, site(DATABASE_URL=f"sqlite:///{disk}/vestibule.sqlite3") as service:
        with service.traffic(every=1) as traffic:
            traffic.go_on(QUIET_SECONDS)
            full_at = traffic.now
            filling = fill(disk)
            traffic.go_on(_FULL_SECONDS)
            filling.unlink()
            room_at = traffic.now
            findings.back(traffic.recovered(room_at), 10)
            _refused_later(findings, traffic, full_at + 0.5, room_at)
            failed = [each for each in traffic.failed(full_at, room_at) if each.kind is Kind.CHECK]
            findings.none("failed session check while the disk is full", failed)
        service.compare(findings)
        findings.check("PRAGMA integrity_check", found := integrity(service), found == "ok")


def postgresql(findings: Findings) -> None:
    """The disk under PostgreSQL is full for some seconds: the server crashes, recovers, and crashes again.

    It crashes whenever it cannot begin a file of its write-ahead log. Session checks fail meanwhile: no request passes.
    """
    with (
        _disk(kilobytes=160_000) as disk,
        _postgres_on(disk) as server,
        site(DATABASE_URL=server.new_database()) as service,
    ):
        with service.traffic() as traffic:
            traffic.go_on(QUIET_SECONDS)
            full_at = traffic.now
            while traffic.now < full_at + _FULL_SECONDS:
                fill(disk)
                _write_until_it_crashes(server)
            (disk / FILLING).unlink()
            if server.has_ended:  # what watches over it starts it again
                server.start()
            room_at = traffic.now
            findings.back(traffic.recovered(room_at), 10)
            _refused_later(findings, traffic, full_at + 1, room_at - 0.5)
        service.compare(findings)


def _refused_later(findings: Findings, traffic: Traffic, since: float, until: float) -> None:
    """While the disk is full, sign-ins are told to come back later, and get no other answer."""
    sign_ins = [each for each in traffic.asked if each.kind is Kind.SIGN_IN and since <= each.due < until]
    refused = sum(each.outcome is Outcome.LATER for each in sign_ins)
    findings.check("sign-ins are told to come back later", f"{refused} of {len(sign_ins)}", refused)
    findings.none("other answer to a sign-in", [each for each in sign_ins if each.outcome is Outcome.FAILED])


def _write_until_it_crashes(server: Postgres) -> None:
    """Have the server begin one file of its log after the other, until it has no room for one."""
    with suppress(psycopg.OperationalError):
        for _ in range(100):
            server.run("postgres", "SELECT pg_logical_emit_message(true, 'full', repeat('x', 1000)), pg_switch_wal()")


@contextmanager
def _postgres_on(disk: Path) -> Iterator[Postgres]:
    server = Postgres(disk, need("postgres").parent)
    server.make()
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def _disk(*, kilobytes: int) -> Iterator[Path]:
    with server_directory("disk", mode=0o755) as place, small_disk(place / "full", kilobytes=kilobytes) as disk:
        disk.chmod(0o700)
        give_away(disk)
        yield disk
