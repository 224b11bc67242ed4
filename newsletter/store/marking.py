"""What a hand-over writes, row by row: the outcomes, who goes next, and who waits again.

All that runs for every Message stands here, which is why the driver runs it alone (`spelled`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, func, insert, literal_column, null, select, update

from newsletter.model import Addressee, Chunk, DeliveryState, Settlement, SubscriberStatus
from newsletter.store.rows import in_flight, word
from newsletter.store.spelled import Spelled
from newsletter.store.tables import Instant, attempt, chunk, delivery, instant, issue, milliseconds, subscriber

Held = Mapping[str, int]
"""The issue and the epoch under which rows are marked and settled, as the statements name them."""


def held_by(connection: Connection, of: Chunk) -> tuple[Held, str]:
    """How the rows of a chunk are held by whoever took it, and the state of its issue."""
    [(issue_id, state)] = _HELD.rows(connection, {"the_chunk": of.id})
    return {"the_issue": issue_id, "the_epoch": of.epoch}, state


def settle(connection: Connection, held: Held, settled: Sequence[Settlement], now: int, *, cancelled: bool) -> None:
    """Write what came of rows, to those that are still `sending` as held; an attempt is kept of each in any case."""
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


def mark(connection: Connection, held: Held, wanted: Sequence[int], now: int) -> Mapping[int, Addressee | None]:
    """Mark those who are still active `sending` and drop the others: None. Rows that are not ours are left out."""
    found = _WANTED.rows(connection, held, wanted)
    marked = {facts[0]: _addressee(*facts) if status == SubscriberStatus.ACTIVE else None for status, *facts in found}
    if active := [reader for reader, addressee in marked.items() if addressee]:
        _MARK.run(connection, held, active)
    if len(active) < len(found):
        _DROP.each(connection, [_drop(held, row[1], row[0], now) for row in found if marked[row[1]] is None])
    return marked


def _addressee(
    reader: int, address: str, joined: int, links: int, attempts: int, first: int | None, variant: str
) -> Addressee:
    began = None if first is None else instant(first)
    return Addressee(reader, address, instant(joined), links, attempts, began, tuple(variant.split()))


def _drop(held: Held, subscriber_id: int, status: str, now: int) -> dict[str, object]:
    why = "suppressed" if status == SubscriberStatus.BLOCKED else status
    return {**held, "the_reader": subscriber_id, "why": why, "now": now}


def give_back(connection: Connection, held: Held, subscriber_ids: Sequence[int]) -> None:
    """What is claimed and not handed over waits again."""
    if subscriber_ids:
        _GIVE_BACK.run(connection, held, subscriber_ids)


_OURS = (delivery.c.issue_id == bindparam("the_issue"), delivery.c.epoch == bindparam("the_epoch"))
_ONE = delivery.c.subscriber_id == bindparam("the_reader")

_HELD = Spelled(
    lambda _: (
        select(chunk.c.issue_id, issue.c.state).join_from(chunk, issue).where(chunk.c.id == bindparam("the_chunk"))
    )
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

_FORGOTTEN = Spelled(
    lambda among: select(subscriber.c.id).where(
        subscriber.c.id.in_(among), subscriber.c.address == literal_column("''")
    )
)

_WANTED = Spelled(
    lambda among: (
        select(subscriber.c.status, subscriber.c.id, subscriber.c.address, subscriber.c.joined_at)
        .add_columns(subscriber.c.token_version, delivery.c.attempts, delivery.c.first_at, delivery.c.variant)
        .join_from(delivery, subscriber)
        .where(*_OURS, delivery.c.subscriber_id.in_(among), in_flight(delivery))
    )
)
"""Those that are `sending` already were marked by a commit whose answer was lost with the connection: nobody was given
them.
"""

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
