"""gunicorn's configuration: everything in it follows from Vestibule's own settings (`vestibule config show`).

gunicorn listens on a unix socket that only nginx may open. nginx.conf has the limits that clients meet; the limits here
lie above them, so that nginx alone refuses requests that are too large or too slow.
"""

import contextlib
import errno
import gc
import hashlib
import logging
import os
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service import drain, metrics_dir, mounts, state_dir, worker
from service.settings import CATALOGUE, Settings, SettingsFault, load
from service.web.telemetry import logs, multiprocess_metrics

_GONE_SECONDS = 5
_RAM = _shm if (_shm := Path("/dev/shm")).is_dir() else Path(tempfile.gettempdir())  # noqa: S108 - checked below


def _own_directory(path: Path, made: int, accepted: int) -> Path:
    """Return the directory, made where it is missing. Stops where others could have made it, or may do too much."""
    failed = None
    try:
        path.mkdir(mode=made, parents=True, exist_ok=True)
    except OSError as fault:
        failed = f"{path} cannot be made ({fault.strerror})"
    if wrong := state_dir.fault_of_place(path, accepted, user=os.geteuid()) or failed:
        sys.exit(wrong)
    return path


def _own_socket(path: Path, drain_seconds: int) -> None:
    """Stop where another start serves: this one would take its socket. One that drains, or was killed, soon goes."""
    if path.exists() and not path.is_socket():
        sys.exit(f"{path} is not a socket: move it away")
    if "GUNICORN_PID" in os.environ or not _is_served(path):  # a new master (USR2) is left it
        return
    longest = drain_seconds + _GONE_SECONDS
    print(f"{path} is in use: waiting {longest} s at most for that instance to end", file=sys.stderr, flush=True)
    until = time.monotonic() + longest
    while _is_served(path):
        if time.monotonic() > until:
            sys.exit(f"{path} is in use: another start serves this state directory: stop it, or choose another one")
        time.sleep(0.1)


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0)  # where the queue of connections is full it says EAGAIN
        return probe.connect_ex(str(path)) in {0, errno.EAGAIN}


def _chosen_metrics(settings: Settings) -> Path:
    """Return where the workers count: the directory that the operator names, else one on the RAM disk."""
    ours = metrics_dir.our_name(hashlib.sha256(bytes(settings.socket_path)).hexdigest()[:12])  # one for each socket
    chosen = os.environ.get("PROMETHEUS_MULTIPROC_DIR", str(_RAM / ours))
    if not Path(chosen).is_absolute():
        sys.exit(f'PROMETHEUS_MULTIPROC_DIR is "{chosen}": write the absolute path of a directory, or unset it')
    return Path(chosen) / ours if mounts.is_shared(chosen, 0o700) else Path(chosen)


_told_to_end: list[int] = []


def _end(number: int, _: object) -> None:
    """End a start, which gives its metrics directory back. A finalizer drops the exception: see when_ready."""
    _told_to_end.append(number)
    sys.exit(1)


try:
    _settings = load()
except SettingsFault as fault:
    sys.exit("\n".join(fault.faults))
_own_directory(_settings.state_dir, 0o750, mounts.STATE_MODE)
_own_directory(_settings.socket_path.parent, 0o750, mounts.SOCKET_MODE)
_own_socket(_settings.socket_path, _settings.server.drain)
metrics_dir.remove_unused(_RAM)  # before anything makes a metric
signal.signal(signal.SIGTERM, _end)  # until gunicorn takes signals
_metrics = metrics_dir.MetricsDir(_chosen_metrics(_settings), lambda path: _own_directory(path, 0o700, 0o700))
multiprocess_metrics.prepare(_metrics)

# structlog would load it where a developer's tools brought it, for coloured output, which this log has not: 4 MB.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]

from gunicorn.config import Config  # noqa: E402
from gunicorn.glogging import Logger  # noqa: E402
from gunicorn.systemd import sd_notify  # noqa: E402

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

# --- What is served, and where

wsgi_app = "service.app:application()"
bind = f"unix:{_settings.socket_path}"
umask = 0o117  # the socket: for its owner and its group, to which nginx belongs, and for no other user
backlog = 1024

# --- Workers

worker_class = "service.worker.Worker"
pre_request = worker.close_while_draining
workers = _settings.workers
threads = _settings.server.threads
preload_app = True  # the code is shared memory, and a fault stops the start once instead of each worker
worker_tmp_dir = str(_RAM)  # the heartbeat never waits for a disk

# --- Times, in seconds

timeout = 30  # a worker without a heartbeat is replaced
graceful_timeout = 20  # a stop lets requests under way finish
keepalive = 30  # longer than nginx keeps an idle connection (upstream.conf), so that no request meets a closing one

# --- Headers and limits: nginx writes every header that arrives here, and gunicorn trusts none of them

http_parser = "python"  # never an older compiled one that happens to be installed
forwarded_allow_ips = ""
# Not SCRIPT_NAME and PATH_INFO, which would otherwise be taken from any peer of a unix socket. These mean nothing to
# the service: the echo of `vestibule doctor` shows whether Remote_User passes the proxy before an app.
forwarder_headers = "REMOTE_USER,REMOTE_NAME,REMOTE_EMAIL,REMOTE_GROUPS"
secure_scheme_headers: dict[str, str] = {}
header_map = "drop"
control_socket_disable = True  # on by default; every process of our user could stop the service there
limit_request_line = 8190  # nginx: 8000 for the whole head
limit_request_fields = 500  # other proxies send all of a client's, within the 32k that nginx takes
limit_request_field_size = 36000  # nginx: 33 kB for the head of a request to an app, which may all be one header

# --- The log: the service writes a line for each request, gunicorn only lines about itself

accesslog = None
errorlog = "-"
loglevel = "info"


class _JsonLogger(Logger):
    """Sends gunicorn's own messages to the service's log, as JSON."""

    def setup(self, cfg: Any) -> None:  # noqa: ANN401 - gunicorn's Config is made at run time
        super().setup(cfg)
        logs.configure_logging()
        self.error_log.handlers.clear()
        self.error_log.propagate = True


logger_class = _JsonLogger


def on_starting(server: "Arbiter") -> None:
    """Have TERM drain, and HUP replace the workers alone, which are forked from the app and settings of the start."""
    server.app.reload = _compare_settings  # type: ignore[method-assign]
    worker.keep_serving(server)
    drain.before_end(server, _settings.server.drain)


def _compare_settings() -> None:
    """Log which settings are no longer those of the start, or are wrong now."""
    log = logging.getLogger("gunicorn.error")
    try:
        found = load()
    except SettingsFault as fault:
        log.warning("HUP: the settings are wrong now; those of the start stay: %s", "; ".join(fault.faults))
        return
    now, before = ([setting.value_in(each) for setting in CATALOGUE.values()] for each in (found, _settings))
    changed = [name for name, new, old in zip(CATALOGUE, now, before, strict=True) if new != old]
    if changed:
        log.warning("HUP: a new master (USR2, a new start) is needed for changes of %s", ", ".join(changed))


def when_ready(_server: "Arbiter") -> None:
    """Tell systemd of this master, which may be a second one (USR2); have workers go on sharing what is loaded."""
    sd_notify(f"MAINPID={os.getpid()}", logging.getLogger("gunicorn.error"))  # type: ignore[arg-type] # it logs, no more
    for changes_their_number in (signal.SIGTTIN, signal.SIGTTOU):  # of workers, who share one budget for hashing
        signal.signal(changes_their_number, signal.SIG_IGN)
    gc.collect()
    gc.freeze()  # the collector would write to it
    if _told_to_end:
        drain.begin()  # no worker runs
        os.kill(os.getpid(), signal.SIGTERM)


# A signal that reaches a worker before it listens for signals would be lost, and a stop then waits for graceful_timeout
# in vain. So workers are forked with these signals blocked, and unblock them when they are ready.
_ENDS = {signal.SIGTERM, signal.SIGQUIT, signal.SIGINT}
os.register_at_fork(
    before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS),
    after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS),
)


def post_fork(_server: "Arbiter", _worker: "Worker") -> None:
    """Write the log in a thread: no request waits for it."""
    logs.write_in_background()


def post_worker_init(_worker: "Worker") -> None:
    """Unblock the signals that were blocked at the fork, and count this worker."""
    for is_for_the_master in (signal.SIGHUP, signal.SIGUSR2):  # a worker would end, with its requests
        signal.signal(is_for_the_master, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS)
    multiprocess_metrics.SPACE.on_worker(_settings.workers)


def pre_exec(server: "Arbiter") -> None:
    """Unblock the signals for a new master (USR2) as well, and have it count in the same directory."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS)
    server.cfg.env_orig["PROMETHEUS_MULTIPROC_DIR"] = str(_metrics.path)


def child_exit(_server: "Arbiter", _worker: "Worker") -> None:
    """Drop the gauges of a worker that ended; what it counted stays, and its successor continues it."""
    multiprocess_metrics.forget_the_dead()


# --- Options of gunicorn's own: refused where they change this file, since they could go round nginx or its limits

_HARMLESS = {"config", "print_config", "check_config", "args"}


def _changed_by(arguments: list[str]) -> list[str]:
    """Return the names of the settings to which options give another value than this file."""
    options = vars(Config().parser().parse_args(arguments))
    given = {name for name, value in options.items() if value is not None} - _HARMLESS
    return [name for name in sorted(given) if not _is_ours(name, options[name])]


def _is_ours(name: str, given: object) -> bool:
    ours, theirs = Config(), Config()
    ours.set(name, globals().get(name, ours.settings[name].default))
    with contextlib.suppress(ValueError, TypeError):
        theirs.set(name, given)
        return bool(ours.settings[name].get() == theirs.settings[name].get())
    return False


for _source, _arguments in (
    ("GUNICORN_CMD_ARGS", Config().get_cmd_args_from_env()),
    ("The command line of gunicorn", sys.argv[1:]),
):
    if _changed := ", ".join(_changed_by(_arguments)):
        sys.exit(f"{_source} changes {_changed}: remove that (docs/settings.md lists what can be chosen)")
