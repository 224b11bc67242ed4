"""One sender at a time where several machines share a database: a lock that the server keeps for a connection."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError

from newsletter.errors import Problem, Refused
from newsletter.store.database import Database
from newsletter.store.lock import SenderLock, who_am_i
from newsletter.store.postgresql import SENDER
from newsletter.store.trouble import told


class ServerLock:
    """The same right for processes of several machines, which the database server takes back when one is lost."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None

    def acquire(self) -> bool:
        """As `SenderLock`; asked again, it looks whether the server still knows of it. Raises Outside."""
        with told(self._database.place):
            if self._connection is not None and self._stands(self._connection):
                return True
            connection = self._database.apart()
            if connection.scalar(select(func.pg_try_advisory_lock(SENDER))):
                connection.execute(select(func.set_config("application_name", _somebody(), False)))
                self._connection = connection
                return True
            connection.close()
            return False

    def release(self) -> None:
        if self._connection is not None:
            with suppress(DBAPIError):  # a connection that was lost holds nothing
                self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def holder(self) -> str | None:
        with self._database.read() as connection:
            found: str | None = connection.scalar(text(_HOLDER), {"key": SENDER & 0xFFFFFFFF})
            return found

    def _stands(self, connection: Connection) -> bool:
        try:
            connection.execute(select(1))
        except DBAPIError:
            self.release()
            return False
        return True


@contextmanager
def alone(lock: SenderLock | ServerLock) -> Iterator[None]:
    """Nobody sends while it lasts. Raises Refused (C524) when somebody does."""
    if not lock.acquire():
        raise Refused(_sends(lock.holder() or "another process"))
    try:
        yield
    finally:
        lock.release()


def _sends(holder: str) -> Problem:
    return Problem(
        "C524",
        f"Another process sends ({holder}). Nothing was done.",
        why="the records must stand still meanwhile",
        fixes=("stop work and serve on all machines, then run the command again",),
    )


_HOLDER = (
    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' "
    "AND granted AND objid = :key AND datname = current_database()"
)


def _somebody() -> str:
    """As much of who this is as PostgreSQL keeps of a name."""
    return f"{platform.node()} {who_am_i().strip()}"[:60]
