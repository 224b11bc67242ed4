"""Everything a site remembers goes from its SQLite file into an empty PostgreSQL database, whole or not at all.

Both are held while it lasts: nobody writes to either. The rows are read as they are kept, copied table by table in one
transaction, read back, and compared by their hashes. The file is closed for good in the end: whoever still has it open
is refused whatever they write, since it would be lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Integer, Table, Text, func, inspect, select, text

from newsletter.errors import ConfigError, Outside, Problem, Refused
from newsletter.store import tables, trouble
from newsletter.store.database import MOVED, PATIENCE, Database, Home, home_of
from newsletter.store.postgresql import copy_in
from newsletter.store.tables import metadata

_AT_A_TIME = 5000
_OTHERWISE_MADE = (tables.instance,)
"""What the new database does not take over: its own mark says where it lies."""

Row = Sequence[Any]
Told = Callable[[str, int], None]


def transfer(source: Database, target: Database, told: Told) -> Mapping[str, int]:
    """How many rows of each table were copied and compared; `told` hears of each table as it is done.

    Raises Refused (C521) when there is anything in the target; Outside (C522) when a table came out otherwise.
    """
    with source.write() as old:
        with target.write() as new:
            if taken := filled(new):
                raise Refused(_taken(target.place, taken))
            counts = {}
            for table in _copied():
                counts[table.name] = _copy(old, new, table)
                told(table.name, counts[table.name])
            _number_on(old, new)
        _close(old)
    return counts


def ahead(source: Database, url: str) -> Mapping[str, int]:
    """The rows of each table that would be copied. Raises ConfigError, Refused (C521), Outside."""
    home = on_server(url)
    try:
        with trouble.told(home.place), home.reader.begin() as new:
            taken = filled(new) if inspect(new).has_table(tables.issue.name) else ()
    finally:
        home.reader.dispose()
    if taken:
        raise Refused(_taken(home.place, taken))
    with source.read() as old:
        return {each.name: old.scalar(select(func.count()).select_from(each)) or 0 for each in _copied()}


def on_server(url: str) -> Home:
    """Where it leads. Raises ConfigError (C508) when that is no server."""
    home = home_of(url, PATIENCE)
    if home.file is not None:
        fix = "write postgresql+psycopg://USER@HOST/DATABASE"
        raise ConfigError(Problem("C508", f"not a database on a server: {home.place}", fixes=(fix,)))
    return home


def filled(connection: Connection) -> Sequence[str]:
    """The tables that hold any row."""
    return [each.name for each in _copied() if connection.scalar(text(f'SELECT 1 FROM "{each.name}" LIMIT 1'))]  # noqa: S608


def _copied() -> Iterator[Table]:
    return (table for table in metadata.sorted_tables if table not in _OTHERWISE_MADE)


def _copy(old: Connection, new: Connection, table: Table) -> int:
    names = [column.name for column in table.c]
    written = _Sum(map(_kept, _rows(old, table)))
    copy_in(new, table, names, written)
    found = _Sum(_rows(new, table))
    for _ in found:
        pass
    if found.told != written.told:
        raise Outside(_differs(table.name, written.count, found.count))
    return written.count


class _Sum:
    """Rows that pass by: how many, and a hash of them all in their order."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = rows
        self._hash = hashlib.sha256()
        self.count = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.count += 1
            self._hash.update(repr(tuple(row)).encode("utf-8", "surrogatepass"))
            yield row

    @property
    def told(self) -> tuple[int, str]:
        return self.count, self._hash.hexdigest()


def _rows(connection: Connection, table: Table) -> Iterator[Row]:
    """All of them as they are kept, by their key, a few thousand at a time."""
    served = connection.dialect.name == "postgresql"
    raw: Any = connection.connection.driver_connection
    with_a_name = {"name": "rows"} if served else {}  # the server keeps the rest meanwhile
    columns = ", ".join(f'"{column.name}"' for column in table.c)
    order = ", ".join(_in_order(column, served=served) for column in table.primary_key)
    cursor = raw.cursor(**with_a_name)
    try:
        cursor.execute(f'SELECT {columns} FROM "{table.name}" ORDER BY {order}')  # noqa: S608
        while rows := cursor.fetchmany(_AT_A_TIME):
            yield from rows
    finally:
        cursor.close()


def _in_order(column: Any, *, served: bool) -> str:
    """Words by their bytes, as SQLite has them."""
    return f'"{column.name}" COLLATE "C"' if served and isinstance(column.type, Text) else f'"{column.name}"'


def _kept(row: Row) -> Row:
    """As PostgreSQL keeps it: see `postgresql._without_nul`."""
    return [value.replace("\0", "\ufffd") if isinstance(value, str) and "\0" in value else value for value in row]


def _number_on(old: Connection, new: Connection) -> None:
    """Numbers go on after the last that was ever given, also where its row is gone."""
    given = {row.name: row.seq for row in old.execute(text("SELECT name, seq FROM sqlite_sequence"))}
    for table in _copied():
        if "id" in table.c and isinstance(table.c.id.type, Integer) and table.c.id.primary_key:
            last = max(given.get(table.name, 0), new.scalar(text(f'SELECT max(id) FROM "{table.name}"')) or 0)  # noqa: S608
            if last:
                upto = {"sequence": f"{table.name}_id_seq", "last": last}
                new.execute(text("SELECT setval(CAST(:sequence AS regclass), :last)"), upto)


def _close(old: Connection) -> None:
    """Refuse what is written to the file from now on; its schema says why to whoever opens it."""
    old.execute(text("UPDATE alembic_version SET version_num = :moved"), {"moved": MOVED})
    for table in metadata.sorted_tables:
        for change in ("INSERT", "UPDATE", "DELETE"):
            old.exec_driver_sql(
                f"CREATE TRIGGER {table.name}_moved_{change.lower()} BEFORE {change} ON {table.name} "
                "BEGIN SELECT RAISE(ABORT, 'the records were moved to PostgreSQL'); END"
            )


def _taken(place: str, names: Sequence[str]) -> Problem:
    return Problem(
        "C521",
        "There are records in that database already. Nothing was moved.",
        file=place,
        why=f"rows were found in: {', '.join(names)}",
        fixes=("make an empty one: createdb --encoding=UTF8 NAME",),
    )


def _differs(table: str, before: int, after: int) -> Problem:
    return Problem(
        "C522",
        f"The table {table} came out otherwise than it was. Nothing was moved.",
        why=f"it had {before} rows, and {after} were read back, or one of them is not the same",
        fixes=("look at the log of the PostgreSQL server, then run the command again",),
    )
