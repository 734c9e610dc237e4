"""An Alertmanager of the tests' own, and the inbox in which its messages arrive."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.rig.asking import ask, free_port
from tests.rig.background import started
from tests.rig.directories import server_directory
from tests.rig.parts import need


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

    def receiver(self, name: str) -> dict[str, Any]:
        """Return the receiver of this name, as Alertmanager is configured to send its messages here."""
        return {"name": name, "webhook_configs": [{"url": f"http://127.0.0.1:{self.port}/{name}"}]}

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
                """Log nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.port = server.server_address[1]
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            yield self
            server.shutdown()


@dataclass(frozen=True)
class Alertmanager:
    """A running Alertmanager."""

    port: int

    @property
    def address(self) -> str:
        """Where Prometheus sends its alerts."""
        return f"127.0.0.1:{self.port}"

    def active(self) -> set[tuple[str, str]]:
        """Return (alert, severity) of the alerts that it has sent, or sends next."""
        return self._alerts("inhibited=false")

    def inhibited(self) -> set[tuple[str, str]]:
        """Return (alert, severity) of the alerts that it holds back because another alert explains them."""
        return self._alerts("active=false")

    def _alerts(self, chosen: str) -> set[tuple[str, str]]:
        alerts = ask(self.port, f"/api/v2/alerts?{chosen}").json
        return {(each["labels"]["alertname"], each["labels"]["severity"]) for each in alerts}


@contextmanager
def running(configuration: Mapping[str, Any]) -> Iterator[Alertmanager]:
    """Run an Alertmanager for as long as the block lasts."""
    program, port = need("alertmanager"), free_port()
    options = ("--config.file=alertmanager.yml", "--storage.path=data", "--cluster.listen-address=")
    with server_directory("alertmanager") as directory:
        (directory / "alertmanager.yml").write_text(json.dumps(configuration))
        command = (program, *options, f"--web.listen-address=127.0.0.1:{port}")
        with started(directory, *command, answers=lambda: ask(port, "/-/ready").status == 200):
            yield Alertmanager(port)
