"""A delivery that failed goes once more, without what came to its reader meanwhile: in another edition, or a letter."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, select, update

from newsletter.model import DeliveryState
from newsletter.store.rows import read_segments
from newsletter.store.tables import Instant, delivery, subscriber
from newsletter.store.variants import Choices


def reckon(connection: Connection, issue_id: int, those: ColumnElement[bool], now: datetime) -> int:
    """Write anew what the readers of these failed deliveries get; how many were dropped, since nothing is left."""
    failed = (
        select(subscriber.c.id, subscriber.c.without, subscriber.c.plain)
        .join_from(delivery, subscriber)
        .where(delivery.c.issue_id == issue_id, delivery.c.state == DeliveryState.FAILED.value, those)
        .order_by(subscriber.c.id)
    )
    readers = connection.execute(failed).all()
    choices = Choices(connection, read_segments(connection, issue_id), besides=issue_id)
    told = list(choices.of(connection, readers))
    gets = [{"the_reader": one, "what": variant} for one, variant, why_not in told if not why_not]
    nothing = [{"the_reader": one, "what": variant, "why": why, "at": now} for one, variant, why in told if why]
    row = update(delivery).where(delivery.c.issue_id == issue_id, delivery.c.subscriber_id == bindparam("the_reader"))
    if gets:
        connection.execute(row.values(variant=bindparam("what")), gets)
    if nothing:
        ended = bindparam("at", type_=Instant())
        dropped = row.values(state=DeliveryState.DROPPED.value, reason=bindparam("why"), done_at=ended)
        connection.execute(dropped.values(variant=bindparam("what")), nothing)
    return len(nothing)
