"""A migration on a disk that is full, or gets full: the sentence says so, and the database is as before."""

from pathlib import Path

import pytest

from service.services import Unavailable
from service.services.upkeep import BadBackup
from service.storage.upkeep.restore import restore
from tests.rig.small_disk import FILLING, fill, small_disk
from tests.rig.volumes import root_only
from tests.storage.backups import backed_up
from tests.storage.conftest import without_wal
from tests.storage.place import HEAD, LATER, Place
from tests.storage.stores import NOW, account, over


@root_only
@pytest.mark.parametrize(
    "room", [0, 0.5, 1.5], ids=["nothing fits", "no copy fits", "the copy fits, the step does not"]
)
def test_nothing_is_half_migrated(tmp_path: Path, request: pytest.FixtureRequest, room: float) -> None:
    """The start is refused and names the disk, nothing is left behind; with space again the migration is done."""
    with small_disk(tmp_path / "disk", kilobytes=8192) as disk:
        disk.chmod(0o700)
        place = Place(disk / "state")
        database = place.prepare()
        stores = over(database)
        with stores.transaction():
            for number in range(5000):
                stores.accounts.add(account(f"person-{number}"))
        database.close()
        request.getfixturevalue("later_release")
        filling = fill(disk)
        _leave(filling, int(room * place.file.stat().st_size))

        with pytest.raises(Unavailable) as refused:
            place.prepare()
        copies = [path.suffix for path in place.state_dir.glob("backups/*")]
        filling.unlink()
        revision = place.sql("SELECT version_num FROM alembic_version")
        place.prepare().close()

        assert f"the disk of {place.state_dir}" in str(refused.value)
        assert "is full (" in str(refused.value)
        assert (revision, copies) == ([(HEAD,)], [".sqlite3"] if room > 1 else [])
        assert place.sql("SELECT version_num FROM alembic_version") == [(LATER,)]
        assert place.sql("SELECT count(*) FROM accounts") == [(5000,)]


@root_only
@pytest.mark.parametrize("journal", ["wal", "truncate"])
def test_a_disk_that_gets_full_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: str) -> None:
    """A backup and a restore say so, and not that the backup was damaged; nothing of them stays."""
    if journal == "truncate":
        without_wal(monkeypatch)
    with small_disk(tmp_path / "disk", kilobytes=48 * 1024) as disk:
        disk.chmod(0o700)
        place = Place(disk / "state")
        place.prepare().close()
        place.sql("CREATE TABLE filling (content)", "INSERT INTO filling VALUES (zeroblob(9437184))")
        made = backed_up(place.file, tmp_path / "elsewhere").path
        before = {path.name for path in place.state_dir.iterdir()}

        def get_full(step: str, *_: int) -> None:
            if step == "Copying":
                _leave(fill(disk), 100_000)

        for use in (
            lambda: backed_up(place.file, place.state_dir / "db-backups", show=get_full),
            lambda: restore(made, place.file, by="", now=NOW, show=get_full),
        ):
            with pytest.raises(BadBackup, match=r"the disk got full|the disk of .* is full"):
                use()
            (disk / FILLING).unlink()

        assert list(place.state_dir.glob("db-backups/*")) == []
        assert {path.name for path in place.state_dir.iterdir()} - before <= {"db-backups"}
        assert place.sql("SELECT count(*) FROM filling") == [(1,)]


def _leave(filling: Path, size: int) -> None:
    """Give back so many bytes of a disk that is full."""
    with filling.open("r+b") as file:
        file.truncate(filling.stat().st_size - size)
