"""Edge: what an earlier run worked out, kept in `var/cache/`; see `ports.Cache`.

Never needed: a file that is damaged, locked for long, of another version of the program or not writable at all is
as good as an empty one, and nobody is told. Several processes may use it at once.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

_FILE = "built.sqlite3"
_SCHEMA = "CREATE TABLE IF NOT EXISTS kept (kind TEXT, key TEXT, value TEXT, PRIMARY KEY (kind, key))"
_PUT = "INSERT OR REPLACE INTO kept VALUES (?, ?, ?)"
_AT_ONCE = 500


class DiskCache:
    """The cache below `folder` for programs of one `version`: what another version kept is thrown away."""

    def __init__(self, folder: Path, version: str) -> None:
        self._file = folder / _FILE
        self._version = version
        self._open: tuple[int, sqlite3.Connection] | None = None  # by process: a connection must not cross a fork

    def all(self, kind: str) -> Mapping[str, str]:
        """Key -> value of one kind."""
        return {row[0]: row[1] for row in self._ask("SELECT key, value FROM kept WHERE kind = ?", kind)}

    def get(self, kind: str, key: str) -> str | None:
        """One value, or None."""
        return next((row[0] for row in self._ask("SELECT value FROM kept WHERE kind = ? AND key = ?", kind, key)), None)

    def put(self, kind: str, values: Iterable[tuple[str, str]]) -> None:
        """Keep these values, some hundred in one commit; `values` may be as long as it likes."""
        rows = ((kind, key, value) for key, value in values)
        while batch := list(islice(rows, _AT_ONCE)):
            self._tell(_PUT, batch)

    def keep_only(self, kind: str, keys: Iterable[str]) -> None:
        """Forget all else of this kind."""
        gone = {row[0] for row in self._ask("SELECT key FROM kept WHERE kind = ?", kind)} - set(keys)
        if gone:
            self._tell("DELETE FROM kept WHERE kind = ? AND key = ?", [(kind, key) for key in gone])

    def close(self) -> None:
        if self._open and self._open[0] == os.getpid():
            self._open[1].close()
        self._open = None

    def _ask(self, question: str, *values: str) -> list[tuple[str, ...]]:
        try:
            return self._connection().execute(question, values).fetchall()
        except (sqlite3.Error, OSError) as error:
            self._recover(error)
            return []

    def _tell(self, statement: str, rows: Sequence[tuple[str, ...]]) -> None:
        try:
            with self._connection() as connection:
                connection.executemany(statement, rows)
        except (sqlite3.Error, OSError, UnicodeEncodeError) as error:
            self._recover(error)

    def _recover(self, error: Exception) -> None:
        """A damaged file goes; one that is only busy or cannot be written is left alone."""
        damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
        with suppress(sqlite3.Error):
            self.close()
        if damaged:
            for name in (_FILE, f"{_FILE}-wal", f"{_FILE}-shm"):
                with suppress(OSError):
                    self._file.with_name(name).unlink()

    def _connection(self) -> sqlite3.Connection:
        if self._open is None or self._open[0] != os.getpid():
            self._open = os.getpid(), self._connected()
        return self._open[1]

    def _connected(self) -> sqlite3.Connection:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._file, timeout=10, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(_SCHEMA)
        known = connection.execute("SELECT value FROM kept WHERE kind = 'version'").fetchone()
        if known != (self._version,):
            with connection:
                connection.execute("DELETE FROM kept")
                connection.execute(_PUT, ("version", "", self._version))
        return connection
