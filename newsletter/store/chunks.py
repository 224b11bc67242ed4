"""The rows of a range of readers, in chunks, each of which has readers of one provider alone.

Nearly all readers get what everybody gets: their rows are written by the database itself, whatever their number.
Only those who get something else pass through this program, afterwards and in the same transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Row,
    Text,
    bindparam,
    case,
    func,
    insert,
    literal,
    null,
    select,
    true,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from newsletter.model import DeliveryState
from newsletter.providers import OTHER, PROVIDERS
from newsletter.store.database import insert_new
from newsletter.store.rows import word
from newsletter.store.spelled import Spelled
from newsletter.store.tables import Instant, chunk, delivery, milliseconds, subscriber
from newsletter.store.variants import Choices


def add_rows(
    connection: Connection,
    begun: Row[Any],
    choices: Choices,
    *who: ColumnElement[bool],
    size: int,
    opens_at: datetime | None,
) -> None:
    """Write a row for each of these readers who has none, in chunks of `size` at the most that open at this time.

    Who left after the audience was begun and came back has a row already, and it stays dropped.
    """
    after = connection.scalar(select(func.max(chunk.c.id)).where(chunk.c.issue_id == begun.id)) or 0
    fresh = (chunk.c.issue_id == begun.id, chunk.c.id > after)
    placed = _placed(who, size)
    connection.execute(_chunks(placed, begun.id, opens_at))
    connection.execute(_rows(placed, fresh, begun.id, choices.usual))
    _depart(connection, begun, after, choices.unusual(connection, *who))


class _Domain(FunctionElement[str]):
    """The domain of an address, which has one @ and no more; each database has a function of its own for it."""

    inherit_cache = True
    type = Text()


@compiles(_Domain)
def _split(domain: _Domain, compiler: SQLCompiler, **how: Any) -> str:
    return f"split_part({compiler.process(domain.clauses, **how)}, '@', 2)"


@compiles(_Domain, "sqlite")
def _cut(domain: _Domain, compiler: SQLCompiler, **how: Any) -> str:
    address = compiler.process(domain.clauses, **how)
    return f"substr({address}, instr({address}, '@') + 1)"


def _provider(folded: ColumnElement[str]) -> ColumnElement[str]:
    """`providers.provider_of`, of an address without case, for the database to work out."""
    groups = {domain: literal(name) for name, domains in PROVIDERS for domain in domains}
    return case(groups, value=_Domain(folded), else_=literal(OTHER))


def _placed(who: Sequence[ColumnElement[bool]], size: int) -> FromClause:
    """These readers, each with its provider and its place among the chunks of that provider, from 0."""
    them = select(subscriber.c.id, _provider(subscriber.c.folded).label("provider")).where(*who).cte("them")
    nth = func.row_number(type_=Integer()).over(partition_by=them.c.provider, order_by=them.c.id)
    return select(them.c.id, them.c.provider, ((nth - 1) // size).label("place")).subquery("placed")


def _chunks(placed: FromClause, issue_id: int, opens_at: datetime | None) -> Any:
    """In the order of the first reader of each, so that those of one provider lie among those of the others."""
    each = (
        select(literal(issue_id), placed.c.provider, literal(opens_at, Instant()))
        .group_by(placed.c.provider, placed.c.place)
        .order_by(func.min(placed.c.id))
    )
    return insert(chunk).from_select(["issue_id", "provider", "opens_at"], each)


def _rows(placed: FromClause, fresh: Sequence[ColumnElement[bool]], issue_id: int, variant: str) -> Any:
    nth = func.row_number().over(partition_by=chunk.c.provider, order_by=chunk.c.id)
    made = select(chunk.c.id, chunk.c.provider, (nth - 1).label("place")).where(*fresh).subquery("made")
    here = (made.c.provider == placed.c.provider) & (made.c.place == placed.c.place)
    waits = literal(DeliveryState.WAITING.value)
    each = select(literal(issue_id), placed.c.id, made.c.id, waits, literal(variant)).join_from(placed, made, here)
    columns = ["issue_id", "subscriber_id", "chunk_id", "state", "variant"]
    return insert_new(delivery).from_select(columns, each.where(true()).order_by(placed.c.id))


def _depart(connection: Connection, begun: Row[Any], after: int, unusual: Iterable[tuple[int, str, str]]) -> None:
    """Rows that were just written, of readers who get something else than everybody, or nothing."""
    found: defaultdict[bool, list[Mapping[str, object]]] = defaultdict(list)
    at = milliseconds(begun.audience_at)
    for reader, variant, why_not in unusual:
        of = {"the_issue": begun.id, "the_reader": reader, "after": after, "which": variant}
        found[bool(why_not)].append(of | {"why": why_not, "at": at})
    for drops, rows in found.items():
        (_DROPS if drops else _DEPARTS).each(connection, rows)


_THEIRS = (
    delivery.c.issue_id == bindparam("the_issue"),
    delivery.c.subscriber_id == bindparam("the_reader"),
    delivery.c.chunk_id > bindparam("after"),
)
_DEPARTS = Spelled(lambda _: update(delivery).where(*_THEIRS).values(variant=bindparam("which")))
_DROPS = Spelled(
    lambda _: (
        update(delivery)
        .where(*_THEIRS)
        .values(
            variant=bindparam("which"),
            state=word(DeliveryState.DROPPED),
            reason=bindparam("why"),
            chunk_id=null(),
            done_at=bindparam("at"),
        )
    )
)
