"""Every command of the documents exists: each is read as its program would read it, down to the options."""

import re
import subprocess
from collections.abc import Callable
from typing import Final

import pytest

from tests.house_rules.command_line import refusal
from tests.house_rules.commands_of_documents import mentioned, shell_blocks, typed
from tests.house_rules.composed import FILES, FOLDER, together
from tests.house_rules.ops_paths import answered
from tests.house_rules.project import DOCUMENTS, read
from tests.rig.parts import ROOT

PAGES: Final = ("docs/apps.md", "docs/install.md", "docs/operating.md", "docs/proxies.md", "docs/runbooks.md")
ELSEWHERE: Final = {
    *("apt-get", "caddy", "cd", "cp", "echo", "git", "helm", "install", "ln", "make-secrets", "openssl"),
    *(
        "createdb",
        "createuser",
        "dropdb",
        "export",
        "kill",
        "pg_ctl",
        "pg_dump",
        "psql",
        "python",
        "redis-cli",
        "rm",
        "sed",
        "socat",
        "systemd-sysusers",
        "test",
    ),
}
_OPS_LISTENER: Final = "http://127.0.0.1:9180"
_VERBS_OF_COMPOSE: Final = {"cp", "exec", "kill", "ps", "restart", "run", "stop", "up"}


def _vestibule(words: list[str]) -> None:
    assert refusal(words) is None, refusal(words)


def _curl(words: list[str]) -> None:
    """Check the paths of the ops listener that are asked for."""
    paths = [word.removeprefix(_OPS_LISTENER) for word in words if word.startswith(_OPS_LISTENER)]
    assert [path for path in paths if not answered(path)] == []


def _make(words: list[str]) -> None:
    assert re.search(rf"^{re.escape(words[0])}:", read("Makefile"), re.MULTILINE)


def _docker(words: list[str]) -> None:
    """Check the files, the verb and the service, and what is run in it."""
    assert words.pop(0) == "compose"
    files = []
    while words[0] == "-f":
        files.append(words[1].removeprefix(f"{FOLDER}/"))
        words = words[2:]
    verb, *rest = words
    assert verb in _VERBS_OF_COMPOSE
    assert set(files) <= set(FILES)
    names = together(*(files or FILES))["services"].keys()
    given = [word for word in rest if not word.startswith("-")]
    if verb in {"exec", "run", "restart"} and "--entrypoint" not in rest:
        assert given[0] in names
        inside = given[1:] if verb == "run" else rest[rest.index(given[0]) + 1 :]
        if given[0] in {"service", "render"} and inside:
            _vestibule(inside if verb == "run" else inside[1:])


def _systemctl(words: list[str]) -> None:
    units = [word for word in words[1:] if not word.startswith("-")]
    files = {unit: unit if unit.endswith(".timer") else f"{unit}.service" for unit in units if unit != "nginx"}
    assert [unit for unit, file in files.items() if not (ROOT / "deploy/systemd" / file).exists()] == []


def _kubectl(words: list[str]) -> None:
    if "--" in words:
        _vestibule(words[words.index("--") + 2 :])


PROGRAMS: Final[dict[str, Callable[[list[str]], None]]] = {
    "vestibule": _vestibule,
    "make": _make,
    "docker": _docker,
    "systemctl": _systemctl,
    "kubectl": _kubectl,
    "curl": _curl,
}


def _wrong(command: list[str]) -> str | None:
    """Return what is wrong with a command."""
    program = command[0].rpartition("/")[2]
    try:
        if program not in ELSEWHERE:
            PROGRAMS[program](command[1:])
        paths = [word for word in command if word.startswith("deploy/") and not word.endswith("/.env")]  # the reader's
        assert [path for path in paths if not list(ROOT.glob(path))] == []
    except (AssertionError, KeyError) as fault:
        return f"{' '.join(command)}: {fault!r}"
    return None


@pytest.mark.parametrize("page", PAGES)
def test_commands_can_be_typed(page: str) -> None:
    """Each command in a block of shell is one that its program reads, with files, units and services that exist."""
    commands = list(typed(page))

    assert len(commands) >= 3
    assert [wrong for command in commands if (wrong := _wrong(command))] == []


@pytest.mark.parametrize("page", PAGES)
def test_blocks_are_shell(page: str) -> None:
    """A shell reads every block without a fault, line ends and quotes included."""
    for block in shell_blocks(page):
        subprocess.run(["sh", "-n"], input=block, text=True, check=True)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_in_sentences_exist(document: str) -> None:
    """A call of the command that a sentence or a table names is complete, or is the name of a command alone."""
    assert [wrong for command in mentioned(document) if (wrong := _wrong_call(command))] == []


def _wrong_call(command: list[str]) -> str | None:
    """Return what is wrong with a call; a command's name without its arguments is none."""
    wrong = _wrong(command)
    return wrong if wrong and "Missing" not in wrong else None


@pytest.mark.parametrize(
    "planted",
    [
        "vestibule account offbord NAME",
        "vestibule block add 192.0.2.0/24 --until 2h",
        "docker compose -f deploy/compose/postgre.yaml up -d",
        "docker compose -f deploy/compose/compose.yaml exec servce vestibule ping",
        "docker compose -f deploy/compose/compose.yaml exec service vestibule attempt list",
        "systemctl restart vestibuled",
        "make everything",
        "curl -s http://127.0.0.1:9180/ready",
        "cp deploy/systemd/vestibule.ini /etc",
        "frobnicate",
    ],
)
def test_a_planted_command_is_found(planted: str) -> None:
    """A command, an option, a file, a service, a unit or a program that does not exist is found."""
    assert _wrong(planted.split())
