"""`vestibule account import FILE.csv`: many accounts at once, argon2 hashes taken as they are.

The whole file is read and judged before anything is written; then it goes in in small batches, so that
people can sign in meanwhile. What an interruption left out goes in with `--skip-existing`.
"""

import csv
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import click

from service.cli import REFUSED, Operator, operator_command
from service.cli.audited import audited
from service.cli.output import is_terminal, report
from service.login.accounts import Account
from service.login.administration import add
from service.login.new_account import new_account
from service.login.refusal import Refusal
from service.login.stored_hash import hash_flaw

COLUMNS: Final = ("username", "email", "name", "groups", "admin", "disabled", "password_hash")
BATCH: Final = 200
_SHOWN_FAULTS: Final = 50
_TRUTH: Final = {"": False, "no": False, "false": False, "0": False, "yes": True, "true": True, "1": True}


class Row(NamedTuple):
    """An account, and the line of the file where it ends."""

    line: int
    account: Account


@click.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--skip-existing", is_flag=True, help="Leave accounts alone that are there already.")
@operator_command
def import_accounts(op: Operator, file: Path, *, skip_existing: bool, as_json: bool) -> None:
    """Make the accounts of FILE.

    FILE is a CSV in UTF-8 with a heading and the columns username, email, name, groups (separated by blanks),
    admin, disabled (yes or no), password_hash (argon2). Only username is needed; without a hash the account
    waits for `account invite`.
    """
    rows, faults = read(file, now=op.services.clock())
    if not skip_existing:
        faults += _taken(op, rows)
    if faults:
        _refuse(file, faults, as_json=as_json)
    added = _write(op, [row.account for row in rows])
    skipped = len(rows) - added
    facts = {"added": added, "skipped": skipped}
    report(f"{added} accounts added, {skipped} were there already.", facts, as_json=as_json)


def _refuse(file: Path, faults: list[str], *, as_json: bool) -> None:
    for fault in faults[:_SHOWN_FAULTS]:
        click.echo(fault, err=True)
    click.echo(f"{len(faults)} faults in {file}; nothing was written.", err=True)
    if as_json:
        report("", {"added": 0, "skipped": 0, "faults": faults}, as_json=True)
    sys.exit(REFUSED)


def _taken(op: Operator, rows: list[Row]) -> Iterator[str]:
    accounts = op.services.accounts
    for line, account in rows:
        if accounts.by_username(account.username):
            yield f"line {line}: there is an account {account.username} already"


def _write(op: Operator, accounts: list[Account]) -> int:
    """Store all of them, batch by batch, showing progress on a terminal; how many were new."""
    added = 0
    bar_of = click.progressbar(length=len(accounts), label="Importing", file=sys.stderr, hidden=not is_terminal())
    with bar_of as bar:
        for start in range(0, len(accounts), BATCH):
            batch = accounts[start : start + BATCH]
            added += len(add(batch, op.services, detail="imported", **audited(op)))
            bar.update(len(batch))
    return added


def read(file: Path, *, now: int) -> tuple[list[Row], list[str]]:
    """Return the file's accounts, and every fault in it with the line it is in."""
    found: dict[str, Row] = {}
    faults: list[str] = []
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines, strict=True)
        try:
            if wrong := _heading(list(rows.fieldnames or ())):
                return [], [wrong]
            for row in rows:
                account = _account(row, now=now)
                if isinstance(account, str):
                    faults.append(f"line {rows.line_num}: {account}")
                elif account.username in found:
                    first = found[account.username].line
                    faults.append(f"line {rows.line_num}: {account.username} was in line {first}")
                else:
                    found[account.username] = Row(rows.line_num, account)
        except (UnicodeDecodeError, csv.Error) as unreadable:
            faults.append(f"line {rows.line_num + 1}: not readable as CSV in UTF-8 ({unreadable})")
    return list(found.values()), faults


def _heading(names: list[str]) -> str | None:
    if "username" in names and set(names) <= set(COLUMNS) and len(set(names)) == len(names):
        return None
    return f"line 1: the heading may have {', '.join(COLUMNS)}, each once, and must have username"


def _account(row: dict[str, str | None], *, now: int) -> Account | str:
    """Return the row's account, or what is wrong with it (never the hash itself)."""
    if None in row:
        return "more fields than the heading has"
    fields = {key: (row.get(key) or "").strip() for key in COLUMNS}
    if wrong := _flaw(fields):
        return wrong
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


def _flaw(fields: dict[str, str]) -> str | None:
    if fields["admin"].lower() not in _TRUTH or fields["disabled"].lower() not in _TRUTH:
        return "admin and disabled are yes or no"
    if fields["password_hash"] and (wrong := hash_flaw(fields["password_hash"])):
        return f"password_hash {wrong}"
    return None
