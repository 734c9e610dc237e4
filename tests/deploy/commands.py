"""Which commands `vestibule` has."""

from collections.abc import Sequence

import click

from service.cli import vestibule


def is_command(words: Sequence[str]) -> bool:
    """Whether these are the words after `vestibule` of a command that it has; options and arguments may follow."""
    command: click.Command | None = vestibule
    for word in words:
        if not isinstance(command, click.Group):
            break
        command = command.get_command(click.Context(command), word)
    return command is not None and not isinstance(command, click.Group)
