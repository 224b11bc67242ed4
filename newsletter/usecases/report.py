"""ledger | count | say: what happened, what happens next, why a reader did or did not get an issue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.errors import Problem, UsageError
from newsletter.issues import cadence as cadences
from newsletter.issues.selection import Selection
from newsletter.model import (
    WEEKLY,
    Attempt,
    Cadence,
    Consent,
    Delivery,
    DeliveryState,
    Issue,
    IssueState,
    Slot,
    SlotRecord,
    Subscriber,
)
from newsletter.ports import Ledger, Roster


@dataclass(frozen=True, slots=True)
class Status:
    """What a person wants to know first."""

    next_slot: Slot
    next_number: int
    selection: Selection
    readers: Mapping[str, int]
    attention: tuple[Issue, ...]  # held, paused, or with uncertain deliveries
    last: Issue | None
    counts: Mapping[DeliveryState, int]
    going: tuple[Issue, ...]  # scheduled or sending
    last_slot: SlotRecord | None
    last_tick: datetime | None


ATTENTION = {IssueState.HELD, IssueState.PAUSED, IssueState.NEEDS_ATTENTION}
OVER = {IssueState.SENT, IssueState.NEEDS_ATTENTION}


def status(*, ledger: Ledger, roster: Roster, cadence: Cadence, selection: Selection, now: datetime) -> Status:
    """Everything that `newsletter status` shows."""
    issues = ledger.issues(WEEKLY)
    slots = ledger.slots(WEEKLY)
    taken = {record.key for record in slots}
    free = next(slot for slot in cadences.next_slots(cadence, now, len(taken) + 1) if slot.key not in taken)
    last = next((issue for issue in reversed(issues) if issue.state in OVER), None)
    return Status(
        next_slot=free,
        next_number=issues[-1].number + 1 if issues else 1,
        selection=selection,
        readers=roster.counts(),
        attention=tuple(issue for issue in issues if issue.state in ATTENTION),
        last=last,
        counts=ledger.counts(WEEKLY, last.number) if last else {},
        going=tuple(i for i in issues if i.state is IssueState.SENDING or (i.state is IssueState.READY and i.send_at)),
        last_slot=slots[-1] if slots else None,
        last_tick=ledger.last_beat("work"),
    )


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a reader did or did not get an issue."""

    reader: Subscriber
    issue: Issue
    delivery: Delivery | None
    attempts: Sequence[Attempt]
    consents: Sequence[Consent]


def explain(*, ledger: Ledger, roster: Roster, reader: Subscriber, number: int) -> Explanation:
    """The whole story of one reader and one issue. Raises UsageError for an unknown issue."""
    issue = issue_named(ledger, number)
    return Explanation(
        reader,
        issue,
        ledger.delivery(WEEKLY, number, reader.id),
        ledger.attempts(WEEKLY, number, reader.id),
        roster.consents(reader.id),
    )


def issue_named(ledger: Ledger, number: int) -> Issue:
    """An issue by its number. Raises UsageError (I110)."""
    issue = ledger.issue(WEEKLY, number)
    if issue is None:
        numbers = [str(i.number) for i in ledger.issues(WEEKLY)]
        known = f"There are {', '.join(numbers)}." if numbers else "There is none yet."
        raise UsageError(Problem("I110", f"There is no issue {number}", why=known, fixes=("newsletter issue list",)))
    return issue


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A slot and what has been decided about it, if anything."""

    slot: Slot
    record: SlotRecord | None
    note: str  # what the clocks did to it


def upcoming(*, ledger: Ledger, cadence: Cadence, now: datetime, count: int) -> list[Upcoming]:
    """The next slots."""
    records = {record.key: record for record in ledger.slots(WEEKLY)}
    slots = cadences.next_slots(cadence, now, count)
    return [Upcoming(slot, records.get(slot.key), cadences.clock_note(cadence, slot)) for slot in slots]
