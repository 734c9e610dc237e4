"""What CI runs: the commands of a developer, with actions that cannot be exchanged."""

import re
from typing import Any, Final

import pytest

from tests.house_rules.project import load, read
from tests.rig.parts import ROOT

WORKFLOWS: Final = sorted(path.name for path in (ROOT / ".github/workflows").iterdir())
PINNED: Final = re.compile(r"[\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*")


def workflow(name: str) -> dict[Any, Any]:
    """Return a workflow's content."""
    content = load(f".github/workflows/{name}")
    assert isinstance(content, dict)
    return content


def steps(name: str) -> list[dict[str, Any]]:
    """Return the steps of all jobs of a workflow."""
    return [step for job in workflow(name)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned(name: str) -> None:
    """An action is named by its commit, with its release beside it."""
    used = re.findall(r"uses: (.*)", read(f".github/workflows/{name}"))

    assert [action for action in used if not PINNED.fullmatch(action)] == []


@pytest.mark.parametrize("name", WORKFLOWS)
def test_permissions_start_at_nothing(name: str) -> None:
    """A workflow may do nothing; each job says what little it needs, and how long it may take."""
    content = workflow(name)

    assert content["permissions"] == {}
    assert [
        job for job, parts in content["jobs"].items() if "permissions" not in parts or "timeout-minutes" not in parts
    ] == []


@pytest.mark.parametrize("name", WORKFLOWS)
def test_checkout_keeps_no_credentials(name: str) -> None:
    """The token of a run is not left in the checkout, where any test could read it."""
    checkouts = [step for step in steps(name) if step.get("uses", "").startswith("actions/checkout@")]

    assert [step for step in checkouts if step.get("with", {}).get("persist-credentials") is not False] == []


def test_ci_is_what_developers_run() -> None:
    """CI calls .ci/run on every supported Python and once as root; .ci/run calls the two commands of the README."""
    check = workflow("ci.yml")["jobs"]["check"]

    assert check["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert ".ci/run" in [step.get("run") for step in check["steps"]]
    assert "sudo .ci/run" in [step.get("run") for step in steps("ci.yml")]
    assert "make --silent check test" in read(".ci/run")
    assert "make --silent faults" in read(".ci/run")
    assert "deploy/images/local" in read(".ci/run")
    assert "make --silent run " in read(".ci/run")


def test_ci_tries_the_images() -> None:
    """CI builds both images and asks the running ones."""
    image = workflow("ci.yml")["jobs"]["image"]

    assert "make image" in [step.get("run") for step in image["steps"]]


def test_a_release_is_checked_and_takes_nothing_from_a_cache() -> None:
    """A release runs what must pass first, and no action in it restores what another run left."""
    jobs = workflow("release.yml")["jobs"]

    assert [step["run"] for step in jobs["check"]["steps"] if "run" in step] == [
        'deploy/release "$GITHUB_REF_NAME"',
        "sudo .ci/run",
    ]
    assert (jobs["image"]["needs"], jobs["publish"]["needs"], jobs["chart"]["needs"]) == ("check", "image", "publish")
    assert [
        step for step in steps("release.yml") if "cache" in step.get("uses", "") or "cache" in step.get("with", {})
    ] == []


@pytest.mark.parametrize("name", WORKFLOWS)
def test_scripts_of_workflows_exist(name: str) -> None:
    """A workflow calls no script that the repository does not hold."""
    called = {word for step in steps(name) for word in re.findall(r"(?:\.ci|deploy)/[\w./-]+", step.get("run", ""))}

    assert [path for path in called if not (ROOT / path).exists()] == []
