"""gunicorn's configuration: everything in it follows from Vestibule's own settings (`vestibule config show`).

gunicorn sits behind nginx on a unix socket and is reached by nobody else. nginx.conf has the limits that clients
meet; the ones here lie above them, so that refusals come from one place and look like one service.
"""

import contextlib
import gc
import hashlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service import directories, worker_counts
from service.settings import Settings, SettingsFault, load

_RAM = Path("/dev/shm")  # noqa: S108 - a directory of our own in it, checked below


def _own_directory(path: Path, made: int, accepted: int) -> Path:
    """Return the directory, made where it is missing. Stops where others could have made it, or may do too much."""
    try:
        path.mkdir(mode=made, parents=True, exist_ok=True)
    except OSError as fault:
        sys.exit(f"{path} cannot be made ({fault.strerror}): chown {os.geteuid()}:{os.getegid()} {path.parent}")
    if wrong := directories.fault_of(path, accepted, user=os.geteuid()):
        sys.exit(wrong)
    return path


def _usual_metrics(settings: Settings) -> Path:
    """Return where the workers count by themselves: on a RAM disk, one directory for each socket."""
    name = f"vestibule-{os.geteuid()}-{hashlib.sha256(bytes(settings.socket_path)).hexdigest()[:12]}"
    return (_RAM if _RAM.is_dir() else settings.socket_path.parent) / name


try:
    _settings = load()
except SettingsFault as fault:
    sys.exit("\n".join(fault.faults))
_own_directory(_settings.state_dir, 0o750, directories.STATE_MODE)
_own_directory(_settings.socket_path.parent, 0o750, directories.SOCKET_MODE)
_metrics = _own_directory(Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR", _usual_metrics(_settings))), 0o700, 0o700)
worker_counts.prepare(_metrics)  # before the imports below: prometheus_client decides when it is imported

from gunicorn.glogging import Logger  # noqa: E402
from gunicorn.workers import gthread  # noqa: E402
from prometheus_client.multiprocess import mark_process_dead  # noqa: E402

from service.web.logs import configure_logging  # noqa: E402

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

# --- What is served, and where

wsgi_app = "service.app:application()"
bind = f"unix:{_settings.socket_path}"
umask = 0o117  # the socket: owner and group, so that nginx in the group may connect and nobody else
backlog = 1024

# --- Who works

worker_class = "gthread"
workers = _settings.workers
threads = _settings.server.threads
preload_app = True  # the code is shared memory, and a fault stops the start once instead of each worker
worker_tmp_dir = str(_RAM) if _RAM.is_dir() else None  # the heartbeat never waits for a disk

# --- How long

timeout = 30  # a worker that gives no sign of life is replaced
graceful_timeout = 20  # what is being answered when the end comes may finish
# How long a new connection that says nothing may hold a thread before it waits elsewhere (5 s otherwise). nginx always
# speaks at once. There is no setting for it; tests/edge/test_slow.py notices when it stops to count.
gthread.DEFAULT_WORKER_DATA_TIMEOUT = 0.05  # type: ignore[misc]
keepalive = 30  # longer than nginx keeps an idle connection (upstream.conf), so that no request meets a closing one

# --- What is believed: nothing. nginx writes every header that arrives here; these say so a second time.

http_parser = "python"  # never an older compiled one that happens to be installed
forwarded_allow_ips = ""
forwarder_headers = ""  # SCRIPT_NAME and PATH_INFO would otherwise be taken from any peer of a unix socket
secure_scheme_headers: dict[str, str] = {}
header_map = "drop"
control_socket_disable = True  # on by default, it lets whoever runs as our user stop the service
limit_request_line = 8190  # nginx: 8000 for the whole head
limit_request_fields = 100
limit_request_field_size = 16380

# --- What is written down: the service writes one line for each request, gunicorn about itself only

accesslog = None
errorlog = "-"
loglevel = "info"


class _JsonLogger(Logger):
    """Sends gunicorn's own messages where all others go, as JSON."""

    def setup(self, cfg: Any) -> None:  # noqa: ANN401 - gunicorn's Config is made at run time
        super().setup(cfg)
        configure_logging()
        self.error_log.handlers.clear()
        self.error_log.propagate = True


logger_class = _JsonLogger


def on_starting(server: "Arbiter") -> None:
    """Stop where somebody else chose how many work: one budget for hashing is divided among the settings' workers."""
    if server.cfg.workers != workers:
        sys.exit(
            f"GUNICORN_CMD_ARGS asks for {server.cfg.workers} workers: unset it, VESTIBULE_SERVER__WORKERS decides"
        )


def when_ready(_server: "Arbiter") -> None:
    """Move everything that was loaded out of the collector's sight, so that workers go on sharing its memory."""
    gc.collect()
    gc.freeze()


# A signal that reaches a worker before it listens for signals would be lost, and a stop then waits for graceful_timeout
# in vain. So workers are born with signals held back, and take them when they are ready.
_ENDS = {signal.SIGTERM, signal.SIGQUIT, signal.SIGINT}
os.register_at_fork(
    before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS),
    after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS),
)


def pre_fork(_server: "Arbiter", worker: "Worker") -> None:
    """Give the worker that is about to start a place in the pool."""
    worker_counts.PLACES.give(worker.age)


def post_fork(_server: "Arbiter", worker: "Worker") -> None:
    """Have the new worker count at its place."""
    worker_counts.PLACES.take(worker.age)


def post_worker_init(_worker: "Worker") -> None:
    """Take the signals that came meanwhile."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS)


def pre_exec(_server: "Arbiter") -> None:
    """Let a new master (USR2) take signals, too: it is born the same way, and inherits what is held back."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS)


def child_exit(_server: "Arbiter", worker: "Worker") -> None:
    """Drop the gauges of a worker that is gone; what it counted stays, and its successor goes on from there."""
    mark_process_dead(worker_counts.PLACES.end(worker.age))  # type: ignore[no-untyped-call]


def on_exit(server: "Arbiter") -> None:
    """Give back the RAM, unless a successor counts there. The operator's own directory stays, and others' files."""
    if not server.reexec_pid:
        worker_counts.clear(_metrics)
        if _metrics == _usual_metrics(_settings):
            with contextlib.suppress(OSError):
                _metrics.rmdir()
