"""`vestibule account import FILE.csv`: many accounts at once, argon2 hashes taken as they are.

The whole file is read and judged before anything is written; then it goes in in small batches, so that
people can sign in meanwhile. What an interruption left out goes in with `--skip-existing`.
"""

import csv
import json
import sys
import uuid
from pathlib import Path
from typing import Final

import click

from service.cli import REFUSED, Operator, as_json
from service.login.accounts import Account, canonical_group, canonical_username
from service.login.passwords import is_affordable_hash

COLUMNS: Final = ("username", "email", "name", "groups", "admin", "disabled", "password_hash")
BATCH: Final = 200
_SHOWN_FAULTS: Final = 50
_TRUTH: Final = {"": False, "no": False, "false": False, "0": False, "yes": True, "true": True, "1": True}


@click.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--skip-existing", is_flag=True, help="Leave accounts alone that are there already.")
@as_json
@click.pass_obj
def import_accounts(op: Operator, file: Path, *, skip_existing: bool, as_json: bool) -> None:
    """Make the accounts of FILE: a CSV with a heading and the columns
    username, email, name, groups (separated by blanks), admin, disabled, password_hash (argon2).
    Only username is needed; without a hash the account waits for `account invite`."""
    services = op.services()
    people, faults = read(file, now=services.clock())
    if not skip_existing:
        taken = {person.username for person in services.accounts.all()}
        faults += [
            f"{person.username}: there is such an account already" for person in people if person.username in taken
        ]
    if faults:
        for fault in faults[:_SHOWN_FAULTS]:
            click.echo(fault, err=True)
        click.echo(f"{len(faults)} faults in {file}; nothing was written.", err=True)
        sys.exit(REFUSED)
    added = 0
    with click.progressbar(length=len(people), label="Importing", file=sys.stderr) as bar:
        for start in range(0, len(people), BATCH):
            batch = people[start : start + BATCH]
            added += _add(op, batch)
            bar.update(len(batch))
    facts = {"added": added, "skipped": len(people) - added}
    click.echo(json.dumps(facts) if as_json else f"{added} accounts added, {facts['skipped']} were there already.")


def _add(op: Operator, batch: list[Account]) -> int:
    """Write one batch in one transaction; whoever is there already stays as they are."""
    accounts, added = op.services().accounts, 0
    with op.services().transaction():
        for person in batch:
            if accounts.by_username(person.username) is None:
                accounts.add(person)
                added += 1
    return added


def read(file: Path, *, now: int) -> tuple[list[Account], list[str]]:
    """Return the file's accounts, and every fault in it with the line it is in."""
    people: dict[str, Account] = {}
    faults: list[str] = []
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines, strict=True)
            unknown = set(rows.fieldnames or ()) - set(COLUMNS)
            if "username" not in (rows.fieldnames or ()) or unknown:
                return [], [f"line 1: the heading may have {', '.join(COLUMNS)}, and must have username"]
            for row in rows:
                person = _account(row, now=now)
                if isinstance(person, str):
                    faults.append(f"line {rows.line_num}: {person}")
                elif person.username in people:
                    faults.append(f"line {rows.line_num}: {person.username} comes twice")
                else:
                    people[person.username] = person
    except (UnicodeDecodeError, csv.Error) as unreadable:
        faults.append(f"{file}: not readable as CSV in UTF-8 ({unreadable})")
    return list(people.values()), faults


def _account(row: dict[str, str | None], *, now: int) -> Account | str:
    """Return the row's account, or what is wrong with it (never the hash itself)."""
    fields = {key: (row.get(key) or "").strip() for key in COLUMNS}
    if None in row:
        return "more fields than the heading has"
    username = canonical_username(fields["username"])
    if username is None:
        return f"{fields['username']!r} cannot be a username"
    groups = [canonical_group(name) for name in fields["groups"].split()]
    if None in groups:
        return "one of the groups has characters that a group cannot have"
    if fields["admin"].lower() not in _TRUTH or fields["disabled"].lower() not in _TRUTH:
        return "admin and disabled are yes or no"
    if fields["password_hash"] and not is_affordable_hash(fields["password_hash"]):
        return "password_hash is no argon2 hash that this service can check"
    return Account(
        id=uuid.uuid4().hex,
        username=username,
        created_at=now,
        display_name=fields["name"],
        email=fields["email"],
        groups=tuple(sorted({group for group in groups if group})),
        is_admin=_TRUTH[fields["admin"].lower()],
        password_hash=fields["password_hash"] or None,
        disabled_at=now if _TRUTH[fields["disabled"].lower()] else None,
    )
