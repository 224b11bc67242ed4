"""The roster, read: one reader, all of them some hundred at a time, how many, and all that is held about one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from newsletter.addresses import caseless
from newsletter.model import Consent, ConsentKind, Subscriber, SubscriberStatus
from newsletter.store.rolls import (
    COLUMNS,
    HERE,
    RosterPart,
    as_row,
    one,
    over,
    read_subscriber,
    same_address,
    suppressed,
)
from newsletter.store.tables import attempt, consent, delivery, issue, letter, letter_post, resent, subscriber

_BATCH = 500


class Reading(RosterPart):
    def find(self, address: str) -> Subscriber | None:
        with self._database.read() as connection:
            return one(connection, same_address(address))

    def get(self, subscriber_id: int) -> Subscriber | None:
        with self._database.read() as connection:
            return one(connection, subscriber.c.id == subscriber_id)

    def all(self, status: str | None = None, *, search: str = "") -> Iterator[Subscriber]:
        """As `ports.Roster` says; each batch is a view of its own, so that no writer waits for whoever reads on."""
        wanted = [HERE]
        if status is not None:
            wanted.append(subscriber.c.status == SubscriberStatus(status).value)
        if search:
            wanted.append(subscriber.c.folded.contains(caseless(search), autoescape=True))
        return self._batches(wanted)

    def _batches(self, wanted: Sequence[ColumnElement[bool]]) -> Iterator[Subscriber]:
        after = 0
        while True:
            batch = select(*COLUMNS).where(*wanted, subscriber.c.id > after).order_by(subscriber.c.id).limit(_BATCH)
            with self._database.read() as connection:
                found = [read_subscriber(row) for row in connection.execute(batch).mappings()]
            yield from found
            if len(found) < _BATCH:
                return
            after = found[-1].id

    def first(self, count: int, *, status: str, edition: str | None = None) -> Sequence[str]:
        there = [HERE, subscriber.c.status == SubscriberStatus(status).value, *_of(edition)]
        with self._database.read() as connection:
            named = select(subscriber.c.address).where(*there).order_by(subscriber.c.folded).limit(count)
            return connection.scalars(named).all()

    def counts(self, edition: str | None = None, *, at: datetime | None = None) -> Mapping[str, int]:
        """As `ports.Roster` says, zero included."""
        those = _of(edition) or [subscriber.c.edition != ""]  # the husks of the forgotten are in no edition
        by_status = select(subscriber.c.status, func.count()).where(*those).group_by(subscriber.c.status)
        with self._database.read() as connection:
            found: dict[str, int] = dict(connection.execute(by_status).all())
            awake = connection.scalar(select(func.count()).where(*those, *over(at))) or 0 if at else 0
        counted = {status.value: found.get(status.value, 0) for status in SubscriberStatus}
        return counted | {"active": counted["active"] + awake, "paused": counted["paused"] - awake}

    def consents(self, subscriber_id: int) -> Sequence[Consent]:
        """Oldest first."""
        with self._database.read() as connection:
            return read_consents(connection, subscriber_id)

    def suppressed(self, address: str) -> str:
        with self._database.read() as connection:
            return suppressed(connection, self._fingerprint(address))

    def held(self, subscriber_id: int) -> Mapping[str, Any]:
        with self._database.read() as connection:
            found = connection.execute(select(subscriber).where(subscriber.c.id == subscriber_id, HERE)).one_or_none()
            if found is None:
                return {}
            return {
                "reader": _without(as_row(found), "folded"),
                "suppressed": suppressed(connection, self._fingerprint(found.address)),
                "consents": _rows(connection, consent, subscriber_id, consent.c.id),
                "letters": _letters(connection, subscriber_id),
                "deliveries": _mails(connection, delivery, subscriber_id),
                "attempts": _mails(connection, attempt, subscriber_id),
                "sent_again": _mails(connection, resent, subscriber_id),
            }


def _of(edition: str | None) -> list[ColumnElement[bool]]:
    return [] if edition is None else [subscriber.c.edition == edition]


def read_consents(connection: Connection, subscriber_id: int) -> Sequence[Consent]:
    """Oldest first."""
    lines = (
        select(*(column for column in consent.c if column.name != "id"))
        .where(consent.c.subscriber_id == subscriber_id)
        .order_by(consent.c.id)
    )
    rows = connection.execute(lines).mappings()
    return [Consent(**dict(row) | {"kind": ConsentKind(row["kind"])}) for row in rows]


def _rows(
    connection: Connection, table: Table, subscriber_id: int, order: ColumnElement[int]
) -> Sequence[Mapping[str, Any]]:
    rows = select(table).where(table.c.subscriber_id == subscriber_id).order_by(order)
    return [_without(as_row(row), "subscriber_id") for row in connection.execute(rows)]


def _letters(connection: Connection, subscriber_id: int) -> Sequence[Mapping[str, Any]]:
    """Each with the stories that were in it."""
    rows = _rows(connection, letter, subscriber_id, letter.c.id)
    held = select(letter_post.c.letter_id, letter_post.c.post_id).join(letter)
    told = connection.execute(held.where(letter.c.subscriber_id == subscriber_id)).all()
    return [dict(row) | {"stories": [post for number, post in told if number == row["id"]]} for row in rows]


def _without(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return {key: value for key, value in row.items() if key != name}


def _mails(connection: Connection, table: Table, subscriber_id: int) -> Sequence[Mapping[str, Any]]:
    """Rows about an issue, with its edition and number."""
    own = [column for column in table.c if column.name not in ("id", "issue_id", "chunk_id", "epoch", "subscriber_id")]
    rows = (
        select(issue.c.edition, issue.c.number, *own)
        .join_from(table, issue, table.c.issue_id == issue.c.id)
        .where(table.c.subscriber_id == subscriber_id)
        .order_by(table.c.issue_id, *(table.c[name] for name in ("id",) if name in table.c))
    )
    return [as_row(row) for row in connection.execute(rows)]
