"""limits | what is known of today | for people: how an issue will be spread, and what holds mail back at present."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from newsletter.delivery.throttle import Limits, day_key, over_days
from newsletter.pace import CANARY_FROM, FREE
from newsletter.ports import Throttle


@dataclass(frozen=True, slots=True)
class Spread:
    """How an issue to so many readers would go out."""

    readers: int
    days: Sequence[tuple[date, int]]  # on which day how many; more than one only where a day has a cap
    warms_up: bool  # whether a warm-up is why
    canary: timedelta | None  # so long after the first hundred all others
    pace: float | None  # messages a second, as far as can be told

    @property
    def duration(self) -> timedelta | None:
        """Of one that goes out in a day."""
        if not (self.pace and len(self.days) <= 1):
            return None
        return timedelta(seconds=self.readers / self.pace) + (self.canary or timedelta(0))


def spread(
    readers: int, limits: Limits, throttle: Throttle, start: datetime, *, canary: timedelta | None, pace: float | None
) -> Spread:
    """How an issue goes out that starts then, if no other does. `pace` is that of an earlier one."""
    today = limits.day(start)
    days = over_days(readers, limits, today, throttle.taken(day_key(today)) if limits.daily else 0)
    warmed = limits.warmup is not None and limits.cap(today) == limits.warmup.cap(today)
    rates = sum(limits.relays.values())
    paces = [one for one in (pace, rates or None) if one]
    return Spread(
        readers,
        days,
        warmed and len(days) > 1,
        canary if readers >= CANARY_FROM else None,
        min(paces, default=None),
    )


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What holds mail back at present."""

    taken: int = 0  # of the messages that today may have
    cap: int | None = None
    more: datetime | None = None  # when the next day begins, if today may have no more
    slowed: Mapping[str, timedelta] = field(default_factory=dict)  # provider -> time between two messages to it
    next_mail: datetime | None = None  # if none goes before: the rest of an issue, or who was put off, waits for it


def held_back(limits: Limits, throttle: Throttle, now: datetime, next_try: datetime | None) -> HeldBack:
    """As it stands; what a provider asked for is told until it is as usual again. `next_try` is that of the ledger."""
    today = limits.day(now)
    cap = limits.cap(today)
    taken = throttle.taken(day_key(today)) if cap is not None else 0
    paces = sorted(throttle.slowed(now).items())
    slowed = {key.partition(":")[2]: every for key, every in paces if every > (limits.usual(key) or FREE)}
    more = limits.tomorrow(now) if cap is not None and taken >= cap else None
    return HeldBack(taken, cap, more, slowed, next_try if next_try and next_try > now else None)
