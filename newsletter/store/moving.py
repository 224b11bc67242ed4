"""To another address, once it is confirmed there and told to the old one; and letters that change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, exists, select

from newsletter.addresses import caseless
from newsletter.model import (
    ConsentKind,
    Digest,
    Evidence,
    Letter,
    LetterKind,
    Story,
    Subscriber,
    SubscriberStatus,
)
from newsletter.store.dropping import drop_letters
from newsletter.store.erasure import husk
from newsletter.store.letters import write
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
from newsletter.store.tables import consent, letter


class Moving(RosterPart):
    def ask_move(self, subscriber_id: int, address: str, *, now: datetime) -> None:
        with self._database.write() as connection:
            reader = standing(connection, subscriber_id, READS)
            there = one(connection, same_address(address))
            if reader is None or not self._may_have(connection, address):
                return
            if there and there.id != reader.id and there.status in READS:
                write(connection, LetterKind.KNOWN, there.id, there.address, now)
            elif there is None or there.id == reader.id or there.status is not SubscriberStatus.BLOCKED:
                write(connection, LetterKind.MOVE, reader.id, address, now)

    def move(self, letter_id: int, *, evidence: Evidence, now: datetime) -> Subscriber | None:
        with self._database.write() as connection:
            asked = connection.execute(select(letter).where(letter.c.id == letter_id, _MOVE)).one_or_none()
            reader = asked and standing(connection, asked.subscriber_id, READS)
            if not asked or not reader or _moved_since(connection, reader, asked.at):
                return None
            if not self._may_have(connection, asked.address) or not _make_room(connection, reader, asked.address, now):
                return None
            lift(connection, self._fingerprint(asked.address), FORGOTTEN_ONLY)
            moved = _move(connection, reader, asked.address, evidence, now)
            write(connection, LetterKind.MOVED, reader.id, reader.address, now)
            return moved

    def take_back(self, letter_id: int, *, evidence: Evidence, now: datetime) -> Subscriber | None:
        with self._database.write() as connection:
            told = connection.execute(select(letter).where(letter.c.id == letter_id, _MOVED)).one_or_none()
            reader = told and standing(connection, told.subscriber_id, LetterKind.MOVED.readers)
            if not told or not reader or _came_back(connection, told) or _carried_on(connection, told):
                return None
            if not self._may_have(connection, told.address) or not _make_room(connection, reader, told.address, now):
                return None
            lift(connection, self._fingerprint(told.address), FORGOTTEN_ONLY)
            return _move(connection, reader, told.address, evidence, now)

    def write(
        self,
        subscriber_id: int,
        kind: LetterKind,
        *,
        now: datetime,
        digest: Digest | None = None,
        posts: Sequence[Story] = (),
    ) -> Letter | None:
        with self._database.write() as connection:
            reader = standing(connection, subscriber_id, kind.readers)
            return write(connection, kind, reader.id, reader.address, now, digest, posts) if reader else None

    def _may_have(self, connection: Connection, address: str) -> bool:
        return suppressed(connection, self._fingerprint(address)) in ("", FORGOTTEN)


_MOVE = letter.c.kind == LetterKind.MOVE.value
_MOVED = letter.c.kind == LetterKind.MOVED.value


def _moved_since(connection: Connection, reader: Subscriber, asked: datetime) -> bool:
    """A move uses up every letter before it."""
    moved = exists().where(
        consent.c.subscriber_id == reader.id, consent.c.kind == ConsentKind.MOVED.value, consent.c.at >= asked
    )
    return bool(connection.scalar(select(moved)))


def _came_back(connection: Connection, told: Row[Any]) -> bool:
    """Whether the address that was told of a move is the reader's again, or was since."""
    back = exists().where(
        consent.c.subscriber_id == told.subscriber_id,
        consent.c.kind == ConsentKind.MOVED.value,
        consent.c.address == told.address,
        consent.c.at >= told.at,
    )
    return bool(connection.scalar(select(back)))


def _carried_on(connection: Connection, told: Row[Any]) -> bool:
    """Whether the move that a letter tells of went on from another one that might still be taken back then."""
    life = LetterKind.MOVED.good_for or timedelta(0)
    before = exists().where(
        _MOVED,
        letter.c.subscriber_id == told.subscriber_id,
        letter.c.id < told.id,
        letter.c.address != told.address,
        letter.c.at > told.at - life,
    )
    return bool(connection.scalar(select(before)))


def _make_room(connection: Connection, reader: Subscriber, address: str, now: datetime) -> bool:
    """Who has the mailbox has pressed the button: an earlier row of theirs gives way, unless it gets mail itself."""
    there = one(connection, same_address(address))
    if there is None or there.id == reader.id:
        return True
    if there.status not in (SubscriberStatus.UNCONFIRMED, SubscriberStatus.LEFT):
        return False
    husk(connection, there, now)
    return True


def _move(connection: Connection, reader: Subscriber, address: str, evidence: Evidence, now: datetime) -> Subscriber:
    drop_letters(connection, reader.id, "moved", now)
    version = reader.token_version + 1
    change(connection, reader.id, address=address, folded=caseless(address), token_version=version)
    moved = replace(reader, address=address, token_version=version)
    say(connection, moved, ConsentKind.MOVED, evidence, now)
    return moved
