"""Where settings come from: the environment and the TOML file. Reads them as they are written, and judges only names.

Every secret is wrapped before it goes on, so that nothing on its way can show it.
"""

import ipaddress
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from service.settings.catalogue import CATALOGUE, CONFIG, PREFIX
from service.settings.kinds import Unfit, text
from service.settings.secret import Secret

DEFAULT_CONFIG: Final = Path("/etc/vestibule/vestibule.toml")
MAXIMUM_FILE_BYTES: Final = 65_536
_SERVICE: Final = "VESTIBULE"
_INJECTED: Final = re.compile(
    r"(?P<service>VESTIBULE(?:_[A-Z0-9]+)*?)"
    r"(?P<rest>_SERVICE_HOST|_SERVICE_PORT(?:_[A-Z0-9_]+)?|_PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)",
    re.ASCII,
)
_BY_ENVIRONMENT: Final = {setting.environment: setting for setting in CATALOGUE.values()}


@dataclass
class Given:
    """What one source holds, by dotted name; `named` is how the operator wrote each name, `origins` where it stands."""

    came_from: str
    origins: dict[str, str] = field(default_factory=dict)
    values: dict[str, object] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def take(self, name: str, value: object, *, named: str, origin: str = "") -> None:
        """Keep a value, unless the same source gave that setting before (`…` and `…_FILE`)."""
        if name in self.named:
            self.faults.append(f"{self.named[name]} and {named} are both given: keep one")
            return
        self.values[name] = Secret(value) if CATALOGUE[name].kind.is_secret and isinstance(value, str) else value
        self.named[name] = named
        self.origins[name] = origin or self.came_from

    def take_file(self, name: str, path: object, *, named: str) -> None:
        """Keep what stands in a file, or a fault that names the file and nothing of what it holds."""
        try:
            self.take(name, _content(path), named=named, origin=named)
        except Unfit as refused:
            self.faults.append(f"{named} {refused}")


def from_environment(environ: Mapping[str, str]) -> Given:
    """Return what the environment holds. An empty list is none; anything else that is empty is a fault."""
    given = Given("environment")
    ours = sorted(name for name in environ if name.upper().startswith(PREFIX))
    injected = [name for name in ours if _is_injected(name, environ)]
    for name in ours:
        if name not in injected:
            _take_from_environment(given, name, environ[name])
    if injected:
        given.warnings.append(
            f"Ignored, because Kubernetes sets them for a Service of that name: {', '.join(injected)}. "
            "`enableServiceLinks: false` in the pod keeps them out."
        )
    return given


def _take_from_environment(given: Given, name: str, value: str) -> None:
    setting = _BY_ENVIRONMENT.get(name)
    of_file = _BY_ENVIRONMENT.get(name.removesuffix("_FILE"))
    if setting is not None:
        given.take(setting.name, value, named=name)
    elif of_file is not None and of_file.kind.is_secret:
        given.take_file(of_file.name, value, named=name)
    else:
        given.faults.append(_unknown(name, name.upper().removeprefix(PREFIX).lower().replace("__", ".")))


def _is_injected(name: str, environ: Mapping[str, str]) -> bool:
    """Whether Kubernetes wrote it, for a Service called `vestibule` or `vestibule-…`; what a person mistyped is not."""
    found = _INJECTED.fullmatch(name)
    if found is None or (found["service"] != _SERVICE and f"{found['service']}_SERVICE_HOST" not in environ):
        return False
    return _looks_injected(found["rest"], environ[name])


def _looks_injected(rest: str, value: str) -> bool:
    if re.fullmatch(r"_PORT(_[0-9]+_[A-Z]+)?", rest):
        return value.startswith(("tcp://", "udp://", "sctp://"))
    if rest.endswith(("_HOST", "_ADDR")):
        return _is_ip_address(value)
    return rest.endswith("_PROTO") or value.isdecimal()


def _is_ip_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def from_file(path: Path) -> Given:
    """Return what the TOML file holds."""
    given = Given(str(path))
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        str(tables)  # a number that cannot be written out could not be shown in a fault either
    except OSError as failed:
        given.faults.append(f"{path} cannot be read ({failed.strerror}): let the service read it, or name another file")
    except UnicodeDecodeError:
        given.faults.append(f"{path} is not UTF-8: save it as UTF-8")
    except (ValueError, RecursionError) as refused:  # not TOML; or numbers or a nesting that no reader takes
        # The parser's own words can quote the line, and a secret with it.
        place = re.search(r"line \d+, column \d+|end of document", str(refused))
        given.faults.append(
            f"{path} is not TOML, {place[0] if place else 'somewhere'}: texts need quotes, tables brackets"
        )
    else:
        for name, value in _leaves(tables):
            _take_from_file(given, name, value, path)
    return given


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield every value by its dotted name; a table is a value where it is empty or where no table belongs."""
    for key, value in table.items():
        if isinstance(value, dict) and value and prefix + key not in CATALOGUE:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _take_from_file(given: Given, name: str, value: object, path: Path) -> None:
    named = f"{name} in {path}"
    setting = CATALOGUE.get(name.removesuffix("_file"))
    sections = {known.rpartition(".")[0] for known in CATALOGUE}
    if name == CONFIG:
        given.faults.append(f"{named} would name another file: remove it")
    elif name in CATALOGUE:
        given.take(name, value, named=named)
    elif setting is not None and setting.kind.is_secret:
        given.take_file(setting.name, value, named=named)
    elif name in sections and value != {}:
        given.faults.append(f"{named} must be a table: write [{name}] on a line of its own")
    elif name not in sections:
        given.faults.append(_unknown(named, name))


def _unknown(named: str, name: str) -> str:
    """Return the fault for a name that no setting has, with the nearest one that a setting has."""
    from difflib import get_close_matches

    same_key = [known for known in CATALOGUE if known.rpartition(".")[2] == name.rpartition(".")[2]]
    nearest = same_key or get_close_matches(name, CATALOGUE, n=1)
    if not nearest:
        return f"{named} is no setting: remove it (docs/settings.md lists them all)"
    as_written = CATALOGUE[nearest[0]].environment if named.upper().startswith(PREFIX) else nearest[0]
    return f"{named} is no setting: did you mean {as_written}?"


def _content(path: object) -> str:
    """Return the text of a secret's file without the line break at its end. Raises Unfit, which names the file."""
    file = Path(text(path))
    # Whoever puts the secret itself here must not find it in the log: a path is quoted where a directory bears it out.
    if not file.is_absolute() or file.parent == Path("/") or not os.access(file.parent, os.F_OK):
        raise Unfit("names no file by its absolute path, in a directory that is there")
    try:
        if not file.is_file():  # nor anything that could be read for ever
            raise Unfit(f"names {file}, which is no file: name one that is")
        with file.open("rb") as opened:
            content = opened.read(MAXIMUM_FILE_BYTES).decode().strip()
    except OSError as failed:
        raise Unfit(f"names {file}, which cannot be read ({failed.strerror}): let the service read it") from None
    except UnicodeDecodeError:
        raise Unfit(f"names {file}, which is not UTF-8 text: write the secret as text") from None
    if not content:
        raise Unfit(f"names {file}, which is empty: write the secret into it")
    return content
