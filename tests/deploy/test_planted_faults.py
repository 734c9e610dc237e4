"""The checks find faults: each of these is planted into manifests that are right, and must be named."""

from typing import Final

import pytest

from tests.deploy.checks import faults
from tests.deploy.kustomize import built, parsed

# What is planted: the text that is right, the text that is wrong, and what the check says.
EXAMPLE: Final = {
    "a misspelt field": ("enableServiceLinks:", "enableServiceLink:", "'enableServiceLink' was unexpected"),
    "a misspelt field of a probe": ("failureThreshold: 6", "failureTreshold: 6", "'failureTreshold' was unexpected"),
    "a misspelt field of a monitor": ("path: /metrics", "pathh: /metrics", "'pathh' was unexpected"),
    "a text for a number": ("replicas: 3", 'replicas: "3"', "'3' is not of type 'integer'"),
    "a kind that no release has": ("apiVersion: policy/v1", "apiVersion: policy/v1beta1", "Couldn't find schema"),
    "a Service that selects nothing": (
        "selector:\n    app.kubernetes.io/instance: vestibule\n    app.kubernetes.io/name: vestibule\n---",
        "selector:\n    app.kubernetes.io/instance: vestibule\n    app.kubernetes.io/name: vestibul\n---",
        "Service vestibule: the selector",
    ),
    "a monitor that selects nothing": (
        "      app.kubernetes.io/component: ops",
        "      app.kubernetes.io/component: metrics",
        "ServiceMonitor vestibule: the selector",
    ),
    "a Service's port that no container has": ("targetPort: http", "targetPort: web", "no container has the port web"),
    "a monitor's port that no Service has": (
        "- path: /metrics\n    port: ops",
        "- path: /metrics\n    port: web",
        "no Service has the port web",
    ),
    "a policy's port that no container has": (
        "port: http\n      protocol",
        "port: web\n      protocol",
        "no container has the port web",
    ),
    "an Ingress to a Service that is missing": (
        "service:\n            name: vestibule",
        "service:\n            name: login",
        "no public Service login",
    ),
    "an Ingress to the ops listener": (
        "service:\n            name: vestibule\n            port:\n              name: http",
        "service:\n            name: vestibule-ops\n            port:\n              name: ops",
        "no public Service vestibule-ops",
    ),
    "an Ingress with another host": (
        "host: login.example.org",
        "host: auth.example.org",
        "is not that of the public address",
    ),
    "a policy that is open to all": (
        "from:\n    - namespaceSelector:\n        matchLabels:\n          kubernetes.io/metadata.name: ingress-nginx\n",
        "from: []\n",
        "open to every client",
    ),
    "a Secret that is missing": (
        "secretName: vestibule-secrets",
        "secretName: vestibule-secret",
        "there is no Secret vestibule-secret",
    ),
    "a mount without its volume": (
        "- mountPath: /etc/nginx\n          name: nginx\n",
        "- mountPath: /etc/nginx\n          name: ngin\n",
        "the volume ngin is mounted alone",
    ),
    "an emptyDir without a bound": ("emptyDir:\n          sizeLimit: 64Mi", "emptyDir: {}", "has no sizeLimit"),
    "root": ("runAsUser: 101\n", "runAsUser: 0\n", "edge: it runs as root"),
    "a pod that may be root": ("runAsNonRoot: true", "runAsNonRoot: false", "runAsNonRoot is False"),
    "a capability": (
        "drop:\n            - ALL",
        "drop:\n            - NET_RAW",
        "capabilities is {'drop': ['NET_RAW']}",
    ),
    "a writable root": (
        "readOnlyRootFilesystem: true",
        "readOnlyRootFilesystem: false",
        "readOnlyRootFilesystem is False",
    ),
    "more rights than at the start": (
        "allowPrivilegeEscalation: false",
        "allowPrivilegeEscalation: true",
        "allowPrivilegeEscalation is True",
    ),
    "no seccomp profile": ("type: RuntimeDefault", "type: Unconfined", "no seccomp profile"),
    "a token of the cluster": (
        "automountServiceAccountToken: false",
        "automountServiceAccountToken: true",
        "a token of the cluster",
    ),
    "no limit": ("limits:\n            memory: 256Mi\n          ", "", "no limit for memory"),
    "no release of an image": ("vestibule-edge:0.1.0", "vestibule-edge", "names no release"),
    "a probe for a path that is missing": ("path: /readyz", "path: /ready", "nginx has no path /ready"),
    "a probe for a port that is missing": (
        "path: /readyz\n            port: ops",
        "path: /readyz\n            port: web",
        "there is no port web",
    ),
    "a command that is missing": (
        "- db\n        - upgrade",
        "- db\n        - migrate",
        "vestibule db migrate --wait 5m: No such command",
    ),
    "a probe's command that is missing": (
        "- vestibule\n            - ping",
        "- vestibule\n            - pong",
        "command pong does not",
    ),
    "a monitor's path that is missing": ("path: /metrics", "path: /metric", "nginx has no path /metric"),
    "a job of rules that no monitor makes": (
        "replacement: vestibule-edge",
        "replacement: edge",
        "asks for the job vestibule-edge",
    ),
    "a job of rules that no probe makes": (
        "jobName: vestibule-probe",
        "jobName: probe",
        "asks for the job vestibule-probe",
    ),
    "a probe of another address": (
        "- https://login.example.org",
        "- https://auth.example.org",
        "Probe vestibule: the host",
    ),
    "an app that no browser reaches": (
        "  - host: wiki.example.org",
        "  - host: wik.example.org",
        "Ingress vestibule: the host",
    ),
    "a misspelt key of an app": ("allow = ", "alow = ", "alow in [[rules]] 1 of"),
    "an app outside the cookie's domain": (
        "VESTIBULE_SESSIONS__COOKIE_DOMAIN: example.org",
        "VESTIBULE_SESSIONS__COOKIE_DOMAIN: login.example.org",
        "never receives the session cookie",
    ),
    "workers that look elsewhere for the apps": (
        "VESTIBULE_DOOR__NGINX_DIR: /etc/nginx",
        "VESTIBULE_DOOR__NGINX_DIR: /run/vestibule",
        "workers look for the apps in force in /run/vestibule",
    ),
    "tokens on a disk": ("medium: Memory\n", "", "nginx's cache is on no RAM disk"),
    "a ConfigMap that is missing": (
        "configMap:\n          name: vestibule-apps",
        "configMap:\n          name: apps",
        "there is no ConfigMap apps",
    ),
    "a misspelt field of a backup": ("concurrencyPolicy: Forbid", "concurencyPolicy: Forbid", "was unexpected"),
    "a backup that no command makes": ("- --record\n", "- --note\n", "vestibule db verify --note"),
    "a backup that may be root": (
        "fsGroupChangePolicy: OnRootMismatch\n            runAsGroup: 10001\n            runAsNonRoot: true",
        "fsGroupChangePolicy: OnRootMismatch\n            runAsGroup: 10001\n            runAsNonRoot: false",
        "CronJob vestibule-backup: dump: runAsNonRoot is False",
    ),
    "a backup that browsers are led to": (
        "name: vestibule-backup\n        spec:",
        "name: vestibule\n        spec:",
        "meets the pods of a CronJob",
    ),
    "a backup without its volume": (
        "claimName: vestibule-backups",
        "claimName: backups",
        "no PersistentVolumeClaim backups",
    ),
    "a misspelt field of a rule": ("      for: 5m", "      fore: 5m", "'fore' was unexpected"),
    "an impatient probe": ("failureThreshold: 6", "failureThreshold: 3", "silent for less than 60 s"),
    "a pod that ends at once": (
        "terminationGracePeriodSeconds: 50",
        "terminationGracePeriodSeconds: 30",
        "killed before it is drained",
    ),
    "a pod that drains for longer than it may": (
        'VESTIBULE_SERVER__WORKERS: "2"',
        'VESTIBULE_SERVER__DRAIN: 20s\n  VESTIBULE_SERVER__WORKERS: "2"',
        "killed before it is drained (60 s)",
    ),
    "a pod that leaves too soon": ("maxUnavailable: 0", "maxUnavailable: 1", "may leave at the same time"),
    "a misspelt setting": (
        "VESTIBULE_SERVER__WORKERS:",
        "VESTIBULE_SERVER__WORKER:",
        "did you mean VESTIBULE_SERVER__WORKERS?",
    ),
    "a setting of the wrong kind": (
        'VESTIBULE_SERVER__WORKERS: "2"',
        'VESTIBULE_SERVER__WORKERS: "two"',
        "VESTIBULE_SERVER__WORKERS must be",
    ),
    "a secret among the settings": (
        "VESTIBULE_TRUSTED_PROXIES: 10.244.0.0/16",
        "VESTIBULE_SECRET_KEY: 0123456789abcdefghijklmnopqrstuv",
        "VESTIBULE_SECRET_KEY is a secret",
    ),
    "a secret in the environment": (
        "- name: VESTIBULE_SECRET_KEY_FILE\n          value: /run/secrets/vestibule/secret-key",
        "- name: VESTIBULE_SECRET_KEY\n          valueFrom: {secretKeyRef: {name: s, key: secret-key}}",
        "a Secret in the environment",
    ),
    "a file that the Secret has not": (
        "value: /run/secrets/vestibule/redis-url",
        "value: /run/secrets/vestibule/redis",
        "VESTIBULE_REDIS_URL_FILE names no file",
    ),
}
SINGLE: Final = {
    "two pods on one volume": ("replicas: 1", "replicas: 2", "two pods would open the database"),
    "an overlap on one volume": ("type: Recreate", "type: RollingUpdate", "two pods would open the database"),
    "a claim that is missing": ("claimName: vestibule-state", "claimName: state", "no PersistentVolumeClaim state"),
}


@pytest.mark.parametrize("planted", EXAMPLE)
def test_found(example: str, planted: str) -> None:
    """A fault in the manifests of the example is named."""
    assert_found(example, *EXAMPLE[planted])


@pytest.mark.parametrize("planted", SINGLE)
def test_found_in_single(planted: str) -> None:
    """A fault in the manifests of one pod on a volume is named."""
    assert_found(built("overlays/single"), *SINGLE[planted])


def assert_found(text: str, right: str, wrong: str, said: str) -> None:
    """Plant a fault, and see that the checks say so."""
    assert right in text
    found = faults(parsed(text.replace(right, wrong, 1)), ("1.33",))

    assert [fault for fault in found if said in fault], found
