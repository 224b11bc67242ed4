"""The few statements that run for every Message: written once with SQLAlchemy, then run by the driver alone.

SQLAlchemy takes longer over each execution than SQLite does. So these are compiled once for each kind of database, and
values pass as the columns keep them: instants as milliseconds, states as words. Constants must be spelled out in the
statement (`rows.word`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import chain, repeat
from typing import Any

from sqlalchemy import BindParameter, Connection, Dialect, Integer, bindparam
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.expression import ClauseElement

Among = Callable[[Sequence[BindParameter[int]]], ClauseElement]
"""A statement about so many readers: what stands in its IN (…)."""


class Spelled:
    """One statement. Rows come back as plain tuples."""

    def __init__(self, statement: Among) -> None:
        self._statement = statement
        self._texts: dict[tuple[str, int], str] = {}

    def rows(self, connection: Connection, values: Mapping[str, Any], among: Sequence[int] = ()) -> list[Any]:
        """What it returns."""
        cursor = self._run(connection, values, among)
        try:
            found: list[Any] = cursor.fetchall()
        finally:
            cursor.close()
        return found

    def run(self, connection: Connection, values: Mapping[str, Any], among: Sequence[int] = ()) -> None:
        self._run(connection, values, among).close()

    def each(self, connection: Connection, values: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each of these."""
        cursor = connection.connection.cursor()
        cursor.executemany(self._text(connection.dialect, 0), values)
        cursor.close()

    def _run(self, connection: Connection, values: Mapping[str, Any], among: Sequence[int]) -> Any:
        places = _places(len(among))
        cursor = connection.connection.cursor()
        filled = chain(among, repeat(among[-1])) if among else ()
        them = dict(zip(_names(places), filled, strict=False))
        cursor.execute(self._text(connection.dialect, places), {**values, **them})
        return cursor

    def _text(self, dialect: Dialect, places: int) -> str:
        key = (dialect.name, places)
        if key not in self._texts:
            self._texts[key] = _spell(self._statement, dialect, places)
        return self._texts[key]


def _places(count: int) -> int:
    """The next power of two, so that there are few texts to prepare; the last reader stands in all that is left."""
    return 1 << (count - 1).bit_length() if count else 0


@cache
def _names(places: int) -> Sequence[str]:
    return tuple(f"among_{n}" for n in range(places))


def _spell(statement: Among, dialect: Dialect, places: int) -> str:
    named = sqlite.dialect(paramstyle="named") if dialect.name == "sqlite" else dialect  # else by place
    among = [bindparam(name, type_=Integer()) for name in _names(places)]
    compiled = statement(among).compile(dialect=named)
    assert not any(compiled.params.values()), "a constant must be spelled out"  # noqa: S101
    return str(compiled)
