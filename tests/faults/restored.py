"""F-24: backups are made under traffic, and the last one is restored."""

from pathlib import Path
from typing import Final

from tests.faults.findings import Findings
from tests.faults.killed import integrity
from tests.faults.recovery import Kind
from tests.faults.site import PEOPLE, Site, site
from tests.faults.times import TIMES
from tests.faults.traffic import QUIET_SECONDS, Traffic
from tests.rig.directories import server_directory
from tests.rig.passwords import PASSWORD

_SAMPLED: Final = 10
_GONE: Final = 404


def backups(findings: Findings) -> None:
    """A backup is made three times under traffic; the last one is put in the place of the database.

    The restored passwords are those of a moment while that backup was made. Every session of before is ended, and so is
    every one-time link, whether it was used or not: what had ended stays ended.
    """
    with site() as service, server_directory("backups") as place:
        with service.traffic(every=1) as traffic:
            traffic.go_on(QUIET_SECONDS)
            passwords = _passwords(service)
            for _ in range(3 * TIMES):
                traffic.go_on(1.0)  # each backup is called by its second
                passwords = _passwords(service)
                made = service.servers.vestibule("db", "backup", "--to", str(place))
                findings.check("the backup is made", made.stderr or "yes", made.returncode == 0)
                for name, known in _passwords(service).items():
                    passwords[name] = known | passwords.get(name, set())
            findings.back(traffic.recovered(traffic.now), 5)
        _nothing_failed(findings, traffic)
        service.compare(findings)
        _restore(findings, service, max(place.iterdir()))
        _compare(findings, service, passwords)


def _passwords(service: Site) -> dict[str, set[str]]:
    """Return the passwords of which one is in force now: acknowledged last, or before that, or asked for."""
    secrets = service.ledger.secrets.items()
    return {name: {each.acknowledged, each.replaced or PASSWORD, each.asked or PASSWORD} for name, each in secrets}


def _nothing_failed(findings: Findings, traffic: Traffic) -> None:
    findings.none("failed session check", [each for each in traffic.failed() if each.kind is Kind.CHECK])
    findings.none("failed sign-in", [each for each in traffic.failed() if each.kind is Kind.SIGN_IN])


def _restore(findings: Findings, service: Site, backup: Path) -> None:
    command = ("db", "restore", str(backup), "--yes")
    refused = service.servers.vestibule(*command)
    findings.check("no restore while the service runs", f"exit code {refused.returncode}", refused.returncode == 1)
    service.servers.end("gunicorn")
    done = service.servers.vestibule(*command)
    findings.check("the backup is restored", done.stderr or "yes", done.returncode == 0)
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
