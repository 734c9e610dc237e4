"""`vestibule account add`, `edit`, `delete`, `disable`, `offboard` and `enable`."""

import sys
from dataclasses import replace
from typing import Any, Final

import click

from service.cli import Operator, operator_command
from service.cli.account.links import show_link
from service.cli.account.shown import facts
from service.cli.output import accepted, ask_password, confirm, refuse, report
from service.login import administration
from service.login.accounts import Account
from service.login.administration import Disabled
from service.login.links import Purpose
from service.login.new_account import new_account
from service.login.password_policy import WEAKNESS_MESSAGES, Weakness, hash_if_accepted
from service.text_files import NotText, decoded

_LONGEST_LINE: Final = 10_000


@click.command()
@click.argument("name")
@click.option("--email", default="", help="The owner's e-mail address.")
@click.option("--name", "display_name", default="", help="The owner's name, as apps show it.")
@click.option("--group", "groups", multiple=True, help="A group; repeat the option for several.")
@click.option("--admin", "is_admin", is_flag=True, help="Make the account an administrator.")
@click.option("--invite", is_flag=True, help="Set no password: print a one-time link for choosing it.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
@operator_command
def add(op: Operator, /, name: str, *, invite: bool, password_stdin: bool, as_json: bool, **details: Any) -> None:
    """Add the account NAME. Asks for a password, unless an option says where it comes from."""
    if invite and password_stdin:
        raise click.UsageError("--invite and --password-stdin exclude each other: give one of them.")
    account = accepted(new_account(name, now=op.services.clock(), **details))
    if op.services.accounts.by_username(account.username):  # before a password is asked for
        _taken(account)
    if not invite:
        account = replace(account, password_hash=_hash(op, account, from_stdin=password_stdin))
    if not administration.add([account], op.services, **op.audited()):
        _taken(account)
    if invite:
        link = administration.make_link(account.username, Purpose.INVITATION, op.services, **op.audited())
        show_link(op, link, as_json=as_json)
    else:
        report(f"Added {account.username}.", facts(account), as_json=as_json)


def _taken(account: Account) -> None:
    refuse(f"There is already an account called {account.username!r}.")


def _hash(op: Operator, account: Account, *, from_stdin: bool) -> str:
    """Return the hash of a password from standard input or a prompt; never from an argument."""
    password = _line() if from_stdin else ask_password()
    hashed = hash_if_accepted(account, password, op.services.verifier.passwords, op.services.brand.name)
    if isinstance(hashed, Weakness):
        refuse(f"The password was refused. {WEAKNESS_MESSAGES[hashed]}")
    return hashed


def _line() -> str:
    """Return one line of standard input, without its end and with nothing else taken off."""
    line = sys.stdin.buffer.readline(_LONGEST_LINE) if sys.stdin else b""
    try:
        return decoded(line).removesuffix("\n").removesuffix("\r")
    except NotText as fault:
        refuse(f"The password on standard input {fault}.")


@click.command()
@click.argument("name")
@click.option("--email", help="The owner's e-mail address.")
@click.option("--name", "display_name", help="The owner's name, as apps show it.")
@click.option(
    "--group", "groups", multiple=True, help="A group in place of all present ones; repeat the option for several."
)
@click.option("--no-groups", is_flag=True, help="Remove the account from all groups.")
@click.option(
    "--admin/--no-admin", "is_admin", default=None, help="Make the account an administrator, or no longer one."
)
@operator_command
def edit(
    op: Operator, /, name: str, *, groups: tuple[str, ...], no_groups: bool, as_json: bool, **given: str | bool | None
) -> None:
    """Change details of the account NAME. Without its option a detail stays as it is."""
    details: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if groups and no_groups:
        raise click.UsageError("--group and --no-groups exclude each other: give one of them.")
    if groups or no_groups:
        details["groups"] = groups
    if not details:
        raise click.UsageError("Nothing to change: give at least one option, such as --email.")
    if details.get("is_admin") is False:
        _warn_if_last_administrator(op, _named(op, name))
    account = accepted(administration.edit(name, op.services, **op.audited(), **details))
    report(f"Changed {account.username}.", facts(account), as_json=as_json)


def _named(op: Operator, name: str) -> Account:
    return accepted(administration.account_named(name, op.services.accounts))


def _warn_if_last_administrator(op: Operator, account: Account) -> None:
    if administration.is_last_administrator(account, op.services.accounts):
        said = f"Warning: {account.username} is the last administrator. To make a new one: vestibule setup link"
        click.echo(said, err=True)


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Delete without asking for a confirmation.")
@operator_command
def delete(op: Operator, name: str, *, yes: bool, as_json: bool) -> None:
    """Delete the account NAME. Its sessions, its one-time link and its app passwords are deleted with it."""
    _warn_if_last_administrator(op, account := _named(op, name))
    if not yes:
        confirm(f"Delete {account.username}? This cannot be undone.")
    account = accepted(administration.delete(name, op.services, **op.audited()))
    report(f"Deleted {account.username}.", {"removed": account.username}, as_json=as_json)


@click.command()
@click.argument("name")
@operator_command
def disable(op: Operator, name: str, *, as_json: bool) -> None:
    """Disable the account NAME. Its sessions, its one-time link and its app passwords end at once."""
    _warn_if_last_administrator(op, _named(op, name))
    done = accepted(administration.disable(name, op.services, **op.audited()))
    ended = f"sessions ended: {done.sessions}; app passwords ended: {done.app_passwords}"
    report(f"Disabled {done.account.username}; {ended}.", _ended(done), as_json=as_json)


def _ended(done: Disabled) -> dict[str, Any]:
    ended = {"sessions_ended": done.sessions, "links_ended": done.links, "app_passwords_ended": done.app_passwords}
    return facts(done.account) | ended


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Offboard without asking for a confirmation.")
@operator_command
def offboard(op: Operator, name: str, *, yes: bool, as_json: bool) -> None:
    """Disable the account NAME of a person who leaves. All that it signed in with ends, device cookies too.

    Unlike after `disable`, a browser that the person used is no known device when the account is enabled again. Apps
    with sessions of their own (own_sessions = true) are named: those sessions end there.
    """
    _warn_if_last_administrator(op, account := _named(op, name))
    if not yes:
        confirm(
            f"Offboard {account.username}? Its sessions, app passwords, one-time link and device cookies end at once."
        )
    done = accepted(administration.disable(name, op.services, offboard=True, **op.audited()))
    sessions = f"sessions ended: {done.sessions}; app passwords ended: {done.app_passwords}"
    rest = f"one-time links revoked: {done.links}; device cookies: all invalid"
    lines = [f"Offboarded {done.account.username}; {sessions}; {rest}."]
    apps = [app for app in op.services.apps().apps if app.own_sessions]
    if apps:
        lines.append("These apps keep sessions of their own; end those there:")
        lines += [f"  {app.name}  {app.address.origin}" for app in apps]
    report("\n".join(lines), _ended(done) | {"own_sessions": [app.name for app in apps]}, as_json=as_json)


@click.command()
@click.argument("name")
@operator_command
def enable(op: Operator, name: str, *, as_json: bool) -> None:
    """Enable the account NAME again. Its password still works."""
    account = accepted(administration.enable(name, op.services, **op.audited()))
    report(f"Enabled {account.username}.", facts(account), as_json=as_json)
