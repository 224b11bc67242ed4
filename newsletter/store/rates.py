"""What happened lately as far as limits ask: one row for each thing that is limited, gone once it is full again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from newsletter.model import Limit, Wait
from newsletter.store.database import Database, insert_over
from newsletter.store.tables import SIGNUPS, consent, rate

Decide = Callable[[Sequence[Limit], Mapping[str, datetime], datetime], Mapping[str, datetime] | Wait]
"""`readers.limits.decide`."""


class SqlRates:
    """`ports.Rates` on an SQL database. Thread-safe; of twenty at once each sees what the one before it wrote."""

    def __init__(self, database: Database, decide: Decide) -> None:
        self._database = database
        self._decide = decide

    def take(self, limits: Sequence[Limit], now: datetime) -> Wait | None:
        with self._database.write() as connection:
            decided = self._decide(limits, _known(connection, [limit.key for limit in limits]), now)
            if isinstance(decided, Wait):
                return decided
            _purge(connection, now)
            _write(connection, decided)
            return None

    def hold(self, key: str, until: datetime) -> None:
        with self._database.write() as connection:
            _write(connection, {key: until})

    def held(self, key: str, now: datetime) -> datetime | None:
        with self._database.read() as connection:
            until = _known(connection, [key]).get(key)
        return until if until and until > now else None

    def purge(self, now: datetime) -> None:
        with self._database.write() as connection:
            _purge(connection, now)

    def signups(self, since: datetime) -> int:
        asked = select(func.count()).where(SIGNUPS, consent.c.at >= since)
        with self._database.read() as connection:
            return connection.scalar(asked) or 0


def _known(connection: Connection, keys: Sequence[str]) -> Mapping[str, datetime]:
    rows = connection.execute(select(rate.c.key, rate.c.full_at).where(rate.c.key.in_(keys)))
    return {row.key: row.full_at for row in rows}


def _purge(connection: Connection, now: datetime) -> None:
    connection.execute(delete(rate).where(rate.c.full_at <= now))


def _write(connection: Connection, full_at: Mapping[str, datetime]) -> None:
    if not full_at:
        return
    rows = [{"key": key, "full_at": at} for key, at in full_at.items()]
    connection.execute(insert_over(connection, rate, rate.c.key), rows)
