"""Makes of the base's manifests, on standard input, a Pod for `podman play kube`, on standard output.

pod.py DIRECTORY    each volume is a directory in DIRECTORY: an emptyDir made as a kubelet makes it (root:10001, mode
                    2777), a ConfigMap with its files

podman 4 has neither native sidecars nor probes over HTTP without curl: sidecars become containers, probes are left out.
"""

import os
import sys
from pathlib import Path
from typing import Any, Final

import yaml

_KUBELETS_MODE: Final = 0o2777


def pod(objects: list[dict[str, Any]], directory: Path) -> list[dict[str, Any]]:
    """Return the settings' ConfigMap and the Pod, and make the directories."""
    configuration = {each["metadata"]["name"]: each for each in objects if each["kind"] == "ConfigMap"}
    (deployment,) = [each["spec"]["template"] for each in objects if each["kind"] == "Deployment"]
    spec = deployment["spec"]
    sidecars = [one for one in spec["initContainers"] if one.pop("restartPolicy", None)]
    spec["initContainers"] = [one for one in spec["initContainers"] if one not in sidecars]
    spec["containers"] = sidecars + spec["containers"]
    spec["restartPolicy"] = "Never"  # else podman starts init containers again and again
    for one in spec["initContainers"] + spec["containers"]:
        for probe in ("startupProbe", "readinessProbe", "livenessProbe", "lifecycle"):
            one.pop(probe, None)
        one["image"] = f"localhost/{one['image'].partition(':')[0]}:latest"
        one["securityContext"] = {**spec["securityContext"], **one["securityContext"]}
    for volume in spec["volumes"]:
        made = directory / volume["name"]
        made.mkdir()
        if files := volume.pop("configMap", None):
            for name, text in configuration.pop(files["name"]).get("data", {}).items():
                (made / name).write_text(text)
        else:
            volume.pop("emptyDir")
            os.chown(made, 0, spec["securityContext"]["fsGroup"])
            made.chmod(_KUBELETS_MODE)
        volume["hostPath"] = {"path": str(made), "type": "Directory"}
    name = {"name": directory.name, "labels": deployment["metadata"]["labels"]}
    return [*configuration.values(), {"apiVersion": "v1", "kind": "Pod", "metadata": name, "spec": spec}]


if __name__ == "__main__":
    yaml.safe_dump_all(pod(list(yaml.safe_load_all(sys.stdin)), Path(sys.argv[1])), sys.stdout)
