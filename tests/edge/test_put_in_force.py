"""nginx's files come into force together: tested by nginx, safe wherever that stops, or not at all."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from service.app import render_nginx_files
from service.edge import in_force, nginx_process
from service.settings import load
from tests.edge.conftest import ECHO
from tests.rig.asking import ask, free_port
from tests.rig.directories import give_away, server_directory
from tests.rig.processes import children
from tests.rig.servers import Servers, running
from tests.settings import nobody

NAMES: Final = ("apps.json", "apps/notes.conf", "apps/wiki.conf", "errors/404.html", "nginx.conf", "site.conf")
OLD: Final = dict.fromkeys(NAMES, b"old")
NEW: Final = dict.fromkeys((*NAMES, "static/2/style.css"), b"new")


@pytest.fixture
def servers() -> Iterator[Servers]:
    """Servers that this file may break; as before after each test."""
    with running(application=ECHO, workers=1) as own:
        yield own


def contents(directory: Path) -> dict[str, bytes]:
    """Return every file by its name below a directory; not what nginx writes there itself."""
    files = (path for path in directory.rglob("*") if path.is_file() and path.suffix not in {".pid", ".count"})
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def started(action: Callable[[], None]) -> int:
    """Start a process that ends with 0 when the action succeeds; return its id."""
    if (child := os.fork()) == 0:
        try:
            action()
            os._exit(0)
        finally:
            os._exit(1)
    return child


def ended(child: int) -> int:
    """Wait for a process; return its exit code."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def put_until(directory: Path, stop: int) -> int:
    """Put the new files in force, in a process that ends before its nth rename; return its exit code."""

    def put() -> None:
        renames = count(1)
        sys.addaudithook(lambda event, _: os._exit(9) if event == "os.rename" and next(renames) == stop else None)
        in_force.put(directory, NEW)

    return ended(started(put))


def test_wherever_it_stops_what_stands_there_is_safe(tmp_path: Path) -> None:
    """Killed before any of its renames, each file is whole, and none of nginx's is newer than the judged set."""
    for stop in count(1):
        in_force.put(directory := tmp_path / str(stop), OLD)
        code = put_until(directory, stop)

        there = {name: (directory / name).read_bytes() for name in NAMES}
        assert set(there.values()) <= {b"old", b"new"}
        changed = {name for name in NAMES if there[name] == b"new"}
        assert there["apps.json"] == b"new" or changed <= {"errors/404.html"}
        assert there["nginx.conf"] == b"old" or changed == {*NAMES}
        in_force.put(directory, NEW)
        assert contents(directory) == NEW
        if code == 0:
            break
    assert stop == len(NEW) + 1


def test_two_at_once_leave_the_files_of_one(tmp_path: Path) -> None:
    """Of an operator and a start, say: the second waits, and nothing of the first is left."""
    sets = [{f"{number}/{name}": who for number in range(9) for name in NAMES} for who in (b"one", b"two")]

    def put(files: dict[str, bytes]) -> None:
        for _ in range(5):
            in_force.put(tmp_path, files)

    processes = [started(partial(put, files)) for files in sets]

    assert [ended(process) for process in processes] == [0, 0]
    assert contents(tmp_path) in sets


def test_an_app_that_is_gone_loses_its_file(tmp_path: Path) -> None:
    """The operator's files stay, and those of earlier releases, which pages that are open still ask for."""
    in_force.put(tmp_path, OLD | {"static/1/style.css": b"old"})
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls/server-tls.conf").write_bytes(b"mine")
    files = {name: NEW[name] for name in NEW if name != "apps/notes.conf"}

    in_force.put(tmp_path, files)

    assert contents(tmp_path) == files | {"static/1/style.css": b"old", "tls/server-tls.conf": b"mine"}


def test_files_are_as_open_as_their_directory(tmp_path: Path) -> None:
    """nginx, in the group of the directory, reads what an operator renders in a shell with a strict umask."""
    tmp_path.chmod(0o750)
    before = os.umask(0o077)
    try:
        in_force.put(tmp_path, NEW)
    finally:
        used = os.umask(before)

    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert (modes, used) == ({True: 0o750, False: 0o640}, 0o077)


def test_what_an_earlier_call_left_is_no_obstacle(tmp_path: Path) -> None:
    """Neither files of a call that was killed nor those that nginx refused."""
    (tmp_path / in_force.NEW / "apps").mkdir(parents=True)
    (tmp_path / in_force.NEW / "apps/old.conf").touch()

    in_force.put(tmp_path, NEW)

    assert contents(tmp_path) == NEW


def test_a_reload_puts_new_files_in_force(servers: Servers) -> None:
    """nginx tests them and reads them; the same process goes on, with new workers."""
    nginx, port = servers.processes["nginx"], free_port()
    servers.environ["VESTIBULE_SERVER__LISTEN"] += f",localhost:{port}"

    done = servers.vestibule("proxy", "render", "--reload")

    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"{servers.nginx_dir}\n",
        "nginx's files that differ: listen.conf\n",
    )
    servers.wait_until(lambda: ask(port, "/").status == 200, "nginx listens on the other port, too")
    assert nginx.poll() is None
    assert not (servers.nginx_dir / in_force.NEW).exists()


def test_what_nginx_refuses_changes_nothing(servers: Servers) -> None:
    """The message is nginx's own, with the line; nginx goes on with the files that it has, which a restart reads."""
    (servers.nginx_dir / "tls").mkdir(exist_ok=True)
    (servers.nginx_dir / "tls/server-odd.conf").write_text("listen 127.0.0.1:1;\nnonsense;\n")
    servers.environ["VESTIBULE_LIMITS__EDGE_POST_PER_SECOND"] = "77"
    before, workers = contents(servers.nginx_dir), children(servers.processes["nginx"].pid)

    done = servers.vestibule("proxy", "render", "--reload")

    assert (done.returncode, done.stdout) == (1, "")
    new = servers.nginx_dir / in_force.NEW
    said = f'unknown directive "nonsense" in ./{in_force.NEW}/tls/server-odd.conf:2'
    assert done.stderr.endswith(f"were not written: nginx refuses the new files, which are in {new}: {said}\n")
    after = contents(servers.nginx_dir)
    assert {name: after[name] for name in after if not name.startswith(in_force.NEW)} == before
    assert children(servers.processes["nginx"].pid) == workers


@nobody.root_only
def test_root_reloads_for_both_owners(servers: Servers) -> None:
    """As in deploy/systemd: root writes for the owner of the files, and tests and tells as nginx's own user."""
    servers.end("nginx")
    for path in (servers.nginx_dir, *servers.nginx_dir.rglob("*")):
        os.chown(path, 4711, 4711)
    servers.environ["VESTIBULE_LIMITS__EDGE_POST_PER_SECOND"] = "77"
    with server_directory("prefix") as prefix:
        servers.start_nginx(prefix)
        nginx = servers.processes["nginx"].pid
        servers.wait_until(lambda: children(nginx) != set(), "nginx runs")
        before = children(nginx)

        servers.become = lambda *command: [*command]
        done = servers.vestibule("proxy", "render", "--reload", "--prefix", str(prefix))

        assert (done.returncode, done.stderr) == (0, "nginx's files that differ: limits.conf\n")
        servers.wait_until(lambda: not before & children(nginx), "all workers are new")
        servers.end("nginx")
    assert {path.stat().st_uid for path in (servers.nginx_dir, *servers.nginx_dir.rglob("*"))} == {4711}


@nobody.root_only
def test_a_planted_process_id_is_told_by_nginxs_user_alone(servers: Servers) -> None:
    """Root does not signal a process of root's because a file of nginx's user names it."""
    servers.become = lambda *command: list(command)
    (servers.nginx_dir / "nginx.pid").write_text(f"{os.getpid()}\n")
    told: list[object] = []
    before = signal.signal(signal.SIGHUP, lambda *_: told.append(1))
    try:
        done = servers.vestibule("proxy", "render", "--reload")
    finally:
        signal.signal(signal.SIGHUP, before)

    assert (done.returncode, told) == (1, [])
    assert "(Operation not permitted)" in done.stderr


def test_a_port_below_1024_is_no_fault() -> None:
    """The nginx that runs may have a capability for it, as in deploy/systemd; the test of its files has not."""
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 1:
        pytest.skip("every user may listen on port 1 here")
    with server_directory("prefix") as prefix:
        for name, content in render_nginx_files(load({"VESTIBULE_SERVER__LISTEN": "127.0.0.1:1"}), prefix).items():
            (prefix / name).parent.mkdir(parents=True, exist_ok=True)
            (prefix / name).write_bytes(content)
        give_away(prefix)

        nginx_process.test(prefix, prefix)

        (prefix / "limits.conf").write_text("nonsense;")
        with pytest.raises(ValueError, match="nonsense"):
            nginx_process.test(prefix, prefix)


def test_without_nginx_a_reload_changes_nothing(servers: Servers) -> None:
    """The operator is told to start it, or to leave the option out."""
    servers.end("nginx", signal.SIGKILL)
    before = contents(servers.nginx_dir)
    servers.environ["VESTIBULE_LIMITS__EDGE_POST_PER_SECOND"] = "77"

    done = servers.vestibule("proxy", "render", "--reload")

    assert done.returncode == 1
    assert f"no nginx runs in {servers.nginx_dir} that this user may tell (No such process): start it" in done.stderr
    assert contents(servers.nginx_dir) == before
