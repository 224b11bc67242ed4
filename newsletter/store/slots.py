"""What became of each slot, and which posts are already in an issue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, exists, func, select

from newsletter.model import SegmentKind, Slot, SlotOutcome, SlotRecord
from newsletter.store import tables
from newsletter.store.database import insert_new
from newsletter.store.rows import Part
from newsletter.store.tables import edition as editions
from newsletter.store.tables import issue, issue_post, segment


class Slots(Part):
    def started(self, edition: str) -> datetime | None:
        with self._database.read() as connection:
            found: datetime | None = connection.scalar(select(editions.c.started_at).where(editions.c.name == edition))
            return found

    def start(self, edition: str, now: datetime) -> None:
        if self.started(edition) is None:
            with self._database.write() as connection:
                connection.execute(insert_new(editions).values(name=edition, started_at=now))

    def slots(self, edition: str) -> Sequence[SlotRecord]:
        slot = tables.slot
        records = (
            select(slot.c.key, slot.c.due, slot.c.outcome, slot.c.reason, issue.c.number)
            .join_from(slot, issue, isouter=True)
            .where(slot.c.edition == edition)
            .order_by(slot.c.due, slot.c.key)
        )
        with self._database.read() as connection:
            return [
                SlotRecord(key, due, SlotOutcome(outcome), reason, number)
                for key, due, outcome, reason, number in connection.execute(records)
            ]

    def record_slot(self, edition: str, slot: Slot, outcome: SlotOutcome, reason: str) -> bool:
        with self._database.write() as connection:
            return take(connection, edition, slot, outcome, reason)

    def carried(self, edition: str) -> Mapping[str, int]:
        membership = (
            select(issue_post.c.post_id, issue.c.number)
            .join(issue)
            .where(issue_post.c.edition == edition, issue_post.c.carried == 1)
        )
        with self._database.read() as connection:
            return dict(connection.execute(membership).all())

    def told(self, edition: str) -> Mapping[str, int]:
        stands = exists().where(issue_post.c.issue_id == segment.c.issue_id, issue_post.c.carried == 1)
        highest = (
            select(segment.c.post_id, func.max(segment.c.correction))
            .join(issue)
            .where(issue.c.edition == edition, segment.c.kind == SegmentKind.ERRATUM.value, stands)
            .group_by(segment.c.post_id)
        )
        with self._database.read() as connection:
            return dict(connection.execute(highest).all())


def take(
    connection: Connection, edition: str, slot: Slot, outcome: SlotOutcome, reason: str, issue_id: int | None = None
) -> bool:
    """Give the slot its outcome; False when it has one already."""
    row = insert_new(tables.slot).values(
        edition=edition, key=slot.key, due=slot.due, outcome=outcome.value, reason=reason, issue_id=issue_id
    )
    return connection.scalar(row.returning(tables.slot.c.key)) is not None
