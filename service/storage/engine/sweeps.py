"""Deleting expired rows as new ones are written (docs/decisions/0004-expired-rows.md)."""

import itertools
from typing import Any, Final

import sqlalchemy as sa

from service.storage.engine.database import Rows
from service.storage.engine.statement import Statement

SWEPT_AT_ONCE: Final = 200


def deletion(key: sa.Column[Any], expired: sa.ColumnElement[bool]) -> sa.Delete:
    """Delete at most `:most` expired rows, and none that another transaction has locked.

    A common table expression, because PostgreSQL may run a subquery with a limit several times.
    """
    found = sa.select(key).where(expired).limit(sa.bindparam("most")).with_for_update(skip_locked=True).cte("found")
    return sa.delete(key.table).where(key.in_(sa.select(found)))


class Sweep:
    """Deletes the rows whose `column` is not after a given time, all or `only` some, at every so many calls."""

    def __init__(
        self,
        rows: Rows,
        key: sa.Column[Any],
        column: sa.Column[Any],
        *,
        every: int,
        only: sa.ColumnElement[bool] | None = None,
    ) -> None:
        self._rows = rows
        self._every = every
        self._calls = itertools.count(1)
        expired = column <= sa.bindparam("before")
        self._statement = Statement(deletion(key, expired if only is None else expired & only))

    def count(self, *, before: float) -> None:
        """Count one call, and delete expired rows when it is their turn. Raises Unavailable."""
        if next(self._calls) % self._every == 0:
            self._rows.run(self._statement, before=before, most=SWEPT_AT_ONCE)
