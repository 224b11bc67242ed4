"""ledger, roster, rhythm | what somebody signs up for: the last issue, when the next one comes, how many get it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.model import WEEKLY, Issue, Slot


@dataclass(frozen=True, slots=True)
class Coming:
    """The next Issue of an edition; where it has no rhythm, or rests, neither number nor time is known."""

    number: int = 0
    slot: Slot | None = None


@dataclass(frozen=True, slots=True)
class Showcase:
    """What there is to sign up for."""

    weekday: int  # of the weekly issue, 0 is Monday
    latest: Issue | None = None  # that readers can see
    coming: Mapping[str, Coming] | None = None  # by edition, of those that can be had
    readers: int = 0

    @property
    def editions(self) -> tuple[str, ...]:
        """That can be had, the weekly one first."""
        return tuple(self.coming or {WEEKLY: Coming()})
