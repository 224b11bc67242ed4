"""Nothing for a while. A pause counts at once, also for an issue on its way; what it keeps back does not come later."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, literal, select, update

from newsletter.model import ConsentKind, Evidence, SubscriberStatus
from newsletter.store.dropping import drop_issues
from newsletter.store.meanwhile import come
from newsletter.store.rolls import READS, RosterPart, change, over, say, standing
from newsletter.store.tables import Instant, consent, subscriber

_BATCH = 500


class Pausing(RosterPart):
    def pause(self, subscriber_id: int, *, until: datetime | None, evidence: Evidence, now: datetime) -> bool:
        with self._database.write() as connection:
            reader = standing(connection, subscriber_id, READS)
            if reader is None or (until is not None and until <= now):
                return False
            if reader.status is SubscriberStatus.PAUSED and reader.paused_until == until:
                return False
            change(connection, reader.id, status=SubscriberStatus.PAUSED.value, paused_until=until)
            say(connection, reader, ConsentKind.PAUSED, evidence, now)
            drop_issues(connection, reader, "paused", now)
            return True

    def resume(self, subscriber_id: int, *, evidence: Evidence, now: datetime) -> bool:
        with self._database.write() as connection:
            reader = standing(connection, subscriber_id, [SubscriberStatus.PAUSED])
            if reader is None:
                return False
            come(connection, subscriber.c.id == reader.id)
            change(connection, reader.id, status=SubscriberStatus.ACTIVE.value, paused_until=None)
            say(connection, reader, ConsentKind.RESUMED, evidence, now)
            return True

    def wake(self, now: datetime) -> int:
        """As `ports.Roster` says, some hundred in one commit."""
        woken = 0
        while self._any(select(subscriber.c.id).where(*over(now))):
            with self._database.write() as connection:
                woken += wake(connection, now, at_most=_BATCH)
        return woken


def wake(connection: Connection, now: datetime, *, at_most: int | None = None) -> int:
    """Pauses that are over end, each with its line of consent: all, or so many. How many there were."""
    first = select(subscriber.c.id).where(*over(now)).order_by(subscriber.c.paused_until, subscriber.c.id)
    those = subscriber.c.id.in_(first.limit(at_most))
    line = (literal(now, Instant()), literal(ConsentKind.RESUMED.value), literal("clock"))
    lines = select(subscriber.c.id, subscriber.c.address).add_columns(*line).where(those)
    connection.execute(insert(consent).from_select(["subscriber_id", "address", "at", "kind", "way"], lines))
    come(connection, those)
    ends = update(subscriber).where(those).values(status=SubscriberStatus.ACTIVE.value, paused_until=None)
    return len(connection.scalars(ends.returning(subscriber.c.id)).all())
