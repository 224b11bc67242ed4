"""Issues and their frozen digests: made in one transaction, numbered once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, func, insert, select, update

from newsletter.errors import Problem, UsageError
from newsletter.model import (
    Digest,
    Hand,
    Issue,
    IssueAct,
    IssueState,
    Slot,
    SlotOutcome,
    Story,
    issue_name,
    issue_title,
)
from newsletter.store import acts, tables
from newsletter.store.database import insert_new
from newsletter.store.rows import Part, issue_id, read_issues, read_segments
from newsletter.store.slots import leave_slot, take
from newsletter.store.tables import editor_note, issue, issue_post


class _TakenError(Exception):
    """Another process has the slot or one of the stories; carries the transaction back to its beginning."""


class Issues(Part):
    def open_issue(
        self,
        *,
        edition: str,
        slot: Slot,
        coalesced: Sequence[Slot],
        stories: Sequence[Story],
        render: Callable[[int], Digest],
        state: IssueState,
        reason: str,
        hand: Hand,
        send_at: datetime | None,
        outside: bool = False,
    ) -> Issue | None:
        """As `ports.Ledger` says. A HELD issue is never intended: its `send_at` is left empty.

        `render` runs inside the transaction and must not write to this database.
        """
        held = state is IssueState.HELD
        try:
            with self._database.write() as connection:
                columns = _slot_columns(slot) | {"ready_at": hand.at, "send_at": None if held else send_at}
                thawed = None if outside else _draft(connection, edition)
                number = thawed.number if thawed else _next_number(connection, edition)
                if thawed:
                    made = int(thawed.id)
                    leave_slot(connection, made, slot)
                    acts.act(connection, made, IssueAct.READY, hand, to=state, note=reason, reason=reason, **columns)
                else:
                    made = _insert_issue(
                        connection, edition=edition, number=number, state=state.value, reason=reason, **columns
                    )
                    acts.made(connection, made, issue_name(edition, number), hand, state, reason)
                _take_slots(connection, edition, slot, coalesced, made, held=held, reason=reason)
                _attach(connection, made, edition, stories)
                _freeze(connection, made, render(number))
                return read_issues(connection, issue.c.id == made)[0]
        except _TakenError:
            return None

    def issues(self, edition: str | None = None) -> Sequence[Issue]:
        with self._database.read() as connection:
            return read_issues(connection, *([] if edition is None else [issue.c.edition == edition]))

    def issue(self, edition: str, number: int) -> Issue | None:
        with self._database.read() as connection:
            return next(iter(read_issues(connection, issue.c.edition == edition, issue.c.number == number)), None)

    def digest(self, edition: str, number: int) -> Digest:
        """The text as it was frozen. Raises UsageError when there is no such issue (I501), or it is a draft (I112)."""
        digest, note = tables.digest, func.coalesce(editor_note.c.text, "")
        parts = select(issue.c.subject, issue.c.preheader, digest.c.html, digest.c.text, digest.c.digest_hash, note)
        frozen = parts.select_from(issue.join(digest).outerjoin(editor_note, editor_note.c.issue_id == issue.c.id))
        with self._database.read() as connection:
            wanted = issue_id(connection, edition, number)
            whole = connection.execute(frozen.where(issue.c.id == wanted)).one_or_none()
            if whole is None:
                raise UsageError(_no_text(edition, number))
            return Digest(*whole, segments=read_segments(connection, wanted))


def _no_text(edition: str, number: int) -> Problem:
    return Problem(
        "I112",
        f"{issue_title(edition, number)} has no frozen text: it is a draft, or was stopped as one",
        fixes=(
            f"newsletter issue show {issue_name(edition, None)}",
            f"newsletter issue ready {issue_name(edition, number)}",
        ),
    )


def _draft(connection: Connection, edition: str) -> Row[Any, Any] | None:
    """The issue that was thawed and keeps its number: the next one is made of it."""
    thawed = issue.c.edition == edition, issue.c.state == IssueState.DRAFT.value
    return connection.execute(select(issue.c.id, issue.c.number).where(*thawed).order_by(issue.c.number)).first()


def _next_number(connection: Connection, edition: str) -> int:
    last = connection.scalar(select(func.max(issue.c.number)).where(issue.c.edition == edition))
    return (last or 0) + 1


def _insert_issue(connection: Connection, **columns: object) -> int:
    row = insert(issue).values(subject="", preheader="", **columns)
    return int(connection.scalars(row.returning(issue.c.id)).one())


def _slot_columns(slot: Slot) -> dict[str, object]:
    """Raises ValueError when the slot's clock is not that of a named zone."""
    zone = ZoneInfo(str(slot.local.tzinfo))
    return {"slot_key": slot.key, "slot_due": slot.due, "slot_zone": zone.key}


def _take_slots(
    connection: Connection,
    edition: str,
    slot: Slot,
    coalesced: Sequence[Slot],
    made: int,
    *,
    held: bool,
    reason: str,
) -> None:
    outcome = SlotOutcome.HELD if held else SlotOutcome.ISSUED
    missed = f"missed; its posts went into {slot.key}"
    if not take(connection, edition, slot, outcome, reason, made):
        raise _TakenError
    for earlier in coalesced:
        if not take(connection, edition, earlier, SlotOutcome.COALESCED, missed, made):
            raise _TakenError


def _attach(connection: Connection, made: int, edition: str, stories: Sequence[Story]) -> None:
    if not stories:
        return
    rows = [
        {
            "issue_id": made,
            "position": position,
            "edition": edition,
            "post_id": story.post_id,
            "content_hash": story.content_hash,
            "slug": story.slug,
            "title": story.title,
            "corrections": story.corrections,
        }
        for position, story in enumerate(stories)
    ]
    written = connection.scalars(insert_new(issue_post).returning(issue_post.c.position), rows).all()
    if len(written) < len(rows):
        raise _TakenError


def _freeze(connection: Connection, made: int, digest: Digest) -> None:
    connection.execute(
        update(issue).where(issue.c.id == made).values(subject=digest.subject, preheader=digest.preheader)
    )
    connection.execute(
        insert(tables.digest).values(issue_id=made, html=digest.html, text=digest.text, digest_hash=digest.digest_hash)
    )
    if digest.segments:
        rows = [{"issue_id": made} | asdict(one) | {"topics": " ".join(one.topics)} for one in digest.segments]
        connection.execute(insert(tables.segment), rows)
    if digest.note:
        connection.execute(insert(editor_note).values(issue_id=made, text=digest.note))
