"""a site in doubt | what the original may also do | claimed by a person, with everything that could repeat stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from newsletter.errors import Problem
from newsletter.model import DeliveryState, Hand, Issue, IssueState, LogEntry
from newsletter.ports import Instance, Ledger, Roster


@dataclass(frozen=True, slots=True)
class Twin:
    """What this site and the one that it is a copy of would both do."""

    doubt: str  # why it may be a copy; empty for one that is none
    readers: int
    ready: tuple[Issue, ...]  # issues that would start by themselves
    going: Mapping[Issue, int]  # that are being sent: how many wait


def twin(ledger: Ledger, roster: Roster, instance: Instance) -> Twin:
    """Look; nothing is changed."""
    issues = ledger.issues()
    ready = tuple(i for i in issues if i.state is IssueState.READY and i.send_at)
    going = {i: _waiting(ledger, i) for i in issues if i.state is IssueState.SENDING}
    return Twin(instance.doubt(), roster.counts().get("active", 0), ready, going)


def _waiting(ledger: Ledger, issue: Issue) -> int:
    counts = ledger.counts(issue.edition, issue.number)
    return sum(counts.get(s, 0) for s in (DeliveryState.WAITING, DeliveryState.CLAIMED, DeliveryState.SENDING))


def claim(ledger: Ledger, instance: Instance, told: Twin, hand: Hand) -> None:
    """Take the site over. What the other one may have sent meanwhile is stopped, until a person lets it go."""
    why = "the site was claimed: the original may have sent it"
    for issue in told.ready:
        ledger.hold(issue.edition, issue.number, reason=why, hand=hand)
    for issue in told.going:
        ledger.pause(issue.edition, issue.number, reason=why, hand=hand)
    ledger.log(LogEntry(hand.at, hand.who, hand.channel, "claim", "site", told.doubt, "claimed"))
    instance.claim()


def locked(doubt: str) -> Problem:
    """S309."""
    return Problem(
        "S309",
        f"This copy of the site is locked: {doubt}. Nothing was done.",
        why="If the original still runs, readers would get everything twice.",
        fixes=("newsletter claim   shows what both would do, and unlocks this one",),
    )


def differs(typed: int, readers: int) -> Problem | None:
    """S304 unless the number that a person typed is that of the readers."""
    if typed == readers:
        return None
    return Problem("S304", f"You confirmed {typed:,} readers; this site has {readers:,}. Nothing was done.")


def sequence(told: Twin) -> Sequence[str]:
    """What both would do, in sentences."""
    lines = [f"Both would mail each new issue to {told.readers:,} readers."]
    lines += [f"{issue.title} is ready to start by itself: it will be held." for issue in told.ready]
    lines += [
        f"{issue.title} is being sent, {waiting:,} wait: it will be paused." for issue, waiting in told.going.items()
    ]
    return lines
