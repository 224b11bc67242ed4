"""A PostgreSQL database, 15 or newer, that several processes on several machines may share.

What is decided in a write is decided as on SQLite, where there is one writer: each write takes the one lock of the
database first, an advisory one that ends with its transaction, and then sees all that was committed before it. The
statements can so be the same, and no two of them deadlock. Reads see one state and wait for nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:  # psycopg takes a tenth of a second to load
    import psycopg

DOOR = int.from_bytes(b"newslett", "big")
"""The advisory lock that each write holds."""

SENDER = DOOR + 1
"""The advisory lock of the one process that recovers and sends."""

_CONNECTIONS = 4
"""Of a process for writing, and as many for reading."""

_SHORTEST_QUEUE = 30.0
_STALLED = 15.0
"""Seconds after which the server ends a write whose process says nothing: one that froze, or was cut off."""


class PostgresqlHome:
    """Where a database lies on a server. `patience`: seconds to wait for another process that is writing."""

    file: Path | None = None

    def __init__(self, url: URL, patience: float) -> None:
        url = url.set(drivername="postgresql+psycopg")
        self.place = url.set(password=None, query={}).render_as_string()
        self._url = url.update_query_dict({**_AT_FIRST, **dict(url.query)})
        self._queue = max(_SHORTEST_QUEUE, patience)
        self.writer = self._engine(
            f"SET lock_timeout = {max(1, round(patience * 1000))};"
            f"SET idle_in_transaction_session_timeout = {round(_STALLED * 1000)};"
            f"{_DURABLE}",
            readonly=False,
        )
        self.reader = self._engine("SET default_transaction_isolation = 'repeatable read'", readonly=True)

    def turn(self) -> AbstractContextManager[None]:
        """Nothing: the server knows who waits."""
        return nullcontext()

    def enter(self, connection: Connection) -> None:
        """Wait for the door, behind those who came before."""
        connection.exec_driver_sql(_ENTER)

    @contextmanager
    def first_start(self) -> Iterator[None]:
        """Nothing: the schema is made in a write, and the server and the database must be there."""
        yield

    def apart(self) -> Connection:
        engine = create_engine(self._url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True)
        return engine.connect()

    def _engine(self, setting: str, *, readonly: bool) -> Engine:
        engine = create_engine(
            self._url,
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_timeout=self._queue,
            pool_pre_ping=True,  # after a restart of the server the next use connects anew
            hide_parameters=True,  # a traceback in a log names nobody
        )

        @event.listens_for(engine, "connect")
        def prepare(raw: Any, _record: object) -> None:
            _without_nul(raw)
            raw.execute(setting)
            raw.execute(_ON_THE_DISK)
            raw.commit()
            raw.read_only = readonly

        return engine


_DURABLE = """
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""
"""A commit is on the disk when it returns, whatever a server usually does: who was mailed is known after a crash."""

_ENTER = f"SELECT pg_advisory_xact_lock({DOOR})"

_ON_THE_DISK = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
"""A commit that a crash of the server took back would be mail that nobody knows of."""

_AT_FIRST = {
    "connect_timeout": "10",
    "application_name": "newsletter",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
"""What the URL may say otherwise, in the words of libpq."""


def copy_in(connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write many rows, their values as the driver takes them, in the order of `names`: ten times faster than INSERT."""
    raw: Any = connection.connection.driver_connection
    columns = ", ".join(f'"{name}"' for name in names)
    with raw.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)


def _without_nul(raw: psycopg.Connection[Any]) -> None:
    """PostgreSQL keeps every character but U+0000, which a stranger may send: U+FFFD is kept for it."""
    from psycopg.types.string import StrDumperUnknown

    class Kept(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\ufffd") if "\0" in obj else obj)

    raw.adapters.register_dumper(str, Kept)
