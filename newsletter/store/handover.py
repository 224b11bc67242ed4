"""Who is mailed next and what came of it: chunks are taken, rows claimed, marked and settled.

The order that keeps a crash honest: `claimed` (nothing was begun: waits again) → `sending`, committed before the
Message goes out (fate unknown: uncertain) → settled. A chunk's epoch is the fence: it rises whenever somebody takes
the chunk, what he finds claimed waits again, and a row is marked and settled only under the epoch that claimed it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, or_, select, update

from newsletter.model import Addressee, Chunk, DeliveryState, IssueState, Settlement
from newsletter.store.blocking import block_the_dead
from newsletter.store.marking import give_back, held_by, mark, settle
from newsletter.store.rolls import Fingerprint
from newsletter.store.room import must_have_room
from newsletter.store.rows import Part, first_waiting, in_flight, word
from newsletter.store.tables import (
    WAITING,
    chunk,
    delivery,
    issue,
    milliseconds,
)


class HandOver(Part):
    _fingerprint: Fingerprint | None = None

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
        must_have_room(self._database.file)
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
            held, state = held_by(connection, chunk)
            settle(connection, held, settled, milliseconds(now), cancelled=state == IssueState.CANCELLED)
            if self._fingerprint:
                block_the_dead(connection, self._fingerprint, settled, now)
            if wanted and state == IssueState.SENDING:
                return mark(connection, held, wanted, milliseconds(now))
            give_back(connection, held, wanted)
            return {}

    def release(self, chunk: Chunk, subscriber_ids: Sequence[int]) -> None:
        with self._database.write() as connection:
            held, _ = held_by(connection, chunk)
            give_back(connection, held, subscriber_ids)


# The statements, spelled out once: building one costs more than running it.

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
            .order_by(due.c.next_at.nulls_first(), due.c.subscriber_id)
            .limit(bindparam("at_most"))
        ),
    )
    .values(state=DeliveryState.CLAIMED.value, epoch=bindparam("the_epoch"))
    .returning(delivery.c.subscriber_id)
)
