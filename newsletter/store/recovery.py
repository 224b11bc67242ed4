"""After a crash: what was only claimed waits again, what was being sent is uncertain, what was begun is finished.

For the holder of the sender lock alone, before it sends: it takes for granted that nobody else is sending.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, insert, literal, select, true, tuple_, update

from newsletter.model import DeliveryState, IssueState, Outcome
from newsletter.store.audience import fill
from newsletter.store.meanwhile import UNFINISHED
from newsletter.store.rows import Part, Wake, in_flight
from newsletter.store.tables import IN_FLIGHT, Instant, attempt, chunk, delivery, issue

_NO_ANSWER = "the sender stopped before an answer was recorded"

_LIVE = (IssueState.SENDING.value, IssueState.PAUSED.value)
"""States of an issue in which a delivery may be tried again."""

Chunks = Sequence[int] | None
"""Those by these numbers, or all there are."""


class Recovery(Part):
    _wake: Wake | None = None

    def recover(self, *, now: datetime, resend: bool) -> int:
        """As `ports.Ledger` says. A row of a cancelled issue becomes uncertain even with `resend`.

        Raises Outside like `start_send` when an audience that was cut short does not add up.
        """
        with self._database.write() as connection:
            _fence(connection)
            interrupted = settle_lost(connection, now, resend=resend)
        self.fill_begun(now)
        return interrupted

    def fill_begun(self, now: datetime) -> None:
        """As `ports.Ledger` says."""
        with self._database.read() as connection:
            unfinished = connection.scalars(select(issue.c.id).where(*UNFINISHED)).all()
        for each in unfinished:
            fill(self._database, each, now, self._wake)


def settle_lost(connection: Connection, now: datetime, *, resend: bool, chunks: Chunks = None) -> int:
    """What the senders of these chunks, or of all, left in flight: how many rows were `sending`."""
    _wait_again(connection, chunks)
    interrupted = _record_attempts(connection, now, chunks)
    if interrupted and resend:
        _send_again(connection, now, chunks)
    if interrupted:
        _leave_uncertain(connection, now, chunks)
    return interrupted


def _fence(connection: Connection) -> None:
    """A sender that only seemed dead can claim and mark nothing any more."""
    live = select(issue.c.id).where(issue.c.state.in_(_LIVE))
    connection.execute(update(chunk).where(chunk.c.issue_id.in_(live)).values(epoch=chunk.c.epoch + 1))


def _wait_again(connection: Connection, of: Chunks) -> None:
    claimed = update(delivery).where(_those(DeliveryState.CLAIMED, of))
    connection.execute(claimed.values(state=DeliveryState.WAITING.value))


def _record_attempts(connection: Connection, now: datetime, of: Chunks) -> int:
    at, outcome, said = literal(now, Instant()), literal(Outcome.UNKNOWN.value), literal(_NO_ANSWER)
    lines = _in_flight(DeliveryState.SENDING, of, at, outcome, said)
    connection.execute(insert(attempt).from_select(["issue_id", "subscriber_id", "at", "outcome", "reply"], lines))
    return connection.scalar(select(func.count()).select_from(_in_flight(DeliveryState.SENDING, of).subquery())) or 0


def _send_again(connection: Connection, now: datetime, of: Chunks) -> None:
    live = select(issue.c.id).where(issue.c.state.in_(_LIVE))
    _tried(connection, now, of, delivery.c.issue_id.in_(live), state=DeliveryState.WAITING.value, next_at=now)


def _leave_uncertain(connection: Connection, now: datetime, of: Chunks) -> None:
    _tried(connection, now, of, state=DeliveryState.UNCERTAIN.value, done_at=now)


def _tried(
    connection: Connection, now: datetime, of: Chunks, *conditions: ColumnElement[bool], **values: object
) -> None:
    connection.execute(
        update(delivery)
        .where(_those(DeliveryState.SENDING, of), *conditions)
        .values(
            attempts=delivery.c.attempts + 1,
            first_at=func.coalesce(delivery.c.first_at, literal(now, Instant())),
            code=None,
            reply=_NO_ANSWER,
            **values,
        )
    )


def _those(state: DeliveryState, of: Chunks) -> ColumnElement[bool]:
    return tuple_(delivery.c.issue_id, delivery.c.subscriber_id).in_(_in_flight(state, of))


def _in_flight(state: DeliveryState, of: Chunks, *more: ColumnElement[Any]) -> Select[tuple[object, ...]]:
    """The keys of all rows in `state`, found through the index of what is in flight and not by reading all years."""
    row = delivery.alias("row")
    return (
        select(row.c.issue_id, row.c.subscriber_id, *more)
        .with_hint(row, f"INDEXED BY {IN_FLIGHT}", "sqlite")
        .where(in_flight(row, state), true() if of is None else row.c.chunk_id.in_(of))
    )
