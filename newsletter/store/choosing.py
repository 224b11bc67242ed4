"""What a reader gets: how often, which topics, in which form. It counts from the next issue."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from newsletter.model import ConsentKind, Evidence, Subscriber, SubscriberStatus
from newsletter.store.audience import include
from newsletter.store.meanwhile import come
from newsletter.store.rolls import READS, RosterPart, change, one, say, standing
from newsletter.store.tables import subscriber


class Choosing(RosterPart):
    def choose(
        self,
        subscriber_id: int,
        *,
        edition: str,
        without: Collection[str],
        plain: bool,
        evidence: Evidence,
        now: datetime,
    ) -> Subscriber | None:
        chosen = (edition, tuple(sorted(without)), plain)
        with self._database.write() as connection:
            reader = standing(connection, subscriber_id, READS)
            if reader is None or chosen == (reader.edition, reader.without, reader.plain):
                return reader
            moves = reader.edition != edition and reader.status is SubscriberStatus.ACTIVE
            if moves:
                include(connection, reader)
            change(connection, reader.id, edition=edition, without=" ".join(chosen[1]), plain=int(plain))
            if moves:
                come(connection, subscriber.c.id == reader.id)
            say(connection, reader, ConsentKind.CHOSE, evidence, now)
            return one(connection, subscriber.c.id == reader.id)
