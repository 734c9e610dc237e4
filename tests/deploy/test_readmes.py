"""The READMEs of deploy/kubernetes and deploy/helm: what they have people type exists."""

import json
import re
import shlex
import subprocess
from collections.abc import Collection
from functools import cache
from itertools import pairwise
from typing import Final

import pytest

from service.settings import CATALOGUE
from tests.deploy.kustomize import KUBECTL
from tests.house_rules.command_line import refusal
from tests.house_rules.project import read
from tests.rig.parts import ROOT

READMES: Final = ["deploy/kubernetes/README.md", "deploy/helm/README.md"]
COMMANDS: Final = dict.fromkeys(
    (readme, line.strip()) for readme in READMES for line in re.findall(r"^    (?!#)(.+)$", read(readme), re.MULTILINE)
)


@cache
def _help(command: str) -> str:
    return subprocess.run([KUBECTL, *command.split()], capture_output=True, text=True, check=True).stdout


def _options_of_kubectl(words: list[str]) -> list[str]:
    """Return the options of a command of kubectl's that it does not have."""
    command = " ".join(words[1 : 1 + {"create": 3, "rollout": 2}.get(words[1], 1)])
    own = words[: words.index("--")] if "--" in words else words
    known = _help(f"{command} --help") + _help("options")
    return [word for word in own if word.startswith("-") and not re.search(rf"(^|\s){re.escape(word)}[=,:]", known)]


def _refused_values(words: list[str]) -> list[str]:
    """Return the values of a `helm` command that the chart's schema does not have."""
    schema = json.loads(read("deploy/helm/values.schema.json"))["properties"]
    names = [after.partition("=")[0].split(".") for word, after in pairwise(words) if word == "--set"]
    return [name[0] for name in names if name[0] not in schema or (name[1:] and name[1] not in _inner(schema[name[0]]))]


def _inner(part: dict[str, dict[str, object]]) -> Collection[str]:
    """Return the names that a part of the values may have."""
    return part.get("properties") or {setting.environment for setting in CATALOGUE.values()}


@pytest.mark.parametrize(("readme", "line"), COMMANDS)
def test_commands_exist(readme: str, line: str) -> None:
    """A command's options, the folders that it names, and what it runs in the pod exist."""
    words = shlex.split(line)
    folders = [word for word in words if word.startswith("deploy/")]

    assert [folder for folder in folders if not (ROOT / folder).exists()] == [], readme
    if words[0] == "kubectl":
        assert _options_of_kubectl(words) == []
    if words[0] == "helm":
        assert _refused_values(words) == []
    if "vestibule" in words[1:] and "--" in words:
        assert refusal(words[words.index("--") + 2 :]) is None
