"""`vestibule db upgrade`: the tables of this release."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from service.cli import Operator, arguments, operator_command
from service.cli.output import refuse, report

_INTERRUPTED: Final = (
    "Interrupted: the tables are as before, or the upgrade was done already. To go on: vestibule db upgrade"
)


@click.command()
@click.option(
    "--wait",
    type=arguments.wait,
    metavar="DURATION",
    default="10m",
    show_default=True,
    help="How long to wait for a lock.",
)
@operator_command
def upgrade(op: Operator, *, wait: int, as_json: bool) -> None:
    """Bring the tables to this release.

    Waits while another process does so, or holds a lock on a table, and says every 10 seconds which one. Exits with
    3 when the time is over. A command that is ended has changed nothing, or is done.
    """
    with ended_by_sigterm(_INTERRUPTED):
        done = op.upkeep.upgrade(op.settings, wait)
    report(done, {"done": done}, as_json=as_json)


@contextmanager
def ended_by_sigterm(sentence: str) -> Iterator[None]:
    """Say the sentence when SIGINT or SIGTERM ends the work, which is cleaned up first, or a closed terminal does.

    The first process of a container ignores SIGTERM else. `nohup` has SIGHUP ignored.
    """
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    for each, how in before.items():
        if how != signal.SIG_IGN:
            signal.signal(each, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        refuse(sentence)
    finally:
        for each, how in before.items():
            signal.signal(each, how)
