"""What goes for good: who never confirmed, altogether; who is forgotten, down to a number and a keyed hash."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from newsletter.addresses import caseless
from newsletter.model import Subscriber, SubscriberStatus
from newsletter.store.dropping import drop_issues
from newsletter.store.rolls import FORGOTTEN, RosterPart, change, standing, suppress, suppressed, word
from newsletter.store.tables import (
    MOVES,
    attempt,
    consent,
    delivery,
    letter,
    letter_post,
    resent,
    subscriber,
    suppression,
)

_BATCH = 500


class Erasure(RosterPart):
    def expire(self, *, before: datetime) -> int:
        """As `ports.Roster` says, some hundred in one commit."""
        late = select(subscriber.c.id).where(
            subscriber.c.status == word(SubscriberStatus.UNCONFIRMED), subscriber.c.joined_at < before
        )
        gone = 0
        while self._any(late):
            with self._database.write() as connection:
                found = connection.scalars(late.limit(_BATCH)).all()
                erase_unconfirmed(connection, found)
            gone += len(found)
        return gone

    def forget(self, subscriber_id: int, *, now: datetime) -> bool:
        with self._database.write() as connection:
            reader = standing(connection, subscriber_id, [*SubscriberStatus])
            if reader is None:
                return False
            for address in _had(connection, reader):
                mark = self._fingerprint(address)
                suppress(connection, mark, FORGOTTEN, now)
                if address in caseless(suppressed(connection, mark)):
                    unnamed = update(suppression).where(suppression.c.hash == mark)
                    connection.execute(unnamed.values(reason=SubscriberStatus.BLOCKED.value))
            husk(connection, reader, now)
            return True

    def expire_moves(self, *, before: datetime) -> None:
        """As `ports.Roster` says."""
        unused = (
            select(letter.c.id)
            .join(subscriber, letter.c.subscriber_id == subscriber.c.id)
            .where(MOVES, letter.c.at < before, letter.c.address != subscriber.c.address)
            .where(func.lower(letter.c.address) != subscriber.c.folded)
        )
        if self._any(unused):
            with self._database.write() as connection:
                connection.execute(delete(letter).where(letter.c.id.in_(unused)))


def _had(connection: Connection, reader: Subscriber) -> set[str]:
    """Each address that was theirs, without case, except those that another reader has by now."""
    told = select(consent.c.address).where(consent.c.subscriber_id == reader.id)
    theirs = {caseless(one) for one in (reader.address, *connection.scalars(told)) if one}
    others = select(subscriber.c.folded).where(subscriber.c.folded.in_(theirs), subscriber.c.id != reader.id)
    return theirs - set(connection.scalars(others))


def husk(connection: Connection, reader: Subscriber, now: datetime) -> None:
    """Leave of a reader the number that deliveries stand under, and no link in an old mail that works."""
    drop_issues(connection, reader, "left", now)
    change(
        connection,
        reader.id,
        address="",
        folded=f"#{reader.id}",
        status=SubscriberStatus.LEFT.value,
        edition="",
        left_at=now,
        token_version=reader.token_version + 1,
        owed_from=None,
        paused_until=None,
        without="",
        plain=0,
        why="",
    )
    _without_records(connection, [reader.id])
    _without_replies(connection, reader.id)
    _without_wishes(connection, caseless(reader.address))


def _without_wishes(connection: Connection, address: str) -> None:
    """Of others, who wanted to move there. The database does not know how letters beyond ASCII are folded."""
    moves = connection.execute(select(letter.c.id, letter.c.address).where(MOVES))
    wished = [number for number, to in moves if caseless(to) == address]
    connection.execute(delete(letter).where(letter.c.id.in_(wished)))


def erase_unconfirmed(connection: Connection, subscriber_ids: Sequence[int]) -> None:
    """Nothing was ever owed to them: their rows go, with what they said and the letters to them."""
    rows = subscriber.c.id.in_(subscriber_ids)
    connection.execute(update(subscriber).where(rows).values(address=""))  # their consent lines may go then
    _without_records(connection, subscriber_ids)
    connection.execute(delete(subscriber).where(rows))


def _without_records(connection: Connection, subscriber_ids: Sequence[int]) -> None:
    """Their address was blanked before."""
    letters = select(letter.c.id).where(letter.c.subscriber_id.in_(subscriber_ids))
    connection.execute(delete(letter_post).where(letter_post.c.letter_id.in_(letters)))
    connection.execute(delete(letter).where(letter.c.subscriber_id.in_(subscriber_ids)))
    connection.execute(delete(consent).where(consent.c.subscriber_id.in_(subscriber_ids)))


def _without_replies(connection: Connection, subscriber_id: int) -> None:
    """Mail servers like to name in their answers whom they refuse, in more spellings than could be looked for."""
    for table in (delivery, attempt, resent):
        answered = table.c.subscriber_id == subscriber_id, table.c.reply != ""
        connection.execute(update(table).where(*answered).values(reply=""))
