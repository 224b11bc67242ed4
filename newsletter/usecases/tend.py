"""pauses that are over | sign-ups that nobody confirmed: what time alone does to readers, with a line of the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter import words
from newsletter.model import LetterKind, LogEntry
from newsletter.ports import Ledger, Roster


@dataclass(frozen=True, slots=True)
class Tended:
    """How many readers are awake again, and how many were never confirmed and are gone."""

    woken: int
    expired: int

    @property
    def lines(self) -> list[str]:
        """What happened, in words; none when nothing did."""
        woken = [f"{words.count(self.woken, 'pause is', 'pauses are')} over"] if self.woken else []
        gone = [f"{words.count(self.expired, 'sign-up')} never confirmed: deleted"] if self.expired else []
        return [*woken, *gone]


def tend(*, roster: Roster, ledger: Ledger, now: datetime, confirm_within: timedelta) -> Tended:
    """Do it; repeating is harmless."""
    done = Tended(roster.wake(now), roster.expire(before=now - confirm_within))
    if life := LetterKind.MOVE.good_for:
        roster.expire_moves(before=now - life)
    for line in done.lines:
        ledger.log(LogEntry(now, "clock", "clock", "tend", "readers", note=line))
    return done
