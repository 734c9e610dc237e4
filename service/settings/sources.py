"""Where settings come from: the environment and the TOML file. Unknown names are refused, values not looked at."""

import os
import re
import shlex
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from service.settings import addresses, toml_file
from service.settings.fields import CATALOGUE, CONFIG, CONFIG_DIRECTORY, PREFIX
from service.settings.kinds import InvalidValue
from service.text_files import NotText, decoded, environment_value

DEFAULT_CONFIG: Final = CONFIG_DIRECTORY / "vestibule.toml"
MAXIMUM_FILE_BYTES: Final = 65_536
# What Kubernetes sets for a Service called `vestibule` or `vestibule-…`, as NAME=value.
_INJECTED: Final = re.compile(
    r"(?P<service>VESTIBULE(_[A-Z0-9]+)*?)_(SERVICE_HOST=[0-9a-f.:]+|SERVICE_PORT(_[A-Z0-9_]+)?=[0-9]+"
    r"|PORT(_[0-9]+_[A-Z]+)?=[a-z]+://.*|PORT_[0-9]+_[A-Z]+_(PROTO=[a-z]+|PORT=[0-9]+|ADDR=[0-9a-f.:]+))",
    re.ASCII,
)
_SECTIONS: Final = {section for name in CATALOGUE if (section := name.rpartition(".")[0])}
# A secret's name with `_file` gives the path of a file that holds it.
_IN_FILE: Final = {f"{name}_file": name for name, setting in CATALOGUE.items() if setting.kind.is_secret}
_BY_ENVIRONMENT: Final = {setting.environment: name for name, setting in CATALOGUE.items()} | {
    f"{CATALOGUE[name].environment}_FILE": in_file for in_file, name in _IN_FILE.items()
}


class Found(NamedTuple):
    """One value: as it was written, how the operator wrote the setting's name, and where it stands."""

    value: object
    named: str
    origin: str


@dataclass
class Source:
    """What one source holds: values by dotted name, and what is wrong with its names."""

    origin: str
    found: dict[str, Found] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def take(self, name: str, value: object, *, named: str) -> None:
        """Keep a value, or the text of the file that it names, unless this source gave the setting before."""
        origin = self.origin
        if name in _IN_FILE:
            name, origin = _IN_FILE[name], named
            try:
                value, is_open = _content(value)
            except InvalidValue as refused:
                self.faults.append(f"{named} {refused}")
                return
            if is_open:
                self.warnings.append(
                    f"{named} names a file that every user may use: chmod 440 (or `defaultMode: 0440`)"
                )
        if name in self.found:
            self.faults.append(f"{self.found[name].named} and {named} are both given: keep one")
        else:
            self.found[name] = Found(value, named, origin)


def from_environment(environ: Mapping[str, str]) -> Source:
    """Return what the environment holds. A byte order mark stands before the first name of some environment files."""
    source = Source("environment")
    ours = {name.removeprefix("\ufeff"): value for name, value in sorted(environ.items())}
    ours = {name: value for name, value in ours.items() if name.upper().startswith(PREFIX)}
    injected = [name for name in ours if _is_injected(name, ours)]
    for name, value in ours.items():
        if (known := _BY_ENVIRONMENT.get(name)) is not None:
            is_free_text = known in CATALOGUE and CATALOGUE[known].kind.is_free_text
            source.take(known, environment_value(value, is_free_text=is_free_text), named=name)
        elif name not in injected:
            source.faults.append(_unknown(name, name.upper().removeprefix(PREFIX).lower().replace("__", ".")))
    if injected:
        source.warnings.append(
            f"Ignored, because Kubernetes sets them for a Service of that name: {', '.join(injected)}. "
            "Write `enableServiceLinks: false` in the pod to be rid of them."
        )
    return source


def _is_injected(name: str, environ: Mapping[str, str]) -> bool:
    """Whether Kubernetes wrote it: by the form of its value, and by the host that it sets for every other Service."""
    found = _INJECTED.fullmatch(f"{name}={environ[name]}")
    return found is not None and (found["service"] == "VESTIBULE" or f"{found['service']}_SERVICE_HOST" in environ)


def from_file(path: Path) -> Source:
    source = Source(str(path))
    try:
        for name, value in _leaves(toml_file.tables(path)):
            _take_from_file(source, name, value, path)
    except InvalidValue as refused:
        source.faults.append(f"{path} {refused}")
    return source


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield every value by its dotted name; a table is a value where no table belongs, and an empty unknown one."""
    for key, value in table.items():
        name = prefix + key
        if isinstance(value, dict) and name not in CATALOGUE and (value or name in _SECTIONS):
            yield from _leaves(value, f"{name}.")
        else:
            yield name, value


def _take_from_file(source: Source, name: str, value: object, path: Path) -> None:
    named = f"{name} in {path}"
    if name == CONFIG:
        source.faults.append(f"{named} would name another file: remove it")
    elif name in CATALOGUE or name in _IN_FILE:
        source.take(name, value, named=named)
    else:
        source.faults.append(_unknown(named, name))


def _unknown(named: str, name: str) -> str:
    """Return the fault for a name that no setting has, with the nearest name of a setting."""
    from difflib import get_close_matches

    same_key = [known for known in CATALOGUE if known.rpartition(".")[2] == name.rpartition(".")[2]]
    nearest = same_key or get_close_matches(name, CATALOGUE, n=1)
    if not nearest:
        return f"{named} is not a setting: remove it (docs/settings.md lists them all)"
    as_written = CATALOGUE[nearest[0]].environment if named.upper().startswith(PREFIX) else nearest[0]
    return f"{named} is not a setting: did you mean {as_written}?"


def _content(path: object) -> tuple[str, bool]:
    """Return the text of a secret's file, and whether all users may read or write it.

    A path that names no file is not quoted: it may be the secret itself.
    """
    if isinstance(path, str) and os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises below a closed directory
        raise InvalidValue(
            f"names {path}, a directory, which a container runtime makes where the file to mount is missing: "
            f"type rmdir {shlex.quote(path)}, and write the secret into a file of that name"
        )
    file = addresses.file(path)
    try:
        with file.open("rb") as opened:
            content = decoded(opened.read(MAXIMUM_FILE_BYTES)).strip()
            is_open = bool(os.fstat(opened.fileno()).st_mode & stat.S_IRWXO)
    except OSError as failed:
        raise InvalidValue(f"names {file}, which cannot be read ({failed.strerror}): {_let_read(file)}") from None
    except NotText as failed:
        raise InvalidValue(f"names {file}, which {failed}") from None
    if not content:
        raise InvalidValue(f"names {file}, which is empty: write the secret into it")
    return content, is_open


def _let_read(file: Path) -> str:
    return f"type sudo chown {os.geteuid()} {shlex.quote(str(file))}, or in Kubernetes set `defaultMode: 0440`"
