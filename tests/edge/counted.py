"""What `/edge/metrics` shows, and what clients sent to have it counted."""

from collections import Counter

from tests.rig import scraped
from tests.rig.servers import Servers

REQUESTS = "vestibule_edge_requests_total"
LIMITED = "vestibule_edge_limited_total"
DURATION = "vestibule_edge_request_duration_seconds"
FORM = {"Content_Type": "application/x-www-form-urlencoded"}


def exposed(servers: Servers) -> str:
    """Return what Prometheus would get."""
    answer = servers.ops("/edge/metrics")
    assert answer.status == 200, answer
    return answer.body.decode()


def requests(servers: Servers) -> Counter[tuple[str, str, int]]:
    """Return what was counted by app, method and status, without the series at zero."""
    counted = Counter[tuple[str, str, int]]()
    for (name, labels), value in scraped.series(exposed(servers)).items():
        if name == REQUESTS and value:
            by = dict(labels)
            counted[by["app"], by["method"], int(by["status"])] = int(value)
    return counted


def limited(servers: Servers) -> dict[str, float]:
    """Return what was refused by each limit."""
    return {
        dict(labels)["limit"]: value
        for (name, labels), value in scraped.series(exposed(servers)).items()
        if name == LIMITED
    }


def wait_for(servers: Servers, number: int) -> Counter[tuple[str, str, int]]:
    """Return the requests once so many are counted: nginx writes its lines once a second."""
    servers.wait_until(lambda: requests(servers).total() >= number, f"{number} requests are counted")
    return requests(servers)
