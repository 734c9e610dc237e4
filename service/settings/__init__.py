"""Settings: what the operator chose, read once: environment, then the TOML file, then the default.

`load` refuses them with every fault at once, and changes nothing; only `secret_keys` may make a file.

    kinds               how numbers, texts, lists and keys are read, written back and described; secrets
    addresses, stores   the same for origins, listeners, networks and paths; for the database and Redis
    sections, fields    every setting: name, kind, default, sentence; all of them, and what follows from several
    sources, toml_file  the environment and the TOML file; one reader for all TOML files
    cross_checks        values that contradict one another
    app_files, app_keys the apps and their rules, which commands read from `apps.d`; the keys of their files
    header_names        which headers may tell an app about people
    apps_in_force       the apps that were put in force, as workers read them while they run
    keys                the secret keys, and the file that the service makes for itself in its state directory
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from service import state_dir
from service.mounts import SOCKET_MODE, STATE_MODE
from service.settings import addresses, sources
from service.settings.cross_checks import contradictions
from service.settings.fields import CATALOGUE, CONFIG, Setting, Settings
from service.settings.keys import faults_of_key, secret_keys
from service.settings.kinds import InvalidValue, SettingsFault
from service.settings.sources import Found, Source

__all__ = ["CATALOGUE", "Setting", "Settings", "SettingsFault", "faults_of_state", "keep_closed", "load", "secret_keys"]

_DEFAULTS: Final = Settings()
_LONGEST_QUOTE: Final = 60


def load(environ: Mapping[str, str] = os.environ, *, config: Path | None = None) -> Settings:
    """Return the settings. Raises SettingsFault with everything that is wrong with them.

    `config` names the TOML file in place of VESTIBULE_CONFIG; without either, the usual one is read where it exists.
    """
    given = _sources(environ, config)
    found = {name: each for source in reversed(given) for name, each in source.found.items()}
    values, invalid = _read(found)
    warnings = tuple(warning for source in given for warning in source.warnings)
    settings = _made(values, origins={name: each.origin for name, each in found.items()}, warnings=warnings)
    faults = [fault for source in given for fault in source.faults] + list(invalid.values())
    for names, sentence in contradictions(settings):
        if invalid.keys().isdisjoint(names):  # an invalid setting stands at its default in `settings`
            faults.append(sentence.format(*(found[n].named if n in found else CATALOGUE[n].environment for n in names)))
    if faults:
        raise SettingsFault(faults)
    return settings


def faults_of_state(settings: Settings) -> list[str]:
    """Return what would keep the service from its directories, its key and its database file. Makes nothing.

    Run as root, the check is made for the owner of the state directory: the service runs as that user.
    """
    state = settings.state_dir
    user = os.geteuid() or (state.stat().st_uid if state.exists() else 0)
    for directory, mode in ((state, STATE_MODE), (settings.socket_path.parent, SOCKET_MODE)):
        if fault := state_dir.fault_of_place(directory, mode, user=user):
            return [fault]
    database = _database_file(settings)
    fault = state_dir.fault_of_database(database, state) if database else None
    return faults_of_key(settings) + ([fault] if fault else [])


def keep_closed(settings: Settings) -> None:
    """Take back what a mount gave the group of our files and directories, before they are used."""
    state, database = settings.state_dir, _database_file(settings)
    files = state_dir.files_of_database(database, state) if database else []
    state_dir.keep_closed([state, state / "backups", settings.socket_path.parent, settings.secret_key_file, *files])


def _database_file(settings: Settings) -> Path | None:
    scheme, _, path = settings.database_address.partition(":///")
    return Path(path) if scheme == "sqlite" else None


def _sources(environ: Mapping[str, str], config: Path | None) -> list[Source]:
    """Return the sources, the strongest first."""
    environment = sources.from_environment(environ)
    if config is not None:
        environment.found[CONFIG] = Found(str(config.absolute()), str(config), environment.origin)
    elif CONFIG not in environment.found and sources.DEFAULT_CONFIG.exists():
        environment.take(CONFIG, str(sources.DEFAULT_CONFIG), named=CONFIG)
    try:
        return [environment, sources.from_file(addresses.path(environment.found[CONFIG].value))]
    except (KeyError, InvalidValue):  # none; or one that is refused with all other values
        return [environment]


def _read(found: Mapping[str, Found]) -> tuple[dict[str, object], dict[str, str]]:
    """Return the values that their settings take, and a fault for each of the others."""
    values: dict[str, object] = {}
    invalid: dict[str, str] = {}
    for setting in CATALOGUE.values():
        if (each := found.get(setting.name)) is not None:
            try:
                values[setting.name] = setting.kind.read(each.value)
            except InvalidValue as reason:
                invalid[setting.name] = f"{each.named} {reason}{_quoted(setting, each.value)}"
    return values, invalid


def _quoted(setting: Setting, value: object) -> str:
    """Return a value that was refused, unless it is secret, could hold a password, or stands in the reason already."""
    text = str(value).strip()
    if setting.kind.is_secret or setting.kind.is_list or "@" in text or not text:
        return ""
    return f' (it is "{text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…"}")'


def _made(values: Mapping[str, object], **how: Any) -> Settings:
    """Return settings with these values, by dotted name; the others stand at their defaults."""
    tables: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        section, _, key = name.rpartition(".")
        tables.setdefault(section, {})[key] = value
    top: dict[str, Any] = tables.pop("", {})
    sections = {section: replace(getattr(_DEFAULTS, section), **table) for section, table in tables.items()}
    return Settings(**top, **sections, **how)
