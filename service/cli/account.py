"""`vestibule account …`: the people who may sign in."""

import json
import sys
import uuid
from dataclasses import asdict, replace
from typing import Any, NoReturn

import click

from service.cli import REFUSED, Operator, as_json
from service.cli.account_import import import_accounts
from service.cli.links import show_link
from service.cli.words import when
from service.login.accounts import Account, UsernameTaken, canonical_group, canonical_username
from service.login.links import Purpose
from service.login.new_password import personal_words
from service.login.passwords import weakness

operator = click.make_pass_decorator(Operator)


@click.group()
def account() -> None:
    """Look after the people who may sign in."""


account.add_command(import_accounts)


def refuse(sentence: str) -> NoReturn:
    """Say why not, and leave with exit code 1."""
    click.echo(sentence, err=True)
    sys.exit(REFUSED)


def _existing(op: Operator, name: str) -> Account:
    found = op.services().accounts.by_username(canonical_username(name) or "")
    return found if found else refuse(f"There is no account called {name!r}.")


def _groups(names: tuple[str, ...]) -> tuple[str, ...]:
    groups = {name: canonical_group(name) for name in names}
    for name, group in groups.items():
        if group is None:
            refuse(f"{name!r} cannot be a group: 1 to 64 of a-z, 0-9 and . _ - starting with a letter or digit.")
    return tuple(sorted({group for group in groups.values() if group}))


def _facts(person: Account) -> dict[str, Any]:
    facts = asdict(person)
    facts["has_password"] = facts.pop("password_hash") is not None
    return facts


@account.command()
@click.argument("name")
@click.option("--email", default="", help="Where mail for this person goes.")
@click.option("--name", "display_name", default="", help="What the person is called.")
@click.option("--group", "groups", multiple=True, help="A group; may be given several times.")
@click.option("--admin", is_flag=True, help="May administer the service.")
@click.option("--invite", is_flag=True, help="Print a one-time link through which the person chooses a password.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@as_json
@operator
def add(op: Operator, name: str, *, invite: bool, password_stdin: bool, as_json: bool, **facts: Any) -> None:
    """Make an account called NAME."""
    username = canonical_username(name)
    if username is None:
        refuse(f"{name!r} cannot be a username: 1 to 64 of a-z, 0-9 and . _ @ - starting with a letter or digit.")
    services = op.services()
    person = Account(
        id=uuid.uuid4().hex,
        username=username,
        created_at=services.clock(),
        email=facts["email"],
        display_name=facts["display_name"],
        groups=_groups(facts["groups"]),
        is_admin=facts["admin"],
    )
    if not invite:
        person = replace(person, password_hash=_chosen_hash(op, person, from_stdin=password_stdin))
    try:
        services.accounts.add(person)
    except UsernameTaken:
        refuse(f"There is already an account called {username!r}.")
    if invite:
        show_link(op, Purpose.INVITATION, person, as_json=as_json)
    else:
        click.echo(json.dumps(_facts(person)) if as_json else f"Added {username}.")


def _chosen_hash(op: Operator, person: Account, *, from_stdin: bool) -> str:
    """Return the hash of a password from standard input or a prompt; never from an argument."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    weak = weakness(password, personal=personal_words(person, op.services().brand.name))
    if weak:
        refuse(f"That password is refused: {weak.value}. Use at least 15 characters that do not belong together.")
    return op.services().passwords.hash(password)


@account.command()
@click.argument("name")
@click.option("--email", help="Where mail for this person goes.")
@click.option("--name", "display_name", help="What the person is called.")
@click.option("--group", "groups", multiple=True, help="A group, in place of all groups so far.")
@click.option("--no-groups", is_flag=True, help="Take all groups away.")
@click.option("--admin/--no-admin", default=None, help="May, or may no longer, administer the service.")
@operator
def edit(op: Operator, name: str, *, no_groups: bool, **facts: Any) -> None:
    """Change what is known of the account NAME."""
    person = _existing(op, name)
    changed = replace(
        person,
        email=person.email if facts["email"] is None else facts["email"],
        display_name=person.display_name if facts["display_name"] is None else facts["display_name"],
        groups=() if no_groups else (_groups(facts["groups"]) or person.groups),
        is_admin=person.is_admin if facts["admin"] is None else facts["admin"],
    )
    op.services().accounts.replace(changed)
    click.echo(f"Changed {person.username}.")


@account.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@operator
def delete(op: Operator, name: str, *, yes: bool) -> None:
    """Remove the account NAME with its sessions."""
    person = _existing(op, name)
    if not yes:
        click.confirm(f"Remove {person.username} for ever?", abort=True, err=True)
    op.services().accounts.delete(person.id)
    click.echo(f"Removed {person.username}.")


@account.command(name="list")
@as_json
@operator
def list_(op: Operator, *, as_json: bool) -> None:
    """List all accounts."""
    for person in op.services().accounts.all():
        state = "disabled" if person.is_disabled else "active" if person.password_hash else "invited"
        role = "administrator" if person.is_admin else ""
        line = f"{person.username:<32} {state:<9} {role:<14} {','.join(person.groups)}".rstrip()
        click.echo(json.dumps(_facts(person)) if as_json else line)


@account.command()
@click.argument("name")
@as_json
@operator
def show(op: Operator, name: str, *, as_json: bool) -> None:
    """Show what is known of the account NAME."""
    person = _existing(op, name)
    facts = _facts(person) | {"sessions": len(op.services().sessions.of_account(person.id))}
    if as_json:
        click.echo(json.dumps(facts))
        return
    facts |= {"created_at": when(person.created_at), "disabled_at": when(person.disabled_at)}
    for key, value in facts.items():
        click.echo(f"{key:<14} {', '.join(value) if isinstance(value, tuple) else value}")


@account.command()
@click.argument("name")
@operator
def disable(op: Operator, name: str) -> None:
    """Shut the account NAME; its sessions end at once."""
    person, services = _existing(op, name), op.services()
    with services.transaction():
        services.accounts.replace(replace(person, disabled_at=services.clock()))
        ended = services.sessions.end_of_account(person.id)
    click.echo(f"Disabled {person.username}; {ended} sessions ended.")


@account.command()
@click.argument("name")
@operator
def enable(op: Operator, name: str) -> None:
    """Open the account NAME again."""
    person = _existing(op, name)
    op.services().accounts.replace(replace(person, disabled_at=None))
    click.echo(f"Enabled {person.username}.")


@account.command()
@click.argument("name")
@as_json
@operator
def invite(op: Operator, name: str, *, as_json: bool) -> None:
    """Print a one-time link through which NAME chooses a first password."""
    show_link(op, Purpose.INVITATION, _existing(op, name), as_json=as_json)


@account.command(name="reset-link")
@click.argument("name")
@as_json
@operator
def reset_link(op: Operator, name: str, *, as_json: bool) -> None:
    """Print a one-time link through which NAME chooses another password; the old one works until then."""
    show_link(op, Purpose.RESET, _existing(op, name), as_json=as_json)
