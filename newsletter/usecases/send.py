"""plan | confirm the count | open and schedule: trigger an issue by hand, with its safeguards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from newsletter import words
from newsletter.errors import Problem, Refused, UsageError, stops
from newsletter.issues import cadence as cadences
from newsletter.issues import lifecycle
from newsletter.issues.selection import Selection
from newsletter.model import (
    WEEKLY,
    Cadence,
    DeliveryState,
    Hand,
    Issue,
    IssueAct,
    IssueState,
    Slot,
    SlotPlan,
    issue_name,
)
from newsletter.ports import Ledger, Roster
from newsletter.usecases import recheck
from newsletter.usecases.choose import Press, choose, place_now
from newsletter.usecases.prepare import Draft, brought_forward, draft_of, next_number, open_issue
from newsletter.usecases.report import issue_named
from newsletter.usecases.trust import doubt

LONGEST_AHEAD = timedelta(days=31)
"""How long a frozen issue may wait for its time: its digest bears that date, and its posts are taken meanwhile."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Who it would go to now."""

    readers: int
    first: tuple[str, ...]  # the first addresses in alphabetical order
    not_to: Mapping[str, int]  # other readers by status


@dataclass(frozen=True, slots=True)
class Plan:
    """What a send would do, for a person to look at; nothing has been changed."""

    number: int
    subject: str
    preheader: str
    stories: tuple[str, ...]
    slot: Slot
    audience: Audience
    problems: tuple[Problem, ...]
    issue: Issue | None = None  # already frozen
    draft: Draft | None = None  # still to be frozen
    earlier: tuple[Slot, ...] = ()  # slots that were missed before this one
    ahead: bool = False
    digest_hash: str = ""
    edition: str = WEEKLY

    @property
    def name(self) -> str:
        return issue_name(self.edition, self.number)


def plan(press: Press, roster: Roster, number: int | None, *, at: datetime | None = None) -> Plan:
    """Look at issue `number`, or at the next one, to start now or `at`.

    Raises Refused (S301–S303, S315, S333, I3xx) when it may not be sent, UsageError (I110) for an unknown number.
    """
    if at is not None and (refusal := may_start(at, press.now)):
        raise Refused(refusal)
    if doubted := doubt(press.ledger):
        raise Refused(_what_time_is_it(doubted))
    press = replace(press, inspection=replace(press.inspection, by_hand=True))
    issues = press.ledger.issues(press.edition)
    known = next((i for i in issues if i.number == number), None)
    if number is None:
        waiting = (IssueState.READY, IssueState.HELD)
        known = next((i for i in issues if i.state in waiting and not (i.send_at and i.sent_by)), None)
    if known is not None and known.state is not IssueState.DRAFT:
        return _frozen(press, roster, known, at or press.now)
    upcoming = next_number(issues)
    if number not in {None, upcoming}:
        raise UsageError(
            Problem(
                "I110",
                f"There is no issue {issue_name(press.edition, number or 0)}",
                why=f"The next one is {issue_name(press.edition, upcoming)}.",
                fixes=("newsletter issue list",),
            )
        )
    return _drafted(press, roster, at or press.now)


def _what_time_is_it(doubted: SlotPlan) -> Problem:
    return Problem(
        "S333",
        f"No issue starts: {doubted.reason}. Nothing was sent.",
        why="The mail would bear that date, and posts of other days might be in it.",
        fixes=("set the clock right", "newsletter schedule resume clock   if it is right"),
    )


def may_start(at: datetime, now: datetime) -> Problem | None:
    """S315 for a time that has passed, or is so far away that a slip is likelier than a plan."""
    if now <= at <= now + LONGEST_AHEAD:
        return None
    which = "is past" if at < now else f"is more than {LONGEST_AHEAD.days} days away"
    return Problem(
        "S315",
        f"The time to start {which}. Nothing was sent.",
        why="What starts then is frozen now, and dated then.",
        fixes=("--at with a time soon to come", "--delay 0   starts it at once"),
    )


def _frozen(press: Press, roster: Roster, issue: Issue, start: datetime) -> Plan:
    if refusal := lifecycle.may_send(issue, press.ledger.counts(press.edition, issue.number), press.now):
        raise Refused(refusal)
    checked = recheck.frozen(press, issue)
    if stopping := stops(checked.problems):
        raise Refused(stopping)
    return Plan(
        number=issue.number,
        subject=issue.subject,
        preheader=issue.preheader,
        stories=tuple(story.title for story in issue.stories),
        slot=issue.slot,
        problems=checked.problems,
        issue=issue,
        digest_hash=checked.digest.digest_hash if checked.digest else "",
        ahead=issue.slot.due > start,
        audience=audience(roster, press.edition),
        edition=press.edition,
    )


def _drafted(press: Press, roster: Roster, start: datetime) -> Plan:
    selection = choose(press)
    if not selection.stories:
        raise Refused(no_story(selection, press.edition))
    where = place_now(press, start)
    draft = draft_of(press, brought_forward(where.slot, start), [choice.post for choice in selection.stories])
    if draft.stops:
        raise Refused(draft.stops)
    return Plan(
        number=draft.number,
        subject=draft.digest.subject,
        preheader=draft.digest.preheader,
        stories=tuple(post.title for post in draft.posts),
        slot=where.slot,
        problems=draft.problems,
        draft=draft,
        digest_hash=draft.digest.digest_hash,
        earlier=where.earlier,
        ahead=where.ahead,
        audience=audience(roster, press.edition),
        edition=press.edition,
    )


def no_story(selection: Selection, edition: str) -> Problem:
    waiting = [choice.post for choice in selection.waiting]
    reasons = Counter(choice.reason for choice in selection.left)
    why = "; ".join(f"{words.stories(n)} {reason}" for reason, n in reasons.items()) or "There is no post."
    fixes = tuple(
        f"newsletter post approve {post.slug}" + (f" --as {post.reviewer.key}" if post.reviewer else "")
        for post in waiting[:3]
    )
    return Problem(
        "S303",
        "There is no story for the next issue; an empty issue is never sent",
        why=why,
        fixes=fixes or (f"newsletter issue show {issue_name(edition, None)}",),
    )


def audience(roster: Roster, edition: str) -> Audience:
    counts = dict(roster.counts(edition))
    readers = counts.pop("active", 0)
    first = tuple(roster.first(3, status="active", edition=edition))
    return Audience(readers, first, {status: n for status, n in counts.items() if n})


def send(press: Press, plan: Plan, *, confirmed: int, delay: timedelta, at: datetime | None, hand: Hand) -> Issue:
    """Freeze the issue if it is not, and let it start after `delay`, or at `at`. Raises Refused; then nothing changed.

    `confirmed` is the count that a person typed; it must be the count of now.
    """
    if refusal := lifecycle.check_count(plan.name, confirmed, plan.audience.readers):
        raise Refused(refusal)
    press.ledger.start(press.edition, press.now)
    issue = plan.issue or _freeze(press, plan, hand)
    start = at or press.now + delay
    note = f"starts {words.when(start, press.cadence.zone)}"
    if issue is None or not press.ledger.schedule_send(press.edition, issue.number, at=start, hand=hand, note=note):
        raise Refused(_already(press, plan.number))
    scheduled = press.ledger.issue(press.edition, issue.number)
    return scheduled or issue


def _freeze(press: Press, plan: Plan, hand: Hand) -> Issue | None:
    assert plan.draft is not None  # noqa: S101  a plan holds one or the other
    return open_issue(
        press, plan.draft, coalesced=plan.earlier, state=IssueState.READY, reason="", send_at=None, hand=hand
    )


def _already(press: Press, number: int) -> Problem:
    issue = press.ledger.issue(press.edition, number)
    told = lifecycle.may_send(issue, press.ledger.counts(press.edition, number), press.now) if issue else None
    return told or Problem(
        "S301",
        f"Issue {issue_name(press.edition, number)} was just sent by another hand",
        fixes=(f"newsletter issue show {issue_name(press.edition, number)}",),
    )


def cancel(ledger: Ledger, issue: Issue, cadence: Cadence | None, *, reason: str, hand: Hand) -> int:
    """Stop an issue; how many readers already have it. Raises as `stoppable`.

    One that was to go ahead of its slot, and that nobody got, gives the slot back: the mended issue goes out then.
    `cadence` is that of its edition; None where that is switched off.
    """
    number = stoppable(ledger, issue.edition, issue.number).number
    rhythmic = cadence is not None and not cadence.singly and not issue.slot.outside
    ahead = rhythmic and cadence is not None and cadences.still_open(cadence, issue.slot.key, hand.at)
    return ledger.cancel(issue.edition, number, reason=reason, hand=hand, free_slot=ahead)


def stoppable(ledger: Ledger, edition: str, number: int) -> Issue:
    """The issue, if it can still be stopped. Raises Refused (S314) for one that is over, UsageError (I110)."""
    return open_to(ledger, edition, number, IssueAct.CANCEL)


def open_to(ledger: Ledger, edition: str, number: int, act: IssueAct) -> Issue:
    """The issue, if this may be done to it. Raises Refused (S314), UsageError (I110)."""
    issue = issue_named(ledger, edition, number)
    if refusal := lifecycle.may(issue, act):
        raise Refused(refusal)
    return issue


def reached(counts: Mapping[DeliveryState, int]) -> int:
    """Readers who have the issue, or may have it."""
    return counts.get(DeliveryState.ACCEPTED, 0) + counts.get(DeliveryState.UNCERTAIN, 0)
