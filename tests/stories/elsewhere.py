"""Another site, on another port of this machine: where people come from, and where forms are forged."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Elsewhere:
    """Pages by path, and the forms that were sent. What has no page says that people have arrived."""

    port: int
    pages: dict[str, str] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """The same host as the service's: one site to a browser, but another origin."""
        return f"http://localhost:{self.port}"

    @property
    def foreign_origin(self) -> str:
        """Another host: another site altogether."""
        return f"http://127.0.0.1:{self.port}"

    def page(self, path: str) -> bytes:
        """Return the page at a path."""
        said = self.pages.get(path.partition("?")[0], "<h1>You have arrived</h1>")
        return f"<!doctype html><html lang=en><title>Elsewhere</title><link rel=icon href=data:,>{said}".encode()


@contextlib.contextmanager
def running() -> Iterator[Elsewhere]:
    """Serve for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            site.sent.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.do_GET()

        def do_GET(self) -> None:
            body = site.page(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site = Elsewhere(server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
