"""Fixing the audience: a row for each reader who is owed the issue, in short commits, complete or not at all.

The first commit says as of when, how many readers and up to which one; each further commit writes the next readers
by their ids and remembers how far it came, so that anybody may go on after a crash; the last one counts. Nothing can
be claimed before it, since only then the issue is SENDING. Who comes or goes in between: `meanwhile`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, update

from newsletter import words
from newsletter.errors import Outside, Problem
from newsletter.model import Issue, IssueAct, IssueState, Subscriber, SubscriberStatus, by_clock
from newsletter.pace import CANARIES, CANARY_FROM
from newsletter.store.acts import act
from newsletter.store.chunks import add_rows
from newsletter.store.database import Database
from newsletter.store.meanwhile import UNFINISHED, ahead
from newsletter.store.pausing import wake as end_pauses
from newsletter.store.rows import Part, Wake, read_issues, read_segments
from newsletter.store.tables import chunk, delivery, issue, subscriber
from newsletter.store.variants import Choices

CHUNK = 500
"""Deliveries in a chunk."""

BATCH = 20 * CHUNK
"""Readers in one commit."""


class Audience(Part):
    _wake: Wake | None = None

    def start_send(self, edition: str, number: int, *, now: datetime, canary: timedelta | None = None) -> Issue | None:
        """As `ports.Ledger` says.

        Raises Outside when the rows do not add up to the readers: then they are gone, and the next call starts anew.
        """
        begun = _begin(self._database, edition, number, now, canary)
        return None if begun is None else fill(self._database, begun, now, self._wake)


def fill(database: Database, issue_id: int, now: datetime, wake: Wake | None = None) -> Issue | None:
    """Write what is missing of a begun audience; None when another process finished it, or it was called off."""
    while True:
        with database.write() as connection:
            begun = connection.execute(select(issue).where(issue.c.id == issue_id, *UNFINISHED)).one_or_none()
            if begun is None:
                return None
            if _add_readers(connection, begun):
                continue
            frozen = _freeze(connection, begun, now)
            if frozen and wake:
                wake(connection, _open_chunks(connection, issue_id), timedelta(0))
        if frozen is None:
            raise Outside(_does_not_add_up(begun))
        return frozen


def include(connection: Connection, reader: Subscriber) -> None:
    """Write this reader's row now, in each audience that counted them and would not find them any more."""
    for begun in connection.execute(select(issue).where(*ahead(reader))).all():
        _add(connection, begun, subscriber.c.id == reader.id, opens_at=begun.audience_opens_at)


def forget(connection: Connection, issue_id: int) -> None:
    """Call off an audience that was begun and not finished; nothing when there is none."""
    begun = select(issue.c.id).where(issue.c.id == issue_id, issue.c.audience_frozen_at.is_(None))
    connection.execute(delete(delivery).where(delivery.c.issue_id.in_(begun)))
    connection.execute(
        update(issue)
        .where(issue.c.id.in_(begun))
        .values(
            audience_at=None,
            audience_expected=None,
            audience_upto=None,
            audience_cursor=None,
            audience_opens_at=None,
        )
    )


def _begin(database: Database, edition: str, number: int, now: datetime, canary: timedelta | None) -> int | None:
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
            end_pauses(connection, now)
            _say_for_whom(connection, found.id, edition, now, canary)
        return int(found.id)


def _say_for_whom(connection: Connection, issue_id: int, edition: str, now: datetime, canary: timedelta | None) -> None:
    upto = connection.scalar(select(func.max(subscriber.c.id))) or 0
    candidates = select(func.count()).select_from(subscriber).where(*_candidates(edition, 0, upto))
    expected = connection.scalar(candidates) or 0
    connection.execute(
        update(issue)
        .where(issue.c.id == issue_id)
        .values(
            audience_at=now,
            audience_expected=expected,
            audience_upto=upto,
            audience_cursor=0,
            audience_opens_at=now + canary if canary and expected >= CANARY_FROM else None,
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
    first = begun.audience_opens_at is not None and not begun.audience_cursor
    size = CANARIES if first else BATCH
    of, after, upto = begun.edition, begun.audience_cursor, begun.audience_upto
    found = select(subscriber.c.id).where(*_candidates(of, after, upto)).order_by(subscriber.c.id).limit(size)
    next_ones = found.subquery()
    count, last = connection.execute(select(func.count(), func.max(next_ones.c.id))).one()
    if count:
        opens_at = None if first else begun.audience_opens_at
        _add(connection, begun, *_candidates(of, after, last), opens_at=opens_at)
        connection.execute(update(issue).where(issue.c.id == begun.id).values(audience_cursor=last))
    return bool(count == size)


def _add(connection: Connection, begun: Row[Any], *who: ColumnElement[bool], opens_at: datetime | None) -> None:
    choices = Choices(connection, read_segments(connection, begun.id), besides=begun.id)
    add_rows(connection, begun, choices, *who, size=CHUNK, opens_at=opens_at)


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


def _open_chunks(connection: Connection, issue_id: int) -> Sequence[int]:
    """Those that open at once."""
    those = select(chunk.c.id).where(chunk.c.issue_id == issue_id, chunk.c.opens_at.is_(None)).order_by(chunk.c.id)
    return connection.scalars(those).all()


def _does_not_add_up(begun: Row[Any]) -> Problem:
    return Problem(
        "S501",
        f"The audience of issue {begun.number} does not add up to its {begun.audience_expected} readers",
        why="The list of readers changed while it was read; nobody has been mailed.",
        fixes=("send the issue again: the audience is read anew",),
    )
