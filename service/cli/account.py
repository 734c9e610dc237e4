"""`vestibule account …`: the people who may sign in."""

from dataclasses import replace

import click

from service.cli import Operator, as_json
from service.cli.account_import import import_accounts
from service.cli.account_write import add, edit
from service.cli.attempts import clear_account
from service.cli.links import show_link
from service.cli.person import existing, facts, held, state
from service.cli.recorded import record
from service.cli.words import refuse, tell, tell_all, when
from service.login.accounts import Account
from service.login.audit import Happened
from service.login.links import Purpose
from service.login.sessions import is_live


@click.group()
def account() -> None:
    """Look after the people who may sign in."""


for command in (add, edit, import_accounts):
    account.add_command(command)


@account.command(name="list")
@as_json
@click.pass_obj
def list_(op: Operator, *, as_json: bool) -> None:
    """List all accounts."""
    people = op.services.accounts.all()
    tell_all(((_line(person), facts(person)) for person in people), as_json=as_json)


def _line(person: Account) -> str:
    role = "administrator" if person.is_admin else ""
    return f"{person.username:<32} {state(person):<9} {role:<14} {','.join(person.groups)}".rstrip()


@account.command()
@click.argument("name")
@as_json
@click.pass_obj
def show(op: Operator, name: str, *, as_json: bool) -> None:
    """Show what is known of the account NAME."""
    services, person = op.services, existing(op, name)
    kept, now = services.sessions.of_account(person.id), services.clock()
    known = facts(person) | {"sessions": sum(is_live(each, services.lifetimes, now=now) for each in kept)}
    shown = known | {key: when(known[key]) for key in ("created_at", "password_changed_at", "disabled_at")}
    lines = (
        f"{key:<14} {', '.join(value) if isinstance(value, tuple) else value}".rstrip() for key, value in shown.items()
    )
    tell("\n".join(lines), known, as_json=as_json)


@account.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@click.pass_obj
def delete(op: Operator, name: str, *, yes: bool, as_json: bool) -> None:
    """Remove the account NAME with its sessions and links."""
    person = existing(op, name)
    if not yes:
        click.confirm(f"Remove {person.username} for ever?", abort=True, err=True)
    with op.services.transaction():
        op.services.accounts.delete(person.id)
        record(op, Happened.ACCOUNT_REMOVED, account=person.username)
    tell(f"Removed {person.username}.", {"removed": person.username}, as_json=as_json)


@account.command()
@click.argument("name")
@as_json
@click.pass_obj
def disable(op: Operator, name: str, *, as_json: bool) -> None:
    """Shut the account NAME; its sessions and its one-time link end at once."""
    services = op.services
    with services.transaction():
        person = replace(held(op, name), disabled_at=services.clock())
        services.accounts.replace(person)
        ended = services.sessions.end_of_account(person.id)
        services.links.end_of_account(person.id)
        record(op, Happened.ACCOUNT_CHANGED, account=person.username, detail="disabled")
    tell(
        f"Disabled {person.username}; {ended} sessions ended.",
        facts(person) | {"sessions_ended": ended},
        as_json=as_json,
    )


@account.command()
@click.argument("name")
@as_json
@click.pass_obj
def enable(op: Operator, name: str, *, as_json: bool) -> None:
    """Open the account NAME again."""
    with op.services.transaction():
        person = replace(held(op, name), disabled_at=None)
        op.services.accounts.replace(person)
        record(op, Happened.ACCOUNT_CHANGED, account=person.username, detail="enabled")
    tell(f"Enabled {person.username}.", facts(person), as_json=as_json)


@account.command()
@click.argument("name")
@as_json
@click.pass_obj
def unlock(op: Operator, name: str, *, as_json: bool) -> None:
    """Forget the failed attempts at the account NAME, so that its owner may try again at once."""
    cleared = clear_account(op, name)
    tell(f"{cleared} attempts forgotten.", {"cleared": cleared}, as_json=as_json)


@account.command()
@click.argument("name")
@as_json
@click.pass_obj
def invite(op: Operator, name: str, *, as_json: bool) -> None:
    """Print a one-time link through which NAME chooses a first password."""
    show_link(op, Purpose.INVITATION, _open(op, name), as_json=as_json)


@account.command(name="reset-link")
@click.argument("name")
@as_json
@click.pass_obj
def reset_link(op: Operator, name: str, *, as_json: bool) -> None:
    """Print a one-time link through which NAME chooses another password; the old one works until then."""
    show_link(op, Purpose.RESET, _open(op, name), as_json=as_json)


def _open(op: Operator, name: str) -> Account:
    """Return an account for which a link would work."""
    person = existing(op, name)
    if person.is_disabled:
        refuse(f"{person.username} is disabled, so that no link would work: vestibule account enable {person.username}")
    return person
