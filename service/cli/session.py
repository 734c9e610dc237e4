"""`vestibule session …`: the browsers that are signed in, and ending their sessions."""

from typing import Any

import click

from service.cli import Operator, operator_command
from service.cli.output import accepted, report, report_all, utc
from service.login.administration import account_named, end_all_sessions, end_session, end_sessions_of
from service.login.sessions import SignedIn, may_be_used


@click.group()
def session() -> None:
    """List and end sessions."""


@session.command(name="list")
@click.option("--account", help="Only sessions of this account.")
@operator_command
def list_(op: Operator, account: str | None, *, as_json: bool) -> None:
    """List live sessions, the newest first."""
    services = op.services
    now = services.clock()
    if account is None:
        found = services.sessions.all()
    else:
        of = accepted(account_named(account, services.accounts))
        found = (SignedIn(each, of) for each in services.sessions.of_account(of.id))
    live = (one for one in found if may_be_used(one, services.lifetimes, now=now))
    report_all(((_line(one), _facts(one)) for one in live), empty="No browser is signed in.", as_json=as_json)


def _line(found: SignedIn) -> str:
    one, remembered = found.session, "stay signed in" if found.session.remembered else ""
    return f"{one.id}  {found.account.username:<24} {utc(one.seen_at)}  {one.address:<15} {remembered}".rstrip()


def _facts(found: SignedIn) -> dict[str, Any]:
    """Return what may be known of a session: never its token, nor the digest of it."""
    shown = ("id", "created_at", "seen_at", "remembered", "address", "user_agent")
    return {name: getattr(found.session, name) for name in shown} | {"account": found.account.username}


@session.command()
@click.argument("session_id", required=False)
@click.option("--account", help="Every session of this account.")
@click.option("--all", "everything", is_flag=True, help="Every session.")
@operator_command
def end(op: Operator, session_id: str | None, account: str | None, *, everything: bool, as_json: bool) -> None:
    """End a session, those of an account, or all. `session list` shows each SESSION_ID."""
    if sum((session_id is not None, account is not None, everything)) != 1:
        raise click.UsageError("Give exactly one of SESSION_ID, --account NAME and --all.")
    if everything:
        ended = end_all_sessions(op.services, **op.audited())
    elif account is not None:
        ended = accepted(end_sessions_of(account, op.services, **op.audited()))
    else:
        ended = accepted(end_session(session_id or "", op.services, **op.audited()))
    report(f"Sessions ended: {ended}.", {"ended": ended}, as_json=as_json)
