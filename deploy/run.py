"""`make run`: gunicorn and nginx in the foreground, until Ctrl-C; when one of them ends, both do.

PORT, OPS_PORT and STATE_DIR move the two listeners and the state (8080, 9180, ./var). Started as root, it hands the
state directory to nobody and goes on as nobody.
"""

import http.client
import os
import pwd
import shlex
import shutil
import socket
import stat
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from supervisor import LogPipe, News, Servers, ended, spawn, stop

from service import probe
from service.machine import with_large_pages

if TYPE_CHECKING:
    from service.settings import Settings

ROOT: Final = Path(__file__).resolve().parents[1]
VESTIBULE: Final = Path(sys.executable).with_name("vestibule")
SYSTEM_PATH: Final = "/usr/local/sbin:/usr/sbin:/sbin:/opt/homebrew/bin"
READY_SECONDS: Final = 20
POLL_SECONDS: Final = 0.05


def main() -> int:
    """Serve; return 0 when it was told to stop, 1 when it could not go on."""
    chosen = choices()
    if os.geteuid() == 0:
        fallback = os.environ.get("VESTIBULE_STATE_DIR", str(ROOT / "var"))
        hand_over(Path(chosen.get("VESTIBULE_STATE_DIR", fallback)))
        os.execv(ROOT / "deploy/unprivileged", ["unprivileged", sys.executable, str(Path(__file__))])  # noqa: S606
    os.environ.update(chosen)
    from service.settings import SettingsFault, load  # not before the other user is there, who would import it again

    try:
        settings = load()
    except SettingsFault as fault:
        return complain("\n".join(fault.faults))
    if taken := port_in_use(settings):
        return complain(taken)
    return serve(settings, chosen)


def choices() -> dict[str, str]:
    """Return the settings that PORT, OPS_PORT and STATE_DIR stand for, where they differ from the defaults."""
    port, ops_port = os.environ.get("PORT", "8080"), os.environ.get("OPS_PORT", "9180")
    state_dir = os.environ.get("STATE_DIR", "var")
    found: dict[str, str] = {}
    if port != "8080":
        found |= {"VESTIBULE_PUBLIC_URL": f"http://localhost:{port}", "VESTIBULE_SERVER__LISTEN": f"localhost:{port}"}
    if ops_port != "9180":
        found["VESTIBULE_OPS_LISTEN"] = f"127.0.0.1:{ops_port}"
    if state_dir != "var":
        found["VESTIBULE_STATE_DIR"] = str(Path(state_dir).absolute())
    return {name: value for name, value in found.items() if name not in os.environ}


def hand_over(state_dir: Path) -> None:
    """Give the state directory to nobody (as root). Stops where that could take in what is not ours."""
    nobody = pwd.getpwnam("nobody")
    if not may_hand_over(state_dir, nobody.pw_uid):
        sys.exit(f"STATE_DIR ({state_dir}) holds what is not ours: choose a directory of its own.")
    state_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
    for path in (state_dir, *state_dir.rglob("*")):
        found = path.lstat()
        is_linked = stat.S_ISREG(found.st_mode) and found.st_nlink > 1  # the other name may be a file of the system's
        if found.st_uid != nobody.pw_uid and not is_linked:
            os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)


def may_hand_over(state_dir: Path, nobody: int) -> bool:
    """Whether a directory is new, empty, or known for ours: nobody's already, or with our key or database in it."""
    if state_dir.resolve() in {*ROOT.parents, ROOT, *Path.home().parents, Path.home()}:
        return False
    if not state_dir.exists() or state_dir.resolve() == ROOT / "var" or state_dir.stat().st_uid == nobody:
        return True
    names = {path.name for path in state_dir.iterdir()}
    return not names or bool(names & {"secret-key", "vestibule.sqlite3"})


def port_in_use(settings: "Settings") -> str:
    """Return which port cannot be had, and what to type instead; nothing when both are free."""
    for name, listen in (("PORT", settings.server.listen), ("OPS_PORT", settings.ops_listen)):
        host, _, port = listen.rpartition(":")
        with socket.socket(socket.AF_INET6 if host.startswith("[") else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host.strip("[]"), int(port)))
            except OSError as fault:
                return (
                    f"{name} {port} cannot be used ({fault.strerror}). With another: make run {name}={int(port) + 10}"
                )
    return ""


def serve(settings: "Settings", chosen: dict[str, str]) -> int:
    """Start both, say where they are, and wait until one of them ends or somebody says stop."""
    news, servers, log = News(), Servers(), LogPipe()
    try:
        servers["gunicorn"] = spawn(gunicorn_command(), environ=with_large_pages(os.environ))
        servers["nginx"] = spawn(nginx_command(settings), stdout=log.writing)
        log.start()
        if wait_until_ready(settings, servers, news):
            welcome(settings, chosen)
        while not news.stops_asked_for and not ended(servers):
            news.wait()
        return 0 if news.stops_asked_for else complain(f"Stopped: {ended(servers)}.")
    except subprocess.CalledProcessError as fault:
        return complain(f"{shlex.join(fault.cmd)} failed: see above.")
    finally:
        stop(servers, news)
        log.finish()


def gunicorn_command() -> list[str]:
    """Return what `vestibule serve` becomes."""
    script = VESTIBULE.with_name("gunicorn")
    return [sys.executable, str(script), "--config", str(ROOT / "deploy" / "gunicorn.conf.py")]


def nginx_command(settings: "Settings") -> list[str]:
    """Write nginx's files, have nginx test them, and return what starts it. Raises CalledProcessError."""
    directory = settings.state_dir / "nginx"
    finish([str(VESTIBULE), "proxy", "render", "--output", str(directory)])
    nginx = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), SYSTEM_PATH])) or "nginx"
    command = [nginx, "-e", "stderr", "-p", f"{directory}/", "-c", "nginx.conf"]
    finish([*command, "-t", "-q"])
    return [*command, "-g", "daemon off;"]


def finish(command: list[str]) -> str:
    """Run a command to its end and return what it printed. Raises CalledProcessError."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def wait_until_ready(settings: "Settings", servers: Servers, news: News) -> bool:
    """Wait for /readyz through nginx. Who is not ready for long is told why, and nothing else happens."""
    deadline, status, said = time.monotonic() + READY_SECONDS, 0, ""
    while time.monotonic() < deadline:
        said = probe.ask(str(settings.socket_path))  # nginx would log each question that comes too early
        if not said:
            status, said = readiness(settings.ops_listen)
        if status == 200:  # noqa: PLR2004
            return True
        if news.stops_asked_for or ended(servers):
            return False
        news.wait(POLL_SECONDS)
    complain(f"Not ready after {READY_SECONDS} s, and still trying: {said}")
    return False


def readiness(listen: str) -> tuple[int, str]:
    """Return the status and the words of /readyz on the ops listener; 0 while nobody listens."""
    host, _, port = listen.rpartition(":")
    reachable = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))  # noqa: S104 - asked, not bound
    with closing(http.client.HTTPConnection(reachable, int(port), timeout=1)) as connection:
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace").strip()
        except (OSError, http.client.HTTPException) as fault:
            return 0, str(fault)


def welcome(settings: "Settings", chosen: dict[str, str]) -> None:
    """Print the address, and how the first administrator is made while there is none.

    The link itself only at a terminal: elsewhere, what is printed is kept, and read by others.
    """
    say(f"Vestibule is on {settings.public_url} (metrics and health on {settings.ops_listen}). Ctrl-C ends it.")
    from service.services import Unavailable

    try:
        if has_administrator(settings):
            return
        if sys.stdout.isatty():
            say(f"The first administrator is made here:\n{finish([str(VESTIBULE), 'setup', 'link']).strip()}")
            return
    except (Unavailable, subprocess.CalledProcessError) as fault:
        say(f"No link for a first administrator can be made now ({fault}). Later: {link_command(chosen)}")
        return
    say(f"There is no administrator yet. To make the first one: {link_command(chosen)}")


def link_command(chosen: dict[str, str]) -> str:
    """Return what makes the link when it is typed in the project's directory, by root as well.

    What root's command makes in the state directory belongs to whom the directory belongs to.
    """
    words = [shlex.quote(f"{name}={value}") for name, value in chosen.items() if "LISTEN" not in name]
    return " ".join([*words, os.path.relpath(VESTIBULE, ROOT), "setup", "link"])


def has_administrator(settings: "Settings") -> bool:
    """Whether somebody can administer; asked of the stores themselves."""
    from service.app import build_services

    return build_services(settings).accounts.has_administrator()


def say(sentence: str, to: int = 1) -> None:
    """Write a sentence to standard output; where that is full or closed, serving goes on all the same."""
    with suppress(OSError):
        os.write(to, f"{sentence}\n".encode())


def complain(sentence: str) -> int:
    """Say what is wrong; return the exit code for it."""
    say(sentence, to=2)
    return 1


if __name__ == "__main__":
    sys.exit(main())
