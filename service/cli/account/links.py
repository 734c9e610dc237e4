"""`vestibule account invite` and `reset-link`: one-time links, printed once, for the operator."""

import click

from service.cli import Operator, operator_command
from service.cli.output import accepted, report, utc
from service.login.administration import NewLink, make_link
from service.login.links import Purpose
from service.login.refusal import Refusal


@click.command()
@click.argument("name")
@operator_command
def invite(op: Operator, name: str, *, as_json: bool) -> None:
    """Print a one-time link for a first password. Its holder chooses the password of the account NAME."""
    show_link(op, make_link(name, Purpose.INVITATION, op.services, **op.audited()), as_json=as_json)


@click.command(name="reset-link")
@click.argument("name")
@operator_command
def reset_link(op: Operator, name: str, *, as_json: bool) -> None:
    """Print a one-time link for a new password. The present one of the account NAME works until the link is used."""
    show_link(op, make_link(name, Purpose.RESET, op.services, **op.audited()), as_json=as_json)


def show_link(op: Operator, outcome: NewLink | Refusal, *, as_json: bool) -> None:
    """Print the address of a new link on standard output, and nothing else there."""
    link = accepted(outcome)
    url = f"{op.services.public.origin}/setup?token={link.token}"
    username = link.account.username if link.account else None
    facts = {"url": url, "expires_at": link.expires_at, "purpose": link.purpose.value, "account": username}
    report(url, facts, as_json=as_json)
    if not as_json:
        click.echo(
            f"The link works once, until {utc(link.expires_at)}. Send it only to the person who may use it.", err=True
        )
