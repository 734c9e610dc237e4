"""`vestibule proxy …`: nginx's files, made from the settings, and the counting of its requests."""

import json
import sys
from pathlib import Path

import click

from service.cli import REFUSED, Operator, operator_command, proxy_snippets
from service.edge_metrics import server
from service.settings import SettingsFault
from service.state_dir import fault_of_owner


@click.group()
def proxy() -> None:
    """Write nginx's files, and count its requests."""


@proxy.group(invoke_without_command=True, commands=proxy_snippets.commands())
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="DIR", help="Default: nginx/ in the state directory."
)
@operator_command
def render(op: Operator, *, output: Path | None, as_json: bool) -> None:
    """Write nginx's files, and print their directory. Start nginx with: nginx -e stderr -p DIR/ -c nginx.conf.

    With the kind of a proxy that is not ours: print what that one needs, and write nothing.
    """
    if click.get_current_context().invoked_subcommand:
        return
    directory = (output or op.settings.nginx_dir).absolute()
    if planted := fault_of_owner(directory):
        raise SettingsFault([planted])
    try:
        files = op.write_nginx_files(op.settings, directory)
    except (ValueError, OSError) as fault:
        click.echo(f"nginx's files in {directory} were not written: {fault}", err=True)
        raise SystemExit(REFUSED) from fault
    click.echo(json.dumps({"directory": str(directory), "files": files}) if as_json else str(directory))


@proxy.command()
@click.argument("directory", required=False)
def metrics(*, directory: str | None) -> None:
    """Count nginx's requests, and answer /edge/metrics behind nginx, until SIGTERM.

    DIRECTORY is what nginx was given with -p (default: nginx/ in the state directory). Start it as the user that runs
    nginx. There is no --json: Prometheus reads the counts, through nginx.
    """
    sys.exit(server.main([directory] if directory else []))
