"""`vestibule session …`: who is signed in, and ending it."""

from collections.abc import Iterator
from typing import Any

import click

from service.cli import Operator, as_json
from service.cli.person import existing
from service.cli.recorded import record
from service.cli.words import refuse, tell, tell_all, when
from service.login.accounts import Account
from service.login.audit import Happened
from service.login.sessions import SignedIn, may_be_used


@click.group()
def session() -> None:
    """See who is signed in, and sign people out."""


@session.command(name="list")
@click.option("--account", help="Only this account's.")
@as_json
@click.pass_obj
def list_(op: Operator, account: str | None, *, as_json: bool) -> None:
    """List live sessions, newest first."""
    services = op.services
    now, found = services.clock(), services.sessions.all() if account is None else _of(op, existing(op, account))
    live = (one for one in found if may_be_used(one, services.lifetimes, now=now))
    tell_all(((_line(one), _facts(one)) for one in live), as_json=as_json)


def _of(op: Operator, person: Account) -> Iterator[SignedIn]:
    return (SignedIn(kept, person) for kept in op.services.sessions.of_account(person.id))


def _line(found: SignedIn) -> str:
    kept = found.session
    name, remembered = found.account.username, "stay signed in" if kept.remembered else ""
    return f"{kept.id}  {name:<24} {when(kept.seen_at)}  {kept.address:<15} {remembered}".rstrip()


def _facts(found: SignedIn) -> dict[str, Any]:
    """Return what may be known of a session: never its token, nor the digest of it."""
    kept = found.session
    facts = {"id": kept.id, "account": found.account.username, "created_at": kept.created_at, "seen_at": kept.seen_at}
    return facts | {"remembered": kept.remembered, "address": kept.address, "user_agent": kept.user_agent}


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
    ended = _end_all(op) if everybody else _end(op, session_id, account)
    tell(f"{ended} sessions ended.", {"ended": ended}, as_json=as_json)


def _end_all(op: Operator) -> int:
    """Not in one transaction: a whole table goes at once only by itself. Said first, so that it is never unsaid."""
    record(op, Happened.SESSION_ENDED, detail="every session")
    return op.services.sessions.end_all()


def _end(op: Operator, session_id: str | None, account: str | None) -> int:
    sessions = op.services.sessions
    with op.services.transaction():
        if account is not None:
            person = existing(op, account)
            ended = sessions.end_of_account(person.id)
            record(op, Happened.SESSION_ENDED, account=person.username, detail=f"{ended} sessions")
            return ended
        if not sessions.end_by_id(session_id or ""):
            refuse(f"There is no session {session_id!r}.")
        record(op, Happened.SESSION_ENDED, detail=session_id or "")
    return 1
