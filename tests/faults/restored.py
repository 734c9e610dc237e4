"""F-24: backups are made under traffic, and the last one is restored."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.faults.findings import Findings
from tests.faults.killed import integrity
from tests.faults.site import PEOPLE, Site, site
from tests.faults.times import TIMES
from tests.faults.traffic import QUIET_SECONDS
from tests.rig import postgres
from tests.rig.directories import server_directory
from tests.rig.parts import need
from tests.rig.passwords import PASSWORD

_SAMPLED: Final = 10
_GONE: Final = 404


def backups(findings: Findings) -> None:
    """A backup is made twice under traffic; the last one is put in the place of the database.

    The restored passwords are those of a moment while that backup was made. Every session of before is ended, and so is
    every one-time link, whether it was used or not: what had ended stays ended.
    """
    with site() as service, server_directory("backups") as place:
        to = ("db", "backup", "--to", str(place))
        passwords = _backed_up(findings, service, lambda: _failure(service, *to))
        _restore(findings, service, max(place.iterdir()))
        _compare(findings, service, passwords)


def dumps(findings: Findings) -> None:
    """PostgreSQL is dumped twice under traffic; the last dump is checked, and read into another database.

    Then the sessions and links in it are deleted, as the manual says, and the service gets the new address.
    """
    programs = need("postgres").resolve().parent
    with (
        postgres.running() as server,
        site(DATABASE_URL=(address := server.new_database())) as service,
        server_directory("dumps", mode=0o755) as place,
    ):
        dump = str(place / "vestibule.sql")
        make = (programs / "pg_dump", "--format=plain", "--no-owner", f"--file={dump}", address)
        passwords = _backed_up(findings, service, lambda: _failed(*make))
        _works(findings, "db verify --record", _failure(service, "db", "verify", "--record", dump))
        service.servers.end("gunicorn")
        restored = server.new_database()
        read = (programs / "psql", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", f"--file={dump}")
        _works(findings, "the restore", _failed(*read, restored))
        server.run(restored, "DELETE FROM sessions")
        server.run(restored, "DELETE FROM links")
        service.servers.environ["VESTIBULE_DATABASE_URL"] = restored
        service.servers.start_gunicorn()
        service.ready()
        _compare(findings, service, passwords)


def _backed_up(findings: Findings, service: Site, make: Callable[[], str]) -> dict[str, set[str]]:
    """Make a backup twice under traffic, of which no request fails; the passwords that the last one may hold."""
    with service.traffic(every=1) as traffic:
        traffic.go_on(QUIET_SECONDS)
        passwords = _passwords(service)
        for _ in range(2 * TIMES):
            traffic.go_on(1.0)  # each backup is called by its second
            passwords = _passwords(service)
            _works(findings, "each backup", make())
            for name, known in _passwords(service).items():
                passwords[name] = known | passwords.get(name, set())
        findings.back(traffic.recovered(traffic.now), 5)
    traffic.nothing_failed(findings)
    service.compare(findings)
    return passwords


def _works(findings: Findings, what: str, failure: str) -> None:
    findings.check(what, failure or "done", not failure)


def _failure(service: Site, *command: str) -> str:
    """Run one of the operator's commands; what it says when it fails."""
    return _said(service.servers.vestibule(*command))


def _failed(*command: str | Path) -> str:
    """Run one of PostgreSQL's own programs; what it says when it fails."""
    return _said(subprocess.run(command, capture_output=True, text=True, check=False, timeout=60))


def _said(done: "subprocess.CompletedProcess[str]") -> str:
    return done.stderr.strip() or f"exit code {done.returncode}" if done.returncode else ""


def _passwords(service: Site) -> dict[str, set[str]]:
    """Return the passwords of which one is in force now: acknowledged last, or before that, or asked for."""
    secrets = service.ledger.secrets.items()
    return {name: {each.acknowledged, each.replaced or PASSWORD, each.asked or PASSWORD} for name, each in secrets}


def _restore(findings: Findings, service: Site, backup: Path) -> None:
    command = ("db", "restore", str(backup), "--yes")
    refused = _failure(service, *command)
    findings.check(
        "a restore while the service runs is refused", refused.partition(",")[0], "the service runs" in refused
    )
    service.servers.end("gunicorn")
    _works(findings, "the restore", _failure(service, *command))
    service.servers.start_gunicorn()
    service.ready()
    findings.check("PRAGMA integrity_check", found := integrity(service), found == "ok")


def _compare(findings: Findings, service: Site, passwords: dict[str, set[str]]) -> None:
    client, ledger = service.client, service.ledger
    findings.none("session of before the restore lives", [each for each in ledger.sessions if client.passes(each)])
    opened = [client.get(f"/setup?token={link.token}") for link in ledger.links]
    findings.none("link of before the restore opens", [each for each in opened if not each or each.status != _GONE])
    right = sum(client.signs_in(name, PASSWORD) for name in PEOPLE[:_SAMPLED])
    findings.check("people sign in", f"{right} of {_SAMPLED}", right == _SAMPLED)
    wrong = [name for name, known in passwords.items() if not any(client.signs_in(name, each) for each in known)]
    findings.none("account whose password is of no moment of the backup", wrong)
