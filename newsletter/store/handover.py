"""Who is mailed next and what came of it: chunks are taken, rows claimed, marked and settled.

The order that keeps a crash honest: `claimed` (nothing was begun: waits again) → `sending`, committed before the
Message goes out (fate unknown: uncertain) → settled. A chunk's epoch is the fence: it rises whenever somebody takes
the chunk, what he finds claimed waits again, and a row is marked and settled only under the epoch that claimed it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, literal_column, null, or_, select, update

from newsletter.model import Addressee, Chunk, DeliveryState, IssueState, Settlement, SubscriberStatus
from newsletter.store.rows import Part, first_waiting, in_flight, word
from newsletter.store.spelled import Spelled
from newsletter.store.tables import (
    WAITING,
    Instant,
    attempt,
    chunk,
    delivery,
    instant,
    issue,
    milliseconds,
    subscriber,
)


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
            issue_id, state = _held(connection, chunk)
            held = {"the_issue": issue_id, "the_epoch": chunk.epoch}
            _settle(connection, held, settled, milliseconds(now), cancelled=state == IssueState.CANCELLED)
            marked: dict[int, Addressee | None] = dict.fromkeys(wanted)
            if state != IssueState.SENDING:
                _give_back(connection, held, wanted)
            elif wanted:
                _mark(connection, held, marked, milliseconds(now))
            return marked

    def release(self, chunk: Chunk, subscriber_ids: Sequence[int]) -> None:
        with self._database.write() as connection:
            issue_id, _ = _held(connection, chunk)
            _give_back(connection, {"the_issue": issue_id, "the_epoch": chunk.epoch}, subscriber_ids)


Held = Mapping[str, int]
"""The issue and the epoch under which rows are marked and settled, as the statements name them."""


def _held(connection: Connection, chunk: Chunk) -> tuple[int, str]:
    """The id of its issue, and that one's state."""
    [(issue_id, state)] = _HELD.rows(connection, {"the_chunk": chunk.id})
    return issue_id, state


def _settle(connection: Connection, held: Held, settled: Sequence[Settlement], now: int, *, cancelled: bool) -> None:
    if not settled:
        return
    gone = {reader for (reader,) in _FORGOTTEN.rows(connection, {}, [one.subscriber_id for one in settled])}
    rows = [
        {**held, **_outcome(one, now, cancelled=cancelled), **_answer(one, forgotten=one.subscriber_id in gone)}
        for one in settled
    ]
    _SETTLE.each(connection, rows)
    _TRIED.each(connection, rows)


def _outcome(one: Settlement, now: int, *, cancelled: bool) -> dict[str, object]:
    again = one.state is DeliveryState.WAITING
    called_off = again and cancelled  # its issue was cancelled while the Message was under way: no second try
    waits = again and not called_off
    return {
        "the_reader": one.subscriber_id,
        "now": now,
        "to": DeliveryState.DROPPED.value if called_off else one.state.value,
        "why": "cancelled" if called_off else one.reason,
        "not_before": milliseconds(one.next_at) if waits and one.next_at else None,
        "counted": int(one.counted),
        "began": now if one.counted else None,
        "ended": None if waits else now,
    }


def _answer(one: Settlement, *, forgotten: bool) -> dict[str, object]:
    """What a mail server answers may name whom it refuses: nothing is kept of who was forgotten meanwhile."""
    answered = one.receipt
    said = answered.reply if answered else ""
    return {
        "came_of_it": answered.outcome.value if answered else one.state.value,
        "answer_code": answered.code if answered else None,
        "answer": "" if forgotten else said,
        "told": "" if forgotten else said if answered else one.reason,
    }


def _mark(connection: Connection, held: Held, marked: dict[int, Addressee | None], now: int) -> None:
    """Mark those who are still active `sending`, drop the others; rows that are not ours to mark are left out."""
    found = _WANTED.rows(connection, held, list(marked))
    for status, *facts in found:
        if status == SubscriberStatus.ACTIVE:
            marked[facts[0]] = _addressee(*facts)
    if active := [reader for reader, addressee in marked.items() if addressee]:
        _MARK.run(connection, held, active)
    if len(active) < len(found):
        _DROP.each(connection, [_drop(held, row[1], row[0], now) for row in found if marked[row[1]] is None])


def _addressee(
    reader: int, address: str, joined: int, links: int, attempts: int, first: int | None, variant: str
) -> Addressee:
    began = None if first is None else instant(first)
    return Addressee(reader, address, instant(joined), links, attempts, began, tuple(variant.split()))


def _drop(held: Held, subscriber_id: int, status: str, now: int) -> dict[str, object]:
    why = "suppressed" if status == SubscriberStatus.BLOCKED else status
    return {**held, "the_reader": subscriber_id, "why": why, "now": now}


def _give_back(connection: Connection, held: Held, subscriber_ids: Sequence[int]) -> None:
    if subscriber_ids:
        _GIVE_BACK.run(connection, held, subscriber_ids)


# The statements, spelled out once: building one costs more than running it.

_OURS = (delivery.c.issue_id == bindparam("the_issue"), delivery.c.epoch == bindparam("the_epoch"))
_ONE = delivery.c.subscriber_id == bindparam("the_reader")
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

_HELD = Spelled(
    lambda _: (
        select(chunk.c.issue_id, issue.c.state).join_from(chunk, issue).where(chunk.c.id == bindparam("the_chunk"))
    )
)

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
    .values(state=DeliveryState.CLAIMED.value, epoch=bindparam("the_epoch"))
    .returning(delivery.c.subscriber_id)
)

_SETTLE = Spelled(
    lambda _: (
        update(delivery)
        .where(*_OURS, _ONE, delivery.c.state == word(DeliveryState.SENDING))
        .values(
            state=bindparam("to"),
            reason=bindparam("why"),
            next_at=bindparam("not_before"),
            attempts=delivery.c.attempts + bindparam("counted"),
            first_at=func.coalesce(delivery.c.first_at, bindparam("began", type_=Instant())),
            code=bindparam("answer_code"),
            reply=bindparam("answer"),
            done_at=bindparam("ended"),
        )
    )
)

_TRIED = Spelled(
    lambda _: insert(attempt).values(
        issue_id=bindparam("the_issue"),
        subscriber_id=bindparam("the_reader"),
        at=bindparam("now", type_=Instant()),
        outcome=bindparam("came_of_it"),
        code=bindparam("answer_code"),
        reply=bindparam("told"),
    )
)

_WANTED = Spelled(
    lambda among: (
        select(subscriber.c.status, subscriber.c.id, subscriber.c.address, subscriber.c.joined_at)
        .add_columns(subscriber.c.token_version, delivery.c.attempts, delivery.c.first_at, delivery.c.variant)
        .join_from(delivery, subscriber)
        .where(*_OURS, delivery.c.subscriber_id.in_(among), delivery.c.state == word(DeliveryState.CLAIMED))
    )
)

_FORGOTTEN = Spelled(
    lambda among: select(subscriber.c.id).where(
        subscriber.c.id.in_(among), subscriber.c.address == literal_column("''")
    )
)

_MARK = Spelled(
    lambda among: (
        update(delivery)
        .where(*_OURS, delivery.c.subscriber_id.in_(among))
        .values(state=word(DeliveryState.SENDING), reason=literal_column("''"), next_at=null())
    )
)

_DROP = Spelled(
    lambda _: (
        update(delivery)
        .where(*_OURS, _ONE)
        .values(state=word(DeliveryState.DROPPED), reason=bindparam("why"), next_at=null(), done_at=bindparam("now"))
    )
)

_GIVE_BACK = Spelled(
    lambda among: (
        update(delivery)
        .where(*_OURS, delivery.c.subscriber_id.in_(among), delivery.c.state == word(DeliveryState.CLAIMED))
        .values(state=word(DeliveryState.WAITING))
    )
)
