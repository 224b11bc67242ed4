"""Readers by the thousand: a look at all of them at once, and their rows, lines of consent and letters in one commit.

A step takes well under half a second, so that whoever else writes has to wait no longer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select

from newsletter.addresses import caseless
from newsletter.model import ConsentKind, DeliveryState, ImportRun, LetterKind, Subscriber, SubscriberStatus
from newsletter.store.database import Database, insert_new
from newsletter.store.postgresql import copy_in
from newsletter.store.rolls import COLUMNS, FORGOTTEN, HERE, Fingerprint, read_subscriber
from newsletter.store.tables import consent, import_run, letter, milliseconds, subscriber, suppression

_KINDS = {
    SubscriberStatus.UNCONFIRMED: ConsentKind.ASKED,
    SubscriberStatus.ACTIVE: ConsentKind.JOINED,
    SubscriberStatus.PAUSED: ConsentKind.JOINED,
    SubscriberStatus.LEFT: ConsentKind.LEFT,
    SubscriberStatus.BLOCKED: ConsentKind.BLOCKED,
}
_AGREED = [each.value for each in (ConsentKind.ASKED, ConsentKind.JOINED, ConsentKind.RETURNED)]
_BATCH = 500
_TICK = timedelta(milliseconds=1)
_BLOCKED = SubscriberStatus.BLOCKED.value


class SqlImports:
    """`ports.Imports` on an SQL database. `fingerprint` is the keyed hash of an address."""

    def __init__(self, database: Database, fingerprint: Fingerprint) -> None:
        self._database = database
        self._fingerprint = fingerprint

    def unfinished(self, key: str) -> ImportRun | None:
        with self._database.read() as connection:
            row = connection.execute(select(import_run).where(import_run.c.key == key)).one_or_none()
        return ImportRun(row.key, row.name, row.rows, json.loads(row.fates), row.rejected) if row else None

    @contextmanager
    def step(self, now: datetime, *, write: bool) -> Iterator[Step]:
        with self._database.write() if write else self._database.read() as connection:
            yield Step(connection, self._fingerprint, now)

    def readers(self, status: str | None) -> Iterator[tuple[Subscriber, str]]:
        """Each batch is a view of its own, so that no writer waits for whoever reads on."""
        wanted = [HERE] if status is None else [HERE, subscriber.c.status == SubscriberStatus(status).value]
        after = 0
        while True:
            batch = select(*COLUMNS).where(*wanted, subscriber.c.id > after).order_by(subscriber.c.id).limit(_BATCH)
            with self._database.read() as connection:
                found = [read_subscriber(row) for row in connection.execute(batch).mappings()]
                ways = _ways(connection, [reader.id for reader in found])
            yield from ((reader, ways.get(reader.id, "")) for reader in found)
            if len(found) < _BATCH:
                return
            after = found[-1].id


class Step:
    """One transaction of an import."""

    def __init__(self, connection: Connection, fingerprint: Fingerprint, now: datetime) -> None:
        self._connection = connection
        self._fingerprint = fingerprint
        self._now = now

    def look(self, addresses: Sequence[str]) -> Mapping[str, str]:
        there = select(subscriber.c.folded, subscriber.c.status).where(subscriber.c.folded.in_(addresses))
        known: dict[str, str] = dict(self._connection.execute(there).all())
        return self._suppressed([each for each in addresses if each not in known]) | known

    def _suppressed(self, addresses: Sequence[str]) -> dict[str, str]:
        if self._connection.scalar(select(suppression.c.hash).limit(1)) is None:
            return {}
        marks = {self._fingerprint(address): address for address in addresses}
        found = select(suppression.c.hash, suppression.c.reason).where(suppression.c.hash.in_(marks))
        rows = self._connection.execute(found)
        return {marks[row.hash]: FORGOTTEN if row.reason == FORGOTTEN else _BLOCKED for row in rows}

    def put(self, arrivals: Sequence[tuple[Subscriber, str]], pace: timedelta) -> None:
        if not arrivals:
            return
        before = self._connection.scalar(select(func.max(subscriber.c.id))) or 0
        when = self._when_asked([reader for reader, _ in arrivals], pace)
        self._insert(subscriber, _READER, [_reader(each, when.get(each.address)) for each, _ in arrivals])
        made = select(subscriber.c.address, subscriber.c.id).where(subscriber.c.id > before)  # nobody else writes now
        ids: dict[str, int] = dict(self._connection.execute(made).all())
        now = milliseconds(self._now)
        told = [(ids[reader.address], reader, text) for reader, text in arrivals]
        self._insert(consent, _LINE, [_line(now, *each, _KINDS[each[1].status]) for each in told])
        rest = [each for each in told if each[1].status is SubscriberStatus.PAUSED]  # who left and comes back rests on
        self._insert(consent, _LINE, [_line(now, *each, ConsentKind.PAUSED) for each in rest])
        self._insert(letter, _LETTER, [_letter(ids[address], address, at) for address, at in when.items()])
        self._suppress([reader.address for reader, _ in arrivals if reader.status is SubscriberStatus.BLOCKED])

    def _when_asked(self, readers: Sequence[Subscriber], pace: timedelta) -> Mapping[str, int]:
        """When the letter of each who is to confirm goes, behind those that were put off before.

        Their time to confirm, and their link's, counts from then.
        """
        asked = [reader.address for reader in readers if reader.status is SubscriberStatus.UNCONFIRMED]
        if not asked:
            return {}
        paced = letter.c.next_at.is_not(None), letter.c.attempts == 0
        last: datetime | None = self._connection.scalar(
            select(letter.c.next_at).where(*paced).order_by(letter.c.id.desc()).limit(1)
        )
        start = milliseconds(max(self._now, last + pace) if last else self._now)
        return {address: start + n * (pace // _TICK) for n, address in enumerate(asked)}

    def _insert(self, table: Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Rows as the driver takes them: looking at every value once more would take half of an import's time.

        `names` stand in the order of the table's columns.
        """
        if rows and self._connection.dialect.name == "postgresql":
            copy_in(self._connection, table, names, rows)
        elif rows:
            columns: dict[str, Any] = {name: bindparam(name) for name in names}
            statement = insert(table).values(columns).compile(dialect=self._connection.dialect)
            self._connection.exec_driver_sql(str(statement), list(rows))

    def _suppress(self, addresses: Sequence[str]) -> None:
        if addresses:
            rows = [{"hash": self._fingerprint(each), "reason": _BLOCKED, "at": self._now} for each in addresses]
            self._connection.execute(insert_new(suppression), rows)

    def record(self, run: ImportRun) -> None:
        self.finish(run.key)
        fates = json.dumps(dict(run.fates))
        values = {"key": run.key, "name": run.name, "rows": run.rows, "fates": fates, "rejected": run.rejected}
        self._connection.execute(insert(import_run).values(at=self._now, **values))

    def finish(self, key: str) -> None:
        self._connection.execute(delete(import_run).where(import_run.c.key == key))


def _ways(connection: Connection, ids: Sequence[int]) -> Mapping[int, str]:
    """How each of these readers agreed last."""
    agreed = consent.c.subscriber_id.in_(ids), consent.c.kind.in_(_AGREED)
    lines = select(consent.c.subscriber_id, consent.c.way).where(*agreed).order_by(consent.c.id)
    ways: dict[int, str] = dict(connection.execute(lines).all())
    return ways


_READER = (
    "address",
    "folded",
    "status",
    "edition",
    "joined_at",
    "left_at",
    "owed_from",
    "paused_until",
    "without",
    "plain",
)
_LINE = ("subscriber_id", "at", "kind", "way", "text", "text_hash", "address")
_LETTER = ("kind", "subscriber_id", "address", "at", "state", "next_at")


def _reader(one: Subscriber, asked: int | None) -> tuple[Any, ...]:
    times = (one.left_at, one.owed_from, one.paused_until)
    joined = milliseconds(one.joined_at) if asked is None else asked
    in_milliseconds = (at and milliseconds(at) for at in times)
    words = (one.address, caseless(one.address), one.status.value, one.edition)
    return (*words, joined, *in_milliseconds, " ".join(one.without), int(one.plain))


def _letter(number: int, address: str, at: int) -> tuple[Any, ...]:
    return LetterKind.CONFIRM.value, number, address, at, DeliveryState.WAITING.value, at


def _line(at: int, number: int, reader: Subscriber, text: str, kind: ConsentKind) -> tuple[Any, ...]:
    text_hash = hashlib.sha256(text.encode()).hexdigest()
    return number, at, kind.value, "import", text, text_hash, reader.address
