"""What a drain has done, as numbers for whoever waits for it."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.errors import Problem


@dataclass(frozen=True, slots=True)
class Progress:
    """How the hand-overs of one drain ended so far."""

    accepted: int = 0
    deferred: int = 0
    failed: int = 0
    uncertain: int = 0
    dropped: int = 0  # claimed and not handed over: the reader left, or the issue was stopped meanwhile
    fault: Problem | None = None  # what the mail server, or the ledger, fails with; it is tried again


@dataclass(frozen=True, slots=True)
class Drained(Progress):
    """How a drain ended. With `trouble`, rows that are due still wait."""

    trouble: Problem | None = None
