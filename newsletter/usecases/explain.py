"""ledger, library | what is known of one thing | why it is so: a post and its issues, a slot and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.issues import cadence as cadences
from newsletter.issues.selection import Choice, Verdict, standing_in_the_way
from newsletter.model import Issue, LogEntry, Person, Post, Slot, SlotRecord
from newsletter.ports import Ledger, Reviews
from newsletter.usecases.choose import Press, choose, due, free_slot, standing
from newsletter.usecases.prepare import next_number


@dataclass(frozen=True, slots=True)
class PostTold:
    """Why a post is, or is not, in which issue."""

    post: Post
    issues: tuple[Issue, ...]  # that were made with it, oldest first
    verdict: Verdict
    reason: str  # for the next issue
    coming: int  # its number
    slot: Slot  # and its slot
    signed: tuple[tuple[datetime, Person | None, bool], ...]  # when, by whom, and whether it is of the present text


def post(press: Press, one: Post, reviews: Reviews) -> PostTold:
    """Look at a post as the next issue would."""
    issues = press.ledger.issues(press.edition)
    made = tuple(issue for issue in press.ledger.issues() if any(story.post_id == one.id for story in issue.stories))
    selection = choose(press)
    choice = next((c for c in (*selection.stories, *selection.left) if c.post.id == one.id), None)
    verdict, reason = (choice.verdict, choice.reason) if choice else (Verdict.OUT, _unseen(one, press))
    people = press.site.people
    signed = tuple(
        (approval.at, people.get(approval.by), approval.content_hash == one.content_hash)
        for approval in reviews.all()
        if approval.post_id == one.id
    )
    slot = free_slot(press.cadence, press.ledger.slots(press.edition), press.now)
    return PostTold(one, made, verdict, reason, next_number(issues), slot, signed)


def _unseen(one: Post, press: Press) -> str:
    """Why a post is not even looked at."""
    if one.draft:
        return "it is a draft"
    if one.withdrawal:
        return f"it was withdrawn: {one.withdrawal.reason}"
    return "its date is still to come" if one.published > press.now else "it is not public"


@dataclass(frozen=True, slots=True)
class SlotTold:
    """What became of a slot, or will."""

    slot: Slot
    record: SlotRecord | None
    issue: Issue | None
    stage: str  # passed, undecided, next, later, before
    entries: Sequence[LogEntry]  # of its issue, oldest first
    stories: tuple[Choice, ...] = ()  # that would be in the next
    number: int | None = None
    preview: datetime | None = None
    freeze: datetime | None = None
    decided: str = ""  # what keeps it from being sent by itself: somebody holds it, or paused all


def slot(press: Press, key: str) -> SlotTold:
    """A slot by its key. Raises UsageError (I101) for a key that names no week."""
    ledger, cadence, now = press.ledger, press.cadence, press.now
    records: Mapping[str, SlotRecord] = {record.key: record for record in ledger.slots(press.edition)}
    one, record = cadences.slot_for(cadence, key), records.get(key)
    issues = ledger.issues(press.edition)
    issue = next((i for i in issues if record and i.number == record.issue_number), None)
    if record:
        return SlotTold(one, record, issue, "passed", _entries(ledger, issue))
    if one.due <= now:
        undecided = any(passed.key == key for passed in due(press))
        return SlotTold(one, None, None, "undecided" if undecided else "before", ())
    if free_slot(cadence, records.values(), now).key != key:
        return SlotTold(one, None, None, "later", ())
    return SlotTold(
        one,
        None,
        None,
        "next",
        (),
        stories=choose(press).stories,
        number=next_number(issues),
        preview=cadences.preview_at(cadence, one) if cadence.preview else None,
        freeze=cadences.freeze_at(cadence, one),
        decided=standing_in_the_way(standing(ledger, press.edition), key),
    )


def _entries(ledger: Ledger, issue: Issue | None) -> Sequence[LogEntry]:
    name = f"issue {issue.name}" if issue else ""
    return [entry for entry in reversed(ledger.entries(10_000)) if entry.object == name]
