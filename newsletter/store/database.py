"""One SQLite file: a single writer, a few readers, a schema that is up to date.

Every write begins with BEGIN IMMEDIATE, so that it waits for its turn instead of failing half-way; a commit
is on the disk when it returns (`synchronous=FULL`). What the database refuses becomes `errors.Outside`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from newsletter.errors import ConfigError, Outside, Problem
from newsletter.store.folder import alone_in
from newsletter.store.trouble import told
from newsletter.store.turns import Turns

REVISION = "0005"
"""The schema that this program reads and writes: the last file in `migrations/versions`."""

PATIENCE = 10.0
"""Seconds to wait for another process that is writing."""

_READERS = 4

_SHORTEST_QUEUE = 30.0
"""Seconds that a thread waits for its turn at the least, since each one before it may spend its own patience."""


class Database:
    """An open database; thread-safe. Build it with `open_database`."""

    def __init__(self, file: Path, *, patience: float) -> None:
        self.file = file
        self._turns = Turns()
        self._patience = max(_SHORTEST_QUEUE, patience)
        self._writer = _engine(file, patience, size=1, begin="BEGIN IMMEDIATE", readonly=False)
        self._reader = _engine(file, patience, size=_READERS, begin="BEGIN", readonly=True)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that may write; it commits at the end, or, on any exception, has not happened.

        One thread at a time, first come, first served: never call `write` within `write`. Raises Outside.
        """
        with told(str(self.file)), self._turns.turn(self._patience), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view, which neither waits for a writer nor holds one up. Raises Outside."""
        with told(str(self.file)), self._reader.begin() as connection:
            yield connection

    def close(self) -> None:
        self._reader.dispose()
        self._writer.dispose()


def insert_new(table: Table) -> sqlite.Insert:
    """An INSERT that leaves out rows which the schema already knows.

    Ask it what was written by RETURNING: the row count of such a statement means nothing on PostgreSQL.
    """
    return sqlite.insert(table).on_conflict_do_nothing()


def open_database(url: str, *, patience: float = PATIENCE) -> Database:
    """Open `sqlite:///PATH`, making the folder, the file and the schema where they are missing.

    `patience` is in seconds. Raises ConfigError for another kind of URL and for a schema that is newer than this
    program; Outside when the disk or another process is in the way.
    """
    file = _file_of(url)
    database = Database(file, patience=patience)
    try:
        with _first_start(file):
            _bring_up_to_date(database)
    except BaseException:
        database.close()
        raise
    return database


def _file_of(url: str) -> Path:
    try:
        parsed: URL | None = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        shown = parsed.render_as_string(hide_password=True) if parsed else url
        raise ConfigError(
            Problem("C508", f"not a database that can be used: {shown}", fixes=("write sqlite:///PATH/OF/THE/FILE",))
        )
    return Path(str(parsed.database))


@contextmanager
def _first_start(file: Path) -> Iterator[None]:
    """The folder and the file exist, and no other process is opening them.

    The lock is there because SQLite refuses the second of two switches to WAL at once, whatever `busy_timeout` says.
    An existing file is not opened here: closing it would drop the locks that SQLite holds on it in this process.
    The file holds addresses: it is made for its owner's eyes only, and SQLite copies that to its companions.
    """
    try:
        with alone_in(file.parent):
            with suppress(FileExistsError, PermissionError):  # without permission SQLite will say so
                os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            yield
    except OSError as error:
        problem = Problem("C506", "the database cannot be opened", file=str(file), why=error.strerror or str(error))
        raise Outside(problem) from error


def _bring_up_to_date(database: Database) -> None:
    with database.read() as connection:
        if _revision(connection) == REVISION:
            return
    with database.write() as connection:
        found = _revision(connection)
        from newsletter.store import migrate  # Alembic takes a third of a second to load, and is rarely needed

        if found is not None and found not in migrate.known_revisions():
            raise ConfigError(_too_new(database.file, found))
        migrate.upgrade(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _too_new(file: Path, found: str) -> Problem:
    return Problem(
        "C501",
        f"the database has schema {found}, and this program knows schemas up to {REVISION}",
        file=str(file),
        why="a newer newsletter has written it; an older one would not understand what it finds",
        fixes=("install the newer version again", "or restore the backup made before the upgrade"),
    )


def _engine(file: Path, patience: float, *, size: int, begin: str, readonly: bool) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(file)),
        pool_size=size,
        max_overflow=0,
        pool_timeout=max(_SHORTEST_QUEUE, patience),
        hide_parameters=True,  # a traceback in a log names nobody
    )

    @event.listens_for(engine, "connect")
    def prepare(raw: Any, _record: object) -> None:
        raw.isolation_level = None  # BEGIN is ours to say
        raw.execute(f"PRAGMA busy_timeout = {round(patience * 1000)}")
        for setting in (*_SETTINGS, "query_only = ON" if readonly else "journal_mode = WAL"):
            raw.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.connection.cursor().execute(begin)  # by the driver: it is a third of what a small write costs

    return engine


_SETTINGS = (
    "synchronous = FULL",
    "foreign_keys = ON",
    "temp_store = MEMORY",
    "cache_size = -8192",
    "journal_size_limit = 67108864",
    "trusted_schema = OFF",
    "secure_delete = ON",  # who is forgotten is overwritten as well; most builds of SQLite would leave them in the file
)
