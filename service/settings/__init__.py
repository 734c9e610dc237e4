"""Settings: what the operator chose, read once: environment, then the TOML file, then the default.

Refuses with every fault at once. `load` reads and changes nothing; only `secret_keys` may make a file.

    kinds, addresses, listeners, files    how single values are read, written back and described
    secret        what nothing shows
    section       a group of settings, which reads what it is given
    sections      the settings in groups: name, kind, default, sentence
    fields        all of them together, and what follows from several
    catalogue     the same by name, for the sources, the manual and `config show`
    sources       the environment and the TOML file
    agreement     what settings allow together
    faults        what is wrong, in words without secrets
    keys          the secret keys, and the file that the service makes for itself in its state directory
    places        the directories that the service needs, judged
    manual        docs/settings.md
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from service.settings import files, sources
from service.settings.agreement import disagreements
from service.settings.catalogue import CATALOGUE, CONFIG, Setting
from service.settings.faults import SettingsFault, refused
from service.settings.fields import Settings
from service.settings.keys import faults_of_key, secret_keys
from service.settings.kinds import Unfit
from service.settings.places import SOCKET_MODE, STATE_MODE, fault_of_place
from service.settings.section import UnfitValues
from service.settings.sources import Given

__all__ = ["CATALOGUE", "Setting", "Settings", "SettingsFault", "faults_of_state", "load", "secret_keys"]

_T = TypeVar("_T")


def load(environ: Mapping[str, str] = os.environ, *, config: Path | None = None) -> Settings:
    """Return the settings. Raises SettingsFault with everything that is wrong with them.

    `config` names the TOML file in place of VESTIBULE_CONFIG; without either, the usual one is read where it exists.
    """
    given = _given(environ, config)
    named = _merged(source.named for source in given)
    settings, unfit = _checked(given, named)
    faults = [fault for source in given for fault in source.faults] + list(unfit.values())
    for names, words in disagreements(settings):
        if not unfit.keys() & set(names):
            faults.append(words.format(*(named.get(name, CATALOGUE[name].environment) for name in names)))
    if faults:
        raise SettingsFault(faults)
    return settings


def faults_of_state(settings: Settings) -> list[str]:
    """Return what would keep the service from its state directory, its socket and its key. Makes nothing.

    Root looks with the eyes of whom the state directory belongs to: that is who will serve.
    """
    state_dir = settings.state_dir
    user = os.geteuid() or (state_dir.stat().st_uid if state_dir.exists() else 0)
    for directory, mode in ((state_dir, STATE_MODE), (settings.socket_path.parent, SOCKET_MODE)):
        if fault := fault_of_place(directory, mode, user=user):
            return [fault]
    return faults_of_key(settings)


def _given(environ: Mapping[str, str], config: Path | None) -> list[Given]:
    """Return the sources, the strongest first."""
    environment = sources.from_environment(environ)
    if config is not None:
        environment.values[CONFIG] = config.absolute()
    elif sources.DEFAULT_CONFIG.exists():
        environment.values.setdefault(CONFIG, sources.DEFAULT_CONFIG)
    if CONFIG not in environment.values:
        return [environment]
    try:
        return [environment, sources.from_file(files.path(environment.values[CONFIG]))]
    except Unfit:  # the setting's own reader says so
        return [environment]


def _merged(tables: Iterable[dict[str, _T]]) -> dict[str, _T]:
    """Return all entries; of a name's several ones the first."""
    merged: dict[str, _T] = {}
    for table in tables:
        merged = table | merged
    return merged


def _checked(given: list[Given], named: Mapping[str, str]) -> tuple[Settings, dict[str, str]]:
    """Return settings, and a fault for each value that is unfit and stands at its default in them.

    What the other values do not allow together can so be said in the same breath.
    """
    values = _merged(source.values for source in given)
    try:
        return _built(values, given), {}
    except UnfitValues as unfit:
        faults = {
            name: refused(name, values[name], reason, named=named.get(name, name))
            for name, reason in unfit.reasons.items()
        }
    return _built({name: value for name, value in values.items() if name not in faults}, given), faults


def _built(values: dict[str, object], given: list[Given]) -> Settings:
    tables: dict[str, Any] = {}
    for name, value in values.items():
        section, _, key = name.rpartition(".")
        (tables.setdefault(section, {}) if section else tables)[key] = value
    warnings = tuple(warning for source in given for warning in source.warnings)
    return Settings(**tables, origins=_merged(source.origins for source in given), warnings=warnings)
