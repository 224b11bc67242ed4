"""Who is mailed next and what came of it: chunks are taken, rows claimed, marked and settled.

The order that keeps a crash honest: `claimed` (nothing was begun: waits again) → `sending`, committed before the
Message goes out (fate unknown: uncertain) → settled. A chunk's epoch is the fence: it rises whenever somebody takes
the chunk, what he finds claimed waits again, and a row is marked and settled only under the epoch that claimed it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, or_, select, update

from newsletter.model import Addressee, Chunk, DeliveryState, IssueState, Settlement, SubscriberStatus
from newsletter.store.rows import Part, first_waiting, in_flight, unless_forgotten, word
from newsletter.store.tables import WAITING, Instant, attempt, chunk, delivery, issue, subscriber

_FACTS = ("address", "joined_at", "token_version", "attempts", "first_at")
_CLAIMED = DeliveryState.CLAIMED.value
_SENDING = DeliveryState.SENDING.value


class HandOver(Part):
    def due_chunks(self, now: datetime) -> Sequence[Chunk]:
        """As `ports.Ledger` says; what an earlier holder of these chunks had claimed waits again."""
        with self._database.write() as connection:
            taken = connection.execute(_TAKE, {"now": now}).all()
            if not taken:
                return []
            connection.execute(_UNCLAIM, [{"the_chunk": row.id} for row in taken])
            names = {row.id: row for row in connection.execute(_NAMES)}
        return [
            Chunk(row.id, (of := names[row.issue_id]).number, row.epoch, of.edition, row.provider)
            for row in sorted(taken)
        ]

    def claim(self, chunk: Chunk, *, limit: int, now: datetime) -> Sequence[int]:
        """As `ports.Ledger` says; none when the fence is lost or the issue is not SENDING."""
        asked = {"the_chunk": chunk.id, "the_epoch": chunk.epoch, "now": now, "at_most": limit}
        with self._database.write() as connection:
            return sorted(connection.scalars(_CLAIM, asked))

    def hand_over(
        self,
        chunk: Chunk,
        *,
        settled: Sequence[Settlement],
        wanted: Sequence[int],
        now: datetime,
    ) -> Mapping[int, Addressee | None]:
        """As `ports.Ledger` says.

        An outcome is written only to a row that is still `sending` under this chunk's epoch: whoever lost the fence
        and comes late changes no state. What he reports is kept among the attempts all the same, for `explain`.
        A wanted row that this call may not mark because the issue is paused waits again.
        """
        with self._database.write() as connection:
            held = connection.execute(_HELD, {"the_chunk": chunk.id}).one()
            _settle(connection, held.issue_id, held.state, chunk.epoch, settled, now)
            marked: dict[int, Addressee | None] = dict.fromkeys(wanted)
            if held.state != IssueState.SENDING.value:
                _give_back(connection, held.issue_id, chunk.epoch, wanted)
                return marked
            return marked | _mark(connection, held.issue_id, chunk.epoch, wanted, now)

    def release(self, chunk: Chunk, subscriber_ids: Sequence[int]) -> None:
        with self._database.write() as connection:
            held = connection.execute(_HELD, {"the_chunk": chunk.id}).one()
            _give_back(connection, held.issue_id, chunk.epoch, subscriber_ids)


def _settle(
    connection: Connection, issue_id: int, state: str, epoch: int, settled: Sequence[Settlement], now: datetime
) -> None:
    if not settled:
        return
    cancelled = state == IssueState.CANCELLED.value
    settled = _without_names(connection, settled)
    connection.execute(_SETTLE, [_outcome(issue_id, epoch, each, now, cancelled=cancelled) for each in settled])
    connection.execute(_TRIED, [_attempt(issue_id, each, now) for each in settled])


def _without_names(connection: Connection, settled: Sequence[Settlement]) -> Sequence[Settlement]:
    """What a mail server answers names whom it refuses: not of who was forgotten while their Message was under way."""
    named = [one.subscriber_id for one in settled if one.receipt and "@" in one.receipt.reply]
    gone = {*connection.scalars(_FORGOTTEN, {"readers": named})} if named else set()
    return [
        replace(one, receipt=replace(one.receipt, reply="")) if one.receipt and one.subscriber_id in gone else one
        for one in settled
    ]


def _outcome(issue_id: int, epoch: int, one: Settlement, now: datetime, *, cancelled: bool) -> dict[str, object]:
    again = one.state is DeliveryState.WAITING
    called_off = again and cancelled  # its issue was cancelled while the Message was under way: no second try
    return {
        "the_issue": issue_id,
        "the_reader": one.subscriber_id,
        "the_epoch": epoch,
        "to": DeliveryState.DROPPED.value if called_off else one.state.value,
        "why": "cancelled" if called_off else one.reason,
        "not_before": one.next_at if again and not called_off else None,
        "counted": int(one.counted),
        "began": now if one.counted else None,
        "answer_code": one.receipt.code if one.receipt else None,
        "answer": one.receipt.reply if one.receipt else "",
        "ended": None if again and not called_off else now,
    }


def _attempt(issue_id: int, one: Settlement, now: datetime) -> dict[str, object]:
    return {
        "the_issue": issue_id,
        "the_reader": one.subscriber_id,
        "now": now,
        "came_of_it": one.receipt.outcome.value if one.receipt else one.state.value,
        "answer_code": one.receipt.code if one.receipt else None,
        "answer": one.receipt.reply if one.receipt else one.reason,
    }


def _mark(
    connection: Connection, issue_id: int, epoch: int, wanted: Sequence[int], now: datetime
) -> dict[int, Addressee | None]:
    """Mark those who are still active `sending`, drop the others; rows that are not ours to mark are left out."""
    if not wanted:
        return {}
    asked = {"the_issue": issue_id, "the_epoch": epoch, "readers": list(wanted)}
    found = connection.execute(_WANTED, asked).all()
    turns = [_turn(issue_id, row.id, row.status, now) for row in found]
    if turns:
        connection.execute(_MARK, turns)
    return {row.id: _addressee(row) for row in found if row.status == SubscriberStatus.ACTIVE.value}


def _addressee(row: Row[Any]) -> Addressee:
    facts: dict[str, Any] = {name: row._mapping[name] for name in _FACTS}
    return Addressee(subscriber_id=row.id, variant=tuple(row.variant.split()), **facts)


def _turn(issue_id: int, subscriber_id: int, status: str, now: datetime) -> dict[str, object]:
    goes = status == SubscriberStatus.ACTIVE.value
    why = "suppressed" if status == SubscriberStatus.BLOCKED.value else status
    return {
        "the_issue": issue_id,
        "the_reader": subscriber_id,
        "to": _SENDING if goes else DeliveryState.DROPPED.value,
        "why": "" if goes else why,
        "ended": None if goes else now,
    }


def _give_back(connection: Connection, issue_id: int, epoch: int, subscriber_ids: Sequence[int]) -> None:
    if subscriber_ids:
        rows = [{"the_issue": issue_id, "the_epoch": epoch, "the_reader": each} for each in subscriber_ids]
        connection.execute(_GIVE_BACK, rows)


# The statements, spelled out once: building one costs more than running it.

_ROW = (delivery.c.issue_id == bindparam("the_issue"), delivery.c.subscriber_id == bindparam("the_reader"))
_UNDER_EPOCH = delivery.c.epoch == bindparam("the_epoch")
_NOW = bindparam("now", type_=delivery.c.next_at.type)
_TAKE = (
    update(chunk)
    .where(
        chunk.c.issue_id.in_(select(issue.c.id).where(issue.c.state == IssueState.SENDING.value)),
        or_(chunk.c.opens_at.is_(None), chunk.c.opens_at <= _NOW),
        first_waiting(chunk.c.id, _NOW) <= _NOW,
    )
    .values(epoch=chunk.c.epoch + 1)
    .returning(chunk.c.id, chunk.c.issue_id, chunk.c.epoch, chunk.c.provider)
)

_NAMES = select(issue.c.id, issue.c.number, issue.c.edition).where(issue.c.state == IssueState.SENDING.value)

_UNCLAIM = (
    update(delivery)
    .where(delivery.c.chunk_id == bindparam("the_chunk"), in_flight(delivery, DeliveryState.CLAIMED))
    .values(state=DeliveryState.WAITING.value)
)

_HELD = select(chunk.c.issue_id, issue.c.state).join_from(chunk, issue).where(chunk.c.id == bindparam("the_chunk"))

_CLAIM = (
    update(delivery)
    .where(
        delivery.c.issue_id
        == select(chunk.c.issue_id)
        .join_from(chunk, issue)
        .where(
            chunk.c.id == bindparam("the_chunk"),
            chunk.c.epoch == bindparam("the_epoch"),
            issue.c.state == IssueState.SENDING.value,
        )
        .scalar_subquery(),
        delivery.c.subscriber_id.in_(
            select((due := delivery.alias("due")).c.subscriber_id)
            .with_hint(due, f"INDEXED BY {WAITING}", "sqlite")
            .where(
                due.c.chunk_id == bindparam("the_chunk"),
                due.c.state == word(DeliveryState.WAITING),
                or_(due.c.next_at.is_(None), due.c.next_at <= _NOW),
            )
            .order_by(due.c.next_at, due.c.subscriber_id)
            .limit(bindparam("at_most"))
        ),
    )
    .values(state=_CLAIMED, epoch=bindparam("the_epoch"))
    .returning(delivery.c.subscriber_id)
)

_SETTLE = (
    update(delivery)
    .where(*_ROW, _UNDER_EPOCH, delivery.c.state == _SENDING)
    .values(
        state=bindparam("to"),
        reason=bindparam("why"),
        next_at=bindparam("not_before"),
        attempts=delivery.c.attempts + bindparam("counted"),
        first_at=func.coalesce(delivery.c.first_at, bindparam("began", type_=Instant())),
        code=bindparam("answer_code"),
        reply=unless_forgotten(delivery.c.subscriber_id, bindparam("answer")),
        done_at=bindparam("ended"),
    )
)

_TRIED = insert(attempt).values(
    issue_id=bindparam("the_issue"),
    subscriber_id=bindparam("the_reader"),
    at=bindparam("now", type_=Instant()),
    outcome=bindparam("came_of_it"),
    code=bindparam("answer_code"),
    reply=unless_forgotten(bindparam("the_reader"), bindparam("answer")),
)

_WANTED = (
    select(subscriber.c.status, subscriber.c.id, subscriber.c.address, subscriber.c.joined_at)
    .add_columns(subscriber.c.token_version, delivery.c.attempts, delivery.c.first_at, delivery.c.variant)
    .join_from(delivery, subscriber)
    .where(
        delivery.c.issue_id == bindparam("the_issue"),
        delivery.c.subscriber_id.in_(bindparam("readers", expanding=True)),
        _UNDER_EPOCH,
        delivery.c.state == _CLAIMED,
    )
)

_FORGOTTEN = select(subscriber.c.id).where(
    subscriber.c.id.in_(bindparam("readers", expanding=True)), subscriber.c.address == ""
)

_MARK = (
    update(delivery)
    .where(*_ROW)
    .values(state=bindparam("to"), reason=bindparam("why"), next_at=None, done_at=bindparam("ended"))
)

_GIVE_BACK = (
    update(delivery).where(*_ROW, _UNDER_EPOCH, delivery.c.state == _CLAIMED).values(state=DeliveryState.WAITING.value)
)
