"""The operator's commands, one file or room for each noun: they parse and print, and the rules decide.

Exit codes: 0 done, 1 refused or faults found, 2 usage, 3 unavailable. `--json` everywhere; passwords from
a prompt or `--password-stdin`, never an argument (arguments stand in the process list).
"""

import importlib
import os
import pwd
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypedDict, cast

import click

from service.access.apps import App
from service.login.audit import OPERATOR
from service.services import Services, Unavailable
from service.services.store_state import StoreState
from service.services.upkeep import Backup, BadBackup, Progress, Rehearsal, Restored
from service.settings import Settings, SettingsFault, load

REFUSED = 1
UNAVAILABLE = 3
_NOUNS = (
    *("account", "app-password", "attempts", "audit", "block", "calibrate", "config"),
    *("db", "doctor", "ping", "proxy", "rules", "serve", "session", "setup", "status"),
)


class Audited(TypedDict):
    """What a rule writes into the audit trail: the operator, and the present time in seconds since the epoch."""

    by: str
    now: int


class Upkeep(Protocol):
    """What is done to the database as a whole (`service/upkeep.py`)."""

    def read_stores(self, settings: Settings) -> StoreState: ...
    def upgrade(self, settings: Settings, wait: int) -> str: ...
    def rehearse(self, settings: Settings, into: str | None, say: Callable[[str], None]) -> Rehearsal: ...
    def back_up(self, settings: Settings, folder: Path | None, show: Progress) -> tuple[Backup, tuple[str, ...]]: ...
    def verify(self, settings: Settings, path: Path, *, record: bool, show: Progress) -> Backup: ...
    def restore(
        self, settings: Settings, place: Path, *, by: str, ask: Callable[[int, Path], None], show: Progress
    ) -> Restored: ...


class ProxyFile(Protocol):
    """Writes what a kind of proxy needs to ask the door about apps."""

    def __call__(self, apps: Sequence[App], door: str, *, whole: bool) -> str: ...


def _user() -> str:
    """Return the user of this process, and the user who became root for it; a container may have no user names."""
    user = os.getuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:
        name = str(user)
    before = os.environ.get("SUDO_USER", "")
    return f"{before} as {name}" if before and user == 0 else name


@dataclass
class Operator:
    """What commands are given: settings, services and the database's upkeep, each at first use."""

    build_services: Callable[[Settings], Services]
    load_upkeep: Callable[[], Upkeep]
    render_nginx_files: Callable[[Settings, Path], Mapping[str, bytes]]
    write_nginx_files: Callable[[Path, Mapping[str, bytes], Path | None], None]
    other_proxies: Mapping[str, ProxyFile] = field(default_factory=dict)

    @cached_property
    def settings(self) -> Settings:
        """The settings. Raises SettingsFault."""
        return load()

    @cached_property
    def services(self) -> Services:
        """The services over the operator's database. Raises SettingsFault, SchemaFault, Unavailable."""
        return self.build_services(self.settings)

    @cached_property
    def upkeep(self) -> Upkeep:
        """The upkeep of the operator's database: commands that need none of it do not load it."""
        return self.load_upkeep()

    def audited(self) -> Audited:
        """Return the arguments that every rule of an operator's change takes."""
        return Audited(by=self.name, now=self.services.clock())

    @property
    def name(self) -> str:
        """What the audit trail calls the operator."""
        return f"{OPERATOR} {_user()}"


def say_lost(fault: OSError) -> None:
    """Say that the output, or a file, could not be read or written, and write nothing more.

    Python writes what is left in its buffers as it ends, and would exit with 120 where that fails again.
    """
    with suppress(OSError):  # errors may go to the same full disk
        click.echo(f"not available: {fault.filename or 'the output, or a file'}: {fault.strerror or fault}", err=True)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


class LazyGroup(click.Group):
    """Imports a noun's file when it is asked for, and turns a fault into an exit code and its message."""

    def main(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401 - what click's own says
        try:
            return super().main(*args, **extra)
        except OSError as fault:  # such as a full disk below what is printed, help included
            say_lost(fault)
            sys.exit(UNAVAILABLE)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in _NOUNS:
            return None
        module = name.replace("-", "_")
        return cast("click.Command", getattr(importlib.import_module(f"service.cli.{module}"), module))

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - what click's own says
        try:
            return super().invoke(ctx)
        except SettingsFault as fault:
            for line in fault.faults:
                click.echo(line, err=True)
            ctx.exit(REFUSED)
        except BadBackup as fault:
            click.echo(fault, err=True)
            ctx.exit(REFUSED)
        except Unavailable as away:
            click.echo(f"not available: {away}", err=True)
            ctx.exit(UNAVAILABLE)
        except PermissionError as closed:
            todo = "type the command as the user of the service"
            click.echo(f"{closed.filename} is closed to user {os.geteuid()}: {todo}", err=True)
            ctx.exit(UNAVAILABLE)


@click.group(cls=LazyGroup, commands=dict.fromkeys(_NOUNS, click.Command("imported when it is called")))
@click.version_option(package_name="vestibule")
def vestibule() -> None:
    """Operate the login service.

    Exit codes: 0 done, 1 refused or faults found, 2 wrong usage, 3 not available.
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        click.get_current_context().color = False


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def operator_command(command: Callable[..., None]) -> Callable[..., None]:
    """Hand the Operator to a command, and give it `--json`."""
    return as_json(click.pass_obj(command))
