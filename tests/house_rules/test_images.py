"""The images and the Compose file: few rights, and no syntax of one tool alone."""

import json
import re
from typing import Any

import pytest

from tests.house_rules.project import lines, load


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


def services() -> dict[str, Any]:
    """Return the services of the Compose file."""
    found = load("deploy/compose/compose.yaml")["services"]
    assert isinstance(found, dict)
    return found


def test_interface_of_the_service_image() -> None:
    """The image is the command: it serves without arguments, as a user of its own, and has a probe."""
    assert json.loads(said("service", "ENTRYPOINT")) == ["vestibule"]
    assert json.loads(said("service", "CMD")) == ["serve"]
    assert said("service", "USER") == "10001:10001"
    assert said("service", "HEALTHCHECK").endswith('CMD ["vestibule", "ping"]')


def test_edge_runs_as_another_user() -> None:
    """nginx runs as neither root nor the service; it shares the service's group, which may open the socket."""
    assert said("edge", "USER") == "101:10001"


def test_what_builds_is_left_behind() -> None:
    """The image of the service takes the installed folder, and never runs an installer itself."""
    runs = [line for line in stages()["service"] if line.startswith("RUN")]

    assert [line for line in runs if re.search(r"pip install|-m pip|apt-get|apk add", line)] == []


def test_plain_dockerfile() -> None:
    """Any builder can read it: neither heredocs nor linked copies."""
    assert [line for line in lines("Dockerfile") if "<<" in line or "--link" in line] == []


@pytest.mark.parametrize("name", ["render", "service", "edge"])
def test_compose_gives_little(name: str) -> None:
    """Every container has a read-only root, no capability, and cannot gain any."""
    service = services()[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", ["render", "service", "edge"])
def test_compose_stands_alone(name: str) -> None:
    """Only named volumes are mounted, nothing of the checkout or the machine."""
    named = load("deploy/compose/compose.yaml")["volumes"].keys()

    assert {volume.split(":")[0] for volume in services()[name]["volumes"]} - named == set()


def test_compose_publishes_the_door_alone() -> None:
    """The internal listener is never published, and the public one to this machine alone by default."""
    assert [port for service in services().values() for port in service.get("ports", [])] == [
        "${EDGE_BIND:-127.0.0.1}:${EDGE_PORT:-8080}:8080"
    ]
