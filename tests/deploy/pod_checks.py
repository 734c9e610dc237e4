"""Whether pods get few rights, have limits and probes that exist, end in time, and take known settings."""

import re
from collections.abc import Iterator
from typing import Any, Final

from service.settings import CATALOGUE, Settings, SettingsFault, load
from tests.deploy.kustomize import Object, containers, named, of_kind, pod, with_pods
from tests.house_rules.command_line import refusal
from tests.house_rules.ops_paths import answered
from tests.house_rules.project import read

_LIVENESS_PATIENCE_SECONDS: Final = 60
_LONG_LIVED: Final = {"service", "edge"}
_SECRETS: Final = {setting.environment for setting in CATALOGUE.values() if setting.kind.is_secret}


def pod_faults(objects: list[Object]) -> Iterator[str]:
    """Yield what is wrong with the pods, and with the settings that they are given."""
    for each in with_pods(objects):
        of_deployments = (_end, _replacement) if each["kind"] == "Deployment" else ()
        for check in (_rights_of_pod, _secret_files, *of_deployments):
            yield from (f"{named(each)}: {fault}" for fault in check(each, objects))
        for one in containers(each):
            faults = [*_rights(one, pod(each)), *_limits(one), *_probes(one), *_command(one), *_environment(one)]
            yield from (f"{named(each)}: {one['name']}: {fault}" for fault in faults)
    for settings in of_kind(objects, "ConfigMap"):
        yield from (f"{named(settings)}: {fault}" for fault in _settings(settings.get("data", {})))


def _rights_of_pod(deployment: Object, _objects: list[Object]) -> Iterator[str]:
    """Yield what the pod has beyond the restricted profile of Pod Security, and what it is told for nothing."""
    spec = pod(deployment)
    if {"hostNetwork", "hostPID", "hostIPC"} & spec.keys() or any("hostPath" in each for each in spec["volumes"]):
        yield "it shares something of the node"
    if spec["securityContext"].get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "no seccomp profile RuntimeDefault"
    if spec.get("automountServiceAccountToken") is not False:
        yield "it is given a token of the cluster"
    if spec.get("enableServiceLinks") is not False:
        yield "Services are put into its environment"


def _rights(one: Object, spec: Object) -> Iterator[str]:
    context = {**spec["securityContext"], **one.get("securityContext", {})}
    wanted = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "runAsGroup": 10001,
    }
    yield from (f"{name} is {context.get(name)}" for name, value in wanted.items() if context.get(name) != value)
    if context.get("privileged") or not context.get("runAsUser"):
        yield "it runs as root"


def _limits(one: Object) -> Iterator[str]:
    """A processor limit is not asked for: with one, a flood of hashing would stop the pod's other requests, too."""
    resources = one.get("resources", {})
    if "memory" not in resources.get("limits", {}):
        yield "no limit for memory"
    if not {"cpu", "memory"} <= resources.get("requests", {}).keys():
        yield "no requests for processor and memory"
    if not re.search(r":\d|@sha256:", one["image"]):
        yield f"the image {one['image']} names no release"


def _probes(one: Object) -> Iterator[str]:
    """A probe over HTTP asks for a path of nginx's, at a port of this container; liveness has patience."""
    ports = {port["name"] for port in one.get("ports", [])}
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        get = one.get(kind, {}).get("httpGet")
        if get and get["port"] not in ports:
            yield f"{kind}: there is no port {get['port']}"
        if get and not answered(get["path"]):
            yield f"{kind}: nginx has no path {get['path']}"
    liveness = one.get("livenessProbe")
    if liveness and liveness["periodSeconds"] * liveness["failureThreshold"] < _LIVENESS_PATIENCE_SECONDS:
        yield f"livenessProbe: it ends a container that is silent for less than {_LIVENESS_PATIENCE_SECONDS} s"
    if one["name"] in _LONG_LIVED and not liveness:
        yield "no livenessProbe"


def _command(one: Object) -> Iterator[str]:
    """What runs in the service's image is a command of it, also when a probe runs it."""
    if "args" in one and (wrong := refusal(one["args"])):
        yield f"vestibule {' '.join(one['args'])}: {wrong}"
    for probe in (one[kind] for kind in ("startupProbe", "livenessProbe") if "exec" in one.get(kind, {})):
        name, *words = probe["exec"]["command"]
        if name != "vestibule" or refusal(words):
            yield f"the probe's command {' '.join(words)} does not exist"


def _environment(one: Object) -> Iterator[str]:
    """Secrets are files; other settings come from the ConfigMap, where they are judged together."""
    if any("secretRef" in source for source in one.get("envFrom", [])):
        yield "a Secret in the environment"
    for variable in one.get("env", []):
        if "valueFrom" in variable and "secretKeyRef" in variable["valueFrom"]:
            yield f"a Secret in the environment: {variable['name']}"
        if variable["name"].startswith("VESTIBULE_") and variable["name"].removesuffix("_FILE") not in _SECRETS:
            yield f"{variable['name']} is no secret's setting"


def _secret_files(deployment: Object, objects: list[Object]) -> Iterator[str]:
    """Each file that a setting names is a key of the Secret, mounted where the setting says."""
    keys = {key for each in of_kind(objects, "Secret") for key in each.get("data", {})}
    for one in containers(deployment):
        mounts = [mount["mountPath"] for mount in one["volumeMounts"]]
        for variable in one.get("env", []):
            folder, _, key = variable.get("value", "").rpartition("/")
            if variable["name"].endswith("_FILE") and (folder not in mounts or (keys and key not in keys)):
                yield f"{one['name']}: {variable['name']} names no file of the Secret"


def _read(objects: list[Object]) -> Settings:
    """Return the settings of the pods; the defaults where those have a fault, which is named elsewhere."""
    data = [each.get("data", {}) for each in of_kind(objects, "ConfigMap")]
    try:
        return load({name: value for one in data for name, value in one.items() if name == "VESTIBULE_SERVER__DRAIN"})
    except SettingsFault:
        return load({})


def _settings(data: dict[str, str]) -> Iterator[str]:
    """Yield what the service itself says of settings; a secret does not belong into a ConfigMap."""
    given = {name: value for name, value in data.items() if name.startswith("VESTIBULE_")}
    yield from (f"{name} is a secret" for name in sorted(given.keys() & _SECRETS))
    try:
        load(given)
    except SettingsFault as fault:
        yield from fault.faults


def _end(deployment: Object, objects: list[Object]) -> Iterator[str]:
    """The pod may take as long to end as its parts together: nginx after `preStop`, then the service's two times."""
    edge = pod(deployment)["containers"][0]
    sleep: int = edge.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    nginx = re.search(r"worker_shutdown_timeout (\d+)s;", read("nginx.conf"))
    service = re.search(r"graceful_timeout = (\d+)", read("deploy/gunicorn.conf.py"))
    assert nginx
    assert service
    drain = sleep + int(nginx[1]) + _read(objects).server.drain + int(service[1])
    if not sleep:
        yield "nginx ends while proxies still send requests"
    if pod(deployment).get("terminationGracePeriodSeconds", 30) <= drain:
        yield f"it is killed before it is drained ({drain} s)"


def _replacement(deployment: Object, objects: list[Object]) -> Iterator[str]:
    """A pod with a volume ends before the next one starts; several pods are replaced one by one, with none missing."""
    spec: Any = deployment["spec"]
    budgets = of_kind(objects, "PodDisruptionBudget")
    wanted = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    if any("persistentVolumeClaim" in each for each in pod(deployment)["volumes"]):
        if spec.get("strategy") != {"type": "Recreate"} or spec["replicas"] != 1:
            yield "two pods would open the database of one volume"
        if budgets:
            yield "a PodDisruptionBudget for one pod would hold up every drain of its node"
    elif spec["replicas"] > 1 and (spec.get("strategy") != wanted or not budgets):
        yield "its pods may leave at the same time"
