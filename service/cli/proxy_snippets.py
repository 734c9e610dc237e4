"""`vestibule proxy render nginx|caddy|traefik`: prints what proxies that are not ours need, to ask the door."""

import re
from collections.abc import Sequence
from typing import Final

import click

from service import listeners
from service.access.apps import App
from service.cli import Operator, operator_command
from service.cli.output import refuse, report
from service.settings import Settings
from service.settings.app_files import apps

_HELP: Final = {
    "nginx": "Print what goes into a server of an nginx of yours.",
    "caddy": "Print what goes into a site of Caddy.",
    "traefik": "Print a file of middlewares for routers of Traefik.",
}
_ADDRESS: Final = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}", re.ASCII)


def commands() -> list[click.Command]:
    return [_command(proxy) for proxy in _HELP]


def _command(proxy: str) -> click.Command:
    @click.command(name=proxy, help=_HELP[proxy])
    @click.option("--app", metavar="NAME", help="For this app alone. Default: for each.")
    @click.option("--full", "whole", is_flag=True, help="Print whole sites.")
    @click.option(
        "--door",
        metavar="HOST:PORT",
        type=_address,
        help="Where the proxy reaches the first address of door.listen.",
    )
    @operator_command
    def command(op: Operator, *, app: str | None, whole: bool, door: str | None, as_json: bool) -> None:
        parent = click.get_current_context().parent
        if parent and any(parent.params.values()):
            raise click.UsageError(f"Only --app, --full, --door and --json are for {proxy}, and they stand after it.")
        found = _chosen(op.settings, app)
        text = op.other_proxies[proxy](found, door or _door(op.settings), whole=whole)
        facts = {"proxy": proxy, "apps": [each.name for each in found], "text": text}
        report(text.rstrip("\n"), facts, as_json=as_json)

    return command


def _address(given: str) -> str:
    if not _ADDRESS.fullmatch(given):
        raise click.BadParameter(f"{given!r} is not a host and a port: write it like edge:9181")
    return given


def _chosen(settings: Settings, name: str | None) -> Sequence[App]:
    found = apps(settings)
    if not found:
        refuse(f"There are no apps in {settings.apps_dir}: each is a file NAME.toml.")
    chosen = [each for each in found if name in {None, each.name}]
    return chosen or refuse(f"There is no app {name}. The apps are {', '.join(each.name for each in found)}.")


def _door(settings: Settings) -> str:
    """Return where a proxy on this machine asks."""
    if not settings.door.listen:
        refuse(
            "door.listen is not set, where other proxies ask: set VESTIBULE_DOOR__LISTEN=127.0.0.1:9181, and the "
            "proxy's address in VESTIBULE_TRUSTED_PROXIES."
        )
    return str(listeners.reachable(settings.door.listen))
