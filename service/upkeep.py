"""The wiring of `vestibule db …` and of what `vestibule status` reads. Other commands do not load it."""

import os
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Final

from service import healthcheck, state_dir
from service.as_owner import as_owner_of, open_unplanted
from service.services.store_state import StoreState
from service.services.upkeep import Backup, BadBackup, Progress, Rehearsal, Restored
from service.settings import Settings, apps_in_force, keep_closed, secret_keys
from service.settings.without_secrets import without_secrets
from service.storage import store_state
from service.storage.engine.database import Database
from service.storage.upkeep import backups, dump, last_backup, manifest, schema
from service.storage.upkeep.restore import restore as put_in_place
from service.text_files import decoded

_FOLDER: Final = "db-backups"
_SETTINGS: Final = "vestibule.toml"
_CHAPTER: Final = "see Backups, and restoring one, in docs/operating.md"


def read_stores(settings: Settings) -> StoreState:
    """Read the stores, whether the service runs or not."""
    return store_state.read(
        _database(settings),
        redis=settings.redis_address,
        backups=settings.state_dir / "backups",
        throttles=settings.throttles.by_scope(),
        now=int(time.time()),
    )


def upgrade(settings: Settings, wait: int) -> str:
    """Bring the database's tables to this release; return a sentence. While others hold a lock, wait so many seconds.

    Raises SettingsFault, SchemaFault, Unavailable.
    """
    keep_closed(settings)
    database, copies = _database(settings), settings.state_dir / "backups"
    return schema.upgrade(database, backups=copies, now=int(time.time()), wait=wait)


def rehearse(settings: Settings, into: str | None, say: Callable[[str], None]) -> Rehearsal:
    """Run the missing steps on a copy: of a file beside it, of a server's database in the empty one at `into`.

    Raises SettingsFault, SchemaFault, Unavailable.
    """
    from service.storage.upkeep import rehearsal  # which loads Alembic

    keep_closed(settings)
    target = Database(into, named="--into, or PGPASSFILE") if into else None
    with closing(_database(settings)) as database:
        return rehearsal.rehearse(database, target, now=int(time.time()), say=say)


def back_up(settings: Settings, folder: Path | None, show: Progress) -> tuple[Backup, tuple[str, ...]]:
    """Make a backup; return it, and the names of the files in it beside the database. Raises BadBackup."""
    keep_closed(settings)
    database, now = _database(settings), int(time.time())
    path = _file(database, settings, "pg_dump --format=plain makes its backups")
    if not path.exists():
        raise BadBackup(f"there is no database {path} yet: the first start of the service makes it")
    with closing(database), as_owner_of(path.parent):
        schema.pending(database)  # refuses another program's
    files, keys = _files(settings), _keys(settings)
    made = backups.make(path, folder or settings.state_dir / _FOLDER, files=files, keys=keys, now=now, show=show)
    _note(database, made.made_at)
    return made, tuple(files)


def verify(settings: Settings, path: Path, *, record: bool, show: Progress) -> Backup:
    """Check a backup or a dump; note it in the service's database as the last one when asked. Raises BadBackup."""
    is_directory = os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises below a closed directory
    found = backups.verify(path, show) if is_directory else dump.verify(path, show)
    if record:
        database = _database(settings)
        if (database.path is None) != (found.engine == "postgresql"):
            raise BadBackup(f"{path} is of another engine ({found.engine}) than the service's database")
        _note(database, min(found.made_at, int(time.time())))
    return found


def _note(database: Database, made_at: int) -> None:
    """Keep when the last backup was made; root works as the owner of a file."""
    with closing(database), as_owner_of(database.path.parent) if database.path else nullcontext():
        last_backup.note(database, made_at)


def restore(settings: Settings, place: Path, *, by: str, ask: Callable[[int, Path], None], show: Progress) -> Restored:
    """Put a backup in the database's place when `ask`, which gets its time and that place, returns.

    Raises BadBackup, and leaves everything as it was.
    """
    keep_closed(settings)
    path = _file(_database(settings), settings, "psql restores a dump")
    if not healthcheck.ask(str(settings.socket_path)):
        raise BadBackup(f"the service runs, and answers on {settings.socket_path}: stop it, then restore")
    found = manifest.Manifest.read(place)
    ask(found.made_at, path)
    kept, sessions = put_in_place(place, path, by=by, now=int(time.time()), show=show)
    known = set(map(manifest.fingerprint, _keys(settings)))
    return Restored(kept, sessions, known >= set(found.secret_keys))


def _database(settings: Settings) -> Database:
    return Database(settings.database_address, named=settings.database_named)


def _file(database: Database, settings: Settings, instead: str) -> Path:
    """Return the file of an SQLite database. Raises BadBackup for PostgreSQL, and where others may write the file."""
    if database.path is None:
        raise BadBackup(f"the database is PostgreSQL, whose own program {instead}: {_CHAPTER}")
    if fault := state_dir.fault_of_database(database.path, settings.state_dir):
        raise BadBackup(fault)
    for each in (database.path.parent, database.path):
        if os.path.lexists(each) and not state_dir.may(each, os.R_OK | os.W_OK):
            raise BadBackup(state_dir.remedy(each))
    return database.path


def _keys(settings: Settings) -> tuple[bytes, ...]:
    """Return the secret keys; none where none was made yet."""
    return secret_keys(settings) if settings.secret_key or settings.secret_key_file.exists() else ()


def _files(settings: Settings) -> dict[str, bytes]:
    """Return the files of the operator and of `proxy render`, by their paths in a backup. Raises BadBackup."""
    in_force = settings.nginx_dir / apps_in_force.FILE
    try:
        files = {f"apps.d/{path.name}": _content(path) for path in sorted(settings.apps_dir.glob("*.toml"))}
        if in_force.exists():
            files[in_force.name] = _content(in_force)
        cut = without_secrets(decoded(_content(settings.config))) if settings.config else None
    except OSError as fault:
        raise BadBackup(f"{fault.filename} cannot be read ({fault.strerror})") from None
    return files if cut is None else files | {_SETTINGS: cut.encode()}


def _content(path: Path) -> bytes:
    """Return a file's content. What the service's user links to, root does not give to that user in a backup."""
    with as_owner_of(path.parent) as entered:
        try:
            with os.fdopen(open_unplanted(entered / path.name), "rb") as file:
                return file.read()
        except OSError as fault:
            raise BadBackup(f"{path} cannot be read ({fault.strerror})") from None
