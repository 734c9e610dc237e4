"""`vestibule rules …`: the apps with their rules, and what the rules decide about a request, step by step."""

import re
import string
import sys
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

import click

from service import listeners
from service.access import public_address
from service.access.decision import Outcome, Request, Verdict, decide
from service.access.judged_set import JudgedSet, facts_of
from service.access.public_address import Flaw, PublicAddress
from service.access.rules import Misfit
from service.cli import REFUSED, Operator, operator_command, rule_hits
from service.cli.apps_in_words import described, lines_of_app
from service.cli.output import accepted, refuse, report, report_all
from service.login.administration import account_named
from service.login.networks import address_of
from service.settings.app_files import apps
from service.settings.apps_in_force import AppsInForce

_SENTENCES: Final = {
    Outcome.ALLOWED: "allowed",
    Outcome.SIGN_IN: "refused: the client must sign in",
    Outcome.NOT_FRESH: "refused: the password must be typed again",
    Outcome.NOT_ADMITTED: "refused: the rule does not admit this account",
    Outcome.NO_RULE: "refused: no rule is for this request",
}
_MISFITS: Final = {
    Misfit.METHOD: "is for other methods",
    Misfit.NETWORK: "is for clients in other networks",
}


@click.group()
def rules() -> None:
    """Show apps and rules, explain and count what they decide."""


@rules.command(name="list")
@operator_command
def list_(op: Operator, *, as_json: bool) -> None:
    """List the apps, and their rules in order."""
    found = apps(op.settings)
    lines = (("\n".join(lines_of_app(each)), facts_of(each) | {"address": each.address.origin}) for each in found)
    report_all(lines, empty=f"There are no apps in {op.settings.apps_dir}: each is a file NAME.toml.", as_json=as_json)


def _url(text: str) -> tuple[PublicAddress, str]:
    """Return a URL's origin and its path, as clients send it: blanks and other scripts encoded, without query."""
    found = re.fullmatch(r"([^/?#]*//[^/?#]*)([^?#]*).*", text, re.DOTALL)
    origin = public_address.parse_origin(found[1]) if found else Flaw.SCHEME
    if found is None or isinstance(origin, Flaw):
        raise click.BadParameter(f"{text!r} is not a URL: write it like https://wiki.example.org/admin")
    return origin, quote(found[2] or "/", safe=string.punctuation)


def _address(text: str) -> str:
    if text and address_of(text) is None:
        raise click.BadParameter(f"{text!r} is not an IP address.")
    return text


@rules.command()
@click.argument("url", type=_url)
@click.option("--as", "name", metavar="NAME", help="The account, signed in now. Default: no account.")
@click.option("--method", type=str.upper, metavar="METHOD", default="GET", help="Default: GET.")
@click.option(
    "--address",
    type=_address,
    metavar="IP",
    default="",
    help="The client's address. Default: one in no network of the rules.",
)
@operator_command
def check(
    op: Operator, url: tuple[PublicAddress, str], *, name: str | None, method: str, address: str, as_json: bool
) -> None:
    """Explain what the rules of the files decide about a request for URL.

    Exit code 0 when it is allowed, 1 when it is refused. Rules that differ from those in force are pointed out.
    """
    origin, path = url
    judged = JudgedSet(apps(op.settings))
    in_force = AppsInForce(op.settings.nginx_dir)().hash == judged.hash
    app = judged.app_of(origin.origin)
    account = None if name is None else accepted(account_named(name, op.services.accounts))
    if app is None:
        facts: dict[str, Any] = {"app": None, "outcome": "no-app", "allowed": False}
        lines = [f"verdict     refused: no app has the address {origin.origin}"]
    else:
        decision = decide(app, Request(method, path, address), account, signed_in_at=0, now=0)
        facts = {"app": app.name, "path": path, **_facts(decision.enforced), "proposed": _facts(decision.proposed)}
        who = "none" if account is None else f"{account.username} (groups: {', '.join(account.groups) or 'none'})"
        lines = [
            f"app         {app.name} ({app.address.origin})",
            f"account     {who}{' is disabled: it cannot sign in' if account and account.is_disabled else ''}",
            *_steps(decision.enforced),
        ]
        if decision.proposed != decision.enforced:
            lines += ["", "If the rules that only report were in force:", *_steps(decision.proposed)]
    if not (in_force or as_json):
        click.echo("The files differ from what is in force: vestibule proxy diff", err=True)
    report("\n".join(lines), facts | {"in_force": in_force}, as_json=as_json)
    if not facts["allowed"]:
        sys.exit(REFUSED)


def _steps(verdict: Verdict) -> Iterator[str]:
    group = verdict.group or "none: no rule covers the path"
    doubtful = "the path is doubtful, so that each group counts; the strictest is "
    yield f"path group  {doubtful * verdict.is_doubtful}{group}"
    for rule, misfit in verdict.passed_over:
        yield f"rule {rule.number:<6} {_MISFITS[misfit]}: {described(rule)}"
    if verdict.rule:
        yield f"rule {verdict.rule.number:<6} decides: {described(verdict.rule)}"
    yield f"verdict     {_SENTENCES[verdict.outcome]}"


def _facts(verdict: Verdict) -> dict[str, Any]:
    return {
        "path_group": verdict.group,
        "doubtful": verdict.is_doubtful,
        "passed_over": [{"rule": rule.number, "misfit": misfit} for rule, misfit in verdict.passed_over],
        "rule": verdict.rule and verdict.rule.number,
        "outcome": verdict.outcome,
        "allowed": verdict.outcome is Outcome.ALLOWED,
    }


def _metrics(text: str) -> str:
    if text != "-" and not text.startswith(("http://", "https://")):
        raise click.BadParameter(
            f"{text!r} is no address: write http://127.0.0.1:9180/metrics, or - for standard input"
        )
    return text


@rules.command()
@click.option("--metrics", type=_metrics, metavar="URL", help="Default: on ops_listen; - is standard input.")
@operator_command
def hits(op: Operator, *, metrics: str | None, as_json: bool) -> None:
    """Show how often each rule in force decided, and how often it refused.

    For a rule that only reports: how often it would have decided otherwise, and refused. The counts are those of one
    service since its start, and only of checks that reached it: nginx answers repeated ones itself, for
    door.cache_seconds. A rule is known by its number: counts of before its app changed are those of the rule that had
    it then.
    """
    in_force = AppsInForce(op.settings.nginx_dir)().apps
    url = metrics or f"http://{listeners.reachable(op.settings.ops_listen)}/metrics"
    try:
        exposed = sys.stdin.read() if url == "-" else rule_hits.scraped(url)
        found = list(rule_hits.hits(in_force, exposed))
    except ValueError:
        refuse(f"{url} has no metrics: write the address of the service's /metrics, on the ops listener.")
    if found and not as_json:
        click.echo(rule_hits.HEAD)
    report_all(((each.line(), each.facts()) for each in found), empty="No app is in force.", as_json=as_json)
