"""`vestibule session …`: who is signed in, and ending it."""

import json
import sys

import click

from service.cli import REFUSED, Operator, as_json
from service.cli.words import when
from service.login.accounts import canonical_username
from service.login.sessions import SignedIn, is_live


@click.group()
def session() -> None:
    """See who is signed in, and sign people out."""


@session.command(name="list")
@click.option("--account", help="Only this account's.")
@as_json
@click.pass_obj
def list_(op: Operator, account: str | None, *, as_json: bool) -> None:
    """List live sessions, newest first."""
    services = op.services()
    now, wanted = services.clock(), canonical_username(account) if account else None
    for found in services.sessions.all():
        if is_live(found.session, services.lifetimes, now=now) and (not account or found.account.username == wanted):
            click.echo(_line(found, as_json=as_json))


def _line(found: SignedIn, *, as_json: bool) -> str:
    kept = found.session
    if not as_json:
        name, remembered = found.account.username, "stay signed in" if kept.remembered else ""
        return f"{kept.id}  {name:<24} {when(kept.seen_at)}  {kept.address:<15} {remembered}".rstrip()
    facts = {"id": kept.id, "account": found.account.username, "created_at": kept.created_at, "seen_at": kept.seen_at}
    facts |= {"remembered": kept.remembered, "address": kept.address, "user_agent": kept.user_agent}
    return json.dumps(facts)


@session.command()
@click.argument("session_id", required=False)
@click.option("--account", help="Every session of this account.")
@click.option("--all", "everybody", is_flag=True, help="Every session there is.")
@as_json
@click.pass_obj
def end(op: Operator, session_id: str | None, account: str | None, *, everybody: bool, as_json: bool) -> None:
    """End one session, an account's, or all; the next request with it is refused."""
    if sum((session_id is not None, account is not None, everybody)) != 1:
        raise click.UsageError("Say which: a session's ID, --account NAME or --all.")
    ended = _end(op, session_id, account)
    if ended is None:
        click.echo("There is no such session or account.", err=True)
        sys.exit(REFUSED)
    click.echo(json.dumps({"ended": ended}) if as_json else f"{ended} sessions ended.")


def _end(op: Operator, session_id: str | None, account: str | None) -> int | None:
    services = op.services()
    if session_id is not None:
        return 1 if services.sessions.end_by_id(session_id) else None
    if account is None:
        return services.sessions.end_all()
    person = services.accounts.by_username(canonical_username(account) or "")
    return services.sessions.end_of_account(person.id) if person else None
