"""What the command line prints and asks: results as text or JSON, refusals, questions, times."""

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NoReturn, TypeVar

import click

from service.access import block_list
from service.cli import REFUSED
from service.login import administration, new_app_password
from service.login.refusal import Refusal
from service.services.upkeep import Progress

Result = TypeVar("Result")
_NEXT: Final[Mapping[StrEnum, str]] = {
    administration.Reason.NO_ACCOUNT: " List the usernames: vestibule account list",
    administration.Reason.NO_SESSION: " List the sessions: vestibule session list",
    administration.Reason.DISABLED: " Enable the account first: vestibule account enable {}",
    administration.Reason.HAS_ADMINISTRATOR: " For a lost password: vestibule account reset-link NAME",
    new_app_password.Reason.DISABLED: " Enable the account first: vestibule account enable {}",
    new_app_password.Reason.NOT_TAKEN: " Write app_passwords = true in its file, then: vestibule proxy render --reload",
    new_app_password.Reason.NAME_TAKEN: " End it, or choose another name: vestibule app-password list NAME",
    new_app_password.Reason.TOO_MANY: " End one that is no longer used: vestibule app-password list NAME",
    new_app_password.Reason.UNKNOWN: " List them: vestibule app-password list NAME",
    block_list.Reason.NOT_BLOCKED: " List what is blocked: vestibule block list",
}


def refuse(sentence: str) -> NoReturn:
    """Say why not, and exit with code 1."""
    click.echo(sentence, err=True)
    sys.exit(REFUSED)


def accepted(outcome: Result | Refusal) -> Result:
    """Return what a rule did; when it refused, say why and which command helps, and exit with code 1."""
    if isinstance(outcome, Refusal):
        refuse(f"{outcome}{_NEXT.get(outcome.reason, '').format(outcome.about)}")
    return outcome


def report(sentence: str, facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print a sentence about what was done, or one JSON object."""
    click.echo(json.dumps(facts) if as_json else sentence)


def report_all(lines: Iterable[tuple[str, Mapping[str, Any]]], *, empty: str, as_json: bool) -> None:
    """Print one line for each item, or one JSON list with one item a line, without holding the items in memory.

    Without items the sentence `empty` goes to standard error: a program that reads the lines finds none.
    """
    if not as_json:
        sentence = ""
        for sentence, _ in lines:
            click.echo(sentence)
        if not sentence:
            click.echo(empty, err=True)
        return
    before = "["
    for _, facts in lines:
        click.echo(f"{before}{json.dumps(facts)}", nl=False)
        before = ",\n"
    click.echo("[]" if before == "[" else "]")


def confirm(question: str) -> None:
    """Ask a question of yes or no, and exit with code 1 unless the answer is yes. The command takes `--yes`, too."""
    _need_terminal("a confirmation", "add --yes")
    click.confirm(question, abort=True, err=True)


def ask_password() -> str:
    """Ask for a new password, twice and without echo. The command takes `--invite` and `--password-stdin`, too."""
    _need_terminal("a password", "add --invite, or --password-stdin with the password on standard input")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password


def _need_terminal(asked: str, options: str) -> None:
    """Refuse to ask where there is no terminal to answer at (exit code 2), and name the options that answer."""
    if not is_interactive():
        raise click.UsageError(f"Standard input is not a terminal, so {asked} cannot be asked for: {options}.")


def is_interactive() -> bool:
    """Whether a question can be answered: standard input is a terminal. A closed one is None."""
    return sys.stdin is not None and sys.stdin.isatty()


def progress_bars() -> Progress:
    """Return what shows each step of long work as a bar, where standard error is a terminal."""
    bars: dict[str, Any] = {}

    def show(step: str, done: int, whole: int) -> None:
        if sys.stderr and sys.stderr.isatty():  # a closed one is None
            if step not in bars:
                bars[step] = click.progressbar(length=max(1, whole), label=step, file=sys.stderr)
            bars[step].update(done - bars[step].pos)
            if done >= whole:
                bars[step].render_finish()

    return show


def utc(seconds: int | None) -> str:
    """Return a moment (seconds since the epoch) in UTC, or a dash."""
    return "-" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
