"""The operator's commands, one file or room for each noun: they parse and print, and the rules decide.

Exit codes: 0 done, 1 refused or faults found, 2 usage, 3 unavailable. `--json` everywhere; passwords from
a prompt or `--password-stdin`, never an argument (arguments stand in the process list).
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from service.services import Services, Unavailable
from service.settings import Settings, SettingsFault, load

REFUSED = 1
UNAVAILABLE = 3
_COMMANDS = {
    "account": "accounts of the people who may sign in",
    "attempts": "failed attempts to sign in",
    "audit": "what happened to accounts",
    "block": "networks that are blocked",
    "calibrate": "measure what passwords.* may be set to",
    "config": "what the settings are, and whether they are right",
    "db": "the database",
    "ping": "whether the service answers",
    "proxy": "nginx's files",
    "serve": "gunicorn alone, in the foreground",
    "session": "browsers that are signed in",
    "setup": "the first administrator",
}


@dataclass
class Operator:
    """What commands are given: settings and services, made at first use."""

    build_services: Callable[[Settings], Services]
    upgrade: Callable[[Settings], str]
    write_nginx_files: Callable[[Settings, Path], list[str]]

    @cached_property
    def settings(self) -> Settings:
        """The settings. Raises SettingsFault."""
        return load()

    @cached_property
    def services(self) -> Services:
        """The services over the operator's database. Raises SettingsFault, SchemaFault, Unavailable."""
        return self.build_services(self.settings)


class LazyGroup(click.Group):
    """Imports a noun's file when it is asked for, and turns a fault into an exit code and its message."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"service.cli.{name}"), name)
        command.short_help = command.short_help or _COMMANDS[name]
        return command

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - what click's own says
        try:
            return super().invoke(ctx)
        except SettingsFault as fault:
            for line in fault.faults:
                click.echo(line, err=True)
            ctx.exit(REFUSED)
        except Unavailable as away:
            click.echo(f"not available: {away}", err=True)
            ctx.exit(UNAVAILABLE)


@click.group(cls=LazyGroup)
@click.version_option(package_name="vestibule")
def vestibule() -> None:
    """Run and look after the login service."""


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def operator_command(command: Callable[..., None]) -> Callable[..., None]:
    """Hand the Operator to a command, and give it `--json`."""
    return as_json(click.pass_obj(command))
