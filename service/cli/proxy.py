"""`vestibule proxy …`: nginx's files and the apps in force, and the counting of nginx's requests."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from service.cli import REFUSED, Operator, operator_command, proxy_snippets
from service.cli.differences import differences
from service.cli.output import report
from service.edge_metrics import server
from service.settings import SettingsFault
from service.state_dir import fault_of_owner

TROUBLE: Final = 2
_output = click.option(
    "--output", type=click.Path(path_type=Path), metavar="DIR", help="Default: the setting door.nginx_dir."
)


@click.group()
def proxy() -> None:
    """Write nginx's files, put apps in force, count requests."""


@proxy.group(invoke_without_command=True, commands=proxy_snippets.commands())
@_output
@click.option("--reload", "reloads", is_flag=True, help="Have nginx test the files before they count, then read them.")
@click.option(
    "--prefix", type=click.Path(path_type=Path), metavar="DIR", help="With --reload: nginx's -p. Default: --output."
)
@operator_command
def render(op: Operator, *, output: Path | None, reloads: bool, prefix: Path | None, as_json: bool) -> None:
    """Put the apps of apps.d in force, and write nginx's files.

    Their directory is printed. What changes is shown first. A fault changes nothing. Start nginx with: nginx -e stderr
    -p DIR/ -c nginx.conf. With the kind of a proxy that is not ours: only print what that one needs.
    """
    if click.get_current_context().invoked_subcommand:
        return
    directory = _directory(op, output)
    try:
        files = op.render_nginx_files(op.settings, directory)
        found = differences(directory, files)
        for line in () if as_json else found.lines():
            click.echo(line, err=True)
        op.write_nginx_files(directory, files, (prefix or directory).absolute() if reloads else None)
    except (ValueError, OSError) as fault:
        click.echo(f"nginx's files in {directory} were not written: {fault}", err=True)
        raise SystemExit(REFUSED) from fault
    facts = {"directory": str(directory), "files": sorted(files), "changed": asdict(found)}
    report(str(directory), facts, as_json=as_json)


@proxy.command()
@_output
@operator_command
def diff(op: Operator, *, output: Path | None, as_json: bool) -> None:
    """Show what `proxy render` would change, and change nothing.

    Exit codes are those of diff: 0 no difference, 1 differences, 2 a fault of the settings or of an app's file.
    """
    try:
        directory = _directory(op, output)
        found = differences(directory, op.render_nginx_files(op.settings, directory))
    except (SettingsFault, ValueError) as fault:
        click.echo(str(fault), err=True)
        sys.exit(TROUBLE)
    lines = ["nothing is in force yet"] * found.first + list(found.lines())
    report("\n".join(lines) or "What is in force is what the files say.", asdict(found), as_json=as_json)
    sys.exit(1 if lines else 0)


def _directory(op: Operator, output: Path | None) -> Path:
    directory = (output or op.settings.nginx_dir).absolute()
    if planted := fault_of_owner(directory):
        raise SettingsFault([planted])
    return directory


@proxy.command()
@click.argument("directory", required=False)
def metrics(*, directory: str | None) -> None:
    """Count nginx's requests, for /edge/metrics.

    Runs until SIGTERM. DIRECTORY is what nginx was given with -p (default: nginx/ in the state directory). Start it as
    the user that runs nginx. There is no --json: Prometheus reads the counts, through nginx.
    """
    sys.exit(server.main([directory] if directory else []))
