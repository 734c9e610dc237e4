"""All checks of objects, as one."""

from tests.deploy.door_checks import door_faults
from tests.deploy.kustomize import Object
from tests.deploy.pod_checks import pod_faults
from tests.deploy.schema_checks import VERSIONS, schema_faults
from tests.deploy.wiring_checks import wiring_faults


def faults(objects: list[Object], versions: tuple[str, ...] = VERSIONS) -> list[str]:
    """Return everything that is wrong with these objects; schemas first, and alone, because the others rely on them."""
    return list(schema_faults(objects, versions)) or [
        *wiring_faults(objects),
        *pod_faults(objects),
        *door_faults(objects),
    ]
