"""The project's own files, as the house rules read them."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

import yaml

from tests.rig.parts import ROOT

FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
Function = ast.FunctionDef | ast.AsyncFunctionDef
DOCUMENTS: Final = [
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"),
    *sorted(str(path.relative_to(ROOT)) for folder in ("docs", "deploy") for path in (ROOT / folder).rglob("*.md")),
]


def read(path: str) -> str:
    """Return a file's text."""
    return (ROOT / path).read_text(encoding="utf-8")


def lines(path: str) -> list[str]:
    """Return a configuration file's lines without comments and empty lines."""
    return [line for line in read(path).splitlines() if line.strip() and not line.lstrip().startswith("#")]


def load(path: str) -> Any:  # noqa: ANN401 - whatever the YAML says
    """Return a YAML file's content."""
    return yaml.safe_load(read(path))


def modules(*folders: str) -> Iterator[Path]:
    """Yield the Python files below these folders."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def functions(path: Path) -> Iterator[Function]:
    """Yield every function of a file, inner ones too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, FUNCTIONS):
            yield node


def size(function: Function) -> int:
    """Return a function's lines from the first statement behind its docstring to its last."""
    body = function.body[1:] if ast.get_docstring(function) and len(function.body) > 1 else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1


def ours() -> set[str]:
    """Return the names at the top of the project, without what .gitignore leaves out."""
    ignored = [line.strip("/") for line in lines(".gitignore")]
    return {
        place.name
        for place in ROOT.iterdir()
        if place.name != ".git" and not any(fnmatch(place.name, pattern) for pattern in ignored)
    }
