"""What every part of the roster does: find a reader, change them with a line of consent, know whom never to mail."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, RowMapping, Select, insert, literal_column, select, update

from newsletter.addresses import caseless
from newsletter.model import ConsentKind, Evidence, Subscriber, SubscriberStatus
from newsletter.store.database import Database
from newsletter.store.tables import consent, subscriber, suppression

HERE = subscriber.c.address != ""
"""Not the husk of somebody who was forgotten."""

READS = (SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED)
"""Those who get mail, now or when their pause is over."""

COLUMNS = [column for column in subscriber.c if column.name != "folded"]

Fingerprint = Callable[[str], str]
"""The keyed hash of an address."""


class RosterPart:
    """A part of the roster: some methods over the one database. Addresses come in canonical."""

    def __init__(self, database: Database, fingerprint: Fingerprint) -> None:
        self._database = database
        self._fingerprint = fingerprint

    def _any(self, rows: Select[Any]) -> bool:
        """Whether there is one: a look, so that a round which has nothing to do waits for no writer."""
        with self._database.read() as connection:
            return connection.execute(rows.limit(1)).first() is not None


def word(status: SubscriberStatus) -> ColumnElement[str]:
    """Spelled out in the statement: a partial index is chosen by its text, not by a parameter."""
    return literal_column(f"'{status.value}'")


def over(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Readers whose pause has come to its end by then."""
    return subscriber.c.status == word(SubscriberStatus.PAUSED), subscriber.c.paused_until <= now


def same_address(address: str) -> ColumnElement[bool]:
    """Case does not tell two readers apart."""
    return subscriber.c.folded == caseless(address)


def read_subscriber(row: RowMapping) -> Subscriber:
    read = {
        "status": SubscriberStatus(row["status"]),
        "without": tuple(row["without"].split()),
        "plain": bool(row["plain"]),
    }
    return Subscriber(**(dict(row) | read))


def one(connection: Connection, condition: ColumnElement[bool]) -> Subscriber | None:
    """The reader who meets it; one who was forgotten is none."""
    row = connection.execute(select(*COLUMNS).where(condition, HERE)).mappings().one_or_none()
    return read_subscriber(row) if row else None


def standing(connection: Connection, subscriber_id: int, among: Collection[SubscriberStatus]) -> Subscriber | None:
    """A reader whose status is one of these, held until the transaction ends."""
    statuses = subscriber.c.status.in_([each.value for each in among])
    found = select(*COLUMNS).where(subscriber.c.id == subscriber_id, HERE, statuses)
    row = connection.execute(found.with_for_update()).mappings().one_or_none()
    return read_subscriber(row) if row else None


def change(connection: Connection, subscriber_id: int, **values: object) -> None:
    connection.execute(update(subscriber).where(subscriber.c.id == subscriber_id).values(**values))


def say(connection: Connection, reader: Subscriber, kind: ConsentKind, evidence: Evidence, now: datetime) -> None:
    """Add a line of consent."""
    line = {
        "subscriber_id": reader.id,
        "at": now,
        "kind": kind.value,
        "way": evidence.way,
        "text": evidence.text,
        "page": evidence.page,
        "network": evidence.network,
        "text_hash": hashlib.sha256(evidence.text.encode()).hexdigest() if evidence.text else "",
        "address": reader.address,
    }
    connection.execute(insert(consent).values(**line))


FORGOTTEN = "forgotten"
"""The one reason for which the owner of an address may be mailed again: when they ask for it."""


def suppressed(connection: Connection, mark: str) -> str:
    """Why an address of this fingerprint is not mailed; empty when it may be."""
    return connection.scalar(select(suppression.c.reason).where(suppression.c.hash == mark)) or ""


def suppress(connection: Connection, mark: str, reason: str, now: datetime) -> None:
    """Never mail it again. Who was blocked stays so when they are forgotten."""
    before = suppressed(connection, mark)
    if not before:
        connection.execute(insert(suppression).values(hash=mark, reason=reason, at=now))
    elif before == FORGOTTEN:
        row = suppression.c.hash == mark
        connection.execute(update(suppression).where(row).values(reason=reason, at=now))


def lift(connection: Connection, mark: str, *reasons: ColumnElement[bool]) -> None:
    connection.execute(suppression.delete().where(suppression.c.hash == mark, *reasons))


FORGOTTEN_ONLY = suppression.c.reason == FORGOTTEN


def as_row(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)
