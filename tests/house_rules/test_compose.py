"""Settings under Compose: each one reaches the service from `.env`, and Compose's own variables look like none."""

import re
from typing import Any, Final

import pytest

from service.settings import CATALOGUE, load
from tests.house_rules.project import lines, read
from tests.house_rules.project import load as load_yaml

FILE: Final = "deploy/compose/compose.yaml"
EXAMPLE: Final = "deploy/compose/example.env"


def _services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = load_yaml(FILE)["services"]
    return found


def _example() -> dict[str, str]:
    """Return what example.env gives, as a file whose values hold no quotes."""
    return dict(line.split("=", 1) for line in lines(EXAMPLE))


@pytest.mark.parametrize("name", ["render", "service"])
def test_every_setting_works_from_the_file(name: str) -> None:
    """Both containers read the whole `.env`, where there is one, and nothing stands in front of it."""
    service = _services()[name]

    assert service["env_file"] == [{"path": ".env", "required": False}]
    assert "environment" not in service


def test_variables_of_compose_are_no_settings() -> None:
    """What Compose reads itself cannot be taken for a setting, and a setting is read by the service alone."""
    variables = set(re.findall(r"\$\{(\w+)", read(FILE)))

    assert variables
    assert [name for name in variables if name.startswith("VESTIBULE")] == []
    assert variables == {name for name in _example() if not name.startswith("VESTIBULE_")}


def test_the_example_is_the_default() -> None:
    """Copied as it is, it changes nothing: the same settings, and the same values that the file falls back to."""
    example = _example()
    fall_backs = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", read(FILE)))

    assert load(example) == load({})
    assert {name: example[name] for name in fall_backs} == fall_backs
    assert {name for name in example if name.startswith("VESTIBULE_")} <= {s.environment for s in CATALOGUE.values()}


def test_the_network_can_be_chosen() -> None:
    """A database and Redis elsewhere are settings, too: without a network they would be refused by the container."""
    assert _services()["service"]["network_mode"] == "${SERVICE_NETWORK:-none}"
