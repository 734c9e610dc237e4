"""deploy/helm: the same objects as deploy/kubernetes, from few values, with unknown ones refused."""

import json
import os
import re
import tarfile
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.deploy.chart import linted, packed, refusal, rendered
from tests.deploy.checks import faults
from tests.deploy.kustomize import Object, build, built, components_of, named, of_kind, parsed
from tests.house_rules.project import load, read
from tests.rig.parts import ROOT

MOST_VALUES: Final = 20
ADDRESS: Final = "https://auth.example.org"
EVERYTHING: Final[dict[str, Any]] = {
    "settings": {"VESTIBULE_PUBLIC_URL": ADDRESS},
    "ingress": {"enabled": True},
    "gateway": {"name": "gateway"},
    "monitoring": True,
    "networkPolicy": {"ingressNamespace": "ingress-nginx"},
    "backup": "17 2 * * *",
}
SECRETS: Final = {"database-url": "postgresql://h/d", "redis-url": "redis://h", "secret-key": "k" * 32}


@pytest.mark.parametrize("single", [False, True])
def test_the_longest_name_of_a_release_leads_to_names_that_fit(*, single: bool) -> None:
    """Helm's longest has 53 characters; a cluster takes 63 for a label or a Service, and 52 for a CronJob."""
    made = rendered(EVERYTHING | {"single": single}, "a" * 44 + "-" * 8 + "a")

    lengths = {(each["kind"], len(each["metadata"]["name"])) for each in made}
    assert max(length for _, length in lengths) <= 63
    assert max(length for kind, length in lengths if kind == "CronJob") <= 52


APP: Final = (
    '# a wiki\naddress = "https://wiki.example.org:8443"\nupstream = "http://wiki.wiki.svc.cluster.local:3000"\n'
)
APPS: Final = {
    "settings": {"VESTIBULE_PUBLIC_URL": ADDRESS, "VESTIBULE_SESSIONS__COOKIE_DOMAIN": "example.org"},
    "apps": {"wiki": APP + '[[rules]]\nallow = "signed-in"\n'},
}


def compared(objects: list[Object]) -> dict[str, Object]:
    """Return objects by kind and name, without how each tool tells new content: a hash in a name, or an annotation."""
    text = re.sub(r"(vestibule-(?:settings|apps|secrets|dump))-[a-z0-9]{10}\b", r"\1", json.dumps(objects))
    found: list[Object] = json.loads(text)
    for each in found:
        for metadata in (each["metadata"], each.get("spec", {}).get("template", {}).get("metadata", {})):
            given = metadata.pop("annotations", {}).items()
            if kept := {name: value for name, value in given if not name.startswith(("checksum/", "helm.sh/"))}:
                metadata["annotations"] = kept
    return {named(each): each for each in found}


@pytest.mark.parametrize(("values", "overlay"), [({}, "overlays/ha"), ({"single": True}, "overlays/single")])
def test_equals_the_overlay(values: dict[str, Any], overlay: str) -> None:
    """Without values the objects are those of `ha`, and with the one value `single` those of that overlay."""
    assert compared(rendered(values)) == compared(parsed(built(overlay)))


@pytest.mark.parametrize(("values", "overlay"), [({}, "ha"), ({"single": True}, "single")])
def test_equals_the_components(tmp_path: Path, values: dict[str, Any], overlay: str) -> None:
    """With everything on, the objects are those of the overlay with all components."""
    here, kubernetes = tmp_path.resolve(), ROOT / "deploy/kubernetes"
    components = [os.path.relpath(each, here) for each in components_of(overlay)]
    settings = {"name": "vestibule-settings", "behavior": "merge", "literals": [f"VESTIBULE_PUBLIC_URL={ADDRESS}"]}
    own = {
        "resources": [os.path.relpath(kubernetes / "overlays" / overlay, here)],
        "components": components,
        "configMapGenerator": [settings],
    }
    (here / "kustomization.yaml").write_text(yaml.safe_dump(own))

    assert compared(rendered(EVERYTHING | values)) == compared(parsed(build(here)))


@pytest.mark.parametrize("values", [{}, {"single": True}, EVERYTHING, {"secrets": SECRETS}, EVERYTHING | APPS])
def test_clusters_accept_it(values: dict[str, Any]) -> None:
    """What Helm makes passes every check of manifests, under another name, too; `helm lint` has no complaint."""
    assert faults(rendered(values, "login"), ("1.33", "1.37")) == []
    assert linted(values) == []


def test_few_values() -> None:
    """The chart has at most 20 values, and the schema knows each of them."""
    leaves = [leaf for name, value in load("deploy/helm/values.yaml").items() for leaf in _leaves(name, value)]
    schema = json.loads(read("deploy/helm/values.schema.json"))["properties"]

    assert len(leaves) <= MOST_VALUES
    assert {leaf.partition(".")[0] for leaf in leaves} == schema.keys() - {"global"}


def _leaves(name: str, value: object) -> list[str]:
    """Return the values by their dotted names; a map that people fill in is one value."""
    if isinstance(value, dict) and value and name != "settings":
        return [leaf for key, inner in value.items() for leaf in _leaves(f"{name}.{key}", inner)]
    return [name]


def test_thin() -> None:
    """The chart brings no other chart, and nothing that runs beside the release."""
    texts = [path.read_text() for path in (ROOT / "deploy/helm/templates").iterdir()]

    assert "dependencies" not in load("deploy/helm/Chart.yaml")
    assert [text for text in texts if "helm.sh/hook" in text] == []


def test_packed_whole(tmp_path: Path) -> None:
    """Packed for a registry, the chart holds the rules and the dashboards themselves, not links to them."""
    archive = packed(tmp_path)

    with tarfile.open(archive) as files:
        sizes = {each.name.removeprefix("vestibule/files/"): each.size for each in files if each.isfile()}
    assert sizes["rules.yaml"] == (ROOT / "deploy/kubernetes/components/monitoring/rules.yaml").stat().st_size
    assert len([name for name in sizes if name.startswith("dashboards/")]) == 4
    assert sizes["dump.sh"] == (ROOT / "deploy/kubernetes/components/backup/dump.sh").stat().st_size


@pytest.mark.parametrize(
    "values",
    [{"settings": {"VESTIBULE_BRAND__NAME": "New"}}, {"secrets": SECRETS}, APPS],
    ids=["setting", "secret", "app"],
)
def test_a_change_starts_new_pods(values: dict[str, Any]) -> None:
    """A changed setting, secret or app changes the pods' own description."""
    (before,), (after,) = (of_kind(rendered(each), "Deployment") for each in ({}, values))

    assert before["spec"]["template"] != after["spec"]["template"]
    assert compared([before]) == compared([after])


def test_secrets_become_a_secret() -> None:
    """The three secrets, given as values, are the Secret whose files the pods read."""
    (made,) = of_kind(rendered({"secrets": SECRETS}), "Secret")

    assert (made["metadata"]["name"], made["stringData"]) == ("vestibule-secrets", SECRETS)


def test_apps_are_files_that_browsers_reach() -> None:
    """Each app is a file of the ConfigMap that the pods mount; its host leads here by the Ingress and by the route."""
    objects = compared(rendered(EVERYTHING | APPS))

    assert objects["ConfigMap vestibule-apps"]["data"] == {"wiki.toml": APPS["apps"]["wiki"]}
    hosts = ["auth.example.org", "wiki.example.org"]
    ingress = objects["Ingress vestibule"]["spec"]
    assert [rule["host"] for rule in ingress["rules"]] == ingress["tls"][0]["hosts"] == hosts
    assert objects["HTTPRoute vestibule"]["spec"]["hostnames"] == hosts


def _named(name: str, text: str) -> str:
    """Return, as JSON, what a release of this name is where every name is the same, and every text."""
    values = EVERYTHING | {
        "images": {"service": f"{name}:1", "edge": f"{name}:1"},
        "imagePullSecrets": [name],
        "secretName": name,
        "ingress": {"enabled": True, "className": text, "annotations": {"kubernetes.io/other": text}},
        "gateway": {"name": name, "namespace": name},
        "networkPolicy": {"ingressNamespace": name, "prometheusNamespace": name},
        "settings": {"VESTIBULE_PUBLIC_URL": f"https://{name}", "VESTIBULE_BRAND__NAME": text},
    }
    one = {"single": True, "storage": {"size": "1Gi", "className": text}}
    made = [compared(rendered(each, name)) for each in (values, values | one)]
    return json.dumps(made, sort_keys=True)


@pytest.mark.parametrize("name", ["true", "null", "on", "123", "0x10", "1e3", "1.5"])
@pytest.mark.parametrize(
    "text", ["true", "a # b", "a: b", "[a", "x\n  added: 1\n  hostNetwork: true", '"', "{{ .Values }}"]
)
def test_a_value_stays_a_text(name: str, text: str) -> None:
    """What YAML would read as another kind of value, or as further lines, reaches the cluster as it was written."""
    expected = _named("a-name", "a-text").replace("a-name", name).replace("a-text", json.dumps(text)[1:-1])

    assert json.loads(_named(name, text)) == json.loads(expected)


REFUSED: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "an unknown value": ({"replica": 2}, "additional properties 'replica' not allowed"),
    "an unknown value inside": ({"ingress": {"enable": True}}, "additional properties 'enable' not allowed"),
    "a misspelt kind of secret": ({"secrets": {**SECRETS, "redis": "x"}}, "additional properties 'redis' not allowed"),
    "a secret that is missing": (
        {"secrets": {"secret-key": "k" * 32}},
        "missing properties 'database-url', 'redis-url'",
    ),
    "a short key": ({"secrets": {**SECRETS, "secret-key": "short"}}, "minLength: got 5, want 32"),
    "secrets for one pod": ({"single": True, "secrets": SECRETS}, "at '/secrets'"),
    "text for a number": ({"replicas": "3"}, "got string, want integer"),
    "no pod": ({"replicas": 0}, "minimum: got 0, want 1"),
    "text for a switch": ({"single": "yes"}, "got string, want boolean"),
    "an image of no release": ({"images": {"service": "vestibule"}}, "'vestibule' does not match pattern"),
    "a number for a setting": ({"settings": {"VESTIBULE_SERVER__WORKERS": 2}}, "got number, want string"),
    "a setting of another program": ({"settings": {"WORKERS": "2"}}, "'WORKERS' does not match pattern"),
    "a secret as a setting": (
        {"settings": {"VESTIBULE_SECRET_KEY": "k" * 32}},
        "settings.VESTIBULE_SECRET_KEY is a secret: give it as secrets.secret-key",
    ),
    "an Ingress without an address": ({"ingress": {"enabled": True}}, "settings.VESTIBULE_PUBLIC_URL is missing"),
    "an address without a scheme": (  # an Ingress without a host takes the requests of all
        {"settings": {"VESTIBULE_PUBLIC_URL": "login.example.org"}},
        "'login.example.org' does not match pattern",
    ),
    "an address with a password": (
        {"settings": {"VESTIBULE_PUBLIC_URL": "https://me:x@login.example.org"}},
        "does not match pattern",
    ),
    "an app's name in capitals": ({"apps": {"Wiki": APP}}, "'Wiki' does not match pattern"),
    "an app with the login's name": ({"apps": {"vestibule": APP}}, "invalid propertyName 'vestibule'"),
    "an app without an address": (
        {"settings": {"VESTIBULE_PUBLIC_URL": ADDRESS}, "ingress": {"enabled": True}, "apps": {"wiki": "address ="}},
        "apps.wiki has no address",
    ),
    "an app that is no text": ({"apps": {"wiki": {"address": ADDRESS}}}, "got object, want string"),
    "a size without a unit": ({"storage": {"size": "1"}}, "'1' does not match pattern"),
    "a schedule of four fields": ({"backup": "17 2 * *"}, "'17 2 * *' does not match pattern"),
    "a Secret's name in capitals": ({"secretName": "Mine"}, "'Mine' does not match pattern"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_refused(fault: str) -> None:
    """A value that the chart cannot take is refused before anything reaches the cluster, and the message names it."""
    values, said = REFUSED[fault]

    assert said in refusal(values)
