"""What `kubectl kustomize` makes of the folders in deploy/kubernetes, and how its objects are found."""

import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from tests.rig.parts import ROOT

Object = dict[str, Any]

KUBECTL: Final = Path(sys.executable).with_name("kubectl")  # from the lock, never one that the machine happens to have
EXAMPLE: Final = "example"
SECRETS: Final = {
    "database-url": "postgresql://vestibule:pw@postgres.example.org/vestibule",
    "redis-url": "redis://redis.example.org:6379/0",
    "secret-key": "0123456789abcdefghijklmnopqrstuv",
}


def components_of(overlay: str) -> list[Path]:
    """Return the folders of all components that belong to an overlay: of backups, the one of its database."""
    other = {"ha": "backup-sqlite", "single": "backup"}[overlay]
    return [each for each in sorted((ROOT / "deploy/kubernetes/components").iterdir()) if each.name != other]


@cache
def built(folder: str) -> str:
    """Return the YAML of a folder below deploy/kubernetes."""
    return build(ROOT / "deploy/kubernetes" / folder)


@cache
def built_example(place: Path) -> str:
    """Return the YAML of the example, with secrets written into a copy of deploy/ in `place`."""
    shutil.copytree(ROOT / "deploy", place / "deploy")
    example = place / "deploy/kubernetes" / EXAMPLE
    (example / "secrets").mkdir()
    for name, content in SECRETS.items():
        (example / "secrets" / name).write_text(content)
    return build(example)


def build(folder: Path | str) -> str:
    """Return the YAML of a folder, or of a repository's address."""
    made = subprocess.run([KUBECTL, "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return made.stdout


def parsed(text: str) -> list[Object]:
    """Return the objects of a stream of YAML documents."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it was compiled
    return [each for each in yaml.load_all(text, loader) if each]


def of_kind(objects: Iterable[Object], kind: str) -> list[Object]:
    """Return the objects of a kind."""
    return [each for each in objects if each["kind"] == kind]


def named(thing: Object) -> str:
    """Return an object's kind and name, for a message."""
    return f"{thing['kind']} {thing['metadata']['name']}"


def with_pods(objects: Iterable[Object]) -> list[Object]:
    """Return the objects that make pods."""
    return [each for each in objects if each["kind"] in {"Deployment", "CronJob"}]


def template(workload: Object) -> Object:
    """Return what a Deployment's or a CronJob's pods are made from."""
    spec = workload["spec"]
    found: Object = (spec["jobTemplate"]["spec"] if workload["kind"] == "CronJob" else spec)["template"]
    return found


def pod(workload: Object) -> Object:
    """Return the specification of a Deployment's or a CronJob's pods."""
    found: Object = template(workload)["spec"]
    return found


def containers(workload: Object) -> Iterator[Object]:
    """Yield every container, those that run before others first."""
    yield from pod(workload).get("initContainers", [])
    yield from pod(workload)["containers"]
