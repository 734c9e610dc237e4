"""`vestibule account import FILE.csv`: many accounts at once, argon2 hashes taken as they are.

The whole file is read and judged before anything is written; then it goes in in small batches, so that
people can sign in meanwhile. What an interruption left out goes in with `--skip-existing`.
"""

import csv
import io
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import click

from service.cli import REFUSED, Operator, as_json
from service.cli.person import flaw
from service.cli.recorded import record
from service.cli.words import is_terminal, tell
from service.login.accounts import Account, UsernameTaken, canonical_group, canonical_username
from service.login.audit import Happened
from service.login.passwords import is_affordable_hash
from service.text_files import NotText, decoded

COLUMNS: Final = ("username", "email", "name", "groups", "admin", "disabled", "password_hash")
BATCH: Final = 200
_STANDARD_INPUT: Final = Path("-")
_SEPARATORS: Final = ",;\t"
_LONGEST_COLUMN: Final = 32
_SHOWN_FAULTS: Final = 50
_TRUTH: Final = {"": False, "no": False, "false": False, "0": False, "yes": True, "true": True, "1": True}


class Row(NamedTuple):
    """An account, and the line of the file where it ends."""

    line: int
    person: Account


@click.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--skip-existing", is_flag=True, help="Leave accounts alone that are there already.")
@as_json
@click.pass_obj
def import_accounts(op: Operator, file: Path, *, skip_existing: bool, as_json: bool) -> None:
    """Make the accounts of FILE (- for standard input).

    FILE is a CSV in UTF-8 with a heading and the columns username, email, name, groups (separated by blanks),
    admin, disabled (yes or no), password_hash (argon2), separated by commas, semicolons or tabs. Only username is
    needed; without a hash the account waits for `account invite`.
    """
    rows, faults = _judged(file, now=op.services.clock())
    if not skip_existing:
        faults += _taken(op, rows)
    if faults:
        _refuse(file, faults, as_json=as_json)
    added = _write(op, [row.person for row in rows])
    skipped = len(rows) - added
    facts = {"added": added, "skipped": skipped}
    tell(f"{added} accounts added, {skipped} were there already.", facts, as_json=as_json)


def _judged(file: Path, *, now: int) -> tuple[list[Row], list[str]]:
    try:
        text = decoded(sys.stdin.buffer.read() if file == _STANDARD_INPUT else file.read_bytes())
    except NotText as fault:
        return [], [f"line {fault.line}: the file {fault}"]
    return read(text, now=now)


def _refuse(file: Path, faults: list[str], *, as_json: bool) -> None:
    for fault in faults[:_SHOWN_FAULTS]:
        click.echo(fault, err=True)
    click.echo(f"{len(faults)} faults in {file}; nothing was written.", err=True)
    if as_json:
        tell("", {"added": 0, "skipped": 0, "faults": faults}, as_json=True)
    sys.exit(REFUSED)


def _taken(op: Operator, rows: list[Row]) -> Iterator[str]:
    accounts = op.services.accounts
    for line, person in rows:
        if accounts.by_username(person.username):
            yield f"line {line}: there is an account {person.username} already"


def _write(op: Operator, people: list[Account]) -> int:
    """Write all of them, batch by batch, showing how far it is on a terminal; how many were new."""
    added = 0
    bar_of = click.progressbar(length=len(people), label="Importing", file=sys.stderr, hidden=not is_terminal())
    with bar_of as bar:
        for start in range(0, len(people), BATCH):
            batch = people[start : start + BATCH]
            added += _add(op, batch)
            bar.update(len(batch))
    return added


def _add(op: Operator, batch: list[Account]) -> int:
    """Write one batch in one transaction; whoever is there already stays as they are."""
    accounts, added = op.services.accounts, 0
    with op.services.transaction():
        for person in batch:
            if accounts.by_username(person.username) is None:
                with suppress(UsernameTaken):  # by somebody who added them meanwhile
                    accounts.add(person)
                    record(op, Happened.ACCOUNT_ADDED, account=person.username, detail="imported")
                    added += 1
    return added


def read(text: str, *, now: int) -> tuple[list[Row], list[str]]:
    """Return the accounts of a CSV file, and every fault in it with the line it is in."""
    found: dict[str, Row] = {}
    faults: list[str] = []
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    try:
        names = [_column(cell) for cell in _cells(next(rows, []))]
        if wrong := _heading(names):
            return [], [wrong]
        for cells in filter(any, map(_cells, rows)):
            person = _account(names, cells, now=now)
            if isinstance(person, str):
                faults.append(f"line {rows.line_num}: {person}")
            elif person.username in found:
                faults.append(f"line {rows.line_num}: {person.username} was in line {found[person.username].line}")
            else:
                found[person.username] = Row(rows.line_num, person)
    except csv.Error as unreadable:
        faults.append(f"line {rows.line_num}: not readable as CSV ({unreadable})")
    return list(found.values()), faults


def _separator(text: str) -> str:
    """Return what separates the columns: spreadsheets of many countries write semicolons; copied tables have tabs."""
    heading = text.lstrip().partition("\n")[0]
    return max(_SEPARATORS, key=heading.count)


def _cells(row: list[str]) -> list[str]:
    """Return the cells of a row without blanks around them, and without the empty ones at its end."""
    cells = [cell.strip() for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _column(written: str) -> str:
    return written.lower().replace(" ", "_")


def _heading(names: list[str]) -> str | None:
    if "username" in names and set(names) <= set(COLUMNS) and len(set(names)) == len(names):
        return None
    read = ", ".join(name[:_LONGEST_COLUMN] for name in names[: len(COLUMNS) + 1]) or "nothing"
    return (
        f"line 1: the heading must have the column username, and may have {', '.join(COLUMNS[1:])}, each once, "
        f"separated by commas, semicolons or tabs (it has {read!r})"
    )


def _account(names: list[str], cells: list[str], *, now: int) -> Account | str:
    """Return the row's account, or what is wrong with it (never the hash itself)."""
    if len(cells) > len(names):
        return f"{len(cells)} fields, where the heading has {len(names)}: put quotes around a field with a separator"
    fields = dict.fromkeys(COLUMNS, "") | dict(zip(names, cells, strict=False))
    username = canonical_username(fields["username"])
    if username is None:
        return f"{fields['username'][:64]!r} cannot be a username"
    groups = [canonical_group(name) for name in fields["groups"].split()]
    if wrong := _flaw(fields, groups):
        return wrong
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


def _flaw(fields: dict[str, str], groups: list[str | None]) -> str | None:
    if None in groups:
        return "one of the groups has characters that a group cannot have"
    if fields["admin"].lower() not in _TRUTH or fields["disabled"].lower() not in _TRUTH:
        return "admin and disabled are yes or no"
    if fields["password_hash"] and not is_affordable_hash(fields["password_hash"]):
        return "password_hash is no argon2 hash that this service can check"
    return flaw(email=fields["email"], display_name=fields["name"])
