"""issue | may this be done to it | one act in the ledger: what a person does to an issue, apart from sending it.

Each refuses before it changes anything: S314 for an act that its state does not allow, I110 for an unknown number.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from newsletter import words
from newsletter.errors import Problem, Refused, stops
from newsletter.issues import cadence as cadences
from newsletter.model import (
    Hand,
    Issue,
    IssueAct,
    IssueState,
    LogEntry,
    PlanKind,
    Slot,
    SlotOutcome,
    SlotPlan,
    issue_name,
)
from newsletter.ports import Ledger
from newsletter.usecases import recheck
from newsletter.usecases.choose import Press, choose, place, place_by_clock
from newsletter.usecases.inspect import not_asked
from newsletter.usecases.prepare import Draft, draft_of, next_number, open_issue
from newsletter.usecases.report import issue_named
from newsletter.usecases.send import no_story, open_to


@dataclass(frozen=True, slots=True)
class Readiness:
    """What making an issue ready would do; nothing has been changed."""

    number: int
    slot: Slot
    stories: tuple[str, ...]
    send_at: datetime | None  # None waits for a hand
    draft: Draft | None = None  # to be frozen
    issue: Issue | None = None  # frozen already, and held
    earlier: tuple[Slot, ...] = ()  # slots that were missed before it


def readiness(press: Press, number: int | None) -> Readiness:
    """Look at the next issue, or a held one. Raises Refused (S303, S314, I3xx), UsageError (I110).

    Whether it was tested is not asked: a test is of a text that is frozen. It is asked when it starts.
    """
    press = replace(press, inspection=replace(press.inspection, tried=not_asked))
    issues = press.ledger.issues(press.edition)
    if number not in {None, next_number(issues)}:
        issue = open_to(press.ledger, press.edition, number or 0, IssueAct.READY)
        if stopping := stops(recheck.frozen(press, issue).problems):
            raise Refused(stopping)
        titles = tuple(story.title for story in issue.stories)
        return Readiness(issue.number, issue.slot, titles, _time_of(issue.slot, press.now), issue=issue)
    if number is None and (ready := next((one for one in issues if _waits_for_its_slot(one, press.now)), None)):
        raise Refused(_ready_already(ready))
    chosen = choose(press)
    if not chosen.stories:
        raise Refused(no_story(chosen, press.edition))
    where = place(press)
    draft = draft_of(press, where.slot, [choice.post for choice in chosen.stories])
    if draft.stops:
        raise Refused(draft.stops)
    titles = tuple(post.title for post in draft.posts)
    send_at = _time_of(where.slot, press.now)
    return Readiness(draft.number, where.slot, titles, send_at, draft=draft, earlier=where.earlier)


def _time_of(slot: Slot, now: datetime) -> datetime | None:
    """What is ready before its slot goes out at it; what is ready later waits for a hand."""
    return slot.due if slot.due > now else None


def _waits_for_its_slot(issue: Issue, now: datetime) -> bool:
    return issue.state is IssueState.READY and issue.slot.due > now


def _ready_already(issue: Issue) -> Problem:
    return Problem(
        "S316",
        f"{issue.title} is ready already, for slot {issue.slot.key}",
        why="What was edited since then is not in it.",
        fixes=(
            f"newsletter issue show {issue.name}",
            f"newsletter issue unready {issue.name}   thaws it, to freeze it anew",
        ),
    )


def ready(press: Press, asked: Readiness, hand: Hand) -> Issue:
    """Freeze it, or let a held one go. Raises Refused when another process was first."""
    ledger = press.ledger
    ledger.start(press.edition, press.now)
    when = words.when(asked.send_at, press.cadence.zone) if asked.send_at else "when somebody sends it"
    if asked.draft is None:
        if not ledger.let_go(press.edition, asked.number, send_at=asked.send_at, hand=hand, note=f"goes out {when}"):
            raise Refused(too_late(press.edition, asked.number))
        return issue_named(ledger, press.edition, asked.number)
    state = IssueState.READY
    made = open_issue(
        press, asked.draft, coalesced=asked.earlier, state=state, reason="", send_at=asked.send_at, hand=hand
    )
    if made is None:
        raise Refused(too_late(press.edition, asked.number))
    ledger.unplan(press.edition, asked.slot.key, PlanKind.HOLD)
    return made


def too_late(edition: str, number: int) -> Problem:
    return Problem(
        "S317",
        f"Another hand was faster with issue {issue_name(edition, number)}. Nothing was changed.",
        fixes=("newsletter issue list",),
    )


def unready(press: Press, number: int, *, reason: str, hand: Hand) -> Issue:
    """Thaw it: it is a draft again, under its number. One whose slot could make it anew gives it back."""
    issue = open_to(press.ledger, press.edition, number, IssueAct.UNREADY)
    anew = issue.slot.outside or press.cadence.singly or cadences.still_open(press.cadence, issue.slot.key, hand.at)
    if not press.ledger.unready(press.edition, number, reason=reason, hand=hand, free_slot=anew):
        raise Refused(too_late(press.edition, number))
    return issue


def coming(press: Press) -> int:
    """The number of the issue that is made next."""
    return next_number(press.ledger.issues(press.edition))


def meant(press: Press, number: int | None) -> int | None:
    """The issue that this number, or None for the one that goes out next, stands for; None where it is not made yet.

    What is frozen and has its time goes out before what is not made: whoever says `hold next` means that.
    """
    if number is not None:
        return None if number == coming(press) else number
    issues = press.ledger.issues(press.edition)
    return next((one.number for one in issues if one.state is IssueState.READY and one.send_at), None)


def would(press: Press, number: int | None, do: IssueAct) -> int:
    """The number of the issue that `hold` or `skip` would be about. Raises as they do."""
    made = meant(press, number)
    return coming(press) if made is None else open_to(press.ledger, press.edition, made, do).number


def hold(press: Press, number: int | None, *, reason: str, hand: Hand) -> tuple[int, Slot]:
    """Hold an issue, or the next one before it is made: then it will be made at its slot, and wait for a hand."""
    made = meant(press, number)
    if made is None:
        slot = place_by_clock(press).slot
        press.ledger.plan(press.edition, SlotPlan(slot.key, PlanKind.HOLD, hand, reason))
        press.ledger.log(LogEntry(hand.at, hand.who, hand.channel, "hold", f"slot {slot.key}", "", "held", reason))
        return coming(press), slot
    issue = open_to(press.ledger, press.edition, made, IssueAct.HOLD)
    said = f"held by {hand.who}" + (f": {reason}" if reason else "")
    if not press.ledger.hold(press.edition, issue.number, reason=said, hand=hand):
        raise Refused(too_late(press.edition, issue.number))
    return issue.number, issue.slot


def skip(press: Press, number: int | None, *, reason: str, hand: Hand) -> tuple[int, Slot]:
    """Let an issue, or the next slot, pass: its stories wait for the one after it."""
    made, upcoming = meant(press, number), coming(press)
    said = reason or f"skipped by {hand.who}"
    if made is not None:
        issue = open_to(press.ledger, press.edition, made, IssueAct.SKIP)
        if not press.ledger.skip(press.edition, issue.number, reason=said, hand=hand):
            raise Refused(too_late(press.edition, issue.number))
        return issue.number, issue.slot
    slot = place(press).slot
    if press.ledger.issue(press.edition, upcoming):  # thawed
        press.ledger.skip(press.edition, upcoming, reason=said, hand=hand)
    skip_slot(press.ledger, press.edition, slot, reason=said, hand=hand)
    return upcoming, slot


def skip_slot(ledger: Ledger, edition: str, slot: Slot, *, reason: str, hand: Hand) -> bool:
    """Record that a slot makes no issue; False when it has an outcome already."""
    skipped = ledger.record_slot(edition, slot, SlotOutcome.SKIPPED, reason)
    if skipped:
        line = LogEntry(hand.at, hand.who, hand.channel, "skip", f"slot {slot.key}", "", "skipped", reason)
        ledger.log(line)
    return skipped


def pause(ledger: Ledger, edition: str, number: int, *, reason: str, hand: Hand) -> Issue:
    """Stop handing out for now."""
    open_to(ledger, edition, number, IssueAct.PAUSE)
    said = f"{reason} ({hand.who})" if reason else f"paused by {hand.who}"
    if not ledger.pause(edition, number, reason=said, hand=hand):
        raise Refused(too_late(edition, number))
    return issue_named(ledger, edition, number)


def resume(ledger: Ledger, edition: str, number: int, *, hand: Hand) -> Issue:
    """Go on handing out; nobody gets it twice."""
    open_to(ledger, edition, number, IssueAct.RESUME)
    if not ledger.resume(edition, number, hand=hand):
        raise Refused(too_late(edition, number))
    return issue_named(ledger, edition, number)


def web_only(ledger: Ledger, edition: str, number: int, *, reason: str, hand: Hand) -> Issue:
    """Publish it without mailing it. Raises Refused as `may_be_web_only`."""
    issue = may_be_web_only(ledger, edition, number)
    if not ledger.web_only(edition, number, reason=reason or f"by {hand.who}", hand=hand):
        raise Refused(too_late(edition, number))
    return issue


def may_be_web_only(ledger: Ledger, edition: str, number: int) -> Issue:
    """The issue, if it may. Raises Refused: S314, S303 for one that was thawed before it was cancelled and has no text,
    S318 when another issue carries one of its stories by now.
    """
    issue = open_to(ledger, edition, number, IssueAct.WEB_ONLY)
    if not issue.stories:
        raise Refused(Problem("S303", f"{issue.title} has no story", why="It was thawed before it was cancelled."))
    carried = ledger.carried(edition)
    elsewhere = sorted({carried[s.post_id] for s in issue.stories if carried.get(s.post_id, number) != number})
    if elsewhere:
        others = ", ".join(issue_name(edition, one) for one in elsewhere)
        raise Refused(
            Problem(
                "S318",
                f"Stories of issue {issue.name} are in issue {others} by now",
                why="A story is in one issue only.",
                fixes=(f"newsletter issue show {issue.name}",),
            )
        )
    return issue


def settle(
    ledger: Ledger, edition: str, number: int, readers: Collection[int] | None, *, again: bool, hand: Hand
) -> int:
    """Decide about doubtful deliveries of these readers, or of all; how many there were."""
    open_to(ledger, edition, number, IssueAct.SETTLE)
    return ledger.settle(edition, number, readers, again=again, hand=hand)


def retry(ledger: Ledger, edition: str, number: int, *, hand: Hand) -> int:
    """Try those once more that failed in a way that may pass; how many there are."""
    open_to(ledger, edition, number, IssueAct.RETRY)
    return ledger.retry(edition, number, hand=hand)
