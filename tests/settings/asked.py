"""Ways to ask for settings in tests: what is refused, in which words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from service.settings import SettingsFault, load
from service.settings.kinds import InvalidValue, Kind

# What a Service called vestibule puts into every pod of its namespace.
KUBERNETES: Final = {
    "VESTIBULE_SERVICE_HOST": "10.96.14.7",
    "VESTIBULE_SERVICE_PORT": "8080",
    "VESTIBULE_SERVICE_PORT_HTTP": "8080",
    "VESTIBULE_PORT": "tcp://10.96.14.7:8080",
    "VESTIBULE_PORT_8080_TCP": "tcp://10.96.14.7:8080",
    "VESTIBULE_PORT_8080_TCP_PROTO": "tcp",
    "VESTIBULE_PORT_8080_TCP_PORT": "8080",
    "VESTIBULE_PORT_8080_TCP_ADDR": "10.96.14.7",
}


def faults(environ: Mapping[str, str], *, config: Path | None = None) -> list[str]:
    """Return what `load` refuses with; nothing when it takes everything."""
    try:
        load(environ, config=config)
    except SettingsFault as fault:
        return fault.faults
    return []


def refusal(kind: Kind, value: object) -> str:
    """Return why a value is invalid for a kind of setting."""
    with pytest.raises(InvalidValue) as refused:
        kind.read(value)
    return str(refused.value)
