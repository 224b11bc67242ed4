"""The database of a site, whichever of the two kinds it is: one who writes, many who read, a schema that is up to date.

A write is decided alone, on SQLite as on PostgreSQL; a commit is on the disk when it returns. What the database refuses
becomes `errors.Outside`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Column, Connection, Engine, Insert, Table, inspect, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.compiler import compiles

from newsletter.errors import ConfigError, Problem
from newsletter.store.trouble import told

REVISION = "0006"
"""The schema that this program reads and writes: the last file in `migrations/versions`."""

MOVED = "moved"
"""The schema of a file whose records were moved to a server."""

PATIENCE = 10.0
"""Seconds to wait for another process that is writing."""


class Home(Protocol):
    """Where a database lies, and what is different there."""

    @property
    def place(self) -> str:
        """Its name in a Problem; without a password."""

    @property
    def file(self) -> Path | None:
        """None for one on a server."""

    @property
    def writer(self) -> Engine: ...

    @property
    def reader(self) -> Engine: ...

    def turn(self) -> AbstractContextManager[None]:
        """Before a write begins: the threads of this process take turns."""

    def enter(self, connection: Connection) -> None:
        """At the beginning of a write: no other process decides anything until it ends."""

    def apart(self) -> Connection:
        """A connection beside the others, each statement of which is a transaction."""

    def first_start(self) -> AbstractContextManager[None]:
        """There is something to connect to. Raises Outside."""


class Database:
    """An open database; thread-safe. Build it with `open_database`."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._writer, self._reader = home.writer, home.reader
        self.place = home.place
        self.file = home.file

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that may write; it commits at the end, or, on any exception, has not happened.

        One at a time, first come, first served: never call `write` within `write`. Raises Outside.
        """
        with told(self.place), self._home.turn(), self._writer.begin() as connection:
            self._home.enter(connection)
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view, which neither waits for a writer nor holds one up. Raises Outside."""
        with told(self.place), self._reader.begin() as connection:
            yield connection

    def first_start(self) -> AbstractContextManager[None]:
        """There is something to connect to. Raises Outside."""
        return self._home.first_start()

    def apart(self) -> Connection:
        """A connection beside the others, for what lasts as long as a connection. The caller closes it."""
        return self._home.apart()

    def close(self) -> None:
        self._reader.dispose()
        self._writer.dispose()


def insert_new(table: Table) -> sqlite.Insert:
    """An INSERT that leaves out rows which the schema already knows.

    Ask it what was written by RETURNING: the row count of such a statement means nothing on PostgreSQL.
    """
    return sqlite.insert(table).on_conflict_do_nothing()


@compiles(sqlite.dml.OnConflictDoNothing, "postgresql")
def _the_same(*_args: Any, **_options: Any) -> str:
    return "ON CONFLICT DO NOTHING"


def insert_over(connection: Connection, table: Table, *same: Column[Any]) -> Insert:
    """An INSERT that writes over the row that has the same values in the columns `same`."""
    if connection.dialect.name == "sqlite":
        insert: Any = sqlite.insert(table)
    else:
        from sqlalchemy.dialects import postgresql  # which takes a while to load

        insert = postgresql.insert(table)
    rest = {column.name: insert.excluded[column.name] for column in table.c if column not in set(same)}
    over: Insert = insert.on_conflict_do_update(index_elements=same, set_=rest)
    return over


def open_database(url: str, *, patience: float = PATIENCE) -> Database:
    """Open `sqlite:///PATH` or `postgresql://…`, making what is missing: the schema, and of SQLite folder and file.

    `patience` is in seconds. Raises ConfigError for another kind of URL, for a schema that is newer than this program,
    and for an older one on a server, where others may still work with it; Outside when the disk, the server or another
    process is in the way.
    """
    database = as_it_is(url, patience=patience)
    try:
        with database.first_start():
            upgrade(database, others=database.file is None)
    except BaseException:
        database.close()
        raise
    return database


def as_it_is(url: str, *, patience: float = PATIENCE) -> Database:
    """Whatever its schema is; nothing is made. Raises ConfigError (C508)."""
    return Database(home_of(url, patience))


def home_of(url: str, patience: float) -> Home:
    """Where it leads; nothing is opened yet. Raises ConfigError (C508)."""
    try:
        parsed: URL | None = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is not None and parsed.drivername == "sqlite" and parsed.database not in (None, "", ":memory:"):
        from newsletter.store.sqlite import SqliteHome

        return SqliteHome(parsed, patience)
    if parsed is not None and parsed.drivername in ("postgresql", "postgresql+psycopg") and parsed.database:
        from newsletter.store.postgresql import PostgresqlHome

        return PostgresqlHome(parsed, patience)
    shown = parsed.render_as_string(hide_password=True) if parsed else url.partition("://")[0] + "://…"
    fixes = ("write postgresql+psycopg://USER@HOST/DATABASE", "or sqlite:///PATH/OF/THE/FILE")
    raise ConfigError(Problem("C508", f"not a database that can be used: {shown}", fixes=fixes))


def upgrade(database: Database, *, others: bool = False) -> None:
    """Bring its schema up to date, alone. Raises ConfigError when that cannot be (C501, C523), or, where there may be
    `others` who work with it as it is, must be said by a person (C526).
    """
    if schema_of(database) == REVISION:
        return
    with database.write() as connection:
        found = _revision(connection)
        if found == MOVED:
            raise ConfigError(_moved(database.place))
        from newsletter.store import migrate  # Alembic takes a third of a second to load, and is rarely needed

        if found is not None and found not in migrate.known_revisions():
            raise ConfigError(_too_new(database.place, found))
        if others and found not in (None, REVISION):
            raise ConfigError(_too_old(database.place, str(found)))
        migrate.upgrade(connection)


def schema_of(database: Database) -> str | None:
    """Its revision; None for one that is empty. Raises Outside."""
    with database.read() as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _too_old(place: str, found: str) -> Problem:
    return Problem(
        "C526",
        f"the database has schema {found}, and this program needs {REVISION}",
        file=place,
        why="another machine may still run the older program, which would not understand the new one",
        fixes=("stop newsletter on all machines, then on one of them: newsletter upgrade",),
    )


def _moved(place: str) -> Problem:
    return Problem(
        "C523",
        "The records of this site were moved to PostgreSQL",
        file=place,
        why="what is written to the file that was left behind would be lost",
        fixes=(
            'write into newsletter.toml, before the first [section]: database = "postgresql+psycopg://USER@HOST/NAME"',
            "go back to the backup that was made before: newsletter restore",
        ),
    )


def _too_new(place: str, found: str) -> Problem:
    return Problem(
        "C501",
        f"the database has schema {found}, and this program knows schemas up to {REVISION}",
        file=place,
        why="a newer newsletter has written it; an older one would not understand what it finds",
        fixes=("install the newer version again", "or restore the backup made before the upgrade"),
    )
