"""`vestibule calibrate`: what the cost of a hash may be set to, measured: for sign-ins, and for a thief of hashes."""

import json
from dataclasses import asdict, astuple
from typing import Any, Final

import click

from service.cli import Operator, operator_command
from service.cli.calibrate.speed import measure
from service.login.passwords import Parameters

# From the least that the settings accept (OWASP ASVS 5.0, 11.4.2) to ten times that; with four lanes: RFC 9106, 4.
CHOICES: Final = ((12_288, 3, 1), (19_456, 2, 1), (47_104, 1, 1), (65_536, 3, 1), (65_536, 3, 4), (131_072, 3, 1))
_ROW: Final = "{:<3} {:>8} {:>10} {:>11} {:>10} {:>11} {:>9} {:>21}"
_HEADING: Final = "      memory iterations parallelism sign-ins/s peak memory guesses/s   hours for a million"
_END: Final = """-: not measured, memory is short
The present choice, as environment variables that the next start reads:
VESTIBULE_PASSWORDS__MEMORY={}k VESTIBULE_PASSWORDS__ITERATIONS={} VESTIBULE_PASSWORDS__PARALLELISM={}"""


@click.command()
@click.option("--seconds", type=click.FloatRange(0.001, 60), default=2, show_default=True, help="Time for a line.")
@operator_command
def calibrate(op: Operator, *, seconds: float, as_json: bool) -> None:
    """Show what passwords.* may be set to, one choice a line.

    Sign-ins a second of this machine, the most memory that its hashes take together, and how many guesses one processor
    like these tries with stolen hashes. Measure in a quiet hour. Changes nothing, and needs no database.
    """
    chosen, threads = op.settings.passwords, op.settings.workers * op.settings.gate_size.threads
    now = Parameters(chosen.memory, chosen.iterations, chosen.parallelism)
    costs = sorted({now, *(Parameters(*each) for each in CHOICES)}, key=lambda each: each.memory_kib * each.iterations)
    found = (_measured(each, threads=threads, seconds=seconds) | {"now": each == now} for each in costs)
    if as_json:
        click.echo(json.dumps({"threads": threads, "choices": list(found)}))
        return
    click.echo(f"Measured with {threads} threads, as many as all workers hash with.\n{_HEADING}")
    for facts in found:  # each line is printed as soon as it is measured
        click.echo(_ROW.format(*_cells(**facts)))
    click.echo(_END.format(*astuple(now)))


def _measured(cost: Parameters, *, threads: int, seconds: float) -> dict[str, Any]:
    """Return the figures of a choice; what was not measured is None."""
    speed = measure(cost, threads=threads, seconds=seconds)
    return asdict(cost) | {
        "sign_ins_per_second": speed and round(speed.per_second, 2),
        "peak_memory_kib": threads * cost.memory_kib,
        "guesses_per_second": speed and round(1 / speed.processor_seconds, 2),
        "processor_hours_for_a_million_guesses": speed and round(speed.processor_seconds * 1_000_000 / 3600, 3),
    }


def _cells(*, now: bool, memory_kib: int, iterations: int, parallelism: int, **measured: Any) -> tuple[object, ...]:
    peak = f"{measured.pop('peak_memory_kib') // 1024} MiB"
    sign_ins, guesses, hours = ("-" if rate is None else f"{rate:.1f}" for rate in measured.values())
    return "now" if now else "", f"{memory_kib}k", iterations, parallelism, sign_ins, peak, guesses, hours
