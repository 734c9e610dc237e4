"""Volumes with the rights that a kubelet gives them, and the users under which containers run. Both need root."""

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.rig.servers import Servers, prepared

root_only: Final = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes volumes and becomes other users")
_FILE: Final = 0o660
_DIRECTORY: Final = 0o2770


@dataclass(frozen=True)
class User:
    """The user of a container: `runAsUser`, `runAsGroup`, and `fsGroup` as its further group."""

    uid: int
    gid: int
    fs_group: int | None = None

    def command(self, *command: str | Path) -> list[str]:
        """Return a command as this user runs it, who may read the checkout wherever it lies (deploy/unprivileged)."""
        groups = f"--groups={self.fs_group}" if self.fs_group else "--clear-groups"
        sets = [f"--{kind}=-all,+dac_read_search" for kind in ("inh-caps", "ambient-caps", "bounding-set")]
        return [
            *("setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", groups, "--no-new-privs"),
            *("--securebits=+no_setuid_fixup", *sets, *map(str, command)),
        ]


def empty_dir(path: Path, fs_group: int | None) -> Path:
    """Make a volume as the kubelet does: root's, open to all, and with `fsGroup` also given to that group (2777)."""
    path.mkdir()
    path.chmod(0o777)
    mount(path, fs_group)
    return path


def mount(volume: Path, fs_group: int | None) -> None:
    """Do what the kubelet does each time it mounts a volume: give all of it to the group, with rights to write."""
    if fs_group is not None:
        for path in (volume, *volume.rglob("*")):
            os.chown(path, -1, fs_group, follow_symlinks=False)
            if not path.is_symlink():
                path.chmod(stat.S_IMODE(path.stat().st_mode) | (_DIRECTORY if path.is_dir() else _FILE))


@contextlib.contextmanager
def pod(user: User) -> Iterator[Servers]:
    """Yield servers of this user with empty volumes for the state, the socket and nginx's files; none is started."""
    with prepared(workers=1) as servers:
        state, run = (empty_dir(servers.state_dir / name, user.fs_group) for name in ("state", "run"))
        empty_dir(servers.nginx_dir, user.fs_group)
        servers.become = user.command
        servers.environ |= {"VESTIBULE_STATE_DIR": str(state), "VESTIBULE_SERVER__SOCKET": str(run / "gunicorn.sock")}
        yield servers


def start(servers: Servers) -> None:
    """Do what the pod does: render, bring the database's tables up to date, serve."""
    for command in (("proxy", "render", "--output", str(servers.nginx_dir)), ("db", "upgrade")):
        done = servers.vestibule(*command)
        assert done.returncode == 0, done.stderr
    servers.start_gunicorn()
    servers.start_nginx()
    servers.wait_until(lambda: servers.ops("/readyz").status == 200, "/readyz answers 200")
