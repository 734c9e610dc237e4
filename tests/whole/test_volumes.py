"""Volumes as orchestrators mount them: the service starts, twice, and no other user gets in."""

import json
import os
import socket
import stat
from pathlib import Path
from typing import Final

import pytest

from tests.rig.servers import Servers
from tests.rig.volumes import User, mount, pod, root_only, start

pytestmark = root_only

IMAGE: Final = User(10001, 10001, 10001)
OPENSHIFT: Final = User(1000680000, 0, 1000680000)
EDGE: Final = User(101, 10001)
STRANGER: Final = User(4242, 4242)
TAKEN_BACK: Final = "were taken back"


def _add_account(servers: Servers) -> None:
    added = servers.vestibule("account", "add", "alice", "--password-stdin", typed="correct horse battery staple\n")
    assert added.returncode == 0, added.stderr


def _accounts(servers: Servers) -> str:
    return servers.vestibule("account", "list").stdout


def _modes(directory: Path) -> dict[str, int]:
    return {str(path): stat.S_IMODE(path.stat().st_mode) for path in (directory, *directory.rglob("*"))}


def _mount_again(servers: Servers, user: User) -> None:
    for name in ("state", "run", "nginx"):
        mount(servers.state_dir / name, user.fs_group)


@pytest.mark.parametrize(
    "user",
    [IMAGE, OPENSHIFT, User(1000680000, 0)],
    ids=["fsGroup", "OpenShift", "no fsGroup"],
)
def test_it_starts_twice_and_keeps_what_it_had(user: User) -> None:
    """On a kubelet's volumes, and again after fsGroup changed every file, the same account is there."""
    with pod(user) as servers:
        start(servers)
        _add_account(servers)
        first = servers.log("gunicorn")
        servers.stop()
        _mount_again(servers, user)
        start(servers)
        page, ping, accounts = servers.get("/").status, servers.vestibule("ping").returncode, _accounts(servers)
        second = servers.log("gunicorn")[len(first) :]

    assert (page, ping, "alice" in accounts) == (200, 0, True)
    assert TAKEN_BACK not in first
    assert second.count(TAKEN_BACK) <= 1
    assert "Traceback" not in first + second


def test_what_a_mount_gave_the_group_is_taken_back_and_said_once() -> None:
    """After the second start files are their owner's alone, the group may only enter directories; one line says so."""
    with pod(IMAGE) as servers:
        start(servers)
        servers.stop()
        _mount_again(servers, IMAGE)
        servers.start_gunicorn()
        servers.wait_until((servers.state_dir / "run/vestibule-socket/gunicorn.sock").exists, "it serves")
        state, run = servers.state_dir / "state/vestibule-state", servers.state_dir / "run/vestibule-socket"
        modes, log = _modes(state) | _modes(run), servers.log("gunicorn")

    directories = {str(state): 0o2750, str(run): 0o2750, str(run / "gunicorn.sock"): 0o660}
    assert {path: mode for path, mode in modes.items() if mode != 0o600} == directories
    assert (log.count(TAKEN_BACK), f"{state}/secret-key" in log) == (1, True)


def test_the_next_user_of_the_group_goes_on() -> None:
    """OpenShift may start with another user id: the files of the first one are used where the group is its own."""
    later = User(1000690000, 0, OPENSHIFT.fs_group)
    with pod(OPENSHIFT) as servers:
        (servers.state_dir / "state").chmod(0o2775)
        start(servers)
        _add_account(servers)
        servers.stop()
        for name in ("run", "nginx"):  # volumes that end with the pod
            (servers.state_dir / name).rename(servers.state_dir / f"{name}-before")
            (servers.state_dir / name).mkdir()
            (servers.state_dir / name).chmod(0o777)
        _mount_again(servers, later)
        servers.become = later.command
        start(servers)
        accounts = _accounts(servers)
        servers.stop()
        servers.become = STRANGER.command
        del servers.environ["VESTIBULE_SERVER__SOCKET"]
        refused = servers.vestibule("account", "list")

    assert "alice" in accounts
    assert (refused.returncode, "chmod 600" in refused.stderr) == (1, True)


def test_nginx_of_the_group_reaches_the_socket_and_no_other_user() -> None:
    """The edge's user meets the service at the path that `proxy render` wrote; a user without the group does not."""
    with pod(IMAGE) as servers:
        servers.become = IMAGE.command
        assert servers.vestibule("proxy", "render", "--output", str(servers.nginx_dir)).returncode == 0
        servers.start_gunicorn()
        servers.become = EDGE.command
        servers.start_nginx()
        servers.wait_until(lambda: servers.get("/").status == 200, "the edge reaches the service")
        path = servers.state_dir / "run/vestibule-socket/gunicorn.sock"

        assert f"unix:{path}" in (servers.nginx_dir / "upstream.conf").read_text()
        with pytest.raises(PermissionError):
            _connect_as(STRANGER, path)


def _connect_as(user: User, path: Path) -> None:
    """Connect to a socket as another user, for the moment."""
    os.setegid(user.gid)
    groups = os.getgroups()
    os.setgroups([])
    os.seteuid(user.uid)
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
    finally:
        os.seteuid(0)
        os.setgroups(groups)
        os.setegid(0)


@pytest.mark.parametrize("name", ["state/vestibule-state", "run/vestibule-socket"])
@pytest.mark.parametrize("kind", ["directory", "link"])
def test_what_another_user_planted_is_refused_by_name(name: str, kind: str) -> None:
    """In a volume that all may write to, no command uses a directory or a link that another user made there first."""
    with pod(IMAGE) as servers:
        planted, elsewhere = servers.state_dir / name, servers.state_dir / "elsewhere"
        elsewhere.mkdir()
        elsewhere.chmod(0o777)
        planted.symlink_to(elsewhere) if kind == "link" else planted.mkdir()
        os.chown(planted, STRANGER.uid, IMAGE.gid, follow_symlinks=False)
        said = [servers.vestibule(*command) for command in (("db", "upgrade"), ("proxy", "render"))]
        servers.start_gunicorn()
        code = servers.processes.pop("gunicorn").wait(20)
        log = servers.log("gunicorn")
        written = [*elsewhere.iterdir(), *planted.iterdir()]

    fault = f"{planted} was made by another user (4242): remove it"
    assert [(done.returncode, fault in done.stderr) for done in said] == [(1, True)] * 2
    assert (code, fault in log, written) == (1, True, [])


def test_nginxs_files_are_not_written_where_another_user_waits() -> None:
    """`proxy render --output` refuses a directory of another user, who could change what nginx reads."""
    with pod(IMAGE) as servers:
        planted = servers.nginx_dir / "planted"
        planted.mkdir()
        planted.chmod(0o777)
        os.chown(planted, STRANGER.uid, IMAGE.gid)

        done = servers.vestibule("proxy", "render", "--output", str(planted))

        assert (done.returncode, f"{planted} was made by another user" in done.stderr) == (1, True)
        assert [*planted.iterdir()] == []


def test_counters_lie_below_a_volume_that_the_operator_names() -> None:
    """PROMETHEUS_MULTIPROC_DIR may be a kubelet's volume: the service counts in a directory of its own there."""
    with pod(IMAGE) as servers:
        counters = servers.state_dir / "counters"
        counters.mkdir()
        counters.chmod(0o2777)
        servers.environ["PROMETHEUS_MULTIPROC_DIR"] = str(counters)
        start(servers)
        (own,) = counters.iterdir()
        mode = stat.S_IMODE(own.stat().st_mode)
        servers.stop()

        assert (mode & 0o777, [*counters.iterdir()]) == (0o700, [])


def test_every_command_says_where_the_state_lies() -> None:
    """`config show` names the directories that are really used, before and after they were made."""
    with pod(IMAGE) as servers:
        before = json.loads(servers.vestibule("config", "show", "--json").stdout)
        start(servers)
        after = json.loads(servers.vestibule("config", "show", "--json").stdout)
        values = {each["name"]: each["value"] for each in after["settings"]}

    assert before == after
    assert values["state_dir"] == f"{servers.state_dir}/state/vestibule-state"
    assert values["server.socket"] == f"{servers.state_dir}/run/vestibule-socket/gunicorn.sock"
