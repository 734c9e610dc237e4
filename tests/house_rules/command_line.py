"""The command line of `vestibule`, which reads a command as it is typed, and runs nothing."""

from collections.abc import Sequence
from typing import Final

import click

from service.cli import vestibule

# What stands in documents for something of the reader's, and a value in its place.
_EXAMPLES: Final = {"NETWORK": "192.0.2.0/24", "people.csv": "-", "FILE": "-", "URL": "https://wiki.example.org/"}


def refusal(words: Sequence[str]) -> str | None:
    """Return why `vestibule` does not take these words; None when it takes them."""
    command: click.Command = vestibule
    context, name, rest = click.Context(vestibule), "vestibule", list(words)
    try:
        while isinstance(command, click.Group) and not _is_called_itself(command, rest):
            found, resolved, rest = command.resolve_command(context, rest)
            assert resolved is not None
            command, name = resolved, found or name
            context = click.Context(command)
        command.make_context(name, [_EXAMPLES.get(word, word) for word in rest])
    except click.exceptions.Exit:  # --help
        return None
    except click.UsageError as fault:
        return fault.format_message()
    return None


def _is_called_itself(group: click.Group, rest: Sequence[str]) -> bool:
    return group.invoke_without_command and (not rest or rest[0].startswith("-"))
