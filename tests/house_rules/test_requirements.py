"""What is installed: locked, whole, and the same wherever it comes from."""

import re
import tomllib

import pytest

from tests.house_rules.project import lines, read

LOCKS = ["requirements.txt", "requirements-dev.txt", "requirements-build.txt"]


def pins(path: str) -> dict[str, set[str]]:
    """Return each locked distribution with its versions (one for each marker)."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", read(path), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def asked(requirement: str) -> str:
    """Return the normalised name of a requirement as pyproject.toml writes it."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match
    return re.sub(r"[-_.]+", "-", match[0]).lower()


@pytest.mark.parametrize("path", LOCKS)
def test_no_registry_address(path: str) -> None:
    """A lock names no registry and no path: hashes decide what is installed, wherever it comes from."""
    assert [line for line in lines(path) if "://" in line or line.startswith(("-", "/", "."))] == []


@pytest.mark.parametrize("path", LOCKS)
def test_every_pin_has_hashes(path: str) -> None:
    """Every file that is installed has a hash in the lock."""
    entries = re.split(r"\n(?=\S)", "\n".join(lines(path)))

    assert [
        entry
        for entry in entries
        if not re.match(r"\S+==\S+ (;.* )?\\\n( +--hash=sha256:[0-9a-f]{64}( \\\n)?)+$", entry)
    ] == []


def test_tests_run_on_what_is_shipped() -> None:
    """The tools' lock holds the very versions of the service's lock."""
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()


def test_locks_hold_what_is_asked_for() -> None:
    """Everything that pyproject.toml asks for is locked."""
    project = tomllib.loads(read("pyproject.toml"))
    groups = project["dependency-groups"]

    assert set(map(asked, project["project"]["dependencies"])) - pins("requirements.txt").keys() == set()
    assert set(map(asked, groups["dev"])) - pins("requirements-dev.txt").keys() == set()
    assert set(map(asked, groups["build"])) == pins("requirements-build.txt").keys()
