"""token | which slot, who | what it sends | held, or let go: what the link of a notice can do.

Looking changes nothing. A slot whose issue is not made yet is held by a plan; an issue that is made, by a turn of its
own. Both are in the log with the person to whom the link was sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from newsletter.errors import UsageError
from newsletter.issues import cadence as cadences
from newsletter.issues.cadence import edition_of
from newsletter.model import (
    Cadence,
    Hand,
    Issue,
    IssueState,
    LogEntry,
    NoticeKind,
    PlanKind,
    Slot,
    SlotPlan,
    SlotRecord,
    issue_name,
    issue_title,
)
from newsletter.ports import Clock, Ledger, Notices
from newsletter.readers.tokens import HOLD, Tokens

OPEN, HELD, SENDING, OVER = "open", "held", "sending", "over"


@dataclass(frozen=True, slots=True)
class Holding:
    """A slot as its link shows it."""

    slot: Slot
    step: str  # OPEN, HELD, SENDING, OVER
    number: int | None  # of its issue, or of the one that editors were shown
    subject: str
    stories: tuple[str, ...] = ()
    why: str = ""  # it is held, or what became of it
    may_release: bool = False  # before its time; afterwards letting it go would be sending it

    @property
    def name(self) -> str:
        """Of its issue, on the command line; empty when there is none yet."""
        return issue_name(edition_of(self.slot.key), self.number) if self.number is not None else ""

    @property
    def title(self) -> str:
        """Of its issue, or what stands for one that has no number yet."""
        if self.number is None:
            return f"The issue of {self.slot.key}"
        return issue_title(edition_of(self.slot.key), self.number)


@dataclass(frozen=True)
class Hold:
    """What the link can do. A wrong token of any kind gives None."""

    ledger: Ledger
    notices: Notices
    cadence: Callable[[str], Cadence]  # key of a Slot -> the rhythm that it is of. Raises UsageError
    tokens: Tokens
    clock: Clock

    def look(self, token: str) -> Holding | None:
        """What the slot sends; changes nothing."""
        named = self._named(token)
        return self._holding(named[0]) if named else None

    def hold(self, token: str) -> Holding | None:
        """How it is now: held, unless it is on its way or over. Repeating is harmless."""
        if named := self._named(token):
            slot, hand = named
            issue, record = self._issue(slot.key)
            said = f"held by {hand.who}, through the link of a notice"
            if issue:
                self.ledger.hold(issue.edition, issue.number, reason=said, hand=hand)
            elif record is None and not self._plan(slot.key):
                self.ledger.plan(
                    edition_of(slot.key), SlotPlan(slot.key, PlanKind.HOLD, hand, "through the link of a notice")
                )
                self._log("hold", slot, hand, "held")
        return self.look(token)

    def release(self, token: str) -> Holding | None:
        """How it is now: going out at its time, if that is still to come. Repeating is harmless."""
        named, before = self._named(token), self.look(token)
        if named and before and before.may_release:
            slot, hand = named
            issue, _ = self._issue(slot.key)
            if issue:
                self.ledger.let_go(
                    issue.edition, issue.number, send_at=issue.slot.due, hand=hand, note="through the link of a notice"
                )
            elif self.ledger.unplan(edition_of(slot.key), slot.key, PlanKind.HOLD):
                self._log("release", slot, hand, "")
        return self.look(token)

    def _named(self, token: str) -> tuple[Slot, Hand] | None:
        now = self.clock()
        signed = self.tokens.read(HOLD, token, now)
        if not signed:
            return None
        key, who = signed.said
        try:
            return cadences.slot_for(self.cadence(key), key), Hand(who, "web", now)
        except UsageError:  # a token of ours, of a kind of slot that is no more
            return None

    def _holding(self, slot: Slot) -> Holding:
        issue, record = self._issue(slot.key)
        slot = issue.slot if issue else slot  # it keeps the time that it was made for, whatever the rhythm is now
        ahead = self.clock() < slot.due
        if issue:
            titles = tuple(story.title for story in issue.stories)
            step = _STEPS.get(issue.state, OVER)
            reason = issue.reason
            return Holding(slot, step, issue.number, issue.subject, titles, reason, step == HELD and ahead)
        shown = self.notices.about(NoticeKind.PREVIEW, slot.key)
        number, digest = (shown[-1].number, shown[-1].digest) if shown else (None, None)
        subject = digest.subject if digest else ""
        if record:
            return Holding(slot, OVER, number, subject, why=record.reason or record.outcome.value)
        if plan := self._plan(slot.key):
            why = f"{plan.hand.who} held it" + (f": {plan.reason}" if plan.reason else "")
            return Holding(slot, HELD, number, subject, why=why, may_release=ahead)
        return Holding(slot, OPEN, number, subject)

    def _issue(self, key: str) -> tuple[Issue | None, SlotRecord | None]:
        """The issue of a slot, unless it was thawed, and what is recorded of the slot."""
        record = next((one for one in self.ledger.slots(edition_of(key)) if one.key == key), None)
        number = record.issue_number if record else None
        issue = self.ledger.issue(edition_of(key), number) if number is not None else None
        return (issue if issue and issue.state is not IssueState.DRAFT else None), record

    def _plan(self, key: str) -> SlotPlan | None:
        plans = self.ledger.plans(edition_of(key))
        return next((plan for plan in plans if plan.key == key and plan.kind is PlanKind.HOLD), None)

    def _log(self, action: str, slot: Slot, hand: Hand, after: str) -> None:
        before = "held" if action == "release" else ""
        self.ledger.log(LogEntry(hand.at, hand.who, hand.channel, action, f"slot {slot.key}", before, after))


_STEPS = {
    IssueState.READY: OPEN,
    IssueState.HELD: HELD,
    IssueState.SENDING: SENDING,
    IssueState.PAUSED: SENDING,
}
