"""Rows of the database as the words of the house, and the few look-ups that every part of the ledger needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    RowMapping,
    ScalarSelect,
    and_,
    case,
    exists,
    func,
    literal_column,
    select,
)

from newsletter.errors import Problem, UsageError
from newsletter.model import DeliveryState, Digest, Issue, IssueState, Segment, SegmentKind, Slot, Story
from newsletter.store.database import Database
from newsletter.store.tables import WAITING, delivery, editor_note, issue, issue_post, segment, subscriber

Wake = Callable[[Connection, Sequence[int], timedelta], None]
"""Tells workers, as part of the transaction, that these chunks are to be sent, after a while."""


class Part:
    """A part of the ledger: some methods over the one database."""

    def __init__(self, database: Database) -> None:
        self._database = database


def word(state: DeliveryState) -> ColumnElement[str]:
    """The state spelled out in the statement: a partial index is chosen by its text, not by a parameter."""
    return literal_column(f"'{state.value}'")


def in_flight(row: FromClause, state: DeliveryState | None = None) -> ColumnElement[bool]:
    """Rows that are claimed or sending, or one of the two, found through their index: its condition is spelled out."""
    both: ColumnElement[bool] = row.c.state.in_([word(DeliveryState.CLAIMED), word(DeliveryState.SENDING)])
    return and_(both, row.c.state == word(state)) if state else both


def first_waiting(chunk_id: ColumnElement[int], otherwise: ColumnElement[datetime]) -> ScalarSelect[datetime]:
    """When the first row of a chunk that waits is due, found at the head of its index; `otherwise` for a fresh one."""
    row = delivery.alias("row")
    return (
        select(func.coalesce(row.c.next_at, otherwise, type_=row.c.next_at.type))
        .with_hint(row, f"INDEXED BY {WAITING}", "sqlite")
        .where(row.c.chunk_id == chunk_id, row.c.state == word(DeliveryState.WAITING))
        .order_by(row.c.next_at.nulls_first())
        .limit(1)
        .scalar_subquery()
    )


def unless_forgotten(subscriber_id: ColumnElement[int], answer: ColumnElement[str]) -> ColumnElement[str]:
    """What a mail server answered; nothing where its reader was forgotten meanwhile, whom it may name."""
    gone = exists().where(subscriber.c.id == subscriber_id, subscriber.c.address == "").correlate_except(subscriber)
    return case((gone, ""), else_=answer)


def issue_id(connection: Connection, edition: str, number: int) -> int:
    """Raises UsageError when there is no such issue."""
    found = connection.scalar(select(issue.c.id).where(issue.c.edition == edition, issue.c.number == number))
    if found is None:
        raise UsageError(
            Problem(
                "I501",
                f"there is no issue {number} of the {edition} edition",
                fixes=("list them with: newsletter issue list",),
            )
        )
    return int(found)


def read_segments(connection: Connection, issue_id: int) -> tuple[Segment, ...]:
    """Those of an issue, by key."""
    columns = (column for column in segment.c if column.name != "issue_id")
    rows = select(*columns).where(segment.c.issue_id == issue_id).order_by(segment.c.key)
    return tuple(_segment(dict(row), row["topics"].split()) for row in connection.execute(rows).mappings())


def _segment(told: dict[str, Any], topics: Sequence[str]) -> Segment:
    return Segment(**told | {"kind": SegmentKind(told["kind"]), "topics": tuple(topics)})


def read_digest(told: dict[str, Any]) -> Digest:
    """One that was kept outside of an issue, from the names and values of `dataclasses.asdict`."""
    parts = [_segment(one, one.get("topics", ())) for one in told.pop("segments", ())]
    return Digest(**told, segments=tuple(parts))


def read_issues(connection: Connection, *conditions: ColumnElement[bool]) -> Sequence[Issue]:
    """The issues that meet all conditions, oldest first, with their stories."""
    note = func.coalesce(editor_note.c.text, "").label("note")
    whole = select(issue, note).outerjoin_from(issue, editor_note)
    rows = connection.execute(whole.where(*conditions).order_by(issue.c.edition, issue.c.number)).mappings()
    stories = _stories(connection, *conditions)
    return [_issue(row, stories[row["id"]]) for row in rows]


_STORY = ("post_id", "content_hash", "slug", "title", "corrections")


def _stories(connection: Connection, *conditions: ColumnElement[bool]) -> defaultdict[int, list[Story]]:
    found: defaultdict[int, list[Story]] = defaultdict(list)
    ordered = select(issue_post).join(issue).where(*conditions).order_by(issue_post.c.issue_id, issue_post.c.position)
    for row in connection.execute(ordered).mappings():
        found[row["issue_id"]].append(Story(*(row[name] for name in _STORY)))
    return found


def _issue(row: RowMapping, stories: Sequence[Story]) -> Issue:
    return Issue(
        number=row["number"],
        edition=row["edition"],
        slot=Slot(row["slot_key"], row["slot_due"], row["slot_due"].astimezone(ZoneInfo(row["slot_zone"]))),
        state=IssueState(row["state"]),
        stories=tuple(stories),
        subject=row["subject"],
        preheader=row["preheader"],
        reason=row["reason"],
        ready_at=row["ready_at"],
        send_at=row["send_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        sent_by=row["sent_by"],
        audience=row["audience"],
        note=row["note"],
    )
