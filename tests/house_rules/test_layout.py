"""The shape of the project: what stands at the top, and how large a thing may grow."""

import ast
import os
import re
from pathlib import Path

import pytest

from tests.house_rules.project import functions, modules, ours, read, size
from tests.rig.parts import ROOT

TOP = {
    *("service", "deploy", "tests", "docs", ".github", ".ci"),
    *("Dockerfile", ".dockerignore", "nginx.conf", "Makefile", "pyproject.toml", ".gitignore"),
    *("requirements.txt", "requirements-dev.txt", "requirements-build.txt"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"),
}
LONGEST_FILE = 250
LONGEST_FUNCTION = 30


def test_top_level() -> None:
    """The top of the project holds the files of every project, and nothing else."""
    assert ours() - TOP == set()


def test_files_stay_small() -> None:
    """A file that passes 250 lines has become two."""
    sizes = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in modules("service", "tests", "deploy")
    }

    assert {path: lines for path, lines in sizes.items() if lines > LONGEST_FILE} == {}


def test_functions_stay_small() -> None:
    """A function that passes 30 lines has become two."""
    sizes = {
        f"{path.relative_to(ROOT)}: {function.name}": size(function)
        for path in modules("service", "tests", "deploy")
        for function in functions(path)
    }

    assert {name: lines for name, lines in sizes.items() if lines > LONGEST_FUNCTION} == {}


def test_no_catch_alls() -> None:
    """A module is named for what it does; none is a collection of things without a place."""
    catch_alls = {"utils", "util", "helpers", "helper", "common", "misc"}

    assert [
        path for path in modules("service", "tests") if path.stem in catch_alls or path.parent.name in catch_alls
    ] == []


def test_tests_are_promises() -> None:
    """Every test says in its docstring what it promises."""
    silent = [
        f"{path.relative_to(ROOT)}: {function.name}"
        for path in modules("tests")
        for function in functions(path)
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]

    assert silent == []


def test_no_test_imports_another() -> None:
    """What two files of tests need lies in a module of its own, such as those of the rig."""
    importing = [
        str(path.relative_to(ROOT))
        for path in modules("tests")
        if re.search(r"^from tests\S*\.test_\w+ import", path.read_text(), re.MULTILINE)
    ]

    assert importing == []


def test_folders_of_tests_are_packages() -> None:
    """Two test files of one name live side by side, because each folder is a package."""
    bare = {path.parent for path in modules("tests") if not (path.parent / "__init__.py").exists()}

    assert bare == set()


@pytest.mark.parametrize(
    "path",
    [
        *(".ci/run", "deploy/unprivileged", "deploy/packages", "deploy/python", "deploy/release"),
        *("deploy/images/try", "deploy/images/local", "deploy/images/next", "deploy/systemd/exchange"),
        *("deploy/kubernetes/try", "deploy/kubernetes/kind-test", "deploy/grafana/try"),
        *("deploy/compose/try", "deploy/compose/make-secrets", "deploy/compose/exchange"),
    ],
)
def test_commands_run(path: str) -> None:
    """A script can be executed by its path, and names its interpreter."""
    assert os.access(ROOT / path, os.X_OK)
    assert read(path).startswith("#!")


def test_no_place_of_one_machine() -> None:
    """No file names a home directory, so that a checkout works wherever it lies."""
    homes = ("/home/", "/Users/")
    texts: list[Path] = [
        path for path in modules("service", "deploy") if any(home in path.read_text() for home in homes)
    ]

    assert texts == []
