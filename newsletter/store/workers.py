"""Many who send at once: who is at work, and who holds which chunk.

A chunk is held from when somebody takes it until he ends it, or gives no sign of life for SILENT. Then its epoch rises
and what he had in flight is settled as after a crash; should he only have been frozen, he marks and settles nothing any
more. Signs of life are told by the clock of the database, so that those of several machines may differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    delete,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from newsletter.model import Chunk, IssueState, Worker
from newsletter.store.database import Database
from newsletter.store.recovery import settle_lost
from newsletter.store.rows import Part, Wake, first_waiting
from newsletter.store.tables import Instant, chunk, issue, milliseconds, worker

SILENT = timedelta(seconds=20)
"""Without a sign of life for so long a worker is taken for dead. It gives one every five seconds."""

_FORGOTTEN = timedelta(hours=1)
"""Silent for so long it is not even told of."""


class SqlWorkers(Part):
    """`ports.Workers` on an SQL database. Thread-safe."""

    def __init__(self, database: Database, wake: Wake, *, resend: bool = False) -> None:
        """With `resend` who may have a Message already, as a crash left it unknown, gets it again."""
        super().__init__(database)
        self._wake = wake
        self._resend = resend

    def sign(self, name: str, *, connections: int, queues: Sequence[str]) -> None:
        with self._database.write() as connection:
            values: dict[str, Any] = {"connections": connections, "queues": " ".join(queues), "seen_at": _Clock()}
            known = update(worker).where(worker.c.name == name).values(values).returning(worker.c.name)
            if connection.scalar(known) is None:
                connection.execute(insert(worker).values(name=name, **values))

    def sign_off(self, name: str) -> None:
        with self._database.write() as connection:
            connection.execute(delete(worker).where(worker.c.name == name))

    def workers(self) -> Sequence[Worker]:
        held = select(func.count()).where(chunk.c.worker == worker.c.name).correlate(worker).scalar_subquery()
        silent = type_coerce(_Clock() - worker.c.seen_at, Integer()).label("silent")
        told = select(worker.c.name, worker.c.connections, worker.c.queues, silent, held.label("chunks"))
        with self._database.read() as connection:
            return [_worker(row) for row in connection.execute(told.order_by(worker.c.name))]

    def ready(self, now: datetime) -> Sequence[int]:
        with self._database.read() as connection:
            return connection.scalars(_ready(now)).all()

    def wake_ready(self, now: datetime) -> None:
        with self._database.write() as connection:
            if found := connection.scalars(_ready(now)).all():
                self._wake(connection, found, timedelta(0))

    def take(self, chunk_id: int, name: str, now: datetime) -> Chunk | None:
        taken = (
            update(chunk)
            .where(chunk.c.id == chunk_id, chunk.c.id.in_(_ready(now)))
            .values(epoch=chunk.c.epoch + 1, worker=name)
            .returning(chunk.c.issue_id, chunk.c.epoch, chunk.c.provider)
        )
        with self._database.write() as connection:
            if (row := connection.execute(taken).one_or_none()) is None:
                return None
            number, edition = connection.execute(
                select(issue.c.number, issue.c.edition).where(issue.c.id == row.issue_id)
            ).one()
            return Chunk(chunk_id, number, row.epoch, edition, row.provider)

    def end(self, of: Chunk, now: datetime, *, again_after: timedelta) -> None:
        ours = (chunk.c.id == of.id, chunk.c.epoch == of.epoch, chunk.c.worker != "")
        with self._database.write() as connection:
            ended = update(chunk).where(*ours).values(worker="").returning(chunk.c.id)
            if connection.scalar(ended) is None:
                return
            settle_lost(connection, now, resend=self._resend, chunks=[of.id])
            if connection.scalar(_ready(now).where(chunk.c.id == of.id)) is not None:
                self._wake(connection, [of.id], again_after)

    def recover_lost(self, now: datetime) -> int:
        lost = (
            update(chunk)
            .where(chunk.c.worker != "", chunk.c.worker.not_in(_living()))
            .values(epoch=chunk.c.epoch + 1, worker="")
            .returning(chunk.c.id)
        )
        with self._database.write() as connection:
            found = connection.scalars(lost).all()
            forgotten = worker.c.seen_at < _Clock() - _milliseconds(_FORGOTTEN)
            connection.execute(delete(worker).where(forgotten))
            return settle_lost(connection, now, resend=self._resend, chunks=found) if found else 0


def _ready(now: datetime) -> Select[int]:
    """Chunks with a row that is due, which nobody holds."""
    return (
        select(chunk.c.id)
        .join(issue)
        .where(
            issue.c.state == IssueState.SENDING.value,
            chunk.c.worker == "",
            or_(chunk.c.opens_at.is_(null()), chunk.c.opens_at <= now),
            first_waiting(chunk.c.id, _instant(now)) <= now,
        )
        .order_by(chunk.c.id)
    )


def _living() -> Select[str]:
    return select(worker.c.name).where(worker.c.seen_at >= _Clock() - _milliseconds(SILENT))


class _Clock(FunctionElement[int]):
    """The time of the database, in milliseconds since 1970; each has a way of its own to say it."""

    inherit_cache = True
    type = Integer()


@compiles(_Clock)
def _server(_clock: _Clock, _compiler: SQLCompiler, **_how: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"


@compiles(_Clock, "sqlite")
def _machine(_clock: _Clock, _compiler: SQLCompiler, **_how: Any) -> str:
    return "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"


def _milliseconds(span: timedelta) -> ColumnElement[int]:
    return literal_column(str(span // timedelta(milliseconds=1)), Integer())


def _instant(now: datetime) -> ColumnElement[datetime]:
    return literal_column(str(milliseconds(now)), Instant())


def _worker(row: Any) -> Worker:
    silent = timedelta(milliseconds=max(0, row.silent))
    return Worker(row.name, row.connections, tuple(row.queues.split()), silent, silent < SILENT, row.chunks)
