"""Whether the door finds its files: apps in order, workers that read what was rendered, nginx's cache on a RAM disk."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from service.settings import SettingsFault, load
from service.settings.app_files import apps
from tests.deploy.kustomize import Object, containers, named, of_kind, pod
from tests.deploy.wiring_checks import app_files

_APPS: Final = "/etc/vestibule/apps.d"
_NGINX: Final = "/tmp"  # noqa: S108 - nginx's own directory (-p) in its image


def door_faults(objects: list[Object]) -> Iterator[str]:
    """Yield what keeps apps from being protected as their files say."""
    data = [each.get("data", {}) for each in of_kind(objects, "ConfigMap")]
    given = {name: text for each in data for name, text in each.items() if name.startswith("VESTIBULE_")}
    yield from _faults_of_files(given, app_files(objects))
    for deployment in of_kind(objects, "Deployment"):
        faults = _faults_of_mounts(deployment, given)
        yield from (f"{named(deployment)}: {fault}" for fault in faults)


def _faults_of_files(given: dict[str, str], files: dict[str, str]) -> Iterator[str]:
    """Yield what the service itself says of the files."""
    with TemporaryDirectory() as directory:
        for name, text in files.items():
            (Path(directory) / name).write_text(text)
        try:
            apps(load(given | {"VESTIBULE_ACCESS__APPS_DIR": directory}))
        except SettingsFault as fault:
            yield from fault.faults


def _faults_of_mounts(deployment: Object, given: dict[str, str]) -> Iterator[str]:
    by_name = {one["name"]: one for one in containers(deployment)}
    volumes = {each["name"]: each for each in pod(deployment)["volumes"]}
    rendered = given["VESTIBULE_DOOR__NGINX_DIR"]
    if by_name["render"]["args"][-1] != rendered:
        yield f"workers look for the apps in force in {rendered}, and nginx's files are written elsewhere"
    mounts = {name: _mounts(one) for name, one in by_name.items()}
    if len({mounts[name].get(rendered, {}).get("name") for name in ("render", "service", "edge")}) != 1:
        yield f"not all that need it have {rendered}"
    if [mounts[name].get(_APPS, {}).get("readOnly") for name in ("render", "service")] != [True, True]:
        yield f"{_APPS} is not where the files of the apps are read"
    own = volumes[mounts["edge"][_NGINX]["name"]]  # where nginx's cache is, too, which holds tokens
    if "VESTIBULE_DOOR__CACHE_DIR" in given or own.get("emptyDir", {}).get("medium") != "Memory":
        yield "nginx's cache is on no RAM disk"


def _mounts(one: Object) -> dict[str, dict[str, Any]]:
    return {mount["mountPath"]: mount for mount in one["volumeMounts"]}
