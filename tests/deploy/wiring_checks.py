"""Whether what names another thing finds it: selectors, ports, volumes, references, jobs of rules."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from tests.deploy.kustomize import Object, containers, named, of_kind, pod, template, with_pods
from tests.house_rules.ops_paths import answered

_BY_REFERENCE: Final = "vestibule-secrets"  # made by the operator, where the objects hold no Secret


def wiring_faults(objects: list[Object]) -> Iterator[str]:
    """Yield every name that leads nowhere."""
    for check in (_selectors, _ports_of_services, _backends, _policy_ports, _hosts, _references, _volumes, _jobs):
        yield from check(objects)


def _meets(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return bool(selector) and selector.items() <= labels.items()


def _pod_labels(objects: list[Object]) -> list[dict[str, str]]:
    return [template(each)["metadata"]["labels"] for each in of_kind(objects, "Deployment")]


def _pod_ports(objects: list[Object]) -> set[Any]:
    """Return the ports of all pods, by name and by number."""
    ports = [
        port for each in of_kind(objects, "Deployment") for one in containers(each) for port in one.get("ports", [])
    ]
    return {port["name"] for port in ports} | {port["containerPort"] for port in ports}


def _selectors(objects: list[Object]) -> Iterator[str]:
    """Selectors of pods meet the labels of pods; a ServiceMonitor's meet those of a Service."""
    services = [each["metadata"]["labels"] for each in of_kind(objects, "Service")]
    for each in objects:
        spec = each.get("spec", {})
        labels = services if each["kind"] == "ServiceMonitor" else _pod_labels(objects)
        selectors = [spec[name] for name in ("selector", "podSelector") if name in spec]
        if with_pods([each]):
            selectors += [one["labelSelector"] for one in (*_spread(each), *_neighbours(each))]
        for selector in selectors:
            wanted = selector if each["kind"] == "Service" else selector.get("matchLabels", {})
            if not any(_meets(wanted, one) for one in labels):
                yield f"{named(each)}: the selector {wanted} meets nothing"
            if any(_meets(wanted, template(job)["metadata"]["labels"]) for job in of_kind(objects, "CronJob")):
                yield f"{named(each)}: the selector {wanted} meets the pods of a CronJob"


def _spread(workload: Object) -> list[Object]:
    found: list[Object] = pod(workload).get("topologySpreadConstraints", [])
    return found


def _neighbours(workload: Object) -> list[Object]:
    affinity = pod(workload).get("affinity", {}).get("podAffinity", {})
    found: list[Object] = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", [])
    return found


def _ports_of_services(objects: list[Object]) -> Iterator[str]:
    for service in of_kind(objects, "Service"):
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in _pod_ports(objects):
                yield f"{named(service)}: no container has the port {port['targetPort']}"
    services = {port["name"] for each in of_kind(objects, "Service") for port in each["spec"]["ports"]}
    for monitor in of_kind(objects, "ServiceMonitor"):
        for endpoint in monitor["spec"]["endpoints"]:
            if endpoint["port"] not in services:
                yield f"{named(monitor)}: no Service has the port {endpoint['port']}"
            if not answered(endpoint["path"]):
                yield f"{named(monitor)}: nginx has no path {endpoint['path']}"


def _backends(objects: list[Object]) -> Iterator[str]:
    """An Ingress and a route lead to a Service and a port of it, and never to the ops listener."""
    ports = {
        each["metadata"]["name"]: {name for port in each["spec"]["ports"] for name in (port["name"], port["port"])}
        for each in of_kind(objects, "Service")
        if each["metadata"]["labels"].get("app.kubernetes.io/component") != "ops"
    }
    for ingress in of_kind(objects, "Ingress"):
        for path in (path for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]):
            service = path["backend"]["service"]
            if not set(service["port"].values()) & ports.get(service["name"], set()):
                yield f"{named(ingress)}: no public Service {service['name']} with the port {service['port']}"
    for route in of_kind(objects, "HTTPRoute"):
        for backend in (backend for rule in route["spec"]["rules"] for backend in rule["backendRefs"]):
            if backend["port"] not in ports.get(backend["name"], set()):
                yield f"{named(route)}: no public Service {backend['name']} with the port {backend['port']}"


def _policy_ports(objects: list[Object]) -> Iterator[str]:
    for policy in of_kind(objects, "NetworkPolicy"):
        if policy["spec"]["policyTypes"] != ["Ingress", "Egress"]:
            yield f"{named(policy)}: one direction is open"
        for rule in policy["spec"]["ingress"]:
            if not rule.get("from") or not rule.get("ports"):
                yield f"{named(policy)}: open to every client, or on every port"
            for port in rule.get("ports", []):
                if port["port"] not in _pod_ports(objects):
                    yield f"{named(policy)}: no container has the port {port['port']}"


def _hosts(objects: list[Object]) -> Iterator[str]:
    """What leads browsers here has the hosts of the public address and of all apps; the probe has the first alone."""
    addresses = [each.get("data", {}).get("VESTIBULE_PUBLIC_URL") for each in of_kind(objects, "ConfigMap")]
    public = {urlsplit(address).hostname for address in addresses if address}
    led = public | {urlsplit(tomllib.loads(file)["address"]).hostname for file in app_files(objects).values()}
    hosts = {named(each): [rule["host"] for rule in each["spec"]["rules"]] for each in of_kind(objects, "Ingress")}
    hosts |= {named(each): each["spec"]["hostnames"] for each in of_kind(objects, "HTTPRoute")}
    wrong = {name: found for name, found in hosts.items() if public and set(found) != led}
    for probe in of_kind(objects, "Probe"):
        asked = [urlsplit(url).hostname for url in probe["spec"]["targets"]["staticConfig"]["static"]]
        if public and set(asked) != public:
            wrong[named(probe)] = asked
    for name, found in wrong.items():
        yield f"{name}: the host {found} is not that of the public address, or an app's is missing"


def app_files(objects: list[Object]) -> dict[str, str]:
    """Return the files of the apps, by name."""
    data = [each.get("data", {}) for each in of_kind(objects, "ConfigMap")]
    return {name: text for each in data for name, text in each.items() if name.endswith(".toml")}


def _references(objects: list[Object]) -> Iterator[str]:
    """ConfigMaps, Secrets and claims that pods name are among the objects; only the operator's Secret need not be."""
    made = {(each["kind"], each["metadata"]["name"]) for each in objects} | {("Secret", _BY_REFERENCE)}
    for workload in with_pods(objects):
        wanted = [
            ("ConfigMap", source["configMapRef"]["name"])
            for one in containers(workload)
            for source in one.get("envFrom", [])
            if "configMapRef" in source
        ]
        for volume in pod(workload)["volumes"]:
            if "secret" in volume:
                wanted.append(("Secret", volume["secret"]["secretName"]))
            if "configMap" in volume:
                wanted.append(("ConfigMap", volume["configMap"]["name"]))
            if "persistentVolumeClaim" in volume:
                wanted.append(("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]))
        yield from (
            f"{named(workload)}: there is no {kind} {name}" for kind, name in wanted if (kind, name) not in made
        )


def _volumes(objects: list[Object]) -> Iterator[str]:
    """Each volume is mounted, each mount has its volume, and what fills up a node's disk is bounded."""
    for workload in with_pods(objects):
        volumes = {each["name"]: each for each in pod(workload)["volumes"]}
        mounted = {mount["name"] for one in containers(workload) for mount in one["volumeMounts"]}
        for name in sorted(mounted ^ volumes.keys()):
            yield f"{named(workload)}: the volume {name} is {'mounted' if name in mounted else 'there'} alone"
        for name, volume in volumes.items():
            if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
                yield f"{named(workload)}: the volume {name} has no sizeLimit"


def made_jobs(objects: list[Object]) -> set[str]:
    """Return the jobs under which Prometheus keeps what it scrapes."""
    probes = {probe["spec"]["jobName"] for probe in of_kind(objects, "Probe")}
    return probes | {
        rule["replacement"]
        for monitor in of_kind(objects, "ServiceMonitor")
        for endpoint in monitor["spec"]["endpoints"]
        for rule in endpoint["relabelings"]
        if rule["targetLabel"] == "job"
    }


def _jobs(objects: list[Object]) -> Iterator[str]:
    """Each job that a rule asks for is made by a monitor."""
    for rules in of_kind(objects, "PrometheusRule"):
        for rule in (rule for group in rules["spec"]["groups"] for rule in group["rules"]):
            asked = {job for jobs in re.findall(r'\bjob=~?"([^"]*)"', rule["expr"]) for job in jobs.split("|")}
            for job in sorted(asked - made_jobs(objects)):
                name = rule.get("alert", rule.get("record"))
                yield f"{named(rules)}: {name} asks for the job {job}: no monitor makes it"
