"""Prometheus, Alertmanager and the blackbox exporter with the shipped files: durations are divided by 60.

Where the files name hosts of Compose, the tests' own addresses stand; what Alertmanager sends arrives in an Inbox.
"""

import json
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import yaml

from tests.rig.asking import ask, free_port
from tests.rig.parts import ROOT, need, unprivileged
from tests.rig.postgres import private_place

SHIPPED: Final = ROOT / "deploy/prometheus"
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"(?<=\[)(\d+)([smhd])(?=\])|(?<=for: )(\d+)([smhd])$|(?<=_wait: )(\d+)([smhd])$"
                              r"|(?<=_interval: )(\d+)([smhd])$", re.MULTILINE)  # fmt: skip


def hurried(text: str) -> str:
    """Return a file's text with a second for each minute; scrapes and evaluations come once a second."""
    by_the_second = re.sub(r"(scrape|evaluation)_interval: \w+", r"\1_interval: 60s", text)
    return _DURATION.sub(lambda found: _sixtieth(*filter(None, found.groups())), by_the_second)


def _sixtieth(number: str, unit: str) -> str:
    return f"{int(number) * _SECONDS[unit] * 1000 // 60}ms"


@dataclass
class Inbox:
    """Where Alertmanager's messages arrive: the alerts by receiver, in their order."""

    port: int = 0
    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def firing(self) -> set[tuple[str, str, str]]:
        """Return (receiver, alert, severity) of all that ever arrived as firing."""
        return {
            (receiver, alert["labels"]["alertname"], alert["labels"]["severity"])
            for receiver, alert in list(self.messages)
            if alert["status"] == "firing"
        }

    def unfilled(self) -> list[dict[str, str]]:
        """Return the texts that came with a gap, or with a fault of their template."""
        texts = [alert["annotations"] for _, alert in list(self.messages)]
        return [text for text in texts if not all(text.values()) or re.search("<no value>|<error", str(text))]

    @contextmanager
    def opened(self) -> Iterator["Inbox"]:
        """Listen for as long as the block lasts."""
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                inbox.messages += [(self.path.strip("/"), alert) for alert in body["alerts"]]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.port = server.server_address[1]
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            yield self
            server.shutdown()


@dataclass
class Watching:
    """The three programs, and what they say."""

    place: Path
    inbox: Inbox
    addresses: Mapping[str, str]
    prometheus_port: int = field(default_factory=free_port)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the samples of an instant query; none while Prometheus starts."""
        with suppress(OSError):
            answer = ask(self.prometheus_port, f"/api/v1/query?{urlencode({'query': expression})}")
            return list(answer.json["data"]["result"]) if answer.status == 200 else []
        return []

    def number(self, expression: str) -> float | None:
        """Return the value of an instant query that gives one."""
        samples = self.query(expression)
        return float(samples[0]["value"][1]) if samples else None

    def firing(self) -> set[tuple[str, str]]:
        """Return (alert, severity) of what fires in Prometheus now."""
        found = self.query('ALERTS{alertstate="firing"}')
        return {(each["metric"]["alertname"], each["metric"]["severity"]) for each in found}

    def active(self) -> set[tuple[str, str]]:
        """Return (alert, severity) of what Alertmanager has told, or tells next."""
        return self._in_alertmanager("inhibited=false")

    def inhibited(self) -> set[tuple[str, str]]:
        """Return (alert, severity) of what Alertmanager holds back because another alert explains it."""
        return self._in_alertmanager("active=false")

    def _in_alertmanager(self, chosen: str) -> set[tuple[str, str]]:
        port = int(self.addresses["alertmanager:9093"].rpartition(":")[2])
        alerts = ask(port, f"/api/v2/alerts?{chosen}").json
        return {(each["labels"]["alertname"], each["labels"]["severity"]) for each in alerts}

    def configure(self, *, without_job: str = "") -> None:
        """Write Prometheus' files; without the targets of a job where service discovery shall have lost them."""
        for name in ("recording.rules.yml", "alerts.rules.yml"):
            (self.place / name).write_text(hurried((SHIPPED / name).read_text()))
        text = hurried((SHIPPED / "prometheus.yml").read_text())
        for shipped, here in self.addresses.items():
            text = text.replace(shipped, here)
        settings = yaml.safe_load(text)
        for job in settings["scrape_configs"]:
            if job["job_name"] == without_job:
                job["static_configs"] = []
        (self.place / "prometheus.yml").write_text(json.dumps(settings))

    def lose(self, job: str) -> None:
        """Have Prometheus read its files again, without the targets of a job; with all of them for an empty name."""
        self.configure(without_job=job)
        self.processes[-1].send_signal(signal.SIGHUP)

    def spawn(self, *command: str | Path) -> None:
        """Start one of the programs in the directory."""
        with (self.place / f"{Path(command[0]).name}.log").open("ab") as log:
            self.processes.append(
                subprocess.Popen(unprivileged(*command), cwd=self.place, stdout=log, stderr=log, start_new_session=True)
            )

    def end(self) -> None:
        """End all three."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(20)


def _receivers(inbox: Inbox) -> list[dict[str, Any]]:
    """Return the shipped receivers by name, each of them a path of the inbox."""
    named = yaml.safe_load((SHIPPED / "alertmanager.yml").read_text())["receivers"]
    return [
        {"name": each["name"], "webhook_configs": [{"url": f"http://127.0.0.1:{inbox.port}/{each['name']}"}]}
        for each in named
    ]


@contextmanager
def watching(*, ops_port: int, page: str, host: str, certificate: Path) -> Iterator[Watching]:
    """Yield the three programs, started; they watch the ops listener, and the page under the name of a host."""
    programs = {name: need(name) for name in ("prometheus", "alertmanager", "blackbox")}
    alertmanager, blackbox = (f"127.0.0.1:{free_port()}" for _ in range(2))
    with ExitStack() as stack:
        place = stack.enter_context(private_place("watching"))
        place.chmod(0o755)
        inbox = stack.enter_context(Inbox().opened())
        addresses = {"http://edge:8080/": page, "localhost:8080": host, "edge:9180": f"127.0.0.1:{ops_port}"}
        own = Watching(place, inbox, addresses | {"alertmanager:9093": alertmanager, "blackbox:9115": blackbox})
        stack.callback(own.end)
        own.configure()
        routes = yaml.safe_load(hurried((SHIPPED / "alertmanager.yml").read_text())) | {"receivers": _receivers(inbox)}
        (place / "alertmanager.yml").write_text(json.dumps(routes))
        probe = yaml.safe_load((SHIPPED / "blackbox.yml").read_text())
        probe["modules"]["sign_in_page"]["http"]["tls_config"] = {"ca_file": str(certificate)}
        (place / "blackbox.yml").write_text(json.dumps(probe))
        own.spawn(programs["blackbox"], "--config.file=blackbox.yml", f"--web.listen-address={blackbox}")
        own.spawn(
            programs["alertmanager"], "--config.file=alertmanager.yml", f"--storage.path={place}",
            f"--web.listen-address={alertmanager}", "--cluster.listen-address=",
        )  # fmt: skip
        own.spawn(
            programs["prometheus"], "--config.file=prometheus.yml", f"--storage.tsdb.path={place / 'data'}",
            f"--web.listen-address=127.0.0.1:{own.prometheus_port}", "--rules.alert.resend-delay=1s",
        )  # fmt: skip
        yield own
