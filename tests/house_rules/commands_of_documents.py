"""The commands that a document tells its reader to type, one by one, as lists of words."""

import re
import shlex
from collections.abc import Iterator
from typing import Final

from tests.house_rules.project import read

_FENCED: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HERE: Final = re.compile(r"<<'(\w+)'\n.*?^\1$", re.MULTILINE | re.DOTALL)  # what is typed into a command
_INDENTED: Final = re.compile(r"^    (\S.*)$", re.MULTILINE)
_INLINE: Final = re.compile(r"`([^`\n]+)`")
_BETWEEN: Final = {"&&", "||", ";", "|"}


def shell_blocks(document: str) -> list[str]:
    """Return what stands in blocks of shell."""
    return [block for language, block in _FENCED.findall(read(document)) if language == "sh"]


def typed(document: str) -> Iterator[list[str]]:
    """Yield each command of the blocks of shell."""
    for block in shell_blocks(document):
        for line in _HERE.sub("", block).splitlines():
            yield from _split(line)


def mentioned(document: str) -> Iterator[list[str]]:
    """Yield each call of `vestibule` that stands in a sentence, a table or an indented block."""
    rest = _FENCED.sub("", read(document))
    for code in (*_INLINE.findall(rest), *_INDENTED.findall(rest)):
        if re.match(r"(\.venv/bin/)?vestibule [a-z]", code) and "…" not in code:
            yield from _split(code)


def _split(line: str) -> Iterator[list[str]]:
    """Yield the commands of a line; `sudo -u NAME` and where the output goes are no part of them."""
    command: list[str] = []
    for word in (*shlex.split(line, comments=True), ";"):
        if word not in _BETWEEN:
            command.append(word)
        elif command:
            yield _plain(command)
            command = []


def _plain(command: list[str]) -> list[str]:
    if command[0] == "sudo":
        command = command[3:]
    if command[0] == "env":
        command = [word for word in command[1:] if not re.match("[A-Z_]+=", word)]
    return command[: next((at for at, word in enumerate(command) if word in {">", ">>", "<<END"}), None)]
