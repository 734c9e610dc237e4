"""Which files are written: those of the table in docs/install.md, and no others."""

import fnmatch
import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from tests.house_rules.project import read
from tests.rig.parts import need
from tests.rig.servers import VESTIBULE, Servers
from tests.rig.volumes import User, empty_dir, pod, root_only

pytestmark = root_only

USER: Final = User(10001, 10001, 10001)
COMMANDS: Final = (
    *(("config", "check"), ("ping",), ("setup", "link"), ("account", "list"), ("session", "list"), ("audit", "list")),
    *(("attempts", "list"), ("block", "add", "192.0.2.0/24", "--for", "1h"), ("block", "list"), ("db", "upgrade")),
    ("db", "backup"),
)
# Where the volumes of this test lie in the images.
PLACES: Final = {
    **dict.fromkeys(("state/vestibule-state", "state"), "/var/lib/vestibule"),
    **dict.fromkeys(("run/vestibule-socket", "run"), "/run/vestibule"),
    "prefix": "/tmp",  # noqa: S108
}
# Everything but the arguments after "--" is mounted read-only; a directory that stays writeable ends it with 9.
READ_ONLY: Final = """
for path; do [ "$path" = -- ] && break; mount --bind "$path" "$path"; done
while read -r _ _ _ _ target _; do
  case " $* " in *" $target "*--*) ;; *) mount -o remount,bind,ro "$target" 2>/dev/null ;; esac
done </proc/self/mountinfo
for path in / /tmp /var/tmp /etc /run "$PWD"; do [ ! -w "$path" ] || exit 9; done
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
"""
CALLS: Final = (
    "chdir,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mknod,mknodat,bind"
)
NAMED: Final = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?(?:sun_path=)?"([^"]+)"')


def _is_writing(call: str) -> bool:
    """Whether a call may have made or changed a file. Those that failed did not."""
    opens = call.startswith("open")
    return not re.search(r"= -1 E|AF_INET", call) and (not opens or bool(re.search("O_WRONLY|O_RDWR|O_CREAT", call)))


def _written(trace: Path) -> set[str]:
    """Return every path in the traces, of which each process has its own."""
    return {path for file in trace.iterdir() for path in _written_by(file.read_text(errors="replace").splitlines())}


def _written_by(calls: list[str]) -> Iterator[str]:
    """Yield the paths that one process wrote to."""
    working_directory = "/"
    for call in filter(_is_writing, calls):
        named = NAMED.findall(call)
        for directory, name in named[1:] if call.startswith("symlink") else named:  # what a link says is no path
            path = os.path.normpath(Path(directory or working_directory, name))
            if call.startswith("chdir"):
                working_directory = path
            else:
                yield path


def _in_the_table() -> list[str]:
    """Return the patterns of the table's first column."""
    section = read("docs/install.md").partition("## Files that are written")[2].partition("\n## ")[0]
    return [
        path
        for line in section.splitlines()
        if line.startswith("| `")
        for path in re.findall(r"`(/[^`]+)`", line.split("|")[1])
    ]


def _confine(servers: Servers, prefix: Path, trace: Path) -> None:
    """Have each process run in a file system that is read-only but for the volumes and /dev/shm, and be traced."""
    volumes = [servers.state_dir / name for name in ("state", "run")]
    writeable = (*volumes, prefix, trace, "/dev/shm")  # noqa: S108
    traced = (need("strace"), "-D", "-ff", "-y", "-qq", "-A", "-o", trace / "calls", "-e", f"trace={CALLS}")
    inside = ("unshare", "--mount", "sh", "-c", READ_ONLY, "sh", *writeable, "--", *traced)
    servers.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # as in the image
    servers.become = lambda *command: [*map(str, inside), *USER.command(*command)]
    done = subprocess.run(servers.become("true"), capture_output=True, text=True, check=False)
    if done.returncode:
        reason = f"no read-only file system, or no tracing, in this container: {done.returncode} {done.stderr}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def _make_older(servers: Servers) -> None:
    """Take the last migrations back, so that the next `db upgrade` keeps a copy."""
    file = servers.state_dir / "state/vestibule-state/vestibule.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(
            "ALTER TABLE schema_info RENAME TO house; ALTER TABLE accounts DROP COLUMN device_cookies_after;"
            "DROP TABLE app_passwords;"
            "UPDATE alembic_version SET version_num = '0002'"
        )


def _use(servers: Servers, prefix: Path) -> list[int]:
    """Do what an operator and a person do, twice started; return the exit codes of all commands."""
    nginx_dir = servers.state_dir / "run/nginx"
    codes = [servers.vestibule("proxy", "render", "--output", str(nginx_dir)).returncode]
    codes.append(servers.vestibule("db", "upgrade").returncode)
    _make_older(servers)
    codes.append(servers.vestibule("db", "rehearse").returncode)
    for _ in range(2):
        codes.append(servers.vestibule("db", "upgrade").returncode)
        servers.start_gunicorn()
        command = [str(need("nginx")), "-e", "stderr", "-p", f"{prefix}/", "-c", str(nginx_dir / "nginx.conf")]
        servers._spawn("nginx", [*command, "-g", "daemon off;"], servers.environ)
        servers.wait_until(lambda: servers.ops("/readyz").status == 200, "/readyz answers 200")
        form = b"username=alice&password=wrong" + b"&rd=" + b"x" * 9000
        servers.get("/", method="POST", body=form, Content_Type="application/x-www-form-urlencoded")
        servers._spawn("metrics", [*VESTIBULE, "proxy", "metrics", str(prefix)], servers.environ)
        servers.wait_until(lambda: servers.ops("/edge/metrics").status == 200, "nginx's requests are counted")
        codes += [servers.ops("/metrics").status - 200, servers.get("/").status - 200]
        codes += [servers.vestibule(*command).returncode for command in COMMANDS]
        servers.stop()
    backup = next((servers.state_dir / "state/vestibule-state/db-backups").iterdir())
    codes.append(servers.vestibule("db", "restore", str(backup), "--yes").returncode)
    return codes


def test_nothing_else_is_written() -> None:
    """With a read-only root all works, and every file that any process makes, changes or opens to write is listed."""
    with pod(USER) as servers:
        prefix, trace = (empty_dir(servers.state_dir / name, None) for name in ("prefix", "trace"))
        _confine(servers, prefix, trace)
        codes = _use(servers, prefix)
        written = _written(trace)
        for place, shown in PLACES.items():
            top = str(servers.state_dir / place)
            written = {shown + path.removeprefix(top) if f"{path}/".startswith(f"{top}/") else path for path in written}

    listed = _in_the_table()
    assert set(codes) == {0}
    seen = {*written, *(f"{path}/" for path in written)}  # a directory counts as what is in it
    matched = {path.removesuffix("/") for each in listed for path in fnmatch.filter(seen, each)}
    assert written - matched - {*PLACES.values()} == set()
    assert {each for each in listed if not fnmatch.filter(seen, each)} == set()
