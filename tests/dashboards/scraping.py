"""An installation with people and apps in it, and a Prometheus that scrapes it under the jobs' real names."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench import people
from tests.dashboards import traffic
from tests.dashboards.traffic import Known
from tests.rig import prometheus
from tests.rig.asking import free_port
from tests.rig.directories import server_directory
from tests.rig.echo_app import echo_app
from tests.rig.prometheus import Prometheus
from tests.rig.servers import Servers, prepared
from tests.rig.until import until

# Of both apps; /reports tries a stricter rule.
_RULES: Final = """
[[rules]]
path = "/admin"
groups = ["ops"]
[[rules]]
path = "/reports"
groups = ["ops"]
report_only = true
[[rules]]
path = "/reports"
allow = "signed-in"
[[rules]]
allow = "signed-in"
"""
_APPS: Final = ("git", "wiki")
_JOBS: Final = {"vestibule": "/metrics", "vestibule-edge": "/edge/metrics"}


@dataclass(frozen=True)
class Scraped:
    """Running servers, the ports of the apps, the people who are signed in, and the Prometheus that scrapes them."""

    servers: Servers
    apps: Mapping[str, int]
    known: Sequence[Known]
    prometheus: Prometheus


@contextmanager
def scraped(*, each_seconds: int) -> Iterator[Scraped]:
    """Yield an installation whose every job was scraped once, and end it."""
    with _apps() as (ports, directory), prepared(workers=2, ACCESS__APPS_DIR=str(directory)) as servers:
        people.populate(servers, traffic.ACCOUNTS)
        servers.start()
        servers.start_metrics()
        known = traffic.settle(servers)
        with prometheus.running(_configuration(servers.ops_port, each_seconds)) as running:
            until(lambda: running.scraped() == _JOBS.keys(), "every job is scraped")
            yield Scraped(servers, ports, known, running)


@contextmanager
def _apps() -> Iterator[tuple[Mapping[str, int], Path]]:
    """Yield the port of each app, and the directory with their files."""
    ports = {name: free_port() for name in _APPS}
    with echo_app() as echo, server_directory("apps", mode=0o755) as directory:
        for name, port in ports.items():
            addresses = f'address = "http://localhost:{port}"\nupstream = "{echo.upstream}"\n'
            (directory / f"{name}.toml").write_text(addresses + _RULES)
        yield ports, directory


def _configuration(ops_port: int, each_seconds: int) -> dict[str, object]:
    targets = [{"targets": [f"127.0.0.1:{ops_port}"]}]
    jobs = [{"job_name": job, "metrics_path": path, "static_configs": targets} for job, path in _JOBS.items()]
    return {"global": {"scrape_interval": f"{each_seconds}s"}, "scrape_configs": jobs}
