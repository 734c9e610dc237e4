"""Prometheus, Alertmanager and the blackbox exporter with the shipped files, in which a minute is made a second.

Where the files name hosts of Compose, the tests' own addresses stand; what Alertmanager sends arrives in an Inbox.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.house_rules.project import load, read
from tests.observability import names
from tests.rig import alertmanager, prometheus
from tests.rig.alertmanager import Alertmanager, Inbox
from tests.rig.asking import ask, free_port
from tests.rig.background import started
from tests.rig.directories import server_directory
from tests.rig.parts import need
from tests.rig.prometheus import Prometheus

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"(?<=\[)(\d+)([smhd])(?=\])|(?<=for: )(\d+)([smhd])$|(?<=_wait: )(\d+)([smhd])$"
                              r"|(?<=_interval: )(\d+)([smhd])$", re.MULTILINE)  # fmt: skip


def in_seconds(name: str) -> str:
    """Return a shipped file with a second for each minute; scrapes and evaluations come once a second."""
    each_second = re.sub(r"(scrape|evaluation)_interval: \w+", r"\1_interval: 60s", read(f"{names.PLACE}/{name}"))
    return _DURATION.sub(lambda found: _sixtieth(*filter(None, found.groups())), each_second)


def _sixtieth(number: str, unit: str) -> str:
    return f"{int(number) * _SECONDS[unit] * 1000 // 60}ms"


@dataclass(frozen=True)
class Monitoring:
    """The running programs, and how Prometheus was configured."""

    prometheus: Prometheus
    alertmanager: Alertmanager
    inbox: Inbox
    configuration: Mapping[str, Any]

    def drop_targets(self, job: str) -> None:
        """Take the targets of a job away, as service discovery does; those of all others stay."""
        jobs = [
            each | ({"static_configs": []} if each["job_name"] == job else {})
            for each in self.configuration["scrape_configs"]
        ]
        self.prometheus.reload({**self.configuration, "scrape_configs": jobs})

    def restore_targets(self) -> None:
        """Give every job its targets."""
        self.prometheus.reload(self.configuration)


def _routes(inbox: Inbox) -> dict[str, Any]:
    """Return the shipped configuration of Alertmanager, with all receivers at the inbox."""
    shipped: dict[str, Any] = yaml.safe_load(in_seconds("alertmanager.yml"))
    return shipped | {"receivers": [inbox.receiver(each["name"]) for each in shipped["receivers"]]}


@contextmanager
def _probing(certificate: Path) -> Iterator[str]:
    """Yield the address of a blackbox exporter that trusts this certificate."""
    program, address = need("blackbox"), f"127.0.0.1:{(port := free_port())}"
    modules = load(f"{names.PLACE}/blackbox.yml")
    modules["modules"]["sign_in_page"]["http"]["tls_config"] = {"ca_file": str(certificate)}
    with server_directory("blackbox") as directory:
        (directory / "blackbox.yml").write_text(json.dumps(modules))
        command = (program, "--config.file=blackbox.yml", f"--web.listen-address={address}")
        with started(directory, *command, answers=lambda: ask(port, "/-/healthy").status == 200):
            yield address


@contextmanager
def monitoring(*, ops_port: int, page: str, host: str, certificate: Path) -> Iterator[Monitoring]:
    """Yield the three programs; they watch the ops listener, and the page under the name of a host."""
    with (
        Inbox().opened() as inbox,
        alertmanager.running(_routes(inbox)) as manager,
        _probing(certificate) as blackbox,
    ):
        text = in_seconds("prometheus.yml")
        ours = {"http://edge:8080/": page, "localhost:8080": host, "edge:9180": f"127.0.0.1:{ops_port}"}
        for shipped, here in (ours | {"alertmanager:9093": manager.address, "blackbox:9115": blackbox}).items():
            text = text.replace(shipped, here)
        configuration = yaml.safe_load(text)
        with prometheus.running(configuration, {name: in_seconds(name) for name in names.RULES}) as running:
            yield Monitoring(running, manager, inbox, configuration)
