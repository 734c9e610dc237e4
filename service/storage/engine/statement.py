"""Statements and tables as all stores write them: one SQL for both engines.

A statement is compiled once and handed to the driver (a session look-up through SQLAlchemy's connection
costs four times as much).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa

Row = tuple[Any, ...]
Parameters = Mapping[str, Any] | tuple[Any, ...]

metadata: Final = sa.MetaData()
# Text that sorts by its bytes on both engines, in every locale of the server.
Plain: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def given(column: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """Whether the column has the value that is given under its name."""
    return column == sa.bindparam(column.name)


def values_of(columns: Iterable[sa.Column[Any]], record: object) -> dict[str, Any]:
    """Return what the record holds for each column, by the column's name."""
    return {column.name: getattr(record, column.name) for column in columns}


class Statement:
    """One SQL statement, compiled once for each engine. Its values are given by name."""

    def __init__(self, clause: sa.sql.expression.ClauseElement) -> None:
        self._clause = clause
        self._forms: dict[str, tuple[str, dict[str, Any], list[str] | None]] = {}
        self.only_reads = isinstance(clause, sa.Select)

    def bound(self, dialect: sa.engine.Dialect, values: dict[str, Any]) -> tuple[str, Parameters]:
        """Return the text and the parameters as the dialect's driver takes them."""
        text, literals, order = self._forms.get(dialect.name) or self._compile(dialect)
        given = {**literals, **values} if literals else values
        return text, given if order is None else tuple([given[name] for name in order])

    def _compile(self, dialect: sa.engine.Dialect) -> tuple[str, dict[str, Any], list[str] | None]:
        compiled: Any = self._clause.compile(dialect=dialect)
        literals = {name: value for name, value in compiled.params.items() if not compiled.binds[name].required}
        form = (str(compiled), literals, compiled.positiontup if compiled.positional else None)
        self._forms[dialect.name] = form
        return form
