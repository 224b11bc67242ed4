"""The warnings that people let pass: for which issue, who, when and why."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from newsletter.model import Waiver
from newsletter.store.database import insert_new
from newsletter.store.rows import Part
from newsletter.store.tables import waiver

_FIELDS = ("number", "code", "finding", "digest_hash", "who", "at", "reason")


class SqlWaivers(Part):
    """`ports.Waivers` on an SQL database. Thread-safe."""

    def add(self, edition: str, given: Waiver) -> None:
        values = {name: getattr(given, name) for name in _FIELDS}
        with self._database.write() as connection:
            connection.execute(insert_new(waiver).values(edition=edition, **values))

    def of(self, edition: str, number: int) -> Sequence[Waiver]:
        own = (waiver.c.edition == edition, waiver.c.number == number)
        found = select(*(waiver.c[name] for name in _FIELDS)).where(*own).order_by(waiver.c.id)
        with self._database.read() as connection:
            return [Waiver(*row) for row in connection.execute(found)]
