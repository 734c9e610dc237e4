"""The nginx that runs: it tests new files before they count, and reads them. `prefix` is its directory (-p)."""

import errno
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from service.listeners import Listener, fault_of

_PATH: Final = os.pathsep.join(
    (os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin", "/opt/homebrew/bin")
)
_FAULT: Final = re.compile(r".*\[emerg\] (?:[0-9]+#[0-9]+: )?(.*)")
_LISTEN: Final = re.compile(rb"^ *listen (?:\[([0-9a-f:]+)\]|([0-9.]+)):([0-9]+)\b", re.MULTILINE)
# The nginx that runs may have a right to ports below 1024 that a test of its files has not.
_PORT_BELOW_1024: Final = re.compile(r"bind\(\) to \S+ failed \(13: .*")


def tell(prefix: Path, what: str) -> None:
    """Send a signal to nginx (`0`: none), as the user that it runs as: that user wrote which process it is.

    Raises ValueError when no nginx runs there that this user may tell.
    """
    try:
        done = _run(prefix, "/bin/sh", "-c", 'read -r process < nginx.pid && kill -"$1" "$process"', "sh", what)
        fault = done.stderr.decode(errors="replace").strip().rpartition(": ")[2] if done.returncode else ""
    except OSError as failed:
        fault = failed.strerror or str(failed)
    if fault:
        raise ValueError(
            f"no nginx runs in {prefix} that this user may tell ({fault}): start it, type the command as root, or "
            "leave out --reload"
        )


def refuse_used_ports(directory: Path, files: Mapping[str, bytes]) -> None:
    """Raise ValueError for a new port of nginx that is used: `nginx -t` overlooks that, and a reload fails by it."""
    here = [path.read_bytes() for pattern in ("*.conf", "apps/*.conf") for path in directory.glob(pattern)]
    for each in sorted(_listeners(files.values()) - _listeners(here)):
        if (fault := fault_of(each)) and fault.errno == errno.EADDRINUSE:
            raise ValueError(
                f"another program listens at {each}: choose another port for the app's address, or end that program. "
                "Where it is this nginx, which was not told of an earlier change: leave out --reload once"
            )


def _listeners(texts: Iterable[bytes]) -> set[Listener]:
    found = (match for text in texts for match in _LISTEN.findall(text))
    return {Listener((six or four).decode(), int(port)) for six, four, port in found}


def test(directory: Path, prefix: Path) -> None:
    """Have nginx read the files of a directory as its own user; nothing changes. Raises ValueError with its words."""
    program = shutil.which("nginx", path=_PATH)
    if program is None:
        raise ValueError("nginx is not installed here, so the new files cannot be tested: leave out --reload")
    conf = os.path.relpath(directory / "nginx.conf", prefix)
    done = _run(prefix, program, "-t", "-q", "-e", "stderr", "-p", "./", "-c", conf)
    said = done.stderr.decode(errors="replace")
    faults = _FAULT.findall(said)
    refused = [fault for fault in faults if not _PORT_BELOW_1024.fullmatch(fault)]
    if done.returncode and (refused or not faults):
        words = "; ".join(refused) or said.strip() or f"it ended with {done.returncode}"
        raise ValueError(f"nginx refuses the new files, which are in {directory}: {words}")


def _run(prefix: Path, *command: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command in nginx's directory and as its owner, who may not be allowed to enter the directories above."""
    return subprocess.run(  # noqa: S603 - the system's shell and nginx
        command, cwd=prefix, env=os.environ | {"LC_ALL": "C"}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, check=False, **_user(prefix),
    )  # fmt: skip


def _user(prefix: Path) -> dict[str, Any]:
    """Return what makes root's child the owner of nginx's directory, in all groups of that user."""
    if os.geteuid() != 0:
        return {}
    owner = prefix.stat()
    try:
        groups = os.getgrouplist(pwd.getpwuid(owner.st_uid).pw_name, owner.st_gid)
    except KeyError:
        groups = []
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": groups}
