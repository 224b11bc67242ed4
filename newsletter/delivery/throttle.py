"""How many Messages may go: by the second to a relay or to a provider's mailboxes, and by the day.

A new sending domain is trusted slowly: the days of a warm-up may have `start`, and each `growth` times as many as the
one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from newsletter.model import Outcome, Receipt
from newsletter.providers import OTHER
from newsletter.replies import enhanced

_FARTHEST = 10**9  # readers: no list is longer, and no power of `growth` need be larger
_LONGEST = 3660  # days that a plan may have


@dataclass(frozen=True, slots=True)
class Warmup:
    """How many Messages each day may have, from `since` on, until `target` is reached."""

    start: int
    growth: float  # at least 1
    since: date
    target: int | None = None

    def cap(self, day: date) -> int:
        """Of a day; before `since` as on that day."""
        farthest = self.target or _FARTHEST
        grown = float(self.start)
        for _ in range(max(0, (day - self.since).days)):
            if grown >= farthest or self.growth <= 1:
                break
            grown *= self.growth
        return min(farthest, int(grown))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a site allows. Rates are Messages a second."""

    relays: Mapping[str, float] = field(default_factory=dict)
    groups: Mapping[str, float] = field(default_factory=dict)
    per_day: int | None = None
    warmup: Warmup | None = None
    zone: tzinfo = UTC  # in which days begin

    def usual(self, key: str) -> timedelta | None:
        """Between two Messages of a key (`relay:NAME`, `group:NAME`); None where nothing is said."""
        kind, _, name = key.partition(":")
        rate = (self.relays if kind == "relay" else self.groups).get(name)
        return max(timedelta.resolution, timedelta(seconds=1) / rate) if rate else None

    @property
    def daily(self) -> bool:
        """Whether a day has a cap at all."""
        return self.per_day is not None or self.warmup is not None

    def cap(self, day: date) -> int | None:
        """How many Messages a day may have; None: as many as there are."""
        warmed = self.warmup.cap(day) if self.warmup else None
        return min((cap for cap in (self.per_day, warmed) if cap is not None), default=None)

    def day(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()

    def tomorrow(self, now: datetime) -> datetime:
        """When the next day begins."""
        return datetime.combine(self.day(now) + timedelta(days=1), time(), self.zone).astimezone(UTC)


def day_key(day: date) -> str:
    return f"day:{day.isoformat()}"


def over_days(readers: int, limits: Limits, today: date, taken: int = 0) -> list[tuple[date, int]]:
    """How many of these readers are served on which day, if `taken` were served today already."""
    days: list[tuple[date, int]] = []
    day = today
    while readers > 0 and (day - today).days < _LONGEST:
        cap = limits.cap(day)
        count = readers if cap is None else min(readers, max(0, cap - taken))
        days += [(day, count)] if count else []
        readers, day, taken = readers - count, day + timedelta(days=1), 0
    return days


def asks_for_less(receipt: Receipt | None) -> bool:
    """Whether an answer says that too much comes, or too fast: 421, or 4.7.x (RFC 3463 3.8)."""
    if receipt is None or receipt.outcome is not Outcome.DEFERRED:
        return False
    return receipt.code == 421 or enhanced(receipt.reply).startswith("4.7.")


def slows(provider: str, receipt: Receipt | None) -> bool:
    """Whether an answer slows the mailboxes of a provider.

    Behind OTHER stand many servers that have nothing to do with each other: who greylists there (4.7.1) speaks for
    himself, and his reader is tried later; only a connection that was ended over it, our own mail server's, slows all.
    """
    return asks_for_less(receipt) and (provider != OTHER or (receipt is not None and receipt.code == 421))
