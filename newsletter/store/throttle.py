"""How fast Messages go, in one row for each relay, provider group or day: what all who send see alike.

Each call is one short transaction. What a process leased and did not use when it died is lost: that is less than was
allowed, never more.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, case, select, update

from newsletter.model import Leave
from newsletter.pace import SLOWEST, block, full_again, halved, recovered, room
from newsletter.store.database import Database, insert_new
from newsletter.store.tables import throttle

_TICK = timedelta(microseconds=1)


class SqlThrottle:
    """`ports.Throttle` on an SQL database. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, key: str, usual: timedelta | None, now: datetime) -> Leave:
        with self._database.write() as connection:
            row = _row(connection, key)
            every, paced_at = _pace(row, usual, now)
            if every is None:
                _write(connection, key, pace=None, paced_at=None, full_at=None)
                return Leave(0, now)
            limit = block(key, every)
            count = room(limit, row.full_at, now)
            full_at = full_again(limit, row.full_at, now, count)
            pace = None if paced_at is None else every // _TICK
            _write(connection, key, full_at=full_at, pace=pace, paced_at=paced_at)
            return Leave(count, full_at, every)

    def slow(self, key: str, every: timedelta, now: datetime) -> timedelta:
        with self._database.write() as connection:
            row = _row(connection, key)
            slower = halved(row.pace * _TICK if row.pace else every, row.paced_at, now)
            joined = row.pace is not None and slower == row.pace * _TICK < SLOWEST  # others just said the same
            at = row.paced_at if joined else now
            _write(connection, key, pace=slower // _TICK, paced_at=at)
            return slower

    def slowed(self, now: datetime) -> Mapping[str, timedelta]:
        with self._database.read() as connection:
            rows = connection.execute(select(throttle).where(throttle.c.pace.is_not(None))).all()
        paces = {row.key: _pace(row, None, now)[0] for row in rows}
        return {key: every for key, every in paces.items() if every}

    def take_of_day(self, key: str, wanted: int, cap: int) -> int:
        with self._database.write() as connection:
            count: int = max(0, min(wanted, cap - _row(connection, key).taken))
            _write(connection, key, taken=throttle.c.taken + count)
            return count

    def give_back(self, key: str, count: int) -> None:
        left = throttle.c.taken - count
        with self._database.write() as connection:
            _write(connection, key, taken=case((left > 0, left), else_=0))

    def taken(self, key: str) -> int:
        with self._database.read() as connection:
            taken: int | None = connection.scalar(select(throttle.c.taken).where(throttle.c.key == key))
            return taken or 0


def _row(connection: Connection, key: str) -> Row[Any]:
    """The row, made if it is missing; nobody else changes it before the end of this transaction."""
    connection.execute(insert_new(throttle).values(key=key))
    return connection.execute(select(throttle).where(throttle.c.key == key).with_for_update()).one()


def _write(connection: Connection, key: str, **values: Any) -> None:
    connection.execute(update(throttle).where(throttle.c.key == key).values(values))


def _pace(row: Row[Any], usual: timedelta | None, now: datetime) -> tuple[timedelta | None, datetime | None]:
    """The pace of now, and since when it is slower than usual."""
    if row.pace is None:
        return usual, None
    every, at = recovered(row.pace * _TICK, row.paced_at, now, usual)
    return (usual, None) if every is None else (every, at)
