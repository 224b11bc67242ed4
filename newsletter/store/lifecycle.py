"""The turns in an issue's life that a person or the clock decides: intend, hold, pause, resume, cancel, finish.

All pass through `acts.act`, which writes them down.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, update

from newsletter.model import DeliveryState, Hand, Issue, IssueAct, IssueState, SlotOutcome, by_clock
from newsletter.store import tables
from newsletter.store.acts import act
from newsletter.store.audience import forget
from newsletter.store.rows import Part, issue_id, read_issues
from newsletter.store.tables import delivery, issue, issue_post

_OPEN = (DeliveryState.WAITING, DeliveryState.CLAIMED, DeliveryState.SENDING)
"""States of a delivery from which something may still come."""

RETRYABLE = (delivery.c.state == DeliveryState.FAILED.value) & or_(delivery.c.code.is_(None), delivery.c.code < 500)
"""Failed, but not because the reader's mail server said never."""

DOUBTFUL = or_(delivery.c.state == DeliveryState.UNCERTAIN.value, RETRYABLE) & delivery.c.settled_at.is_(None)
"""What a person has still to decide about."""


class Lifecycle(Part):
    def schedule_send(self, edition: str, number: int, *, at: datetime, hand: Hand, note: str = "") -> bool:
        """As `ports.Ledger` says. What waits for its slot can be brought forward; what a hand sent cannot be again."""
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            free = or_(issue.c.send_at.is_(None), issue.c.sent_by == "") & issue.c.audience_at.is_(None)
            intended = act(
                connection,
                found,
                IssueAct.SEND,
                hand,
                free,
                to=IssueState.READY,
                note=note,
                reason="",
                send_at=at,
                sent_by=hand.who,
            )
            if intended:
                _tell_slot(connection, found, outcome=SlotOutcome.ISSUED.value, reason="")
            return intended

    def hold(self, edition: str, number: int, *, reason: str, hand: Hand) -> bool:
        """As `ports.Ledger` says; an audience that was begun is called off, and the intent to send is gone."""
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            away = {"reason": reason, "send_at": None, "sent_by": ""}
            held = act(connection, found, IssueAct.HOLD, hand, to=IssueState.HELD, note=reason, **away)
            if held:
                forget(connection, found)
                _tell_slot(connection, found, outcome=SlotOutcome.HELD.value, reason=reason)
            return held

    def pause(self, edition: str, number: int, *, reason: str, hand: Hand) -> bool:
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            return act(connection, found, IssueAct.PAUSE, hand, to=IssueState.PAUSED, note=reason, reason=reason)

    def resume(self, edition: str, number: int, *, hand: Hand) -> bool:
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            return act(connection, found, IssueAct.RESUME, hand, to=IssueState.SENDING, reason="")

    def cancel(self, edition: str, number: int, *, reason: str, hand: Hand, free_slot: bool = False) -> int:
        """As `ports.Ledger` says; a finished issue stays as it is. Rows in flight end as their receipts say."""
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            ended = {"reason": reason, "finished_at": hand.at}
            if act(connection, found, IssueAct.CANCEL, hand, to=IssueState.CANCELLED, note=reason, **ended):
                forget(connection, found)
                _tell_slot(connection, found, reason=reason)
                _drop_waiting(connection, found, hand.at)
                if _return_posts(connection, found) and free_slot:
                    connection.execute(delete(tables.slot).where(_own_slot(found)))
            return _count(connection, found, _among(DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN))

    def finish(self, edition: str, number: int, *, now: datetime) -> Issue:
        """As `ports.Ledger` says. It needs attention when a delivery is uncertain, or failed in a way that may pass."""
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            if not _count(connection, found, _among(*_OPEN)):
                end = IssueState.NEEDS_ATTENTION if _count(connection, found, DOUBTFUL) else IssueState.SENT
                act(connection, found, IssueAct.FINISH, by_clock(now), to=end, finished_at=now)
            return read_issues(connection, issue.c.id == found)[0]


def _tell_slot(connection: Connection, issue_id: int, **values: str) -> None:
    connection.execute(update(tables.slot).where(_own_slot(issue_id)).values(**values))


def _own_slot(issue_id: int) -> ColumnElement[bool]:
    """The slot of the issue, not those that were missed before it."""
    return (tables.slot.c.issue_id == issue_id) & (tables.slot.c.outcome != SlotOutcome.COALESCED.value)


def _drop_waiting(connection: Connection, issue_id: int, now: datetime) -> None:
    connection.execute(
        update(delivery)
        .where(delivery.c.issue_id == issue_id, _among(DeliveryState.WAITING, DeliveryState.CLAIMED))
        .values(state=DeliveryState.DROPPED.value, reason="cancelled", next_at=None, done_at=now)
    )


def _return_posts(connection: Connection, issue_id: int) -> bool:
    """Unless a single hand-over was begun: then somebody may have read them. Whether they were returned."""
    in_hand = _among(DeliveryState.SENDING, DeliveryState.ACCEPTED, DeliveryState.FAILED, DeliveryState.UNCERTAIN)
    if _count(connection, issue_id, or_(in_hand, delivery.c.attempts > 0)):
        return False
    connection.execute(update(issue_post).where(issue_post.c.issue_id == issue_id).values(carried=0))
    return True


def _among(*states: DeliveryState) -> ColumnElement[bool]:
    return delivery.c.state.in_([each.value for each in states])


def _count(connection: Connection, issue_id: int, condition: ColumnElement[bool]) -> int:
    rows = select(func.count()).select_from(delivery).where(delivery.c.issue_id == issue_id, condition)
    return connection.scalar(rows) or 0
