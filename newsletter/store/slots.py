"""What became of each slot, and which posts are already in an issue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Delete, delete, exists, func, insert, or_, select, update

from newsletter.model import Hand, IssueState, PlanKind, SegmentKind, Slot, SlotOutcome, SlotPlan, SlotRecord
from newsletter.store import tables
from newsletter.store.database import insert_new
from newsletter.store.rows import Part
from newsletter.store.tables import edition as editions
from newsletter.store.tables import issue, issue_post, segment, slot_plan


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

    def free_slot(self, edition: str, key: str) -> bool:
        own = (tables.slot.c.edition == edition, tables.slot.c.key == key, tables.slot.c.issue_id.is_(None))
        skipped = delete(tables.slot).where(*own, tables.slot.c.outcome == SlotOutcome.SKIPPED.value)
        with self._database.write() as connection:
            return connection.scalar(skipped.returning(tables.slot.c.key)) is not None

    def plans(self, edition: str) -> Sequence[SlotPlan]:
        rows = select(slot_plan).where(slot_plan.c.edition == edition).order_by(slot_plan.c.key, slot_plan.c.kind)
        with self._database.read() as connection:
            return [
                SlotPlan(row.key, PlanKind(row.kind), Hand(row.who, "", row.at), row.reason, row.moved_to)
                for row in connection.execute(rows)
            ]

    def plan(self, edition: str, plan: SlotPlan) -> None:
        values = {"moved_to": plan.moved_to, "reason": plan.reason, "who": plan.hand.who, "at": plan.hand.at}
        with self._database.write() as connection:
            connection.execute(_those(edition, plan.key, plan.kind))
            connection.execute(insert(slot_plan).values(edition=edition, key=plan.key, kind=plan.kind.value, **values))

    def unplan(self, edition: str, key: str, kind: PlanKind) -> bool:
        with self._database.write() as connection:
            gone = _those(edition, key, kind).returning(slot_plan.c.key)
            return connection.scalar(gone) is not None

    def posts_from(self, edition: str) -> datetime | None:
        with self._database.read() as connection:
            found: datetime | None = connection.scalar(select(editions.c.posts_from).where(editions.c.name == edition))
            return found

    def start_from(self, edition: str, at: datetime) -> None:
        with self._database.write() as connection:
            connection.execute(update(editions).where(editions.c.name == edition).values(posts_from=at))

    def carried(self, edition: str) -> Mapping[str, int]:
        membership = (
            select(issue_post.c.post_id, issue.c.number)
            .join(issue)
            .where(issue_post.c.edition == edition, issue_post.c.carried == 1)
        )
        with self._database.read() as connection:
            return dict(connection.execute(membership).all())

    def went_out(self, edition: str) -> Mapping[str, datetime | None]:
        membership = (
            select(issue_post.c.post_id, issue.c.started_at)
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
            .where(issue.c.state != IssueState.WEB_ONLY.value)
            .group_by(segment.c.post_id)
        )
        with self._database.read() as connection:
            return dict(connection.execute(highest).all())


def _those(edition: str, key: str, kind: PlanKind) -> Delete:
    same = (slot_plan.c.edition == edition, slot_plan.c.key == key, slot_plan.c.kind == kind.value)
    return delete(slot_plan).where(*same)


def leave_slot(connection: Connection, issue_id: int, slot: Slot) -> None:
    """An issue that was thawed goes out at `slot`: the one it was held at is missed, and not its own any more."""
    left = (tables.slot.c.issue_id == issue_id, tables.slot.c.key != slot.key)
    held = tables.slot.c.outcome == SlotOutcome.HELD.value
    missed = {"outcome": SlotOutcome.COALESCED.value, "reason": f"missed; its posts went into {slot.key}"}
    connection.execute(update(tables.slot).where(*left, held).values(missed))


def take(
    connection: Connection, edition: str, slot: Slot, outcome: SlotOutcome, reason: str, issue_id: int | None = None
) -> bool:
    """Give the slot its outcome; False when it has one already. One that was held without an issue may get one, and its
    own issue, thawed meanwhile, may take it again.
    """
    values = {"due": slot.due, "outcome": outcome.value, "reason": reason, "issue_id": issue_id}
    row = insert_new(tables.slot).values(edition=edition, key=slot.key, **values)
    if connection.scalar(row.returning(tables.slot.c.key)) is not None:
        return True
    if issue_id is None:
        return False
    free = or_(tables.slot.c.issue_id == issue_id, tables.slot.c.issue_id.is_(None))
    own = (tables.slot.c.edition == edition, tables.slot.c.key == slot.key, free)
    again = update(tables.slot).where(*own, tables.slot.c.outcome == SlotOutcome.HELD.value).values(values)
    return connection.scalar(again.returning(tables.slot.c.key)) is not None
