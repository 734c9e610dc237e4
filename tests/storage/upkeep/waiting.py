"""An upgrade that waits in a thread beside a test, and reports every attempt."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from service.storage.engine.database import Database
from service.storage.upkeep import lock_wait, schema
from tests.storage.stores import NOW


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Report every attempt, with short pauses."""
    monkeypatch.setattr(lock_wait, "REPORT_SECONDS", 0)
    monkeypatch.setattr(lock_wait, "SHORT_SECONDS", 0)
    monkeypatch.setattr(lock_wait, "PAUSE_SECONDS", 0.01)


@contextmanager
def upgrading(address: str) -> Iterator[list[str]]:
    """Upgrade in a thread beside the block; what it said is in the list afterwards."""
    said: list[str] = []
    with ThreadPoolExecutor() as thread, closing(Database(address)) as database:
        done = thread.submit(schema.upgrade, database, backups=Path("nowhere"), now=NOW, wait=30)
        yield said
        said.append(done.result())
