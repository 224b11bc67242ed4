"""The turns in an issue's life that a person or the clock decides: intend, hold, pause, resume, cancel, finish.

Each asks for the state it starts from in the statement that changes it, so that of two who decide at once one wins.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, update

from newsletter.model import DeliveryState, Issue, IssueState, SlotOutcome
from newsletter.store import tables
from newsletter.store.audience import forget
from newsletter.store.rows import Part, issue_id, read_issues
from newsletter.store.tables import delivery, issue, issue_post

_CANCELLABLE = (IssueState.DRAFT, IssueState.READY, IssueState.HELD, IssueState.SENDING, IssueState.PAUSED)

_OPEN = (DeliveryState.WAITING, DeliveryState.CLAIMED, DeliveryState.SENDING)
"""States of a delivery from which something may still come."""

_RETRYABLE = (delivery.c.state == DeliveryState.FAILED.value) & or_(delivery.c.code.is_(None), delivery.c.code < 500)
"""Failed, but not because the reader's mail server said never."""


class Lifecycle(Part):
    def schedule_send(self, edition: str, number: int, *, at: datetime, by: str) -> bool:
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            intended = _turn(
                connection,
                found,
                (IssueState.READY, IssueState.HELD),
                issue.c.send_at.is_(None),
                state=IssueState.READY.value,
                reason="",
                send_at=at,
                sent_by=by,
            )
            if intended:
                _tell_slot(connection, found, outcome=SlotOutcome.ISSUED.value, reason="")
            return intended

    def hold(self, edition: str, number: int, *, reason: str) -> bool:
        """As `ports.Ledger` says; an audience that was begun is called off, and the intent to send is gone."""
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            held = _turn(
                connection, found, (IssueState.READY,), state=IssueState.HELD.value, reason=reason, send_at=None
            )
            if held:
                forget(connection, found)
                _tell_slot(connection, found, outcome=SlotOutcome.HELD.value, reason=reason)
            return held

    def pause(self, edition: str, number: int, *, reason: str) -> None:
        """SENDING -> PAUSED; nothing in any other state."""
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            _turn(connection, found, (IssueState.SENDING,), state=IssueState.PAUSED.value, reason=reason)

    def resume(self, edition: str, number: int) -> None:
        """PAUSED -> SENDING; nothing in any other state."""
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            _turn(connection, found, (IssueState.PAUSED,), state=IssueState.SENDING.value, reason="")

    def cancel(self, edition: str, number: int, *, reason: str, now: datetime, free_slot: bool = False) -> int:
        """As `ports.Ledger` says; a finished issue stays as it is. Rows in flight end as their receipts say."""
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            cancelled = _turn(
                connection, found, _CANCELLABLE, state=IssueState.CANCELLED.value, reason=reason, finished_at=now
            )
            if cancelled:
                forget(connection, found)
                _tell_slot(connection, found, reason=reason)
                _drop_waiting(connection, found, now)
                if _return_posts(connection, found) and free_slot:
                    connection.execute(delete(tables.slot).where(_own_slot(found)))
            return _count(connection, found, _among(DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN))

    def finish(self, edition: str, number: int, *, now: datetime) -> Issue:
        """As `ports.Ledger` says. It needs attention when a delivery is uncertain, or failed in a way that may pass."""
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            if not _count(connection, found, _among(*_OPEN)):
                doubt = _count(connection, found, or_(_among(DeliveryState.UNCERTAIN), _RETRYABLE))
                end = IssueState.NEEDS_ATTENTION if doubt else IssueState.SENT
                _turn(connection, found, (IssueState.SENDING,), state=end.value, finished_at=now)
            return read_issues(connection, issue.c.id == found)[0]


def _turn(
    connection: Connection,
    issue_id: int,
    states: tuple[IssueState, ...],
    *conditions: ColumnElement[bool],
    **values: object,
) -> bool:
    """Change the issue if it is in one of `states` and meets the conditions; whether it was."""
    change = update(issue).where(
        issue.c.id == issue_id, issue.c.state.in_([each.value for each in states]), *conditions
    )
    return connection.scalar(change.values(**values).returning(issue.c.id)) is not None


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
