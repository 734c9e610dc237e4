"""`make run`: sees that gunicorn and nginx can start, and becomes their supervisor. As root, it goes on as nobody.

PORT, OPS_PORT and STATE_DIR move the two listeners and the state (8080, 9180, ./var).
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
DEFAULTS: Final = {"PORT": "8080", "OPS_PORT": "9180", "STATE_DIR": "var"}


def main() -> None:
    """Become the supervisor; where something is wrong, say it and end with 1."""
    chosen = choices()
    if os.geteuid() == 0:
        hand_over(Path((os.environ | chosen).get("VESTIBULE_STATE_DIR", ROOT / "var")))
        os.execv(ROOT / "deploy/unprivileged", ["unprivileged", sys.executable, str(Path(__file__))])  # noqa: S606
    os.environ.update(chosen)
    from service.settings import SettingsFault, load  # not before the other user is there, who would import it again

    try:
        settings = load()
    except SettingsFault as fault:
        sys.exit("\n".join(fault.faults))
    refuse_used_ports(settings)
    os.execv(sys.executable, [sys.executable, str(ROOT / "deploy/supervisor.py")])  # noqa: S606


def choices() -> dict[str, str]:
    """Return the settings that PORT, OPS_PORT and STATE_DIR stand for, where they differ from the defaults."""
    port, ops_port, state_dir = (os.environ.get(name, default) for name, default in DEFAULTS.items())
    found: dict[str, str] = {}
    if port != "8080":
        found |= {"VESTIBULE_PUBLIC_URL": f"http://localhost:{port}", "VESTIBULE_SERVER__LISTEN": f"localhost:{port}"}
    if ops_port != "9180":
        found["VESTIBULE_OPS_LISTEN"] = f"127.0.0.1:{ops_port}"
    if state_dir != "var":
        found["VESTIBULE_STATE_DIR"] = str(Path(state_dir).absolute())
    return {name: value for name, value in found.items() if os.environ.get(name, value) == value}


def hand_over(state_dir: Path) -> None:
    """Give the state directory to the user nobody (as root). Stops where that could give away files of others."""
    nobody = pwd.getpwnam("nobody")
    if not may_hand_over(state_dir, nobody.pw_uid):
        sys.exit(f"STATE_DIR ({state_dir}) holds what is not ours: choose a directory of its own.")
    state_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
    for _, folders, files, folder in os.fwalk(state_dir.resolve()):
        for name in (".", *folders, *files):
            with suppress(FileNotFoundError):  # a server that runs already removes its temporary files
                give_to(nobody, name, folder)


def give_to(user: pwd.struct_passwd, name: str, folder: int) -> None:
    """Give a user one entry of an open folder. By a path, its owner could have a link followed out of it meanwhile."""
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    is_linked = stat.S_ISREG(found.st_mode) and found.st_nlink > 1  # the other name may be a file of the system's
    if found.st_uid != user.pw_uid and not is_linked:
        os.chown(name, user.pw_uid, user.pw_gid, dir_fd=folder, follow_symlinks=False)


def may_hand_over(state_dir: Path, nobody: int) -> bool:
    """Whether a directory is new, empty, or known for ours: nobody's already, or with our key or database in it."""
    if state_dir.resolve() in {*ROOT.parents, ROOT, *Path.home().parents, Path.home()}:
        return False
    if not state_dir.exists() or state_dir.resolve() == ROOT / "var" or state_dir.stat().st_uid == nobody:
        return True
    names = {path.name for path in state_dir.iterdir()}
    return not names or bool(names & {"secret-key", "vestibule.sqlite3"})


def refuse_used_ports(settings: "Settings") -> None:
    """End the start where a port cannot be used, with a free one to type instead: 8080 for 80."""
    from service.listeners import fault_of, sockets

    for name, listen in (("PORT", settings.server.listen), ("OPS_PORT", settings.ops_listen)):
        for each in sockets(listen):
            if fault := fault_of(each):
                higher = range(each.port + (8000 if each.port < 1024 else 10), 65536, 10)  # noqa: PLR2004 - root's ports
                free = next((port for port in higher if not fault_of(each._replace(port=port))), 8080)
                again = shlex.join(["make", "run", f"{name}={free}", *others(name)])
                sys.exit(f"{name} {each.port} cannot be used ({fault.strerror}). With another: {again}")


def others(name: str) -> list[str]:
    """Return what was chosen beside the variable NAME, as it is typed after `make run`."""
    chosen = {key: os.environ.get(key, default) for key, default in DEFAULTS.items() if key != name}
    return [f"{key}={value}" for key, value in chosen.items() if value != DEFAULTS[key]]


if __name__ == "__main__":
    main()
