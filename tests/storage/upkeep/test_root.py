"""Root at work in directories of other users: with their rights, so that they lead root nowhere."""

import json
import os
import shutil
import subprocess
from collections import UserDict
from collections.abc import Callable, ItemsView
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from service.as_owner import as_owner_of
from service.services.upkeep import BadBackup
from service.storage.upkeep.restore import restore
from tests.rig.servers import VESTIBULE
from tests.settings.nobody import root_only
from tests.storage.backups import backed_up, silent
from tests.storage.place import Place
from tests.storage.stores import NOW

pytestmark = root_only
OWNER: Final = (4711, 4712)


@pytest.fixture
def place(memory_path: Path) -> Place:
    """The state directory of another user, with a database, a backup, and a directory of root's beside it."""
    os.chown(memory_path, *OWNER)
    (place := Place(memory_path / "state")).prepare().close()
    assert place.file.stat().st_uid == OWNER[0]
    (memory_path / "foreign").mkdir()
    return place


def owners(path: Path) -> set[tuple[int, int]]:
    """Return the users and groups of a directory and of all that is in it."""
    return {(each.stat().st_uid, each.stat().st_gid) for each in (path, *path.rglob("*"))}


def test_a_backup_belongs_to_the_folders_owner(place: Place) -> None:
    """One that root typed can be read and removed by the service; in a folder of root's it stays root's."""
    files = {"apps.d/wiki.toml": b""}

    assert owners(backed_up(place.file, place.state_dir / "db-backups", files=files).path) == {OWNER}
    assert owners(backed_up(place.file, place.state_dir.parent / "foreign").path) == {(0, 0)}
    assert (os.geteuid(), os.getegid()) == (0, 0)


def test_threads_of_root_work_one_after_the_other(memory_path: Path) -> None:
    """The user and the working directory belong to the process: two threads at once would leave it in a wrong one."""
    before, users = Path.cwd(), range(64)
    for user in users:
        (memory_path / str(user)).mkdir()
        os.chown(memory_path / str(user), user, user)

    def work(user: int) -> bool:
        with as_owner_of(memory_path / str(user)):
            return all((Path.cwd().name, os.geteuid()) == (str(user), user) for _ in range(100))

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(work, users))
    assert (Path.cwd(), os.geteuid(), os.getegid()) == (before, 0, 0)


class Files(UserDict[str, bytes]):
    """The app of a backup: before its file is written, after the database, something happens."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__({"apps.d/wiki.toml": b""})
        self.happens = happens

    def items(self) -> ItemsView[str, bytes]:
        """Return the file."""
        self.happens()
        return super().items()


@pytest.mark.parametrize("verb", ["backup", "restore"])
def test_root_writes_nothing_where_the_owner_leads_it(place: Place, verb: str) -> None:
    """The owner may put a link to another database in the place of the directory that root works in, at any moment."""
    foreign = place.state_dir.parent / "foreign"
    made = backed_up(place.file, foreign).path
    shutil.copy(made / place.file.name, foreign)
    swapped: list[Path] = []

    def found() -> dict[Path, tuple[int, bytes]]:
        return {path: (path.stat().st_mode, path.read_bytes()) for path in foreign.rglob("*") if path.is_file()}

    def swap(*_: object) -> None:
        if not swapped:
            swapped.extend(each for each in place.state_dir.iterdir() if each.name.startswith("."))
            (unfinished,) = swapped
            unfinished.rename(place.state_dir / "moved")
            unfinished.symlink_to(foreign)

    before = found()

    with suppress(BadBackup, OSError):
        if verb == "backup":
            backed_up(place.file, place.state_dir, files=Files(swap))
        else:
            restore(made, place.file, by="", now=NOW, show=swap)

    assert swapped
    assert found() == before


def test_a_folder_of_a_third_user_is_named(place: Place) -> None:
    """Its owner may not read the database, so root writes no backup there; directories of whom are named."""
    (folder := place.state_dir.parent / "third").mkdir()
    os.chown(folder, 4713, 4713)
    place.state_dir.parent.chmod(0o755)

    with pytest.raises(BadBackup, match=f"owner .user 4713. may not use {place.file}: name a directory of root's"):
        backed_up(place.file, folder)


def test_the_owner_need_not_reach_the_directory(place: Place) -> None:
    """A checkout below a directory that only root may enter: a backup is made and restored there."""
    os.chown(place.state_dir.parent, 0, 0)

    made = backed_up(place.file, place.state_dir / "db-backups").path
    restore(made, place.file, by="", now=NOW, show=silent)

    assert owners(place.state_dir) == {OWNER}


def test_a_link_of_root_is_followed(place: Place) -> None:
    """A state directory that root put elsewhere; one that another user links to root's directory is refused."""
    ours, theirs = (place.state_dir.with_name(name) for name in ("ours", "theirs"))
    ours.symlink_to(place.state_dir)
    theirs.symlink_to(place.state_dir.parent / "foreign")
    os.chown(theirs, *OWNER, follow_symlinks=False)

    with as_owner_of(ours):
        assert os.geteuid() == OWNER[0]
    with pytest.raises(PermissionError, match="a symbolic link of another user"), as_owner_of(theirs):
        pass


def test_a_backup_of_root_is_restored_for_the_owner(place: Place) -> None:
    """Root alone may read it; the database that it becomes belongs to the service's user."""
    made = backed_up(place.file, place.state_dir.parent / "foreign").path

    restore(made, place.file, by="", now=NOW, show=silent)

    assert owners(place.state_dir) == {OWNER}


def test_what_root_types_belongs_to_the_owner(memory_path: Path) -> None:
    """All of `db …`, from no database on, at a terminal, with Python where its owner may not read."""
    os.chown(memory_path, *OWNER)
    terminal, ours = os.openpty()

    def typed(*words: str) -> str:
        environ = {"VESTIBULE_STATE_DIR": str(memory_path), "PATH": os.defpath}
        done = subprocess.run([*VESTIBULE, "db", *words], env=environ, stdout=subprocess.PIPE, stderr=ours, check=False)
        assert done.returncode == 0, os.read(terminal, 10_000)
        return done.stdout.decode()

    typed("upgrade")
    made = json.loads(typed("backup", "--json"))["path"]
    typed("verify", "--record", made)
    typed("restore", "--yes", made)

    assert owners(memory_path) == {OWNER}
    os.close(ours)
    os.close(terminal)
