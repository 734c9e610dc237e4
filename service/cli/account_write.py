"""`vestibule account add` and `edit`: what is known of a person."""

import sys
import uuid
from dataclasses import replace
from typing import Any, Final

import click

from service.cli import Operator, as_json
from service.cli.links import show_link
from service.cli.person import facts, flaw, groups, held, username
from service.cli.recorded import record
from service.cli.words import refuse, tell
from service.login.accounts import Account, UsernameTaken
from service.login.audit import Happened
from service.login.links import Purpose
from service.login.new_password import personal_words
from service.login.passwords import weakness
from service.text_files import NotText, decoded

_LONGEST_LINE: Final = 10_000


@click.command()
@click.argument("name")
@click.option("--email", default="", help="Where mail for this person goes.")
@click.option("--name", "display_name", default="", help="What the person is called.")
@click.option("--group", "groups_", multiple=True, help="A group; may be given several times.")
@click.option("--admin", is_flag=True, help="May administer the service.")
@click.option("--invite", is_flag=True, help="Print a one-time link through which the person chooses a password.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")
@as_json
@click.pass_obj
def add(op: Operator, /, name: str, *, invite: bool, password_stdin: bool, as_json: bool, **given: Any) -> None:
    """Make an account called NAME."""
    if invite and password_stdin:
        raise click.UsageError("--invite leaves the password to the person: leave out --password-stdin.")
    person = _judged(op, name, **given)
    if not invite:
        person = replace(person, password_hash=_chosen_hash(op, person, from_stdin=password_stdin))
    try:
        with op.services.transaction():
            op.services.accounts.add(person)
            record(op, Happened.ACCOUNT_ADDED, account=person.username)
    except UsernameTaken:
        _taken(person.username)
    if invite:
        show_link(op, Purpose.INVITATION, person, as_json=as_json)
    else:
        tell(f"Added {person.username}.", facts(person), as_json=as_json)


def _judged(
    op: Operator, name: str, *, email: str, display_name: str, groups_: tuple[str, ...], admin: bool
) -> Account:
    """Return the account that was asked for; leave when anything about it is wrong, before a password is asked for."""
    person = Account(
        id=uuid.uuid4().hex,
        username=username(name),
        created_at=op.services.clock(),
        email=email,
        display_name=display_name,
        groups=groups(groups_),
        is_admin=admin,
    )
    if wrong := flaw(email=email, display_name=display_name):
        refuse(wrong)
    if op.services.accounts.by_username(person.username):
        _taken(person.username)
    return person


def _taken(name: str) -> None:
    refuse(f"There is already an account called {name!r}.")


def _chosen_hash(op: Operator, person: Account, *, from_stdin: bool) -> str:
    """Return the hash of a password from standard input or a prompt; never from an argument."""
    password = _line() if from_stdin else click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    weak = weakness(password, personal=personal_words(person, op.services.brand.name))
    if weak:
        refuse(f"That password is refused: {weak.value}. Use at least 15 characters that do not belong together.")
    return op.services.passwords.hash(password)


def _line() -> str:
    """Return one line of standard input, without its end and with nothing else taken off."""
    line = sys.stdin.buffer.readline(_LONGEST_LINE)
    try:
        return decoded(line).removesuffix("\n").removesuffix("\r")
    except NotText as fault:
        refuse(f"The password on standard input {fault}.")


@click.command()
@click.argument("name")
@click.option("--email", help="Where mail for this person goes.")
@click.option("--name", "display_name", help="What the person is called.")
@click.option("--group", "groups_", multiple=True, help="A group, in place of all groups so far.")
@click.option("--no-groups", is_flag=True, help="Take all groups away.")
@click.option("--admin/--no-admin", "is_admin", default=None, help="May, or may no longer, administer the service.")
@as_json
@click.pass_obj
def edit(
    op: Operator, /, name: str, *, groups_: tuple[str, ...], no_groups: bool, as_json: bool, **given: str | bool | None
) -> None:
    """Change what is known of the account NAME; what is not given stays."""
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if groups_ and no_groups:
        raise click.UsageError("--group or --no-groups, not both.")
    if groups_ or no_groups:
        changes["groups"] = groups(groups_)
    if not changes:
        raise click.UsageError("Say what to change.")
    with op.services.transaction():
        person = replace(held(op, name), **changes)
        if wrong := flaw(email=person.email, display_name=person.display_name):
            refuse(wrong)
        op.services.accounts.replace(person)
        record(op, Happened.ACCOUNT_CHANGED, account=person.username, detail=", ".join(sorted(changes)))
    tell(f"Changed {person.username}.", facts(person), as_json=as_json)
