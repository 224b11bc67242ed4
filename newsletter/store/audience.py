"""Fixing the audience: a row for each reader who is owed the issue, in short commits, complete or not at all.

The first commit says as of when, how many readers and up to which one; each further commit writes the next readers
by their ids and remembers how far it came, so that anybody may go on after a crash; the last one counts. Nothing can
be claimed before it, since only then the issue is SENDING. Who comes or goes in between: `meanwhile`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from newsletter import words
from newsletter.errors import Outside, Problem
from newsletter.model import DeliveryState, Issue, IssueAct, IssueState, Subscriber, SubscriberStatus, by_clock
from newsletter.store.acts import act
from newsletter.store.database import Database, insert_new
from newsletter.store.meanwhile import UNFINISHED, ahead
from newsletter.store.pausing import wake
from newsletter.store.rows import Part, read_issues, read_segments
from newsletter.store.tables import chunk, delivery, issue, subscriber
from newsletter.store.variants import Choices, Reader

CHUNK = 500
"""Deliveries in a chunk."""

BATCH = 4 * CHUNK
"""Readers in one commit."""


class Audience(Part):
    def start_send(self, edition: str, number: int, *, now: datetime) -> Issue | None:
        """As `ports.Ledger` says.

        Raises Outside when the rows do not add up to the readers: then they are gone, and the next call starts anew.
        """
        begun = _begin(self._database, edition, number, now)
        return None if begun is None else fill(self._database, begun, now)


def fill(database: Database, issue_id: int, now: datetime) -> Issue | None:
    """Write what is missing of a begun audience; None when another process finished it, or it was called off."""
    while True:
        with database.write() as connection:
            begun = connection.execute(select(issue).where(issue.c.id == issue_id, *UNFINISHED)).one_or_none()
            if begun is None:
                return None
            if _add_readers(connection, begun):
                continue
            frozen = _freeze(connection, begun, now)
        if frozen is None:
            raise Outside(_does_not_add_up(begun))
        return frozen


def include(connection: Connection, reader: Subscriber) -> None:
    """Write this reader's row now, in each audience that counted them and would not find them any more."""
    them = connection.execute(_READER.where(subscriber.c.id == reader.id)).all()
    for begun in connection.execute(select(issue).where(*ahead(reader))).all():
        _add_chunk(connection, begun, them, _choices(connection, begun))


def forget(connection: Connection, issue_id: int) -> None:
    """Call off an audience that was begun and not finished; nothing when there is none."""
    begun = select(issue.c.id).where(issue.c.id == issue_id, issue.c.audience_frozen_at.is_(None))
    connection.execute(delete(delivery).where(delivery.c.issue_id.in_(begun)))
    connection.execute(
        update(issue)
        .where(issue.c.id.in_(begun))
        .values(audience_at=None, audience_expected=None, audience_upto=None, audience_cursor=None)
    )


def _begin(database: Database, edition: str, number: int, now: datetime) -> int | None:
    """Say as of when and for whom, unless it was said already; the issue's id, or None when it may not start."""
    startable = select(issue.c.id, issue.c.audience_at).where(
        issue.c.edition == edition,
        issue.c.number == number,
        issue.c.state == IssueState.READY.value,
        issue.c.send_at <= now,
    )
    with database.write() as connection:
        found = connection.execute(startable).one_or_none()
        if found is None:
            return None
        if found.audience_at is None:
            wake(connection, now)
            _say_for_whom(connection, found.id, edition, now)
        return int(found.id)


def _say_for_whom(connection: Connection, issue_id: int, edition: str, now: datetime) -> None:
    upto = connection.scalar(select(func.max(subscriber.c.id))) or 0
    candidates = select(func.count()).select_from(subscriber).where(*_candidates(edition, 0, upto))
    connection.execute(
        update(issue)
        .where(issue.c.id == issue_id)
        .values(
            audience_at=now,
            audience_expected=connection.scalar(candidates),
            audience_upto=upto,
            audience_cursor=0,
        )
    )


def _candidates(edition: str, after: int, upto: int) -> tuple[ColumnElement[bool], ...]:
    return (
        subscriber.c.edition == edition,
        subscriber.c.status == SubscriberStatus.ACTIVE.value,
        subscriber.c.id > after,
        subscriber.c.id <= upto,
    )


def _add_readers(connection: Connection, begun: Row[Any]) -> bool:
    """Write the next readers; True when there may be more."""
    found = connection.execute(
        _READER.where(*_candidates(begun.edition, begun.audience_cursor, begun.audience_upto))
        .order_by(subscriber.c.id)
        .limit(BATCH)
    ).all()
    choices = _choices(connection, begun)
    for start in range(0, len(found), CHUNK):
        _add_chunk(connection, begun, found[start : start + CHUNK], choices)
    if found:
        connection.execute(update(issue).where(issue.c.id == begun.id).values(audience_cursor=found[-1][0]))
    return len(found) == BATCH


_READER = select(subscriber.c.id, subscriber.c.without, subscriber.c.plain)


def _choices(connection: Connection, begun: Row[Any]) -> Choices:
    return Choices(connection, read_segments(connection, begun.id), besides=begun.id)


def _add_chunk(connection: Connection, begun: Row[Any], readers: Sequence[Reader], choices: Choices) -> None:
    made = connection.scalars(insert(chunk).values(issue_id=begun.id).returning(chunk.c.id)).one()
    waits = {"issue_id": begun.id, "chunk_id": made, "state": DeliveryState.WAITING.value}
    drops = {"issue_id": begun.id, "state": DeliveryState.DROPPED.value, "done_at": begun.audience_at}
    waiting: list[dict[str, object]] = []
    dropped: list[dict[str, object]] = []
    for reader, variant, why_not in choices.of(connection, readers):
        if why_not:
            dropped.append(drops | {"subscriber_id": reader, "variant": variant, "reason": why_not})
        else:
            waiting.append(waits | {"subscriber_id": reader, "variant": variant})
    for rows in (waiting, dropped):
        if rows:  # Who left after the audience was begun and came back has a row already, and it stays dropped.
            connection.execute(insert_new(delivery), rows)


def _freeze(connection: Connection, begun: Row[Any], now: datetime) -> Issue | None:
    """Verify the count and let the issue go; None, and the rows are gone, when it does not add up."""
    prepared = connection.scalar(select(func.count()).select_from(delivery).where(delivery.c.issue_id == begun.id))
    if prepared != begun.audience_expected:
        forget(connection, begun.id)
        return None
    act(
        connection,
        begun.id,
        IssueAct.START,
        by_clock(now),
        to=IssueState.SENDING,
        note=words.count(prepared or 0, "reader"),
        reason="",
        audience=prepared,
        started_at=begun.audience_at,
        audience_frozen_at=now,
    )
    return read_issues(connection, issue.c.id == begun.id)[0]


def _does_not_add_up(begun: Row[Any]) -> Problem:
    return Problem(
        "S501",
        f"the audience of issue {begun.number} does not add up to its {begun.audience_expected} readers",
        why="the list of readers changed while it was read; nobody has been mailed",
        fixes=("send the issue again: the audience is read anew",),
    )
