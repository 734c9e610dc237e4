"""What `--help` prints of a group of commands."""

from collections.abc import Iterator

import click
from click.testing import CliRunner

from service.cli import vestibule


def groups(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    """Yield every group by the words that call it."""
    yield path
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from groups(command, *path, name)


def test_lists_of_commands_are_not_cut() -> None:
    """In a terminal of 80 columns, what a command does stands whole in its line."""
    lists = [CliRunner().invoke(vestibule, [*path, "--help"], terminal_width=80).output for path in groups(vestibule)]
    lines = [line for shown in lists for line in shown.partition("Commands:")[2].splitlines()]

    assert len(lines) > 40
    assert [line for line in lines if line.endswith("...")] == []
