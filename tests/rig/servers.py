"""gunicorn and nginx as they run in production, on free loopback ports and in a state directory of their own.

    with running(workers=2) as servers:
        servers.get("/")

As root both run as nobody. What they write goes to `servers.log("nginx")` and `servers.log("gunicorn")`.
"""

import contextlib
import hashlib
import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from service.app import render_nginx_files, write_nginx_files
from service.hashing.cpu_budget import with_large_pages
from service.settings import load
from tests.rig.answer import Answer
from tests.rig.asking import PATIENCE_SECONDS, ask, free_port, send
from tests.rig.directories import give_away, server_directory
from tests.rig.parts import ROOT, need, unprivileged
from tests.rig.releases import environ_of

__all__ = ["Servers", "free_port", "prepared", "running", "state_directory"]

SERVICE: Final = "service.app:application()"
VESTIBULE: Final = (sys.executable, "-c", "from service.app import main; main()")


@dataclass
class Servers:
    """The two servers, and how a test reaches, watches and stops them."""

    state_dir: Path
    port: int
    ops_port: int
    environ: dict[str, str]
    application: str = SERVICE
    edit_nginx: Callable[[str], str] = str
    become: Callable[..., list[str]] = unprivileged
    code: Path = ROOT
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """The public address."""
        return f"http://localhost:{self.port}"

    @property
    def nginx_dir(self) -> Path:
        """Where nginx's files are rendered."""
        return self.state_dir / "nginx"

    @property
    def socket(self) -> Path:
        """Where gunicorn listens."""
        return self.state_dir / "run" / "gunicorn.sock"

    def vestibule(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run one of the operator's commands on this state directory; `typed` is its standard input."""
        return subprocess.run(
            self.become(*VESTIBULE, *arguments),
            env=environ_of(self.code, self.environ), cwd=self.code, input=typed, capture_output=True, text=True,
            check=False, timeout=60,
        )  # fmt: skip

    def render(self) -> None:
        """Write nginx's files as `vestibule proxy render` does; a test's own nginx.conf where it asked for one."""
        write_nginx_files(self.nginx_dir, render_nginx_files(load(self.environ), self.nginx_dir))
        conf = self.nginx_dir / "nginx.conf"
        conf.write_text(self.edit_nginx(conf.read_text()))
        give_away(self.nginx_dir)

    def start(self) -> None:
        """Render, start both, and wait until the service says that it is ready."""
        self.render()
        self.start_gunicorn()
        self.start_nginx()
        self.wait_until(lambda: self.ops("/readyz").status == 200, "/readyz answers 200")

    def start_gunicorn(self, configuration: Path | None = None, *, name: str = "gunicorn", **settings: str) -> None:
        """Start gunicorn alone, in front of `application`; another one, by its name, with settings of its own."""
        script = str(Path(sys.executable).with_name("gunicorn"))
        configuration = configuration or self.code / "deploy" / "gunicorn.conf.py"
        command = [sys.executable, script, "--config", str(configuration), self.application]
        own = {f"VESTIBULE_{setting}": value for setting, value in settings.items()}
        self._spawn(name, command, with_large_pages(self.environ | own))

    def start_nginx(self, prefix: Path | None = None) -> None:
        """Start nginx alone; in a directory of its own where one is given."""
        nginx, conf = str(need("nginx")), str(self.nginx_dir / "nginx.conf")
        command = [nginx, "-e", "stderr", "-p", f"{prefix or self.nginx_dir}/", "-c", conf, "-g", "daemon off;"]
        self._spawn("nginx", command, self.environ)

    def start_metrics(self) -> None:
        """Start what counts nginx's requests, and wait until it answers."""
        self._spawn("metrics", [*VESTIBULE, "proxy", "metrics", str(self.nginx_dir)], self.environ)
        self.wait_until(lambda: self.ops("/edge/metrics").status == 200, "/edge/metrics answers 200")

    def _spawn(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> None:
        path = self._log_path(name)
        path.touch()
        path.chmod(0o666)  # nginx opens it again by itself, as nobody
        with path.open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.become(*command), env=environ_of(self.code, environ), cwd=self.code, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def stop(self) -> None:
        """End all, nginx first, and everything that they started."""
        for name in ("nginx", "gunicorn", "metrics"):
            self.end(name)

    def end(self, name: str, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to one master, wait for it, leave none of its children behind; return its exit code."""
        process = self.processes.pop(name, None)
        if process is None:
            return 0
        process.send_signal(how)
        try:
            return process.wait(PATIENCE_SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def log(self, name: str) -> str:
        """Return what `nginx` or `gunicorn` wrote so far."""
        return self._log_path(name).read_text(errors="replace")

    def _log_path(self, name: str) -> Path:
        return self.state_dir / f"{name}.log"

    def get(self, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """Send one request to the public listener. Header names are written with underscores."""
        return ask(self.port, path, method=method, body=body, headers=headers)

    def ops(self, path: str) -> Answer:
        """Send a GET to the ops listener."""
        return ask(self.ops_port, path)

    def raw(self, data: bytes, *, port: int | None = None) -> bytes:
        """Send bytes to the public listener, or another, and return everything until it closes."""
        return send(port or self.port, data)

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition; a server that is not there yet counts as not yet. Fails with both logs."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if condition():
                    return
            ended = [name for name, process in self.processes.items() if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                logs = "\n".join(f"--- {name}\n{self.log(name)[-4000:]}" for name in self.processes)
                raise AssertionError(f"did not happen: {what}; ended: {ended}\n{logs}")
            time.sleep(0.02)


@contextlib.contextmanager
def state_directory() -> Iterator[Path]:
    """Yield a new state directory, and remove what the service counted and nginx remembered, too."""
    with server_directory("state", mode=0o755) as path:
        try:
            yield path
        finally:
            remembered = path / "nginx" / "door_cache"  # of a `make run` that was killed
            kept = [remembered.readlink()] if remembered.is_symlink() else []
            for left in (*kept, *counters_of(path / "run" / "gunicorn.sock")):
                shutil.rmtree(left, ignore_errors=True)


def counters_of(socket: Path) -> list[Path]:
    """Return where the workers behind a socket count; what a killed master leaves there waits for its next start."""
    return list(Path("/dev/shm").glob(f"vestibule-*-{hashlib.sha256(bytes(socket)).hexdigest()[:12]}"))  # noqa: S108


@contextlib.contextmanager
def prepared(
    *,
    workers: int = 2,
    application: str = SERVICE,
    edit_nginx: Callable[[str], str] = str,
    **settings: str,
) -> Iterator[Servers]:
    """Yield servers that are not started yet, and stop whatever a test started of them.

    `settings` are further settings by their environment names without the prefix, such as `LIMITS__POST_PER_MINUTE`.
    """
    port, ops_port = free_port(), free_port()
    with state_directory() as state_dir:
        own = {name: value for name, value in os.environ.items() if not name.startswith("VESTIBULE_")}
        chosen = {
            "STATE_DIR": str(state_dir),
            "PUBLIC_URL": f"http://localhost:{port}",
            "SERVER__LISTEN": f"localhost:{port}",
            "SERVER__WORKERS": str(workers),
            "OPS_LISTEN": f"127.0.0.1:{ops_port}",
            "SERVER__DRAIN": "0s",  # nginx ends first here
        }
        environ = own | {f"VESTIBULE_{name}": value for name, value in (chosen | settings).items()}
        servers = Servers(state_dir, port, ops_port, environ, application, edit_nginx)
        try:
            yield servers
        finally:
            servers.stop()


@contextlib.contextmanager
def running(
    *,
    workers: int = 2,
    application: str = SERVICE,
    edit_nginx: Callable[[str], str] = str,
    **settings: str,
) -> Iterator[Servers]:
    """Yield servers that are ready, and stop them. The arguments are those of `prepared`."""
    with prepared(workers=workers, application=application, edit_nginx=edit_nginx, **settings) as servers:
        servers.start()
        yield servers
