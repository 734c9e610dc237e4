"""The images: few rights, and no syntax of one tool alone."""

import json
import re

from tests.house_rules.dockerfile import said, stages
from tests.house_rules.project import lines


def test_interface_of_the_service_image() -> None:
    """The image is the command: it serves without arguments, as a user of its own, and has a probe."""
    assert json.loads(said("service", "ENTRYPOINT")) == ["vestibule"]
    assert json.loads(said("service", "CMD")) == ["serve"]
    assert said("service", "USER") == "10001:10001"
    assert said("service", "HEALTHCHECK").endswith('CMD ["vestibule", "ping"]')


def test_edge_runs_as_another_user() -> None:
    """nginx runs as neither root nor the service; it shares the service's group, which may open the socket."""
    assert said("edge", "USER") == "101:10001"


def test_what_builds_is_left_behind() -> None:
    """The image of the service takes the installed folder, and never runs an installer itself."""
    runs = [line for line in stages()["service"] if line.startswith("RUN")]

    assert [line for line in runs if re.search(r"pip install|-m pip|apt-get|apk add", line)] == []


def test_plain_dockerfile() -> None:
    """Any builder can read it: neither heredocs nor linked copies."""
    assert [line for line in lines("Dockerfile") if "<<" in line or "--link" in line] == []
