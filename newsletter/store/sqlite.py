"""One SQLite file: a single writer and a few readers, and every commit on the disk when it returns.

Every write begins with BEGIN IMMEDIATE, so that it waits for its turn instead of failing half-way.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from newsletter.errors import Outside, Problem
from newsletter.store.folder import alone_in
from newsletter.store.turns import Turns

_READERS = 4

_SHORTEST_QUEUE = 30.0
"""Seconds that a thread waits for its turn at the least, since each one before it may spend its own patience."""


class SqliteHome:
    """Where a database lies in one file. `patience`: seconds to wait for another process that is writing."""

    def __init__(self, url: URL, patience: float) -> None:
        self.file = Path(str(url.database))
        self.place = str(self.file)
        self._turns = Turns()
        self._queue = max(_SHORTEST_QUEUE, patience)
        self.writer = self._engine(patience, size=1, begin="BEGIN IMMEDIATE", readonly=False)
        self.reader = self._engine(patience, size=_READERS, begin="BEGIN", readonly=True)

    def turn(self) -> AbstractContextManager[None]:
        """One thread at a time, first come, first served. Raises TimeoutError."""
        return self._turns.turn(self._queue)

    def enter(self, connection: Connection) -> None:
        """Nothing: BEGIN IMMEDIATE has shut the door already."""

    def apart(self) -> Connection:
        """Never asked for: nothing lasts as long as a connection to a file."""
        raise NotImplementedError

    @contextmanager
    def first_start(self) -> Iterator[None]:
        """The folder and the file exist, and no other process is opening them.

        The lock is there because SQLite refuses the second of two switches to WAL at once, whatever `busy_timeout`
        says. An existing file is not opened here: closing it would drop the locks that SQLite holds on it in this
        process. The file holds addresses: it is made for its owner's eyes only, and SQLite copies that to its
        companions.
        """
        try:
            with alone_in(self.file.parent):
                with suppress(FileExistsError, PermissionError):  # without permission SQLite will say so
                    os.close(os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
                yield
        except OSError as error:
            why = error.strerror or str(error)
            raise Outside(Problem("C506", "the database cannot be opened", file=self.place, why=why)) from error

    def _engine(self, patience: float, *, size: int, begin: str, readonly: bool) -> Engine:
        engine = create_engine(
            URL.create("sqlite", database=self.place),
            pool_size=size,
            max_overflow=0,
            pool_timeout=self._queue,
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
            connection.connection.cursor().execute(begin)  # by the driver: a third of what a small write costs

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
