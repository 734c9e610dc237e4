"""`vestibule doctor URL`: tests the chain of proxies from outside, and names the line to change.

client, probing     HTTP with any header, and signed probes; echoes: what comes back
examination         all checks, in order
transport           certificates, redirects, hosts, public paths
headers, clients, in_force, session_cookie    what an echo tells: pure
findings, lines, output    what is found, where it is changed, how it is printed
"""

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NoReturn

import click

from service.access.apps import App
from service.access.judged_set import JudgedSet
from service.access.public_address import Flaw, PublicAddress, parse_origin
from service.cli import UNAVAILABLE, Operator, operator_command
from service.cli.doctor import examination, output
from service.cli.doctor.client import Client, NoAnswer
from service.cli.doctor.echoes import Signer
from service.cli.doctor.examination import Chosen
from service.cli.doctor.findings import EXIT_CODES, Finding, fault
from service.cli.doctor.probing import Prober
from service.settings import Settings, SettingsFault, secret_keys
from service.settings.app_files import apps

Target = tuple[PublicAddress, App | None]
_CHECK: Final = "as the message says; then `vestibule config check` finds none"
_UNREACHABLE: Final = "address"
_PLACE: Final = re.compile(
    r"(?P<host>[^:\[\]]+|\[[^\]]+\]):(?P<port>[0-9]{1,5}):(?P<to>[^:\[\]]+|\[[^\]]+\])(?::(?P<to_port>[0-9]{1,5}))?"
)


def _place(text: str) -> tuple[tuple[str, int], tuple[str, int]]:
    found = _PLACE.fullmatch(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not HOST:PORT:ADDRESS, such as login.example.org:443:127.0.0.1")
    port = int(found["port"])
    return (found["host"].lower(), port), (found["to"].strip("[]"), int(found["to_port"] or port))


def _origin(text: str) -> PublicAddress:
    found = parse_origin(text)
    if isinstance(found, Flaw):
        raise click.BadParameter(f"{text!r} is not an address: write it like https://wiki.example.org")
    return found


@click.command()
@click.argument("url", type=_origin)
@click.option(
    "--ca-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificates of authorities to trust besides the system's (PEM).",
)  # fmt: skip
@click.option(
    "--resolve", "places", type=_place, multiple=True, metavar="HOST:PORT:ADDRESS[:PORT]",
    help="Connect there in place of what DNS says.",
)  # fmt: skip
@operator_command
def doctor(
    op: Operator, *, url: PublicAddress, ca_file: Path | None,
    places: tuple[tuple[tuple[str, int], tuple[str, int]], ...], as_json: bool,
) -> None:  # fmt: skip
    """Test the chain of proxies, from outside. The public address tests all of it, an app's own that app alone.

    Needs the service's settings, its secret key and apps.d, and no database. Exit code 0 when all is in order, 1 with
    warnings, 2 with faults, 3 when nothing answers.
    """
    try:
        settings = op.settings
        chosen, keys = Chosen(settings, JudgedSet(apps(settings))), _keys(settings)
    except SettingsFault as refused:
        faults = (fault("settings", each, "doctor needs what the service has", _CHECK) for each in refused.faults)
        _end({"settings": list(faults if as_json else _printed("settings", faults))}, None, as_json=as_json)
    client, found = Client(ca_file=ca_file, places=dict(places)), {}
    for address, app in _targets(url, chosen):
        findings = _examined(Prober(client, Signer(keys), address, app), chosen)
        title = f"{address.origin} ({app.name if app else 'the login'})"
        found[address.origin] = list(findings if as_json else _printed(title, findings))
    _end(found, chosen.settings.nginx_dir, as_json=as_json)


def _keys(settings: Settings) -> tuple[bytes, ...]:
    """Return the secret keys. Makes none: a new one would sign nothing that the service knows."""
    if settings.secret_key is None and not settings.secret_key_file.exists():
        where = "run doctor where the service runs, or set VESTIBULE_SECRET_KEY_FILE"
        raise SettingsFault([f"the service's secret key is not here ({settings.secret_key_file}): {where}"])
    return secret_keys(settings)


def _targets(url: PublicAddress, chosen: Chosen) -> list[Target]:
    """Return the addresses to check: the login and all apps for the public address, else the app of that address."""
    if url == chosen.settings.public:
        return [(url, None), *((app.address, app) for app in chosen.judged.apps)]
    app = chosen.judged.app_of(url.origin)
    if app is None:
        known = ", ".join([chosen.settings.public_url, *sorted(chosen.judged.origins)])
        raise click.BadParameter(
            f"{url.origin} is neither the public address nor an app's. Known: {known}", param_hint="URL"
        )
    return [(url, app)]


def _examined(prober: Prober, chosen: Chosen) -> Iterator[Finding]:
    try:
        if prober.app:
            yield from examination.of_app(prober, prober.app, chosen, now=time.time())
        else:
            yield from examination.of_login(prober, chosen, now=time.time())
    except NoAnswer as reason:
        why = "nothing more can be checked here"
        line = f"DNS, the listener or the firewall of {prober.address.netloc}; or give doctor --resolve"
        yield fault(_UNREACHABLE, f"{prober.address.origin} gets no answer: {reason}", why, line)


def _printed(title: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Print each finding as it is found, below its address."""
    click.echo(f"\n{title}")
    for finding in findings:
        for line in output.lines_of(finding):
            click.echo(line)
        yield finding


def _end(addresses: dict[str, list[Finding]], nginx_dir: Path | None, *, as_json: bool) -> NoReturn:
    findings = [finding for each in addresses.values() for finding in each]
    if as_json:
        click.echo(output.as_json(addresses))
    else:
        for line in output.summary(findings, nginx_dir):
            click.echo(line)
    if all(each and each[-1].check == _UNREACHABLE and len(each) == 1 for each in addresses.values()):
        sys.exit(UNAVAILABLE)
    sys.exit(max(EXIT_CODES[finding.state] for finding in findings))
