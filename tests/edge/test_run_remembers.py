"""Where nginx remembers under `make run`: on the RAM disk, in a directory of its own that goes with it."""

import signal
import stat

from tests.rig.make_run import Run, end, gone, run
from tests.rig.until import until


def test_it_is_on_the_ram_disk_and_ends_with_the_run(started: Run) -> None:
    """Other users can neither read nor have made it, and nothing of it is left."""
    remembered = (started.state_dir / "nginx" / "door_cache").readlink()
    found = remembered.lstat()

    assert remembered.match("/dev/shm/vestibule-door-*")  # noqa: S108 - what is promised
    assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o700, (started.state_dir / "secret-key").stat().st_uid)
    end(started, signal.SIGTERM)
    assert not remembered.exists()


def test_what_a_killed_run_left_the_next_one_removes(started: Run) -> None:
    """After `kill -9` tokens stay on the RAM disk until the next start on the same state directory, and no longer."""
    link, servers = started.state_dir / "nginx" / "door_cache", started.servers()
    left = link.readlink()
    started.process.kill()
    until(lambda: gone(servers), "all servers are gone")
    (left / "0123456789abcdef").touch()

    with run(started.state_dir, started.port, started.ops_port) as again:
        again.wait_until_ready()
        assert not left.exists()
        assert link.readlink().is_dir()
        end(again, signal.SIGTERM)
