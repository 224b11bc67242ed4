"""What a drain has done, as numbers for whoever waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from newsletter.errors import Problem


@dataclass(frozen=True, slots=True)
class RelayTrouble:
    """A mail server that is not given Messages at present."""

    name: str
    fault: Problem
    out: bool  # for the rest of this send; else it is tried again


@dataclass(frozen=True, slots=True)
class Progress:
    """How the hand-overs of one drain ended so far."""

    accepted: int = 0
    deferred: int = 0
    failed: int = 0
    uncertain: int = 0
    dropped: int = 0  # the reader left before the hand-over
    fault: Problem | None = None  # what a mail server, or the ledger, fails with; it is tried again
    relays: tuple[RelayTrouble, ...] = ()
    not_before: datetime | None = None  # what waits for leave may go then; None while something goes
    waits_for: str = ""  # whose leave: `group:gmail`, `relay:NAME`, `day:2026-11-27`


@dataclass(frozen=True, slots=True)
class Drained(Progress):
    """How a drain ended. With `trouble`, rows that are due still wait."""

    trouble: Problem | None = None
    workers: int = 0  # that send instead: nothing was handed over here


@dataclass(frozen=True, slots=True)
class LettersDone:
    """What became of the letters that were due."""

    accepted: int = 0
    deferred: int = 0
    failed: int = 0
    uncertain: int = 0
    trouble: Problem | None = None  # concerns all: those that are due still wait


def together(rounds: Sequence[LettersDone]) -> LettersDone:
    """What some rounds did, with the trouble that is left."""
    names = ("accepted", "deferred", "failed", "uncertain")
    counts: dict[str, Any] = {name: sum(getattr(done, name) for done in rounds) for name in names}
    return LettersDone(**counts, trouble=rounds[-1].trouble if rounds else None)
