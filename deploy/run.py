"""`make run`: checks that gunicorn and nginx can start, and becomes their supervisor.

Started as root, it goes on as the user nobody. PORT, OPS_PORT and STATE_DIR name the two ports and the directory of
the state (8080, 9180, ./var).
"""

import os
import pwd
import shlex
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from service.settings import Settings

ROOT: Final = Path(__file__).resolve().parents[1]
RAM_DISK: Final = "/dev/shm"  # noqa: S108 - supervisor.py makes a directory of its own in it
DEFAULTS: Final = {"PORT": "8080", "OPS_PORT": "9180", "STATE_DIR": "var"}


def main() -> None:
    """Become the supervisor. A fault ends the start with its message and exit code 1."""
    chosen = choices()
    state_dir = Path((os.environ | chosen).get("VESTIBULE_STATE_DIR", ROOT / "var"))
    refuse_foreign(state_dir)
    try:
        state_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as fault:
        sys.exit(f"STATE_DIR ({state_dir}) cannot be made ({fault.strerror}): choose another directory.")
    if os.geteuid() == 0:
        hand_over(state_dir)
        os.execv(ROOT / "deploy/unprivileged", ["unprivileged", sys.executable, str(Path(__file__))])  # noqa: S606
    os.environ.update(chosen)
    os.environ["VESTIBULE_SERVER__DRAIN"] = "0s"  # nginx ends first
    from service.settings import SettingsFault, load  # after the change of user, which imports all again

    try:
        settings = load()
    except SettingsFault as fault:
        sys.exit("\n".join(fault.faults))
    refuse_used_ports(settings)
    remember_on_ram_alone(settings)
    os.execv(sys.executable, [sys.executable, str(ROOT / "deploy/supervisor.py")])  # noqa: S606


def choices() -> dict[str, str]:
    """Return the settings that PORT, OPS_PORT and STATE_DIR stand for, where they differ from the defaults."""
    port, ops_port, state_dir = (os.environ.get(name, default) for name, default in DEFAULTS.items())
    for name, value in (("PORT", port), ("OPS_PORT", ops_port)):
        if not (value.isascii() and value.isdigit() and 1 <= int(value[:6]) <= 65535):  # noqa: PLR2004
            sys.exit(f"{name} ({value!r}) must be a port from 1 to 65535: make run {name}={DEFAULTS[name]}")
    found: dict[str, str] = {}
    if port != "8080":
        found |= {"VESTIBULE_PUBLIC_URL": f"http://localhost:{port}", "VESTIBULE_SERVER__LISTEN": f"localhost:{port}"}
    if ops_port != "9180":
        found["VESTIBULE_OPS_LISTEN"] = f"127.0.0.1:{ops_port}"
    if state_dir != "var":
        found["VESTIBULE_STATE_DIR"] = str(Path(state_dir).absolute())
    return {name: value for name, value in found.items() if os.environ.get(name, value) == value}


def hand_over(state_dir: Path) -> None:
    """As root, give the state directory to the user nobody."""
    nobody = pwd.getpwnam("nobody")
    for _, folders, files, folder in os.fwalk(state_dir.resolve()):
        for name in (".", *folders, *files):
            with suppress(FileNotFoundError):  # a server that runs already removes its temporary files
                give_to(nobody, name, folder)


def give_to(user: pwd.struct_passwd, name: str, folder: int) -> None:
    """Give a user one entry of an open directory. By a path, root could follow a link that its owner made meanwhile."""
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    is_linked = stat.S_ISREG(found.st_mode) and found.st_nlink > 1  # the other name may be a file of the system
    if found.st_uid != user.pw_uid and not is_linked:
        os.chown(name, user.pw_uid, user.pw_gid, dir_fd=folder, follow_symlinks=False)


def refuse_foreign(state_dir: Path) -> None:
    """End the start where the state directory is one of the system or of another program: its owner must not change."""
    if os.path.exists(state_dir) and is_foreign(state_dir.resolve()):  # noqa: PTH110 - raises nothing
        sys.exit(f"STATE_DIR ({state_dir}) holds files of other programs or users: choose a directory of its own.")


def is_foreign(directory: Path) -> bool:
    """Whether a directory of another user holds files, and neither the service's key nor its database."""
    server = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
    if os.geteuid() == 0 and directory in {*ROOT.parents, ROOT, *Path.home().parents, Path.home()}:
        return True
    if directory == ROOT / "var" or directory.stat().st_uid == server:
        return False
    try:
        names = {path.name for path in directory.iterdir()}
    except OSError:  # a closed directory, or no directory
        return True
    return bool(names) and not names & {"secret-key", "vestibule.sqlite3"}


def refuse_used_ports(settings: "Settings") -> None:
    """End the start where a port cannot be used, and name a free one to type instead: 8080 for 80."""
    from service.listeners import fault_of, sockets

    for name, listen in (("PORT", settings.server.listen), ("OPS_PORT", settings.ops_listen)):
        for each in sockets(listen):
            if fault := fault_of(each):
                higher = range(each.port + (8000 if each.port < 1024 else 10), 65536, 10)  # noqa: PLR2004 - root's ports
                free = next((port for port in higher if not fault_of(each._replace(port=port))), 8080)
                again = shlex.join(["make", "run", f"{name}={free}", *others(name)])
                sys.exit(f"{name} {each.port} cannot be used ({fault.strerror}). With another: {again}")


def remember_on_ram_alone(settings: "Settings") -> None:
    """Where there is no RAM disk, have nginx remember nothing: its files hold tokens in clear."""
    is_there = os.path.ismount(RAM_DISK) and os.access(RAM_DISK, os.W_OK | os.X_OK)
    if settings.door.cache_seconds and settings.door.cache_dir is None and not is_there:
        os.environ["VESTIBULE_DOOR__CACHE_SECONDS"] = "0"
        print(f"There is no RAM disk at {RAM_DISK}: nginx asks the service about each request (door.cache_seconds 0).")


def others(name: str) -> list[str]:
    """Return the variables that were chosen beside `name`, as they are typed after `make run`."""
    chosen = {key: os.environ.get(key, default) for key, default in DEFAULTS.items() if key != name}
    return [f"{key}={value}" for key, value in chosen.items() if value != DEFAULTS[key]]


if __name__ == "__main__":
    main()
