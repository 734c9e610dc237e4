"""Whether gunicorn answers: HEALTHCHECK and exec probes run this every few seconds.

So it imports little, and the standard library alone; it finds the socket as the settings do (a test compares the
two). It asks for liveness, which needs no store: the loss of the database restarts no container.
"""

import os
import socket
from collections.abc import Mapping, Sequence

from service import mounts
from service.text_files import decoded, environment_value

OK = 0
UNAVAILABLE = 3
_SECONDS = 2
_DEFAULT_CONFIG = "/etc/vestibule/vestibule.toml"
_PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib costs 10 ms
_READ = ("VESTIBULE_CONFIG", "VESTIBULE_STATE_DIR", "VESTIBULE_SERVER__SOCKET")
_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: ping\r\nConnection: close\r\n\r\n"


def main(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Print whether the service answers, as a sentence or with `--json` as JSON; return the exit code."""
    try:
        trouble = ask(socket_path(environ))
    except (OSError, TypeError, ValueError) as fault:
        trouble = f"{fault} To see every fault: vestibule config check"
    words = f'{{"answers": {"false" if trouble else "true"}}}' if arguments else trouble or "The service answers."
    print(words)  # noqa: T201 - a command speaks
    return UNAVAILABLE if trouble else OK


def ask(path: str) -> str:
    """Return why the service behind the socket does not answer; an empty text when it does."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_SECONDS)
            connection.connect(path)
            connection.sendall(_REQUEST)
            answer = connection.recv(64)
    except OSError as fault:
        return f"No answer on {path}: {fault.strerror or fault}."
    return "" if answer.startswith(b"HTTP/1.1 200 ") else f"An unexpected answer on {path}: {answer[:12]!r}."


def socket_path(environ: Mapping[str, str]) -> str:
    """Return the socket as `Settings.socket_path` does, from the environment, else the TOML file, else the default."""
    chosen, state = _chosen(environ)
    if chosen:
        directory, name = os.path.split(os.path.normpath(chosen))
        chosen = f"{mounts.socket_directory(directory)}/{name}"
    return mounts.socket_path(state, chosen)


def state_dir(environ: Mapping[str, str]) -> str:
    """Return the state directory as `Settings.state_dir` is, read like the socket."""
    return _chosen(environ)[1]


def _chosen(environ: Mapping[str, str]) -> tuple[str | None, str]:
    """Return the settings of the socket, if there is one, and of the state directory."""
    environ = {name: environment_value(environ[name]) for name in _READ if name in environ}
    table = _table(environ)
    server = table.get("server", {})
    chosen = environ.get("VESTIBULE_SERVER__SOCKET") or (server.get("socket") if isinstance(server, dict) else None)
    given = environ.get("VESTIBULE_STATE_DIR") or table.get("state_dir") or os.path.join(_PROJECT, "var")  # noqa: PTH118
    return chosen, mounts.state_directory(os.path.normpath(str(given)))


def _table(environ: Mapping[str, str]) -> dict[str, object]:
    path = environ.get("VESTIBULE_CONFIG", _DEFAULT_CONFIG)
    if not os.path.exists(path):  # noqa: PTH110
        return {}
    import tomllib

    with open(path, "rb") as file:  # noqa: PTH123
        content = file.read()
    try:
        return tomllib.loads(decoded(content))
    except (ValueError, RecursionError):  # the parser's message can quote a secret
        raise ValueError(f"{path} cannot be read as TOML.") from None
