"""The texts of posts that somebody was asked to look at, and what was said of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, insert, select

from newsletter.model import ReviewAct, ReviewStep, Version
from newsletter.store.database import Database
from newsletter.store.tables import review_step, version


class SqlVersions:
    """`ports.Versions` on an SQL database. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, post_id: str, content_hash: str, text: str, now: datetime) -> Version:
        own = version.c.post_id == post_id
        with self._database.write() as connection:
            found = connection.execute(select(version).where(own, version.c.content_hash == content_hash)).one_or_none()
            if found:
                return Version(*found)
            number = (connection.scalar(select(func.max(version.c.number)).where(own)) or 0) + 1
            connection.execute(insert(version).values((post_id, number, content_hash, text, now)))
        return Version(post_id, number, content_hash, text, now)

    def of(self, post_id: str) -> Sequence[Version]:
        found = select(version).where(version.c.post_id == post_id).order_by(version.c.number)
        with self._database.read() as connection:
            return [Version(*row) for row in connection.execute(found)]

    def note(self, step: ReviewStep) -> None:
        values = {name: getattr(step, name) for name in ("post_id", "at", "who", "act", "version", "note")}
        with self._database.write() as connection:
            connection.execute(insert(review_step).values(values))

    def steps(self, post_id: str) -> Sequence[ReviewStep]:
        columns = (getattr(review_step.c, name) for name in ("post_id", "at", "who", "act", "version", "note"))
        found = select(*columns).where(review_step.c.post_id == post_id).order_by(review_step.c.id)
        with self._database.read() as connection:
            rows = connection.execute(found).all()
        return [ReviewStep(post, at, who, ReviewAct(act), number, note) for post, at, who, act, number, note in rows]
