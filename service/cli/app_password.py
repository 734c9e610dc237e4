"""`vestibule app-password …`: passwords for programs that cannot show a sign-in page."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from service.cli import Operator, arguments, operator_command
from service.cli.output import accepted, report, report_all, utc
from service.login import new_app_password as rules
from service.login.administration import account_named
from service.login.app_passwords import AppPassword, has_ended


@click.group(name="app-password")
def app_password() -> None:
    """Make, list and end passwords of programs. A calendar on a phone cannot show a sign-in page, for example."""


@app_password.command()
@click.argument("account", metavar="NAME")
@click.option("--name", required=True, help="What it is for, such as phone; each of an account has another name.")
@click.option("--app", "apps", multiple=True, required=True, help="An app; repeat the option for several.")
@click.option("--for", "seconds", type=arguments.duration, help="When it ends, such as 90d. Default: never.")
@operator_command
def add(op: Operator, account: str, *, name: str, apps: tuple[str, ...], seconds: int | None, as_json: bool) -> None:
    """Print a new app password of the account NAME, which is shown only now.

    A program sends it as Basic with the username, or as Bearer. The app's file says app_passwords = true.
    """
    takers = [app.name for app in op.services.apps().apps if app.app_passwords]
    wanted = rules.Wanted(name, apps, seconds)
    made = accepted(rules.make(account, wanted, op.services, takers=takers, **op.audited()))
    report(
        made.text,
        {"app_password": made.text, "account": made.account.username} | _facts(made.password),
        as_json=as_json,
    )
    if not as_json:
        until = f", until {utc(made.password.ends_at)}" if seconds else ""
        said = f"It is shown only now. It works for {', '.join(made.password.apps)}{until}, with the username"
        click.echo(f"{said} {made.account.username}.", err=True)


@app_password.command(name="list")
@click.argument("account", metavar="NAME")
@operator_command
def list_(op: Operator, account: str, *, as_json: bool) -> None:
    """List the app passwords of the account NAME, the newest first."""
    services = op.services
    now, of = services.clock(), accepted(account_named(account, services.accounts))
    found = services.app_passwords.of_account(of.id)
    lines = ((" ".join(_line(each, now)), _facts(each)) for each in found)
    report_all(lines, empty=f"{of.username} has no app passwords.", as_json=as_json)


def _line(found: AppPassword, now: int) -> Iterator[str]:
    yield f"{found.id}  {found.name:<24} for {', '.join(found.apps)};"
    yield f"used {utc(found.seen_at)};" if found.seen_at else "never used;"
    yield "ended" if has_ended(found, now=now) else "no end" if found.ends_at is None else f"until {utc(found.ends_at)}"


def _facts(found: AppPassword) -> dict[str, Any]:
    """Return what may be known of an app password: not the digest of it."""
    known = asdict(found)
    del known["token_hash"], known["account_id"]
    return known


@app_password.command()
@click.argument("account", metavar="NAME")
@click.argument("password_id", metavar="ID", required=False)
@click.option("--all", "everything", is_flag=True, help="Every one of the account.")
@operator_command
def end(op: Operator, account: str, password_id: str | None, *, everything: bool, as_json: bool) -> None:
    """End an app password of the account NAME. `app-password list` shows each ID."""
    if everything == (password_id is not None):
        raise click.UsageError("Give exactly one of ID and --all.")
    if password_id is None:
        ended = accepted(rules.end_all(account, op.services, **op.audited()))
    else:
        ended = accepted(rules.end(account, password_id, op.services, **op.audited()))
    report(f"App passwords ended: {ended}.", {"ended": ended}, as_json=as_json)
