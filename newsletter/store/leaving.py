"""How a reader goes, and comes back: by their own word, or blocked because their mail must not be sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from newsletter.model import ConsentKind, Evidence, Subscriber, SubscriberStatus
from newsletter.store.dropping import drop_issues, drop_letters
from newsletter.store.meanwhile import come
from newsletter.store.rolls import (
    FORGOTTEN,
    Fingerprint,
    RosterPart,
    change,
    lift,
    one,
    same_address,
    say,
    standing,
    suppress,
    suppressed,
)
from newsletter.store.tables import consent, subscriber

_MAY_LEAVE = (SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED, SubscriberStatus.UNCONFIRMED)
MAY_BE_BLOCKED = (*_MAY_LEAVE, SubscriberStatus.LEFT)


class Leaving(RosterPart):
    def leave(self, subscriber_id: int, *, evidence: Evidence, now: datetime) -> bool:
        with self._database.write() as connection:
            reader = standing(connection, subscriber_id, _MAY_LEAVE)
            if reader is None:
                return False
            change(connection, reader.id, status=SubscriberStatus.LEFT.value, left_at=now, why="")
            say(connection, reader, ConsentKind.LEFT, evidence, now)
            _drop(connection, reader, "left", now)
            return True

    def say_why(self, subscriber_id: int, reason: str) -> None:
        with self._database.write() as connection:
            if standing(connection, subscriber_id, [SubscriberStatus.LEFT]):
                change(connection, subscriber_id, why=reason)

    def come_back(self, subscriber_id: int, *, evidence: Evidence, now: datetime) -> bool:
        """As `ports.Roster` says; deliveries that were dropped stay so: the next issue is the first again."""
        with self._database.write() as connection:
            reader = standing(connection, subscriber_id, [SubscriberStatus.LEFT])
            if reader is None or reader.owed_from is None:
                return False
            before = before_going(ConsentKind.LEFT, _said(connection, reader.id))
            say(connection, reader, ConsentKind.RETURNED, evidence, now)
            if before is SubscriberStatus.PAUSED:
                say(connection, reader, ConsentKind.PAUSED, evidence, now)
            _stand(connection, reader, before, left_at=None, why="")
            return True

    def block(self, subscriber_id: int, *, reason: str, evidence: Evidence, now: datetime) -> bool:
        with self._database.write() as connection:
            reader = standing(connection, subscriber_id, MAY_BE_BLOCKED)
            if reader is None:
                return False
            block(connection, self._fingerprint, reader, reason=reason, evidence=evidence, now=now)
            return True

    def unblock(self, subscriber_id: int, *, evidence: Evidence, now: datetime) -> bool:
        with self._database.write() as connection:
            reader = standing(connection, subscriber_id, [SubscriberStatus.BLOCKED])
            if reader is None:
                return False
            lift(connection, self._fingerprint(reader.address))
            before = before_going(ConsentKind.BLOCKED, _said(connection, reader.id))
            say(connection, reader, ConsentKind.UNBLOCKED, evidence, now)
            _stand(connection, reader, before)
            return True

    def suppress(self, address: str, *, reason: str, now: datetime) -> bool:
        mark = self._fingerprint(address)
        with self._database.write() as connection:
            free = suppressed(connection, mark) in ("", FORGOTTEN)
            if not free or one(connection, same_address(address)):
                return False
            suppress(connection, mark, reason, now)
            return True

    def release(self, address: str) -> bool:
        mark = self._fingerprint(address)
        with self._database.write() as connection:
            if not suppressed(connection, mark) or one(connection, same_address(address)):
                return False
            lift(connection, mark)
            return True


def block(
    connection: Connection,
    fingerprint: Fingerprint,
    reader: Subscriber,
    *,
    reason: str,
    evidence: Evidence,
    now: datetime,
) -> None:
    """One of MAY_BE_BLOCKED -> blocked: the address is suppressed, what waits is dropped."""
    suppress(connection, fingerprint(reader.address), reason, now)
    change(connection, reader.id, status=SubscriberStatus.BLOCKED.value)
    say(connection, reader, ConsentKind.BLOCKED, evidence, now)
    _drop(connection, reader, "suppressed", now)


def _drop(connection: Connection, reader: Subscriber, reason: str, now: datetime) -> None:
    drop_issues(connection, reader, reason, now)
    drop_letters(connection, reader.id, reason, now)


def _stand(connection: Connection, reader: Subscriber, status: SubscriberStatus, **values: object) -> None:
    if status is SubscriberStatus.ACTIVE:
        come(connection, subscriber.c.id == reader.id)
    change(connection, reader.id, status=status.value, **values)


def _said(connection: Connection, subscriber_id: int) -> Sequence[ConsentKind]:
    lines = select(consent.c.kind).where(consent.c.subscriber_id == subscriber_id).order_by(consent.c.id)
    return [ConsentKind(kind) for kind in connection.scalars(lines)]


_MEANS = {
    ConsentKind.JOINED: SubscriberStatus.ACTIVE,
    ConsentKind.RETURNED: SubscriberStatus.ACTIVE,
    ConsentKind.RESUMED: SubscriberStatus.ACTIVE,
    ConsentKind.PAUSED: SubscriberStatus.PAUSED,
    ConsentKind.LEFT: SubscriberStatus.LEFT,
    ConsentKind.BLOCKED: SubscriberStatus.BLOCKED,
}


def before_going(how: ConsentKind, said: Iterable[ConsentKind]) -> SubscriberStatus:
    """What a reader was before they left (LEFT), or were blocked (BLOCKED), for the last time."""
    stands = SubscriberStatus.UNCONFIRMED
    before = dict.fromkeys((ConsentKind.LEFT, ConsentKind.BLOCKED), stands)
    for kind in said:
        if kind in before:
            before[kind] = stands
        stands = before[ConsentKind.BLOCKED] if kind is ConsentKind.UNBLOCKED else _MEANS.get(kind, stands)
    return before[how]
