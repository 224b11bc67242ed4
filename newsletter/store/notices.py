"""Notices, and what became of each copy: written once, handed over once, or clearly again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, insert, or_, select, update

from newsletter.model import Notice, NoticeCopy, NoticeKind, NoticeState
from newsletter.store.database import Database, insert_new
from newsletter.store.rows import read_digest
from newsletter.store.tables import notice, notice_copy

_COLUMNS = ("key", "kind", "at", "about", "mark")
_OPEN = notice_copy.c.state.in_([NoticeState.WAITING.value, NoticeState.SENDING.value])


class SqlNotices:
    """`ports.Notices` on an SQL database. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tell(self, told: Notice, to: Sequence[str]) -> bool:
        """As `ports.Notices` says: the row and its copies are one transaction."""
        row = {name: getattr(told, name) for name in _COLUMNS} | {"content": _written(told)}
        with self._database.write() as connection:
            made = connection.scalar(insert_new(notice).values(row).returning(notice.c.id))
            if made and to:
                copies = [{"notice_id": made, "recipient": key, "state": NoticeState.WAITING.value} for key in to]
                connection.execute(insert(notice_copy), copies)
            return made is not None

    def about(self, kind: NoticeKind, about: str) -> Sequence[Notice]:
        wanted = select(notice).where(notice.c.kind == kind.value, notice.c.about == about).order_by(notice.c.id)
        with self._database.read() as connection:
            return [_read(row) for row in connection.execute(wanted).mappings()]

    def due(self, now: datetime) -> Sequence[NoticeCopy]:
        ready = or_(notice_copy.c.next_at.is_(None), notice_copy.c.next_at <= now)
        return self._copies(_OPEN, ready)

    def open(self, now: datetime, since: timedelta) -> Sequence[NoticeCopy]:
        failed = and_(notice_copy.c.state == NoticeState.FAILED.value, notice_copy.c.done_at > now - since)
        return self._copies(or_(_OPEN, failed))

    def last(self, count: int) -> Sequence[tuple[Notice, Sequence[NoticeCopy]]]:
        newest = select(notice).order_by(notice.c.id.desc()).limit(count)
        with self._database.read() as connection:
            found = [(row["id"], _read(row)) for row in connection.execute(newest).mappings()]
        return [(told, self._copies(notice_copy.c.notice_id == key)) for key, told in found]

    def begin(self, copy: NoticeCopy) -> NoticeCopy | None:
        own = _own(copy)
        change = update(notice_copy).where(own, _OPEN, notice_copy.c.attempts == copy.attempts)
        with self._database.write() as connection:
            begun = connection.scalar(
                change.values(state=NoticeState.SENDING.value, attempts=copy.attempts + 1).returning(
                    notice_copy.c.attempts
                )
            )
        if begun is None:
            return None
        return NoticeCopy(copy.notice, copy.to, NoticeState.SENDING, begun, copy.next_at, copy.reply)

    def settle(self, copy: NoticeCopy) -> None:
        values = {name: getattr(copy, name) for name in ("attempts", "next_at", "reply", "done_at")}
        with self._database.write() as connection:
            connection.execute(update(notice_copy).where(_own(copy)).values(state=copy.state.value, **values))

    def _copies(self, *conditions: ColumnElement[bool]) -> Sequence[NoticeCopy]:
        rows = (
            select(notice, notice_copy)
            .join_from(notice, notice_copy)
            .where(*conditions)
            .order_by(notice.c.id, notice_copy.c.recipient)
        )
        with self._database.read() as connection:
            return [
                NoticeCopy(
                    notice=_read(row),
                    to=row["recipient"],
                    state=NoticeState(row["state"]),
                    attempts=row["attempts"],
                    next_at=row["next_at"],
                    reply=row["reply"],
                    done_at=row["done_at"],
                )
                for row in connection.execute(rows).mappings()
            ]


def _own(copy: NoticeCopy) -> ColumnElement[bool]:
    of_notice = select(notice.c.id).where(notice.c.key == copy.notice.key).scalar_subquery()
    return and_(notice_copy.c.notice_id == of_notice, notice_copy.c.recipient == copy.to)


def _written(told: Notice) -> str:
    content = {name: value for name, value in asdict(told).items() if name not in _COLUMNS}
    return json.dumps(content, ensure_ascii=False)


def _read(row: RowMapping) -> Notice:
    content: dict[str, Any] = json.loads(row["content"])
    digest = content.pop("digest")
    return Notice(
        key=row["key"],
        kind=NoticeKind(row["kind"]),
        at=row["at"],
        about=row["about"],
        mark=row["mark"],
        digest=read_digest(digest) if digest else None,
        lines=tuple(content.pop("lines")),
        fixes=tuple(content.pop("fixes")),
        links=tuple((words, address) for words, address in content.pop("links")),
        **content,
    )
