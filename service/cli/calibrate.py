"""`vestibule calibrate`: what the cost of a hash may be set to, measured: for us, and for who stole the hashes."""

import json
import sys
from typing import Final

import click

from service.cli import Operator, as_json
from service.cli.hash_choices import Measured, another, choices, measured, present, spelled
from service.cli.words import is_terminal
from service.login.passwords import Parameters

_WORDS: Final = """\
Measured with {threads} threads, which is how many passwords are hashed at once by all workers together.
Beside other work the figures are those of what it leaves: measure in a quiet hour.
A guess is what somebody who has the hashes pays for each password tried, on one processor like these.
"""
_ROW: Final = "{:<3} {:>8} {:>10} {:>11} {:>10} {:>8} {:>9} {:>8} {:>13} {:>10}"
_HEADINGS: Final = (
    ("", "memory", "iterations", "parallelism", "one alone", "sign-ins", "memory", "guesses", "hours for", "memory"),
    ("", "", "", "", "", "a second", "at most", "a second", "a million", "of a guess"),
)


@click.command()
@click.option(
    "--seconds", type=click.FloatRange(0.001, 60), default=2, show_default=True, help="How long to measure a line."
)
@as_json
@click.pass_obj
def calibrate(op: Operator, *, seconds: float, as_json: bool) -> None:
    """Show what passwords.* may be set to: sign-ins a second, memory, time, and what a guess costs an attacker.

    Measured here, with as many threads as hash passwords at once. Any other choice is measured when it is the
    present one: VESTIBULE_PASSWORDS__MEMORY=32m vestibule calibrate. Changes nothing, and needs no database.
    """
    now, threads = present(op.settings), op.settings.workers * op.settings.hash_threads_per_worker
    with click.progressbar(choices(now), label="Hashing", file=sys.stderr, hidden=not is_terminal()) as bar:
        found = [measured(each, threads=threads, seconds=seconds) for each in bar]
    if as_json:
        listed = [each.facts | {"now": each.parameters == now} for each in found]
        click.echo(json.dumps({"threads": threads, "choices": listed, "another": another(now)}))
    else:
        _say(found, now, threads=threads)


def _say(found: list[Measured], now: Parameters, *, threads: int) -> None:
    click.echo(_WORDS.format(threads=threads))
    for cells in (*_HEADINGS, *(_cells(each, now) for each in found)):
        click.echo(_ROW.format(*cells).rstrip())
    if any(each.speed is None for each in found):
        click.echo("\n-: more memory than is free here; not measured")
    click.echo("\nAnother choice is typed like this, and read at the next start:")
    for name, value in another(now).items():
        click.echo(f"    {name}={value}")


def _cells(choice: Measured, now: Parameters) -> tuple[str, ...]:
    facts = choice.facts
    return (
        "now" if choice.parameters == now else "",
        *(value for _, value in spelled(choice.parameters)),
        _figure(facts["milliseconds"], " ms"),
        _figure(facts["sign_ins_per_second"]),
        f"{facts['peak_memory_kib'] / 1024:.0f} MiB",
        _figure(facts["guesses_per_second"]),
        _figure(facts["processor_hours_for_a_million_guesses"]),
        f"{facts['gib_for_a_guess']:.3f} GiB",
    )


def _figure(number: float | None, unit: str = "") -> str:
    return "-" if number is None else f"{number:.1f}{unit}"
