"""`vestibule account …`: the accounts of the people who may sign in."""

import click

from service.cli import Operator, operator_command
from service.cli.account.changes import add, delete, disable, edit, enable, offboard
from service.cli.account.importing import import_accounts
from service.cli.account.links import invite, reset_link
from service.cli.account.shown import facts, state
from service.cli.attempts import unlock
from service.cli.output import accepted, report, report_all, utc
from service.login.accounts import Account
from service.login.administration import account_named
from service.login.sessions import is_live


@click.group(commands=[add, edit, delete, disable, offboard, enable, unlock, invite, reset_link, import_accounts])
def account() -> None:
    """Manage the accounts of the people who may sign in."""


@account.command(name="list")
@operator_command
def list_(op: Operator, *, as_json: bool) -> None:
    """List all accounts."""
    found = op.services.accounts.all()
    report_all(((_line(each), facts(each)) for each in found), empty="There are no accounts.", as_json=as_json)


def _line(listed: Account) -> str:
    role = "administrator" if listed.is_admin else ""
    return f"{listed.username:<32} {state(listed):<9} {role:<14} {','.join(listed.groups)}".rstrip()


@account.command()
@click.argument("name")
@operator_command
def show(op: Operator, name: str, *, as_json: bool) -> None:
    """Show the account NAME. Of its sessions and app passwords, the numbers are shown."""
    services = op.services
    found, now = accepted(account_named(name, services.accounts)), services.clock()
    sessions = services.sessions.of_account(found.id)
    live = sum(is_live(each, services.lifetimes, now=now) for each in sessions)
    app_passwords = len(services.app_passwords.of_account(found.id))
    known = facts(found) | {"sessions": live, "app_passwords": app_passwords}
    times = ("created_at", "password_changed_at", "disabled_at", "device_cookies_after")
    shown = known | {key: utc(known[key] or None) for key in times}
    width = max(map(len, shown))
    lines = (
        f"{key:<{width}} {', '.join(value) if isinstance(value, tuple) else value}".rstrip()
        for key, value in shown.items()
    )
    report("\n".join(lines), known, as_json=as_json)
