"""The Dockerfile, by stages."""

import re

from tests.house_rules.project import lines


def stages() -> dict[str, list[str]]:
    """Return the Dockerfile's instructions by stage, continued lines joined."""
    found: dict[str, list[str]] = {}
    stage = ""
    for line in "\n".join(lines("Dockerfile")).replace("\\\n", " ").splitlines():
        if match := re.fullmatch(r"FROM \S+ AS (\w+)", line):
            stage = match[1]
        found.setdefault(stage, []).append(line)
    return found


def said(stage: str, instruction: str) -> str:
    """Return what a stage says last for an instruction."""
    values = [line.removeprefix(instruction).strip() for line in stages()[stage] if line.startswith(f"{instruction} ")]
    assert values, f"{stage} says no {instruction}"
    return values[-1]
