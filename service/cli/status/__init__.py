"""`vestibule status`: how the service is, in one screen.

service_state   what the service says over its own socket
judging         what is in order, what an operator should look at, what is broken: pure
output          lines for a terminal, or JSON
"""

import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from service.access.judged_set import JudgedSet
from service.cli import Operator, arguments, operator_command, say_lost
from service.cli.doctor.findings import EXIT_CODES, State
from service.cli.status import output, service_state
from service.cli.status.judging import Apps, Line, Seen, judged
from service.cli.status.output import Report
from service.settings import Settings, SettingsFault, app_files, faults_of_state
from service.settings.apps_in_force import AppsInForce

_AGAIN_SECONDS: Final = 1
_SAY_SECONDS: Final = 10


@click.command()
@click.option(
    "--wait", "patience", type=arguments.wait, metavar="DURATION", help="Wait that long until nothing is broken."
)
@operator_command
def status(op: Operator, *, patience: int | None, as_json: bool) -> None:
    """Show how the service is, in one screen.

    Sign-ins, an attack, workers, stores, tables, apps and the last backup are judged. It changes nothing, and needs
    nothing that runs. Exit code 0 when all is in order, 1 when an operator should look at something, 2 when something
    is broken.
    """
    with _fault_when_it_ends_early():
        report = _patient(op, patience or 0)
        click.echo(output.as_json(report) if as_json else "\n".join(output.screen(report)))
    sys.exit(EXIT_CODES[report.state])


@contextmanager
def _fault_when_it_ends_early() -> Iterator[None]:
    """Exit with the code of a fault where the state was not seen or not told: Python's own, 1, is a warning here."""
    try:
        yield
    except (KeyboardInterrupt, Exception) as ended:  # noqa: BLE001 - each of them
        if isinstance(ended, OSError):
            say_lost(ended)
        elif not isinstance(ended, KeyboardInterrupt):
            traceback.print_exc()
        sys.exit(EXIT_CODES[State.FAULT])


def _patient(op: Operator, seconds: int) -> Report:
    """Look until nothing was broken twice in a row, or the time is over: right after a start, workers are missing."""
    began = said = time.monotonic()
    report, was_broken = _report(op), False
    while (report.state is State.FAULT or was_broken) and time.monotonic() < began + seconds:
        was_broken = report.state is State.FAULT
        if was_broken and time.monotonic() >= said + _SAY_SECONDS:
            said = time.monotonic()
            click.echo(f"waiting: {report.checks(State.FAULT)}", err=True)
        time.sleep(_AGAIN_SECONDS)
        report = _report(op)
    return report


def _report(op: Operator) -> Report:
    now = int(time.time())
    try:
        settings = op.settings
    except SettingsFault as refused:
        return Report(None, now, _faults("settings", refused.faults))
    seen = Seen(
        stores=op.upkeep.read_stores(settings),
        service=service_state.read(settings.server.instances or (settings.socket_path,)),
        apps=_apps(settings),
        throttles=settings.throttles.by_scope(),
        public_url=settings.public_url,
        now=now,
    )
    return Report(settings.public_url, now, [*_faults("files", faults_of_state(settings)), *judged(seen)])


def _faults(check: str, sentences: list[str]) -> list[Line]:
    return [Line(check, State.FAULT, each, ("vestibule config check",)) for each in sentences]


def _apps(settings: Settings) -> Apps:
    """Compare the apps in force with their files, where those are: in containers nginx's files are made elsewhere."""
    in_force = AppsInForce(settings.nginx_dir)
    try:
        has_files = any(settings.apps_dir.glob("*.toml"))
        differ = has_files and JudgedSet(app_files.apps(settings)).hash != in_force().hash
    except (SettingsFault, PermissionError):
        differ = True
    return Apps(len(in_force().apps), in_force.is_readable(), differ)
