"""`vestibule account import FILE.csv`: many accounts at once, argon2 hashes taken as they are.

The whole file is read and checked before an account is stored. Accounts are stored in small batches, so that people
can sign in meanwhile; after an interruption, `--skip-existing` adds the rest.
"""

import csv
import io
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, NoReturn

import click

from service.cli import REFUSED, Operator, operator_command
from service.cli.output import progress_bars, report
from service.login.accounts import Account
from service.login.administration import add
from service.login.new_account import new_account
from service.login.refusal import Refusal
from service.login.stored_hash import hash_flaw
from service.text_files import NotText, decoded

COLUMNS: Final = ("username", "email", "name", "groups", "admin", "disabled", "password_hash")
BATCH: Final = 200
_STANDARD_INPUT: Final = Path("-")
_SEPARATORS: Final = ",;\t"
_LONGEST_COLUMN: Final = 32
_SHOWN_FAULTS: Final = 50
_TRUTH: Final = {"": False, "no": False, "false": False, "0": False, "yes": True, "true": True, "1": True}
Rows = dict[int, Account]


@click.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--skip-existing", is_flag=True, help="Skip rows whose account exists already.")
@operator_command
def import_accounts(op: Operator, file: Path, *, skip_existing: bool, as_json: bool) -> None:
    """Add the accounts of FILE (- for standard input). A fault in any row refuses the whole file.

    FILE is a CSV in UTF-8 with a heading and the columns username, email, name, groups (separated by spaces),
    admin, disabled (yes or no) and password_hash (argon2), separated by commas, semicolons or tabs. Only username is
    needed. An account without a hash gets its password through `account invite`.
    """
    try:
        content = sys.stdin.buffer.read() if file == _STANDARD_INPUT else file.read_bytes()
        rows, faults = read(decoded(content), now=op.services.clock())
    except NotText as fault:
        rows, faults = {}, [f"line {fault.line}: the file {fault}"]
    if not skip_existing:
        faults += _taken(op, rows)
    if faults:
        _refuse(file, faults, as_json=as_json)
    added = _write(op, [*rows.values()])
    skipped = len(rows) - added
    facts = {"added": added, "skipped": skipped}
    report(f"Accounts added: {added}; existed already: {skipped}.", facts, as_json=as_json)


def _refuse(file: Path, faults: list[str], *, as_json: bool) -> NoReturn:
    for fault in faults[:_SHOWN_FAULTS]:
        click.echo(fault, err=True)
    click.echo(f"Faults in {file}: {len(faults)}. Correct them and try again; nothing was written.", err=True)
    if as_json:
        report("", {"added": 0, "skipped": 0, "faults": faults}, as_json=True)
    sys.exit(REFUSED)


def _taken(op: Operator, rows: Rows) -> Iterator[str]:
    for line, account in rows.items():
        if op.services.accounts.by_username(account.username):
            yield f"line {line}: the account {account.username} exists already: remove the line, or add --skip-existing"


def _write(op: Operator, accounts: list[Account]) -> int:
    """Store all of them, batch by batch, showing progress on a terminal; how many were new."""
    added = 0
    show = progress_bars()
    for start in range(0, len(accounts), BATCH):
        batch = accounts[start : start + BATCH]
        added += len(add(batch, op.services, detail="imported", **op.audited()))
        show("Importing", start + len(batch), len(accounts))
    return added


def read(text: str, *, now: int) -> tuple[Rows, list[str]]:
    """Return the accounts of a CSV file by the line where each ends, and every fault with the line it is in."""
    found: Rows = {}
    lines: dict[str, int] = {}
    faults: list[str] = []
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    try:
        names = [cell.lower().replace(" ", "_") for cell in _cells(next(rows, []))]
        if wrong := _heading(names):
            return {}, [wrong]
        for cells in filter(any, map(_cells, rows)):
            account = _account(names, cells, now=now)
            if isinstance(account, str):
                faults.append(f"line {rows.line_num}: {account}")
            elif (line := lines.setdefault(account.username, rows.line_num)) != rows.line_num:
                faults.append(f"line {rows.line_num}: {account.username} was in line {line}")
            else:
                found[line] = account
    except csv.Error as unreadable:
        faults.append(f"line {rows.line_num}: not readable as CSV ({unreadable})")
    return found, faults


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
    if not {fields["admin"].lower(), fields["disabled"].lower()} <= _TRUTH.keys():
        return "admin and disabled must be yes or no"
    if fields["password_hash"] and (wrong := hash_flaw(fields["password_hash"])):
        return f"password_hash {wrong}"
    account = new_account(
        fields["username"],
        now=now,
        email=fields["email"],
        display_name=fields["name"],
        groups=tuple(fields["groups"].split()),
        is_admin=_TRUTH[fields["admin"].lower()],
    )
    if isinstance(account, Refusal):
        return str(account)
    disabled_at = now if _TRUTH[fields["disabled"].lower()] else None
    return replace(account, password_hash=fields["password_hash"] or None, disabled_at=disabled_at)
