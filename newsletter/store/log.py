"""Who changed what, and which processes are alive."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update

from newsletter.model import LogEntry
from newsletter.store import tables
from newsletter.store.database import insert_new
from newsletter.store.rows import Part
from newsletter.store.tables import beat

EVERY = timedelta(seconds=30)
"""Between two signs of life, where nobody says otherwise."""

_FIELDS = ("at", "who", "channel", "action", "object", "before", "after", "note")


class Log(Part):
    def beat(self, process: str, now: datetime, every: timedelta = EVERY) -> None:
        sign = {"at": now, "every": round(every.total_seconds())}
        with self._database.write() as connection:
            connection.execute(insert_new(beat).values(process=process, **sign))
            connection.execute(update(beat).where(beat.c.process == process).values(sign))

    def silent_after(self, process: str) -> timedelta:
        with self._database.read() as connection:
            every = connection.scalar(select(beat.c.every).where(beat.c.process == process))
        return 3 * (EVERY if every is None else timedelta(seconds=every))

    def last_beat(self, process: str) -> datetime | None:
        with self._database.read() as connection:
            return connection.scalar(select(beat.c.at).where(beat.c.process == process))

    def log(self, entry: LogEntry) -> None:
        with self._database.write() as connection:
            connection.execute(insert(tables.log).values({name: getattr(entry, name) for name in _FIELDS}))

    def entries(self, limit: int = 50) -> Sequence[LogEntry]:
        """The newest `limit` lines, newest first."""
        lines = select(*(tables.log.c[name] for name in _FIELDS)).order_by(tables.log.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [LogEntry(*line) for line in connection.execute(lines)]
