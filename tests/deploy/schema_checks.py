"""Whether objects have only fields that Kubernetes, or the definition of a custom resource, knows."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import jsonschema
import kubernetes_validate

from tests.deploy.kustomize import Object, named
from tests.rig.parts import ROOT

# 1.33 is the first release in which native sidecars and `preStop.sleep` are both stable or on by default.
VERSIONS: Final = ("1.33", "1.34", "1.35", "1.36", "1.37")
CUSTOM: Final = {"ServiceMonitor", "Probe", "PrometheusRule", "HTTPRoute"}
# Younger than the schemas that are kept; Prometheus 2.42 brought it.
_YOUNGER: Final = {"PrometheusRule": ("spec", "groups", "rules", "keep_firing_for")}


def schema_faults(objects: list[Object], versions: tuple[str, ...] = VERSIONS) -> Iterator[str]:
    """Yield what is wrong with each object, in each version of Kubernetes."""
    for each in objects:
        if each["kind"] in CUSTOM:
            found = jsonschema.Draft202012Validator(_custom(each["kind"])).iter_errors(each)
            yield from (f"{named(each)}: {fault.json_path}: {fault.message}" for fault in found)
        else:
            yield from (fault for version in versions for fault in _builtin_faults(each, version))


def _builtin_faults(thing: Object, version: str) -> Iterator[str]:
    try:
        kubernetes_validate.validate(thing, version, strict=True)
    except kubernetes_validate.ValidationError as fault:
        yield f"{named(thing)} in {version}: {'.'.join(map(str, fault.path))}: {fault.message}"
    except kubernetes_validate.SchemaNotFoundError as fault:
        yield fault.message


@cache
def _custom(kind: str) -> Any:  # noqa: ANN401 - a JSON schema
    schema = _closed(json.loads((ROOT / f"tests/deploy/schemas/{kind}.json").read_text()))
    if kind in _YOUNGER:
        *path, name = _YOUNGER[kind]
        part = schema
        for step in path:
            part = part["properties"][step]
            part = part.get("items", part)
        part["properties"][name] = {"type": "string"}
    return schema


def _closed(schema: Any) -> Any:  # noqa: ANN401 - a JSON schema, or a part of one
    """Return the schema with unknown fields refused: published ones leave that to the server's validation."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(part) for name, part in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        closed.setdefault("additionalProperties", False)
    return closed
