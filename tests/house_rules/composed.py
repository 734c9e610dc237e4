"""Compose files together, as `docker compose -f one -f other` reads them, and what is wrong with their services."""

import re
from collections.abc import Mapping
from functools import reduce
from typing import Any, Final

from tests.house_rules.project import load

FOLDER: Final = "deploy/compose"
FILES: Final = ("compose.yaml", "apps.yaml", "postgres.yaml", "monitoring.yaml", "caddy.yaml")

_REPLACED: Final = {"command", "entrypoint", "test"}  # every other list grows
_OURS: Final = re.compile(r"\$\{(SERVICE|EDGE)_IMAGE:-vestibule(-edge)?:latest\}")
_PINNED: Final = re.compile(r"docker\.io/[a-z-]+/[a-z-]+:v?[0-9]+\.[0-9]+(\.[0-9]+)?(-[a-z]+)?")
_SECRET: Final = re.compile(r"PASSWORD|SECRET|TOKEN|KEY|DATABASE_URL", re.IGNORECASE)
_LOG: Final = {"max-size": "10m", "max-file": "5", "mode": "non-blocking", "max-buffer-size": "4m"}
# Caddy's program carries this capability, and does not start without it.
_CAPABILITIES: Final = {"caddy": ["NET_BIND_SERVICE"]}
_PUBLISHED: Final = {
    "edge": ["${EDGE_BIND:-127.0.0.1}:${EDGE_PORT:-8080}:8080"],
    "grafana": ["${GRAFANA_BIND:-127.0.0.1}:${GRAFANA_PORT:-3000}:3000"],
    "caddy": ["80:80", "443:443", "443:443/udp"],
}


def together(*names: str) -> dict[str, Any]:
    """Return the files as one."""
    found: dict[str, Any] = reduce(_merged, (load(f"{FOLDER}/{name}") for name in names))
    return found


def _merged(base: Any, more: Any, name: str = "") -> Any:  # noqa: ANN401 - whatever the YAML says
    if isinstance(base, dict) and isinstance(more, dict):
        return base | {key: _merged(base[key], value, key) if key in base else value for key, value in more.items()}
    if isinstance(base, list) and isinstance(more, list) and name not in _REPLACED:
        return base + [each for each in more if each not in base]
    return more


def faults(composed: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the services, each fault with the service's name."""
    return [f"{name}: {fault}" for name, service in composed["services"].items() for fault in _faults(name, service)]


def _faults(name: str, service: Mapping[str, Any]) -> list[str]:
    image, log, health = service.get("image", ""), service.get("logging", {}), service.get("healthcheck", {})
    wrong = {
        "its image is not pinned": not (_OURS.fullmatch(image) or _PINNED.fullmatch(image)),
        "its root is writable": service.get("read_only") is not True,
        "it can gain privileges": service.get("security_opt") != ["no-new-privileges:true"],
        "it has capabilities": service.get("cap_drop") != ["ALL"]
        or service.get("cap_add", []) != _CAPABILITIES.get(name, []),
        "it runs as root": "privileged" in service or str(service.get("user", "")).split(":")[0] in {"0", "root"},
        "its memory or its processes are not limited": not (service.get("mem_limit") and service.get("pids_limit")),
        "its log is not bounded": log.get("driver") != "json-file" or log.get("options") != _LOG,
        "it has no health check": service.get("restart") != "no" and not health.get("test"),
        "it publishes other ports": service.get("ports", []) != _PUBLISHED.get(name, []),
        "its environment holds a secret": any(_is_secret(*each) for each in service.get("environment", {}).items()),
    }
    return [fault for fault, is_so in wrong.items() if is_so]


def _is_secret(variable: str, value: str) -> bool:
    """Whether a variable is a secret itself, in place of the name of its file."""
    in_file = variable.endswith("_FILE") and value.startswith("/run/secrets/")
    return bool(_SECRET.search(variable)) and not in_file
