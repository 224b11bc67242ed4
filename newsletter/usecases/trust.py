"""wall clock, steady clock | do they go together | while they do not, nothing is made, published or started.

Between two looks the wall clock may gain an hour (a machine that slept) and lose a minute (a clock set right). Beyond
that it is in doubt, until it comes back to where it should be, or a person says that it is right: `schedule resume
clock`. A start has no steady clock to compare with; there the last sign of life tells a clock that was set back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from newsletter import words
from newsletter.model import ALL_SLOTS, WEEKLY, LogEntry, PlanKind, SlotPlan, by_clock
from newsletter.ports import Clock, Ledger

FORWARD = timedelta(hours=1)
BACK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Seen:
    """The last time that nobody doubts, and what the steady clock said then, in seconds."""

    wall: datetime
    steady: float


class Trust:
    """Whether one process may go by its clock."""

    def __init__(self, ledger: Ledger, zone: tzinfo, steady: Callable[[], float]) -> None:
        self._ledger = ledger
        self._zone = zone
        self._steady = steady
        self._seen: _Seen | None = None
        self._doubted = False

    def look(self, clock: Clock) -> str:
        """Compare the clocks, and write down a doubt that begins or ends; in words, if one did."""
        now, steady = clock(), self._steady()
        standing = doubt(self._ledger)
        expected = self._expected(steady)
        if expected is None:
            expected, ahead = self._at_the_start(standing, now), None
        else:
            ahead = FORWARD
        if standing is None and self._doubted:  # a person took it back
            expected = now
        fits = now - expected >= -BACK and (ahead is None or now - expected <= ahead)
        if fits:
            self._seen, self._doubted = _Seen(now, steady), False
            return self._end(standing, now) if standing else ""
        self._seen = self._seen or _Seen(expected, steady)
        self._doubted = True
        return "" if standing else self._begin(now, expected)

    def _expected(self, steady: float) -> datetime | None:
        if self._seen is None:
            return None
        return self._seen.wall + timedelta(seconds=steady - self._seen.steady)

    def _at_the_start(self, standing: SlotPlan | None, now: datetime) -> datetime:
        """A doubt of before stands until the clock is nearer to where it should have been than to where it was."""
        if standing and standing.moved_to:
            middle = standing.moved_to + (standing.hand.at - standing.moved_to) / 2
            right = now < middle if standing.hand.at > standing.moved_to else now > middle
            return now if right else now + FORWARD
        return self._ledger.last_beat("work") or now

    def _begin(self, now: datetime, expected: datetime) -> str:
        way = "forward" if now > expected else "back"
        told = f"this machine's clock jumped {words.span(abs(now - expected))} {way}"
        reason = f"{told}, to {words.when(now, self._zone)}"
        hand = by_clock(now)
        self._ledger.plan(WEEKLY, SlotPlan(ALL_SLOTS, PlanKind.CLOCK, hand, reason, expected))
        self._ledger.log(LogEntry(now, hand.who, hand.channel, "doubt", "clock", "", "in doubt", reason))
        return f"{reason}: no issue is made until it is right, or somebody says so: newsletter schedule resume clock"

    def _end(self, standing: SlotPlan, now: datetime) -> str:
        self._ledger.unplan(WEEKLY, ALL_SLOTS, PlanKind.CLOCK)
        hand = by_clock(now)
        self._ledger.log(LogEntry(now, hand.who, hand.channel, "trust", "clock", "in doubt", "right", standing.reason))
        return "this machine's clock is right again: issues are made as before"


def doubt(ledger: Ledger) -> SlotPlan | None:
    """Why the clock is in doubt, if it is."""
    return next((plan for plan in ledger.plans(WEEKLY) if plan.kind is PlanKind.CLOCK), None)
