"""`vestibule config`: what the settings are, where each came from, and whether they are right."""

import json
import sys

import click

from service.cli import REFUSED, Operator, operator_command
from service.settings import CATALOGUE, Setting, SettingsFault, faults_of_state


@click.group()
def config() -> None:
    """Show and check the settings."""


@config.command()
@operator_command
def check(op: Operator, *, as_json: bool) -> None:
    """Say everything that is wrong with the settings, at once.

    Changes nothing. Exit code 1 when something is wrong.
    """
    faults, warnings = _judged(op)
    if as_json:
        click.echo(json.dumps({"ok": not faults, "faults": faults, "warnings": list(warnings)}))
    else:
        _say(faults, warnings)
    if faults:
        sys.exit(REFUSED)


def _judged(op: Operator) -> tuple[list[str], tuple[str, ...]]:
    try:
        settings = op.settings
    except SettingsFault as fault:
        return fault.faults, ()
    return faults_of_state(settings), settings.warnings


def _say_warnings(warnings: tuple[str, ...]) -> None:
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)


def _say(faults: list[str], warnings: tuple[str, ...]) -> None:
    _say_warnings(warnings)
    for fault in faults:
        click.echo(fault, err=True)
    if not faults:
        click.echo("The settings are in order.")


@config.command()
@operator_command
def show(op: Operator, *, as_json: bool) -> None:
    """List every setting with its value and where it came from; secrets stay hidden."""
    settings = op.settings
    rows = [
        (setting.name, setting.shown(setting.value_in(settings)), settings.origins.get(setting.name, "default"))
        for setting in CATALOGUE.values()
    ]
    if as_json:
        listed = [{"name": name, "value": value, "origin": origin} for name, value, origin in rows]
        click.echo(json.dumps({"settings": listed, "warnings": list(settings.warnings)}))
        return
    _print_table([(name, value or _unset(CATALOGUE[name]), origin) for name, value, origin in rows])
    _say_warnings(settings.warnings)


def _unset(setting: Setting) -> str:
    return f"({setting.unset.replace('`', '') or 'none'})"


def _print_table(rows: list[tuple[str, str, str]]) -> None:
    name_width, origin_width = (max(len(row[column]) for row in rows) for column in (0, 2))
    for name, value, origin in rows:
        click.echo(f"{name:<{name_width}}  {origin:<{origin_width}}  {value}")
