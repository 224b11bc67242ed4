"""Which editions a reader may have, and when the next issue of each comes, as far as the rhythm says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from newsletter.issues import cadence as cadences
from newsletter.model import EACH_POST, Cadence, Slot, Subscriber, SubscriberStatus


@dataclass(frozen=True)
class Rhythms:
    """Asked anew each time: somebody may move a slot, or pause them all, while pages are served."""

    cadences: Callable[[], Mapping[str, Cadence]]  # of the editions that are switched on
    resting: Callable[[str], bool]  # whether no slot of an edition makes an issue until somebody lifts that
    zone: tzinfo
    gone: Callable[[str], Collection[str]] = lambda _: ()  # keys of slots of an edition that bring nothing any more

    def offers(self, edition: str) -> bool:
        return edition in self.cadences()

    def of(self, reader: Subscriber) -> Cadence | None:
        """None of an edition that is switched off."""
        return self.cadences().get(reader.edition)

    def next(self, edition: str, after: datetime) -> Slot | None:
        """The first slot later than `after` that brings something; None where nobody can say."""
        cadence = self.cadences().get(edition)
        if cadence is None or edition == EACH_POST or self.resting(edition):
            return None
        if cadence.first_slot:
            after = max(after, cadences.slot_on(cadence, cadence.first_slot).due - timedelta(microseconds=1))
        gone, [slot] = self.gone(edition), cadences.next_slots(cadence, after, 1)
        while slot.key in gone:
            [slot] = cadences.next_slots(cadence, slot.due, 1)
        return slot

    def next_for(self, reader: Subscriber, now: datetime) -> Slot | None:
        """The first that this reader gets, if things stay as they are."""
        if reader.status is SubscriberStatus.ACTIVE:
            return self.next(reader.edition, now)
        if reader.status is SubscriberStatus.PAUSED and reader.paused_until:
            return self.next(reader.edition, max(now, reader.paused_until))
        return None
