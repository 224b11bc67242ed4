"""What a slot becomes: which Posts are in and why, and whether there is an Issue at all.

Posts enter because no Issue has carried them, never because a date falls into a window; so late, held and
back-dated Posts are neither lost nor repeated. Every answer is a value with its reason in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from newsletter import words
from newsletter.errors import Problem, nearest
from newsletter.issues import cadence as rhythm
from newsletter.issues.sections import in_order
from newsletter.model import (
    ALL_SLOTS,
    USUAL,
    Brief,
    Cadence,
    IssueState,
    Library,
    PlanKind,
    Post,
    Slot,
    SlotOutcome,
    SlotPlan,
    SlotRecord,
)

_CHANGED = "changed since approval"
_IN_REVIEW = "in review"
_BRIEF = "next-issue.toml"
_UNAPPROVED = frozenset({_CHANGED, _IN_REVIEW})


class Verdict(StrEnum):
    IN = "in"
    WAIT = "wait"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Choice:
    """A Post, whether it is in, and why."""

    post: Post
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class Selection:
    """The stories in their order, lead first, and what was left, newest first."""

    stories: tuple[Choice, ...]
    left: tuple[Choice, ...]
    last_issue: int | None = None  # the highest number that carries a Post
    at_least: int = 1  # stories that an Issue needs

    @property
    def waiting(self) -> tuple[Choice, ...]:
        return tuple(choice for choice in self.left if choice.verdict is Verdict.WAIT)


@dataclass(frozen=True, slots=True)
class Nothing:
    """No slot is due, or nobody knows what time it is."""

    next: Slot
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Empty:
    """The slot makes no Issue: record `outcome` for it and COALESCED for the earlier ones."""

    slot: Slot
    coalesced: tuple[Slot, ...]
    reason: str
    outcome: SlotOutcome = SlotOutcome.EMPTY  # HELD when no story is approved; SKIPPED, as the earlier, when paused


@dataclass(frozen=True, slots=True)
class Make:
    """The slot makes an Issue of these stories, READY, or HELD with a reason."""

    slot: Slot
    coalesced: tuple[Slot, ...]
    stories: tuple[Post, ...]
    state: IssueState
    reason: str


Decision = Nothing | Empty | Make


def first_slot(cadence: Cadence, started: datetime) -> Slot:
    """The slot of the week of `cadence.first_slot`, or the first one after the edition was started."""
    if cadence.first_slot is not None:
        return rhythm.slot_on(cadence, cadence.first_slot)
    return rhythm.next_slots(cadence, started, 1)[0]


def start(cadence: Cadence, started: datetime) -> datetime:
    """The day one week (month) before the first slot: Posts of earlier days count as carried: no archive is mailed.

    Without a rhythm it is the day on which the edition was started. The whole day, since most Posts are dated by the
    day: one of that morning is not older than a slot at noon.
    """
    if cadence.singly:
        return datetime.combine(started.astimezone(cadence.zone), time.min, tzinfo=cadence.zone)
    slot = rhythm.one_before(cadence, first_slot(cadence, started))
    return datetime.combine(slot.local.date(), time.min, tzinfo=cadence.zone)


def due(cadence: Cadence, records: Sequence[SlotRecord], started: datetime, now: datetime) -> list[Slot]:
    """The slots that have come and have no outcome yet, oldest first."""
    ended = {record.key for record in records}
    since = first_slot(cadence, started).due - timedelta(microseconds=1)
    return [slot for slot in rhythm.slots(cadence, since, now) if slot.key not in ended]


def choose(
    library: Library,
    carried: Mapping[str, int],
    *,
    start: datetime | None,
    now: datetime,
    brief: Brief = USUAL,
) -> Selection:
    """Judge every public Post and those in review. `start` as from `start()`, or None to look at the whole archive."""
    newest_first = sorted(
        (*library.posts, *library.in_review), key=lambda post: (post.published, post.id), reverse=True
    )
    judged = [_judge(post, library, carried, start, now) for post in newest_first]
    judged = [_left_out(choice) if choice.post.slug in brief.leave_out else choice for choice in judged]
    stories = _in_order([choice for choice in judged if choice.verdict is Verdict.IN], brief)
    beyond = stories[brief.at_most :] if brief.at_most else ()
    too_many = f"one more than the {brief.at_most} that an issue takes"
    waiting = {choice.post.id: Choice(choice.post, Verdict.WAIT, too_many) for choice in beyond}
    left = [waiting.get(c.post.id, c) for c in judged if c.verdict is not Verdict.IN or c.post.id in waiting]
    by_id = {choice.post.id: choice for choice in stories[: len(stories) - len(beyond)]}
    ordered = in_order([choice.post for choice in by_id.values()], brief.pins)
    return Selection(
        tuple(by_id[post.id] for post in ordered), tuple(left), max(carried.values(), default=None), brief.at_least
    )


def decide(
    cadence: Cadence, slots_due: Sequence[Slot], selection: Selection, now: datetime, plans: Sequence[SlotPlan] = ()
) -> Decision:
    """What the slots that are due become: the last one counts, earlier ones are coalesced into it.

    While all slots are paused they are skipped; while the clock is in doubt nothing is decided.
    To make an Issue by hand ahead of its slot, pass the next slot as the only one due.
    """
    standing = {(plan.key, plan.kind): plan for plan in plans}
    doubted = standing.get((ALL_SLOTS, PlanKind.CLOCK))
    if not slots_due or doubted:
        return Nothing(rhythm.next_slots(cadence, now, 1)[0], doubted.reason if doubted else "")
    *earlier, slot = slots_due
    coalesced = tuple(earlier)
    if pause := standing.get((ALL_SLOTS, PlanKind.PAUSE)):
        return Empty(slot, coalesced, paused(pause), SlotOutcome.SKIPPED)
    if len(selection.stories) < selection.at_least:
        return _empty(slot, coalesced, selection)
    stories = tuple(choice.post for choice in selection.stories)
    if hold := standing.get((slot.key, PlanKind.HOLD)):
        return Make(slot, coalesced, stories, IssueState.HELD, held(hold))
    late = now - slot.due
    if late > cadence.late_limit:
        reason = f"found {words.span(late)} after the slot (limit {words.span(cadence.late_limit)})"
        return Make(slot, coalesced, stories, IssueState.HELD, reason)
    return Make(slot, coalesced, stories, IssueState.READY, "")


def standing_in_the_way(plans: Sequence[SlotPlan], key: str) -> str:
    """What was decided that keeps the mail of a slot from going out by itself; empty when nothing was."""
    standing = {(plan.key, plan.kind): plan for plan in plans}
    if pause := standing.get((ALL_SLOTS, PlanKind.PAUSE)):
        return paused(pause)
    hold = standing.get((key, PlanKind.HOLD))
    return held(hold) if hold else ""


def paused(plan: SlotPlan) -> str:
    """`the schedule is paused by review-desk: holiday`."""
    return f"the schedule is paused by {plan.hand.who}" + (f": {plan.reason}" if plan.reason else "")


def held(plan: SlotPlan) -> str:
    """`held by review-desk: letters come late`."""
    return f"held by {plan.hand.who}" + (f": {plan.reason}" if plan.reason else "")


def unmet(brief: Brief, library: Library, stories: Sequence[Post]) -> list[Problem]:
    """I332 for slugs in a Brief that no post has, I333 (a warning) for those that should be in, and are not."""
    leads = (brief.lead,) if brief.lead else ()
    told: dict[str, tuple[str, ...]] = {"lead": leads, "pins": brief.pins, "leave_out": brief.leave_out}
    chosen = {post.slug for post in stories}
    problems = []
    for key, slugs in told.items():
        for slug in slugs:
            if slug not in library.known_slugs | {post.slug for post in library.posts}:
                meant = nearest(slug, sorted(library.known_slugs))
                fix = f"Did you mean {meant}?" if meant else "newsletter post list"
                problems.append(Problem("I332", f"{key}: there is no post {slug}", _BRIEF, fixes=(fix,)))
            elif key != "leave_out" and slug not in chosen:
                fixes = ("newsletter issue show next   says why", f"newsletter post show {slug}")
                message = f"{key}: {slug} is not in this issue"
                problems.append(Problem("I333", message, _BRIEF, fixes=fixes, level="warn"))
    return problems


def _judge(post: Post, library: Library, carried: Mapping[str, int], start: datetime | None, now: datetime) -> Choice:
    if (number := carried.get(post.id)) is not None:
        return Choice(post, Verdict.OUT, f"already in issue {number}")
    if start is not None and post.published < start:
        return Choice(post, Verdict.OUT, "before the start")
    if post.published > now:
        return Choice(post, Verdict.WAIT, "its date is still to come")
    if post.id not in library.approved:
        return Choice(post, Verdict.WAIT, _CHANGED if library.find(post.id) else _IN_REVIEW)
    return Choice(post, Verdict.IN, "in no issue yet")


def _left_out(choice: Choice) -> Choice:
    return choice if choice.verdict is Verdict.OUT else Choice(choice.post, Verdict.WAIT, "left out by the editor")


def _in_order(chosen: list[Choice], brief: Brief) -> tuple[Choice, ...]:
    """The lead, then what is pinned, then the rest, newest first."""
    if not chosen:
        return ()
    by_slug = {choice.post.slug: choice for choice in chosen}
    pinned = [by_slug[slug] for slug in dict.fromkeys(brief.pins) if slug in by_slug]
    lead, reason = _lead(chosen, by_slug.get(brief.lead), pinned)
    named = {lead.post.id, *(choice.post.id for choice in pinned)}
    pins = (Choice(pin.post, Verdict.IN, "pinned by the editor") for pin in pinned if pin.post.id != lead.post.id)
    rest = (choice for choice in chosen if choice.post.id not in named)
    return (Choice(lead.post, Verdict.IN, reason), *pins, *rest)


def _lead(chosen: list[Choice], wanted: Choice | None, pinned: list[Choice]) -> tuple[Choice, str]:
    if wanted:
        return wanted, "lead: chosen by the editor"
    if pinned:
        return pinned[0], "lead: pinned first"
    newest = next((choice for choice in chosen if choice.post.image), chosen[0])
    return newest, "lead: newest with an image" if newest.post.image else "lead: newest"


def _empty(slot: Slot, coalesced: tuple[Slot, ...], selection: Selection) -> Empty:
    unapproved = [choice for choice in selection.waiting if choice.reason in _UNAPPROVED]
    if unapproved:
        verb = "waits" if len(unapproved) == 1 else "wait"
        reason = f"{words.stories(len(unapproved))} {verb} for approval"
        return Empty(slot, coalesced, reason, SlotOutcome.HELD)
    if selection.stories:
        stories = words.stories(len(selection.stories))
        reason = f"{stories} of at least {selection.at_least}: they wait for the next slot"
        return Empty(slot, coalesced, reason)
    since = f" since issue {selection.last_issue}" if selection.last_issue is not None else ""
    return Empty(slot, coalesced, f"nothing new{since}")
