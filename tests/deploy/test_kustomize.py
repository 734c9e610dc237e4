"""deploy/kubernetes: every folder builds what a cluster accepts, and what Vestibule needs there."""

import os
import runpy
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.deploy.checks import faults
from tests.deploy.kustomize import EXAMPLE, build, built, components_of, containers, of_kind, parsed, pod
from tests.deploy.schema_checks import schema_faults
from tests.deploy.wiring_checks import made_jobs
from tests.house_rules.project import read
from tests.rig.parts import ROOT

FOLDERS = ["base", "overlays/single", "overlays/ha"]
KIND = "kind"  # what kind-test applies


@pytest.mark.parametrize("folder", [*FOLDERS, KIND])
def test_clusters_accept_it(folder: str) -> None:
    """Each field exists in every version from 1.33 on, each name leads somewhere, and each setting is known."""
    assert faults(parsed(built(folder))) == []


@pytest.mark.parametrize("file", ["stores.yaml", "load.yaml"])
def test_clusters_accept_what_is_tested_with(file: str) -> None:
    """The stores and the load of kind-test have no misspelt field either."""
    assert list(schema_faults(parsed(read(f"deploy/kubernetes/kind/{file}")))) == []


def test_the_example_is_whole(example: str) -> None:
    """Copied, with an address and three secrets, it gives all parts together, without a fault."""
    objects = parsed(example)

    assert faults(objects) == []
    assert {"Secret", "Ingress", "NetworkPolicy", "ServiceMonitor"} <= {each["kind"] for each in objects}


def test_components_go_together(tmp_path: Path) -> None:
    """Every component can be added to either overlay, but for backups of the other's database."""
    kubernetes = ROOT / "deploy/kubernetes"
    for overlay in ("single", "ha"):
        listed = [os.path.relpath(each, tmp_path.resolve()) for each in components_of(overlay)]
        base = os.path.relpath(kubernetes / "overlays" / overlay, tmp_path.resolve())
        (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"resources": [base], "components": listed}))

        assert faults(parsed(build(tmp_path)), ("1.33",)) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_pods_start_in_order(folder: str) -> None:
    """nginx's files come first and the tables before the service, whatever a patch did to the order."""
    (deployment,) = of_kind(parsed(built(folder)), "Deployment")
    names = [each["name"] for each in containers(deployment)]

    assert names[:3] == ["render", "upgrade", "service"]
    assert names[-1] == "edge"
    assert [each["name"] for each in pod(deployment)["initContainers"] if "restartPolicy" in each] == names[2:-1]


def test_what_only_one_overlay_has() -> None:
    """One pod has a volume and no budget for disruptions; three have a budget, and are spread over nodes and zones."""
    kinds = {folder: {each["kind"] for each in parsed(built(folder))} for folder in FOLDERS}
    (ha,) = of_kind(parsed(built("overlays/ha")), "Deployment")

    assert kinds["overlays/single"] - kinds["base"] == {"PersistentVolumeClaim"}
    assert kinds["overlays/ha"] - kinds["base"] == {"PodDisruptionBudget"}
    assert ha["spec"]["replicas"] == 3
    assert [each["topologyKey"] for each in pod(ha)["topologySpreadConstraints"]] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]


def test_nothing_scales_by_itself(example: str) -> None:
    """There is no autoscaler: a flood of sign-ins would choose the number of pods."""
    assert of_kind(parsed(example), "HorizontalPodAutoscaler") == []


def test_changed_settings_apps_and_secrets_start_new_pods(example: str) -> None:
    """The names of the ConfigMaps and the Secret end with a hash of their content, and the pods use these names."""
    objects = parsed(example)
    names = [each["metadata"]["name"] for kind in ("ConfigMap", "Secret") for each in of_kind(objects, kind)]
    changed = {each["metadata"]["name"] for each in parsed(built("overlays/ha"))}

    assert [name.rpartition("-")[0] for name in names if not name.startswith("vestibule-dashboard")] == [
        "vestibule-apps",
        "vestibule-dump",
        "vestibule-settings",
        "vestibule-secrets",
    ]
    assert set(names) & changed == set()


@pytest.mark.parametrize("folder", FOLDERS)
def test_of_this_release(folder: str) -> None:
    """Images and labels name the release of pyproject.toml."""
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    objects = parsed(built(folder))
    images = {one["image"] for each in of_kind(objects, "Deployment") for one in containers(each)}

    assert images == {f"vestibule:{version}", f"vestibule-edge:{version}"}
    labels = [each["metadata"]["labels"] for each in objects]
    assert {each["app.kubernetes.io/version"] for each in labels if "app.kubernetes.io/version" in each} == {version}


def test_monitored_jobs(example: str) -> None:
    """Prometheus keeps the service, its edge and the probe as the three jobs that rules and dashboards ask for."""
    assert made_jobs(parsed(example)) == {"vestibule", "vestibule-edge", "vestibule-probe"}


def test_rules_are_those_of_prometheus() -> None:
    """The PrometheusRule holds what deploy/prometheus holds: python deploy/kubernetes/rules.py writes it anew."""
    generator = runpy.run_path(str(ROOT / "deploy/kubernetes/rules.py"))

    assert generator["MADE"].read_text() == generator["made"]()


def test_every_dashboard_is_found(example: str) -> None:
    """Each dashboard is a ConfigMap with the label that Grafana's sidecar looks for, without a hash in its name."""
    labelled = [
        each
        for each in of_kind(parsed(example), "ConfigMap")
        if each["metadata"].get("labels", {}).get("grafana_dashboard") == "1"
    ]
    files = {path.name for path in (ROOT / "deploy/grafana/dashboards").glob("*.json")}

    assert {name for each in labelled for name in each["data"]} == files
    assert len(files) >= 3


def test_overlays_are_remote_bases(tmp_path: Path) -> None:
    """An overlay can be named by an address in a repository, without a checkout."""
    origin = tmp_path / "origin"
    shutil.copytree(ROOT / "deploy", origin / "deploy")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run([*git, "init", "--quiet", origin], check=True)
    subprocess.run([*git, "-C", origin, "add", "deploy"], check=True)
    subprocess.run([*git, "-C", origin, "commit", "--quiet", "--message", "x"], check=True)

    assert build(f"file://{origin}//deploy/kubernetes/overlays/ha?ref=main") == built("overlays/ha")


def test_an_app_is_reached_through_the_door_alone(example: str) -> None:
    """The app's namespace lets in the pods of the example, which may go out to namespaces with its label."""
    namespace, policy = parsed(read(f"deploy/kubernetes/{EXAMPLE}/wiki-namespace.yaml"))
    ((peer,),) = [rule["from"] for rule in policy["spec"]["ingress"]]
    objects = parsed(example)
    (deployment,), (own_policy,) = of_kind(objects, "Deployment"), of_kind(objects, "NetworkPolicy")
    ways_out = [to for rule in own_policy["spec"]["egress"] for to in rule.get("to", [])]

    assert list(schema_faults([namespace, policy])) == []
    assert peer["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": deployment["metadata"]["namespace"]
    }
    assert peer["podSelector"]["matchLabels"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
    assert {"namespaceSelector": {"matchLabels": namespace["metadata"]["labels"]}} in ways_out


def test_secrets_of_the_example_stay_out_of_git() -> None:
    """The files that the README has people make beside the example are ignored, wherever the folder is copied to."""
    assert read(f"deploy/kubernetes/{EXAMPLE}/.gitignore") == "secrets/\n"
