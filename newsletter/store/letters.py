"""Letters: written in the transaction of the change that calls for one, handed over once, or clearly not.

The order that keeps a crash honest is that of a Delivery: `waiting` → `sending`, committed before the Message goes
out, with its reader asked again → settled. What stays `sending` after a crash is uncertain.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, literal, or_, select, update

from newsletter.addresses import caseless
from newsletter.model import (
    DeliveryState,
    Digest,
    Letter,
    LetterKind,
    Settlement,
    Story,
    Subscriber,
    SubscriberStatus,
)
from newsletter.store.database import Database
from newsletter.store.rolls import COLUMNS, read_subscriber
from newsletter.store.rows import read_digest, word
from newsletter.store.tables import OPEN_LETTERS, Instant, letter_post, subscriber
from newsletter.store.tables import letter as letters

_NO_ANSWER = "the sender stopped before an answer was recorded"
_AGAIN = {"state": DeliveryState.WAITING.value}
_UNKNOWN = {"state": DeliveryState.UNCERTAIN.value, "reason": "no-answer", "content": ""}

DROPPED = {"state": DeliveryState.DROPPED.value, "next_at": None, "content": ""}
"""What becomes of a letter that goes nowhere. Of one that is done the text is not kept, only which posts it held."""

_LOST = (DeliveryState.FAILED.value, DeliveryState.DROPPED.value)
_SOONEST = (letters.c.next_at.asc().nulls_first(),)
_THROUGH = f"INDEXED BY {OPEN_LETTERS}"


def write(
    connection: Connection,
    kind: LetterKind,
    subscriber_id: int,
    address: str,
    now: datetime,
    digest: Digest | None = None,
    posts: Sequence[Story] = (),
) -> Letter:
    """A letter to this address, in the caller's transaction; the one of this kind that still waits, if there is one.

    `posts` are the stories in `digest`, with how many Corrections their text told of. Of two presses on CATCH_UP the
    second gets the letter of the first, for a day: what is in that counts as sent.
    """
    same = and_(letters.c.subscriber_id == subscriber_id, letters.c.kind == kind.value, letters.c.address == address)
    open_one = letters.c.state == word(DeliveryState.WAITING)
    if kind is LetterKind.CATCH_UP:
        open_one = and_(letters.c.state.not_in(_LOST), letters.c.at > now - timedelta(days=1))
    if there := _read(connection, same, open_one):
        return _now(connection, there[-1], now)
    content = json.dumps(asdict(digest), ensure_ascii=False) if digest else ""
    row = insert(letters).values(
        kind=kind.value,
        subscriber_id=subscriber_id,
        address=address,
        at=now,
        state=DeliveryState.WAITING.value,
        content=content,
    )
    made = connection.scalar(row.returning(letters.c.id))
    if posts:
        told = [{"letter_id": made, "post_id": one.post_id, "corrections": one.corrections} for one in posts]
        connection.execute(insert(letter_post), told)
    return _read(connection, letters.c.id == made)[0]


def _now(connection: Connection, waits: Letter, now: datetime) -> Letter:
    """One that an import put off goes at once when its reader asks for it themselves."""
    if waits.next_at is None or waits.attempts:
        return waits
    connection.execute(update(letters).where(_is(waits)).values(at=now, next_at=None))
    return replace(waits, at=now, next_at=None)


class SqlLetters:
    """`ports.Letters` on an SQL database. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, now: datetime, limit: int) -> Sequence[Letter]:
        """Who asked just now waits behind nobody who was put off."""
        with self._database.read() as connection:
            ready = or_(letters.c.next_at.is_(None), letters.c.next_at <= now)
            return _read(connection, _open(DeliveryState.WAITING), ready, limit=limit, hint=_THROUGH, first=_SOONEST)

    def begin(self, letter: Letter, now: datetime) -> tuple[Letter, Subscriber] | None:
        """As `ports.Letters` says: the look at the reader and the mark are one transaction."""
        with self._database.write() as connection:
            reader = _reader(connection, letter)
            if reader is None:
                return None
            if why := _why_not(letter, reader, now):
                _turn(connection, letter, **DROPPED, reason=why, done_at=now)
                return None
            begun = {"state": DeliveryState.SENDING.value, "reason": "", "next_at": None}
            _turn(connection, letter, **begun)
            return _read(connection, _is(letter))[0], reader

    def settle(self, letter: Letter, settlement: Settlement, now: datetime) -> None:
        """As `ports.Letters` says; a retry waits with its time, whatever else is settled is done."""
        again = settlement.state is DeliveryState.WAITING
        answer = settlement.receipt
        values = {
            "state": settlement.state.value,
            "reason": settlement.reason,
            "next_at": settlement.next_at if again else None,
            "attempts": letter.attempts + settlement.counted,
            "first_at": letter.first_at or (now if settlement.counted else None),
            "code": answer.code if answer else None,
            "reply": answer.reply if answer else "",
            "done_at": None if again else now,
        } | ({} if again else {"content": ""})
        with self._database.write() as connection:
            _turn(connection, letter, **values)

    def recover(self, *, now: datetime, resend: bool) -> int:
        lost = select(letters.c.id).with_hint(letters, _THROUGH, "sqlite").where(_open(DeliveryState.SENDING))
        with self._database.read() as connection:
            ids = connection.scalars(lost).all()
        if ids:
            left = _AGAIN | {"next_at": now} if resend else _UNKNOWN | {"done_at": now}
            first = func.coalesce(letters.c.first_at, literal(now, Instant()))
            same = and_(letters.c.id.in_(ids), letters.c.state == word(DeliveryState.SENDING))
            tried = {"attempts": letters.c.attempts + 1, "first_at": first, "reply": _NO_ANSWER}
            with self._database.write() as connection:
                connection.execute(update(letters).where(same).values(**tried, **left))
        return len(ids)

    def get(self, letter_id: int) -> Letter | None:
        with self._database.read() as connection:
            return next(iter(_read(connection, letters.c.id == letter_id)), None)

    def of(self, subscriber_id: int) -> Sequence[Letter]:
        with self._database.read() as connection:
            return _read(connection, letters.c.subscriber_id == subscriber_id)

    def stuck(self, now: datetime, *, since: timedelta, waiting: timedelta) -> Sequence[Letter]:
        failed = letters.c.state.in_([DeliveryState.FAILED.value, DeliveryState.UNCERTAIN.value])
        lately = and_(failed, letters.c.done_at > now - since)
        long = and_(letters.c.state == word(DeliveryState.WAITING), letters.c.at < now - waiting)
        with self._database.read() as connection:
            return _read(connection, or_(lately, long))


def _why_not(letter: Letter, reader: Subscriber, now: datetime) -> str:
    """Why a letter goes nowhere, in the words of a dropped Delivery; empty for one that may go."""
    life = letter.kind.good_for
    if reader.status is SubscriberStatus.BLOCKED:
        return "suppressed"
    if reader.status not in letter.kind.readers:
        return "left" if reader.status is SubscriberStatus.LEFT else "settled"
    if life and now - letter.at >= life:
        return "expired"
    return "moved" if _is_elsewhere(letter, reader) else ""


def _is_elsewhere(letter: Letter, reader: Subscriber) -> bool:
    """Whether the reader has moved since: from its address, or already to the one that it asks about."""
    if letter.kind is LetterKind.MOVE:
        return letter.address == reader.address
    return letter.kind is not LetterKind.MOVED and caseless(letter.address) != caseless(reader.address)


def _is(one: Letter) -> ColumnElement[bool]:
    return letters.c.id == one.id


def _turn(connection: Connection, one: Letter, **values: object) -> None:
    """Change a letter that is as it was when `one` was read; by now it may be in other hands, or gone."""
    as_it_was = and_(_is(one), letters.c.state == one.state.value, letters.c.attempts == one.attempts)
    connection.execute(update(letters).where(as_it_was).values(**values))


def _reader(connection: Connection, one: Letter) -> Subscriber | None:
    """Whose letter it is, as long as it waits as it was read."""
    waits = and_(_is(one), letters.c.state == word(DeliveryState.WAITING), letters.c.attempts == one.attempts)
    of = select(*COLUMNS).join_from(letters, subscriber, letters.c.subscriber_id == subscriber.c.id)
    row = connection.execute(of.where(waits)).mappings().one_or_none()
    return read_subscriber(row) if row else None


def _open(state: DeliveryState) -> ColumnElement[bool]:
    """Waiting or sending, found through the index of these two; its condition is spelled out as well."""
    both = letters.c.state.in_([word(DeliveryState.WAITING), word(DeliveryState.SENDING)])
    return and_(both, letters.c.state == word(state))


def _read(
    connection: Connection,
    *conditions: ColumnElement[bool],
    limit: int | None = None,
    hint: str = "",
    first: Sequence[Any] = (),
) -> Sequence[Letter]:
    wanted = select(letters).with_hint(letters, hint, "sqlite") if hint else select(letters)
    rows = connection.execute(wanted.where(*conditions).order_by(*first, letters.c.id).limit(limit)).all()
    posts = _posts(connection, [row.id for row in rows if row.kind == LetterKind.CATCH_UP.value])
    return [_letter(row, posts.get(row.id, [])) for row in rows]


def _posts(connection: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    if ids:
        of = select(letter_post).where(letter_post.c.letter_id.in_(ids)).order_by(letter_post.c.post_id)
        for row in connection.execute(of):
            found.setdefault(row.letter_id, []).append(row.post_id)
    return found


_TURNED = ("reason", "attempts", "first_at", "next_at", "code", "reply", "done_at")
_SAME = ("id", "subscriber_id", "address", "at", *_TURNED)


def _letter(row: Row[Any], posts: Sequence[str]) -> Letter:
    facts: dict[str, Any] = {name: row._mapping[name] for name in _SAME}
    digest = read_digest(json.loads(row.content)) if row.content else None
    return Letter(**facts, kind=LetterKind(row.kind), state=DeliveryState(row.state), digest=digest, posts=tuple(posts))
