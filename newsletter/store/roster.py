"""Who gets it: readers, and the record of how they agreed or left that nobody can change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, func, insert, literal, select, update

from newsletter.model import Consent, ConsentKind, DeliveryState, IssueState, Subscriber, SubscriberStatus
from newsletter.store import tables
from newsletter.store.audience import UNFINISHED
from newsletter.store.database import insert_new
from newsletter.store.rows import Part
from newsletter.store.tables import delivery, issue, subscriber

_MAY_LEAVE = (SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED, SubscriberStatus.UNCONFIRMED)

_UNSENT = (IssueState.READY, IssueState.HELD, IssueState.SENDING, IssueState.PAUSED)
"""Issues of which a delivery may still wait."""


class SqlRoster(Part):
    """`ports.Roster` on an SQL database. Addresses come in canonical; case does not tell two of them apart."""

    def add(self, address: str, *, edition: str, status: str, way: str, text: str, now: datetime) -> Subscriber | None:
        row = insert_new(subscriber).values(
            address=address,
            folded=address.lower(),
            status=SubscriberStatus(status).value,
            edition=edition,
            joined_at=now,
            owed_from=None if status == SubscriberStatus.UNCONFIRMED else now,
        )
        with self._database.write() as connection:
            made = connection.scalar(row.returning(subscriber.c.id))
            if made is None:
                return None
            _consent(connection, made, now, "joined", way, text)
            return _one(connection, subscriber.c.id == made)

    def find(self, address: str) -> Subscriber | None:
        with self._database.read() as connection:
            return _one(connection, subscriber.c.folded == address.lower())

    def get(self, subscriber_id: int) -> Subscriber | None:
        with self._database.read() as connection:
            return _one(connection, subscriber.c.id == subscriber_id)

    def all(self, status: str | None = None) -> Sequence[Subscriber]:
        """In the order in which they joined."""
        wanted = [] if status is None else [subscriber.c.status == SubscriberStatus(status).value]
        with self._database.read() as connection:
            return _read(connection, *wanted)

    def leave(self, subscriber_id: int, *, way: str, now: datetime) -> bool:
        leaves = (
            update(subscriber)
            .where(subscriber.c.id == subscriber_id, subscriber.c.status.in_([each.value for each in _MAY_LEAVE]))
            .values(status=SubscriberStatus.LEFT.value, left_at=now)
        )
        with self._database.write() as connection:
            was = connection.scalar(select(subscriber.c.status).where(subscriber.c.id == subscriber_id))
            if connection.scalar(leaves.returning(subscriber.c.id)) is None:
                return False
            _consent(connection, subscriber_id, now, "left", way, "")
            _drop_waiting(connection, subscriber_id, now)
            if was == SubscriberStatus.ACTIVE.value:
                _drop_unwritten(connection, subscriber_id, now)
            return True

    def come_back(self, subscriber_id: int, *, way: str, now: datetime) -> bool:
        """As `ports.Roster` says; deliveries that were dropped stay so: the next issue is the first again."""
        returns = (
            update(subscriber)
            .where(subscriber.c.id == subscriber_id, subscriber.c.status == SubscriberStatus.LEFT.value)
            .values(status=SubscriberStatus.ACTIVE.value, left_at=None)
        )
        with self._database.write() as connection:
            if connection.scalar(returns.returning(subscriber.c.id)) is None:
                return False
            _consent(connection, subscriber_id, now, "returned", way, "")
            return True

    def consents(self, subscriber_id: int) -> Sequence[Consent]:
        """Oldest first."""
        record = tables.consent
        lines = (
            select(*(column for column in record.c if column.name != "id"))
            .where(record.c.subscriber_id == subscriber_id)
            .order_by(record.c.id)
        )
        with self._database.read() as connection:
            rows = connection.execute(lines).mappings()
            return [Consent(**dict(row) | {"kind": ConsentKind(row["kind"])}) for row in rows]

    def counts(self) -> Mapping[str, int]:
        """Every status with its number of readers, zero included."""
        by_status = select(subscriber.c.status, func.count()).group_by(subscriber.c.status)
        with self._database.read() as connection:
            found: dict[str, int] = dict(connection.execute(by_status).all())
        return {status.value: found.get(status.value, 0) for status in SubscriberStatus}


def _read(connection: Connection, *conditions: ColumnElement[bool]) -> Sequence[Subscriber]:
    columns = [column for column in subscriber.c if column.name != "folded"]
    rows = connection.execute(select(*columns).where(*conditions).order_by(subscriber.c.id)).mappings()
    return [_subscriber(row) for row in rows]


def _subscriber(row: RowMapping) -> Subscriber:
    read = {
        "status": SubscriberStatus(row["status"]),
        "without": tuple(row["without"].split()),
        "plain": bool(row["plain"]),
    }
    return Subscriber(**(dict(row) | read))


def _one(connection: Connection, condition: ColumnElement[bool]) -> Subscriber | None:
    return next(iter(_read(connection, condition)), None)


def _consent(connection: Connection, subscriber_id: int, at: datetime, kind: str, way: str, text: str) -> None:
    connection.execute(insert(tables.consent).values(subscriber_id=subscriber_id, at=at, kind=kind, way=way, text=text))


def _drop_waiting(connection: Connection, subscriber_id: int, now: datetime) -> None:
    unsent = select(issue.c.id).where(issue.c.state.in_([each.value for each in _UNSENT]))
    connection.execute(
        update(delivery)
        .where(
            delivery.c.issue_id.in_(unsent),
            delivery.c.subscriber_id == subscriber_id,
            delivery.c.state == DeliveryState.WAITING.value,
        )
        .values(state=DeliveryState.DROPPED.value, reason="left", next_at=None, done_at=now)
    )


def _drop_unwritten(connection: Connection, subscriber_id: int, now: datetime) -> None:
    """An audience that is being written counted this reader and has not come to him: he is in it, as one who left."""
    counted = select(
        issue.c.id,
        literal(subscriber_id),
        literal(DeliveryState.DROPPED.value),
        literal("left"),
        literal(now, tables.Instant()),
    ).where(
        *UNFINISHED,
        issue.c.edition == select(subscriber.c.edition).where(subscriber.c.id == subscriber_id).scalar_subquery(),
        issue.c.audience_cursor < subscriber_id,
        issue.c.audience_upto >= subscriber_id,
    )
    columns = ["issue_id", "subscriber_id", "state", "reason", "done_at"]
    connection.execute(insert(delivery).from_select(columns, counted))
