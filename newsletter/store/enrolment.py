"""How somebody becomes a reader: vouched for, or asked and confirmed. Asking is answered the same way to all."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, exists, func, select

from newsletter.addresses import caseless
from newsletter.model import ConsentKind, Evidence, LetterKind, Subscriber, SubscriberStatus
from newsletter.store.database import insert_new
from newsletter.store.dropping import drop_letters
from newsletter.store.erasure import erase_unconfirmed
from newsletter.store.letters import write
from newsletter.store.meanwhile import come
from newsletter.store.rolls import (
    FORGOTTEN,
    FORGOTTEN_ONLY,
    READS,
    RosterPart,
    change,
    lift,
    one,
    same_address,
    say,
    standing,
    suppressed,
)
from newsletter.store.tables import consent, subscriber

_ASKING = (SubscriberStatus.UNCONFIRMED, SubscriberStatus.LEFT)


class Enrolment(RosterPart):
    def add(
        self, address: str, *, edition: str, evidence: Evidence, now: datetime, forgotten: bool = False
    ) -> Subscriber | None:
        mark = self._fingerprint(address)
        with self._database.write() as connection:
            why = suppressed(connection, mark)
            if why and not (forgotten and why == FORGOTTEN):
                return None
            made = _new(connection, address, SubscriberStatus.ACTIVE, edition, now)
            if made is not None:
                lift(connection, mark)
                say(connection, made, ConsentKind.JOINED, evidence, now)
            return made

    def ask(self, address: str, *, edition: str, evidence: Evidence, now: datetime) -> None:
        with self._database.write() as connection:
            if suppressed(connection, self._fingerprint(address)) not in ("", FORGOTTEN):
                return
            new = _new(connection, address, SubscriberStatus.UNCONFIRMED, edition, now)
            reader = new or one(connection, same_address(address))
            if reader is None or reader.status is SubscriberStatus.BLOCKED:
                return
            if reader.status in READS:
                write(connection, LetterKind.KNOWN, reader.id, reader.address, now)
                return
            _asks(connection, reader, edition, now)
            say(connection, reader, ConsentKind.ASKED, evidence, now)
            write(connection, LetterKind.CONFIRM, reader.id, reader.address, now)

    def confirm(self, subscriber_id: int, *, evidence: Evidence, now: datetime) -> bool:
        with self._database.write() as connection:
            reader = standing(connection, subscriber_id, _ASKING)
            if reader is None or not _has_asked(connection, reader):
                return False
            mark = self._fingerprint(reader.address)
            if suppressed(connection, mark) not in ("", FORGOTTEN):
                return False
            lift(connection, mark, FORGOTTEN_ONLY)
            again = reader.status is SubscriberStatus.LEFT
            come(connection, subscriber.c.id == reader.id)
            change(connection, reader.id, **_FRESH, status=SubscriberStatus.ACTIVE.value, joined_at=now, owed_from=now)
            say(connection, reader, ConsentKind.RETURNED if again else ConsentKind.JOINED, evidence, now)
            return True

    def deny(self, subscriber_id: int, *, now: datetime) -> bool:
        with self._database.write() as connection:
            if standing(connection, subscriber_id, [SubscriberStatus.UNCONFIRMED]):
                erase_unconfirmed(connection, [subscriber_id])
                return True
            drop_letters(connection, subscriber_id, "denied", now)
            return False


_FRESH = {"left_at": None, "paused_until": None, "why": ""}


def _new(
    connection: Connection, address: str, status: SubscriberStatus, edition: str, now: datetime
) -> Subscriber | None:
    """None when the address is known."""
    row = insert_new(subscriber).values(
        address=address,
        folded=caseless(address),
        status=status.value,
        edition=edition,
        joined_at=now,
        owed_from=None if status is SubscriberStatus.UNCONFIRMED else now,
    )
    made = connection.scalar(row.returning(subscriber.c.id))
    return None if made is None else one(connection, subscriber.c.id == made)


def _asks(connection: Connection, reader: Subscriber, edition: str, now: datetime) -> None:
    """What was asked for last is what the letter confirms; its limit counts from then."""
    asked = {"joined_at": now} if reader.status is SubscriberStatus.UNCONFIRMED else {}
    change(connection, reader.id, edition=edition, **asked)


def _has_asked(connection: Connection, reader: Subscriber) -> bool:
    """Whether they did since they left: the link in a letter of an earlier time was used up then."""
    if reader.status is SubscriberStatus.UNCONFIRMED:
        return True
    of = consent.c.subscriber_id == reader.id
    left = select(func.max(consent.c.id)).where(of, consent.c.kind == ConsentKind.LEFT.value).scalar_subquery()
    asked = exists().where(of, consent.c.kind == ConsentKind.ASKED.value, consent.c.id > left)
    return bool(connection.scalar(select(asked)))
