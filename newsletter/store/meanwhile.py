"""Who comes and who goes while an audience is being written: it was counted, and its rows follow in short commits.

The rows must add up to the count in the end (`audience`). So whoever goes before their row was written gets a dropped
one, and whoever comes, with a number that is still ahead, is counted in: they get this issue as well.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, exists, func, literal, select, update

from newsletter.model import DeliveryState, IssueState, Subscriber
from newsletter.store.database import insert_new
from newsletter.store.tables import Instant, delivery, issue, subscriber

UNFINISHED = (
    issue.c.state == IssueState.READY.value,
    issue.c.audience_at.is_not(None),
    issue.c.audience_frozen_at.is_(None),
)
"""An audience that was begun and may still be finished or called off: nobody has been mailed."""


def ahead(reader: Subscriber) -> tuple[ColumnElement[bool], ...]:
    """Audiences of their edition that may still come to this reader."""
    return (
        *UNFINISHED,
        issue.c.edition == reader.edition,
        issue.c.audience_cursor < reader.id,
        issue.c.audience_upto >= reader.id,
    )


def goes(connection: Connection, reader: Subscriber, reason: str, now: datetime) -> None:
    """An active reader is one no more: audiences that counted them and have not come to them get a dropped row."""
    dropped = select(
        issue.c.id,
        literal(reader.id),
        literal(DeliveryState.DROPPED.value),
        literal(reason),
        literal(now, Instant()),
    ).where(*ahead(reader))
    columns = ["issue_id", "subscriber_id", "state", "reason", "done_at"]
    connection.execute(insert_new(delivery).from_select(columns, dropped))  # who went and came has one already


def come(connection: Connection, *who: ColumnElement[bool]) -> None:
    """These readers become active in this transaction."""
    came = (
        select(func.count())
        .select_from(subscriber)
        .where(
            *who,
            subscriber.c.edition == issue.c.edition,
            subscriber.c.id > issue.c.audience_cursor,
            subscriber.c.id <= issue.c.audience_upto,
            ~exists()
            .where(delivery.c.issue_id == issue.c.id, delivery.c.subscriber_id == subscriber.c.id)
            .correlate(issue, subscriber),
        )
        .correlate(issue)
        .scalar_subquery()
    )
    counted = update(issue).where(*UNFINISHED)
    connection.execute(counted.values(audience_expected=issue.c.audience_expected + came))
