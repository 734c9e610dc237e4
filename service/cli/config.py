"""`vestibule config`: what the settings are, where each came from, and their faults."""

import sys
from collections.abc import Iterable

import click

from service.cli import REFUSED, Operator, operator_command
from service.cli.output import report
from service.settings import CATALOGUE, SettingsFault, faults_of_state
from service.settings.app_files import faults_of_apps


@click.group()
def config() -> None:
    """Show and check the settings."""


@config.command()
@operator_command
def check(op: Operator, *, as_json: bool) -> None:
    """Name every fault of the settings and of the apps. Changes nothing; exit code 1 when there is a fault."""
    try:
        faults, warnings = faults_of_state(op.settings) + faults_of_apps(op.settings), op.settings.warnings
    except SettingsFault as fault:
        faults, warnings = fault.faults, ()
    if not as_json:
        _warn(warnings)
        for each in faults:
            click.echo(each, err=True)
    if as_json or not faults:
        facts = {"ok": not faults, "faults": faults, "warnings": warnings}
        report("The settings are in order.", facts, as_json=as_json)
    if faults:
        sys.exit(REFUSED)


@config.command()
@operator_command
def show(op: Operator, *, as_json: bool) -> None:
    """List every setting, where its value came from, and the value. Secrets stay hidden."""
    settings = op.settings
    values = {name: setting.shown(setting.value_in(settings)) for name, setting in CATALOGUE.items()}
    origins = {name: settings.origins.get(name, "default") for name in CATALOGUE}
    listed = [{"name": name, "value": values[name], "origin": origins[name]} for name in CATALOGUE]
    widths = max(map(len, CATALOGUE)), max(map(len, origins.values()))
    lines = (
        f"{name:<{widths[0]}}  {origins[name]:<{widths[1]}}  {value or f'({_unset(name)})'}"
        for name, value in values.items()
    )
    report("\n".join(lines), {"settings": listed, "warnings": settings.warnings}, as_json=as_json)
    if not as_json:
        _warn(settings.warnings)


def _unset(name: str) -> str:
    return CATALOGUE[name].unset.replace("`", "") or "none"


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
