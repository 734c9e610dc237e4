"""One-time links on the command line: shown once, to the operator who asked."""

import click

from service.cli import Operator
from service.cli.recorded import record
from service.cli.words import tell, when
from service.login.accounts import Account
from service.login.audit import Happened
from service.login.links import LIFETIME, Purpose, hand_out


def show_link(op: Operator, purpose: Purpose, person: Account | None, *, as_json: bool) -> None:
    """Make a link in place of an earlier one and print it; only its hash is kept."""
    services = op.services
    now = services.clock()
    with services.transaction():
        token = hand_out(purpose, person.id if person else None, links=services.links, now=now)
        record(op, Happened.LINK_MADE, account=person.username if person else "", detail=purpose.value)
    url, until = f"{services.public.origin}/setup?token={token}", now + LIFETIME[purpose]
    facts = {"url": url, "expires_at": until, "purpose": purpose.value, "account": person.username if person else None}
    tell(url, facts, as_json=as_json)
    if not as_json:
        click.echo(f"Works once, until {when(until)}. Give it to nobody else.", err=True)
