"""What still waits for a reader who does not want it any more goes nowhere, in the transaction in which they say so."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from newsletter.model import DeliveryState, IssueState, Subscriber, SubscriberStatus
from newsletter.store.letters import DROPPED
from newsletter.store.meanwhile import goes
from newsletter.store.rows import word
from newsletter.store.tables import delivery, issue, letter

_UNSENT = (IssueState.READY, IssueState.HELD, IssueState.SENDING, IssueState.PAUSED)
"""Issues of which a delivery may still wait."""


def drop_issues(connection: Connection, reader: Subscriber, reason: str, now: datetime) -> None:
    """All that waits of any issue; `reader` is as they were until now."""
    _drop_waiting(connection, reader.id, reason, now)
    if reader.status is SubscriberStatus.ACTIVE:
        goes(connection, reader, reason, now)


def drop_letters(connection: Connection, subscriber_id: int, reason: str, now: datetime) -> None:
    """All letters that wait; one that is being handed over is out of reach."""
    connection.execute(
        update(letter)
        .where(letter.c.subscriber_id == subscriber_id, letter.c.state == word(DeliveryState.WAITING))
        .values(**DROPPED, reason=reason, done_at=now)
    )


def _drop_waiting(connection: Connection, subscriber_id: int, reason: str, now: datetime) -> None:
    unsent = select(issue.c.id).where(issue.c.state.in_([each.value for each in _UNSENT]))
    connection.execute(
        update(delivery)
        .where(
            delivery.c.issue_id.in_(unsent),
            delivery.c.subscriber_id == subscriber_id,
            delivery.c.state == DeliveryState.WAITING.value,
        )
        .values(state=DeliveryState.DROPPED.value, reason=reason, next_at=None, done_at=now)
    )
