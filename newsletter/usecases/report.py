"""ledger | count | say: what happened, what happens next, why a reader did or did not get an issue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from newsletter import replies, variants, words
from newsletter.errors import Problem, UsageError
from newsletter.issues import cadence as cadences
from newsletter.issues.selection import Selection, held, paused
from newsletter.model import (
    ALL_SLOTS,
    WEEKLY,
    Answer,
    Attempt,
    Cadence,
    Consent,
    Delivery,
    DeliveryState,
    Issue,
    IssueState,
    PlanKind,
    Slot,
    SlotPlan,
    SlotRecord,
    Subscriber,
    issue_name,
)
from newsletter.ports import Ledger, Roster
from newsletter.usecases.choose import Place, Press, choose, due, free_slot, place, standing
from newsletter.usecases.prepare import next_number


@dataclass(frozen=True, slots=True)
class Status:
    """What a person wants to know first."""

    place: Place  # where the next issue would stand
    next_number: int
    selection: Selection
    readers: Mapping[str, int]
    attention: tuple[Issue, ...]  # held, paused, waiting for a hand, or with uncertain deliveries
    last: Issue | None
    going: tuple[Issue, ...]  # scheduled or sending
    counts: Mapping[Issue, Mapping[DeliveryState, int]]  # of the issues above
    last_slot: SlotRecord | None
    last_slot_issue: Issue | None
    last_tick: datetime | None  # of `work`
    silent_after: timedelta  # without a tick something is wrong
    standing: tuple[SlotPlan, ...]  # what keeps the next issue, or all, from going out
    undecided: tuple[Slot, ...]  # slots that passed and have no outcome yet
    trouble: Mapping[Issue, str]  # why an issue that is being sent reaches nobody at present
    doubt: str = ""  # why this may be a copy of a site
    edition: str = WEEKLY  # whose next issue is told

    def ready(self, now: datetime) -> Issue | None:
        """The next issue, if it is frozen already."""
        ready = (one for one in self.going if one.state is IssueState.READY and one.edition == self.edition)
        coming = [one for one in ready if one.send_at and one.send_at > now]
        return min(coming, key=lambda one: one.send_at or now, default=None)


@dataclass(frozen=True, slots=True)
class Beside:
    """What comes next of an edition beside the weekly one."""

    cadence: Cadence
    readers: int
    slot: Slot | None = None  # None where each post is mailed by itself
    number: int = 0
    stories: int = 0  # that are in


def beside(press: Press, roster: Roster) -> Beside:
    """The next issue of an edition, for `newsletter status`."""
    readers = roster.counts(press.edition).get("active", 0)
    if press.cadence.singly:
        return Beside(press.cadence, readers)
    number, slot = next_number(press.ledger.issues(press.edition)), place(press).slot
    return Beside(press.cadence, readers, slot, number, len(choose(press).stories))


ATTENTION = {IssueState.HELD, IssueState.PAUSED, IssueState.NEEDS_ATTENTION}
OVER = {IssueState.SENT, IssueState.NEEDS_ATTENTION}


def _keeps(plan: SlotPlan, slot: Slot) -> bool:
    """Whether this is why the issue of `slot` would not go out by itself."""
    return plan.key == ALL_SLOTS or (plan.key == slot.key and plan.kind is PlanKind.HOLD)


def status(press: Press, roster: Roster, selection: Selection, doubt: str = "") -> Status:
    """Everything that `newsletter status` shows."""
    ledger = press.ledger
    issues = ledger.issues(press.edition)
    slots = ledger.slots(press.edition)
    last = next((issue for issue in reversed(issues) if issue.state in OVER), None)
    every = ledger.issues()
    attention = tuple(one for one in every if one.state in ATTENTION or _waits_for_a_hand(one))
    going = tuple(i for i in every if i.state is IssueState.SENDING or (i.state is IssueState.READY and i.send_at))
    shown = {*attention, *going, *([last] if last else [])}
    last_slot = next((one for one in reversed(slots) if one.due <= press.now or one.issue_number), None)
    coming = place(press)
    return Status(
        place=coming,
        next_number=next_number(issues),
        selection=selection,
        readers=roster.counts(press.edition),
        attention=attention,
        last=last,
        going=going,
        counts={one: ledger.counts(one.edition, one.number) for one in shown},
        last_slot=last_slot,
        last_slot_issue=next((i for i in issues if last_slot and i.number == last_slot.issue_number), None),
        last_tick=ledger.last_beat("work"),
        silent_after=ledger.silent_after("work"),
        standing=tuple(plan for plan in standing(ledger, press.edition) if _keeps(plan, coming.slot)),
        undecided=tuple(due(press)),
        trouble={i: why for i in going if (why := ledger.trouble(i.edition, i.number))},
        doubt=doubt,
        edition=press.edition,
    )


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a reader did or did not get an issue."""

    reader: Subscriber
    issue: Issue
    delivery: Delivery | None
    attempts: Sequence[Attempt]
    consents: Sequence[Consent]
    copies: Sequence[Attempt] = ()  # sent again, because they asked
    titles: Mapping[str, str] = field(default_factory=dict)  # of its stories by key, where one departs from the usual


def explain(*, ledger: Ledger, roster: Roster, reader: Subscriber, edition: str, number: int) -> Explanation:
    """The whole story of one reader and one issue. Raises UsageError for an unknown issue."""
    issue = issue_named(ledger, edition, number)
    delivery = ledger.delivery(edition, number, reader.id)
    return Explanation(
        reader,
        issue,
        delivery,
        ledger.attempts(edition, number, reader.id),
        roster.consents(reader.id),
        ledger.copies(edition, number, reader.id),
        _titles(ledger, issue) if delivery and delivery.variant else {},
    )


def _titles(ledger: Ledger, issue: Issue) -> Mapping[str, str]:
    """Of the stories of an issue, by the key of their part."""
    titles = {story.post_id: story.title for story in issue.stories}
    parts = variants.in_place(ledger.digest(issue.edition, issue.number).segments)
    return {one.key: titles.get(one.post_id, one.key) for one in parts}


@dataclass(frozen=True, slots=True)
class Report:
    """What became of an issue."""

    issue: Issue
    counts: Mapping[DeliveryState, int]
    answers: Sequence[Answer]  # of those who have it not, or not for sure, as `told_alike`
    providers: Mapping[str, Mapping[DeliveryState, int]]
    pace: float | None  # messages that were taken in a second
    copies: int  # sent again to readers who asked
    doubtful: frozenset[DeliveryState]  # the states in which some still wait for a person to decide
    trouble: str  # why nobody is served at present


def report(ledger: Ledger, edition: str, number: int) -> Report:
    """The send of an issue in figures. Raises UsageError for an unknown issue."""
    issue = issue_named(ledger, edition, number)
    return Report(
        issue=issue,
        counts=ledger.counts(edition, number),
        answers=told_alike(ledger.answers(edition, number)),
        providers=ledger.by_provider(edition, number),
        pace=ledger.pace(edition, number),
        copies=len(ledger.copies(edition, number)),
        doubtful=frozenset(row.state for row in ledger.doubtful(edition, number)),
        trouble=ledger.trouble(edition, number) if issue.state is IssueState.SENDING else "",
    )


def told_alike(answers: Sequence[Answer]) -> list[Answer]:
    """Answers that differ only in whom they speak of taken together, most readers first.

    What the enhanced code says (RFC 3463) is what is alike; without one the first `ALIKE` characters of the words are.
    The words are those of the first, without names.
    """
    alike: dict[tuple[object, ...], Answer] = {}
    for one in answers:
        said = words.nameless(one.reply)
        key = (one.state, one.reason, one.code, replies.enhanced(one.reply) or words.shorten(said, ALIKE))
        first = alike.setdefault(key, replace(one, reply=said, readers=0))
        times = [at for at in (first.next_at, one.next_at) if at]
        alike[key] = replace(first, readers=first.readers + one.readers, next_at=min(times, default=None))
    return sorted(alike.values(), key=lambda one: -one.readers)


ALIKE = 48
"""Servers that know no enhanced codes end with what differs for each reader, such as a number of their log."""


def issue_named(ledger: Ledger, edition: str, number: int) -> Issue:
    """An issue by its number. Raises UsageError (I110)."""
    issue = ledger.issue(edition, number)
    if issue is None:
        numbers = [i.name for i in ledger.issues(edition)]
        known = f"There are {', '.join(numbers)}." if numbers else "There is none yet."
        raise UsageError(
            Problem(
                "I110", f"There is no issue {issue_name(edition, number)}", why=known, fixes=("newsletter issue list",)
            )
        )
    return issue


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A slot and what has been decided about it, if anything."""

    slot: Slot
    record: SlotRecord | None
    note: str  # what the clocks did to it
    issue: Issue | None = None  # the one that took it, ahead of its time
    drafted: int | None = None  # number of the issue that would take it
    hold: str = ""  # why its issue would not go out by itself


def upcoming(*, ledger: Ledger, cadence: Cadence, now: datetime, count: int) -> list[Upcoming]:
    """The next slots."""
    issues = {issue.number: issue for issue in ledger.issues(cadence.edition)}
    records = {record.key: record for record in ledger.slots(cadence.edition)}
    plans = {plan.key: _standing(plan) for plan in standing(ledger, cadence.edition) if plan.kind is not PlanKind.MOVE}
    free = free_slot(cadence, records.values(), now)
    rows = []
    for slot in cadences.next_slots(cadence, now, count):
        record = records.get(slot.key)
        taken_by = issues.get(record.issue_number) if record and record.issue_number else None
        drafted = next_number(tuple(issues.values())) if slot.key == free.key else None
        why = plans.get(slot.key) or plans.get(ALL_SLOTS, "")
        kept, note = slot, cadences.clock_note(cadence, slot)
        if taken_by and keeps_its_time(taken_by, cadence):
            kept, note = taken_by.slot, f"its issue keeps the time that it was made for, not {words.moment(slot.local)}"
        rows.append(Upcoming(kept, record, note, taken_by, drafted, why))
    return rows


def _waits_for_a_hand(issue: Issue) -> bool:
    """An issue beside the rhythm, or one that was let go after its slot: nothing starts it by itself."""
    return issue.state is IssueState.READY and issue.send_at is None


def keeps_its_time(issue: Issue, cadence: Cadence) -> bool:
    """Whether an issue was made for its slot before the rhythm put that slot elsewhere: it goes out when it was to."""
    if cadence.singly or issue.state not in {IssueState.READY, IssueState.HELD} or issue.sent_by or issue.slot.outside:
        return False
    return cadences.slot_for(cadence, issue.slot.key).due != issue.slot.due


def _standing(plan: SlotPlan) -> str:
    return held(plan) if plan.kind is PlanKind.HOLD else paused(plan)
