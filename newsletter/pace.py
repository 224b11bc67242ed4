"""How often something may happen: the generic cell rate algorithm (GCRA, ITU-T I.371), over the Limits of `model`.

A Limit lets `burst` through at once, and one more after each `every`; so within any time never more come than `burst`
and one for each `every` in it. All that is remembered is when it is full again: the time at which it is as if nothing
had ever happened. What lies further ahead than the limit can reach, a clock that was wrong has written, or another
limit: it counts as its farthest.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from newsletter.model import Limit

SLOWEST = timedelta(minutes=1)
"""Between two Messages: slower than that nobody is made to wait, whatever was answered."""

FREE = timedelta(milliseconds=1)
"""A pace that is faster counts as none."""

CLEAN = timedelta(minutes=1)
"""Without being asked for less; then it goes a little faster again."""

TOGETHER = timedelta(seconds=10)
"""Within this, several who ask for less say the same thing."""

CANARIES, CANARY_FROM = 100, 500
"""Readers who get an issue before all others; and the smallest audience in which some do."""

_FASTER = 1.1
_FORGIVEN = 200  # clean minutes after which the slowest is FREE; a power of them all is no number, from one issue on
_BLOCK = timedelta(seconds=1)


def full_again(limit: Limit, full_at: datetime | None, now: datetime, count: int = 1) -> datetime:
    """When it is full again if `count` more happen now. None for `full_at` says that it is full."""
    return _known(limit, full_at, now) + limit.every * count


def room(limit: Limit, full_at: datetime | None, now: datetime) -> int:
    """How many may happen now."""
    return (now + limit.every * limit.burst - _known(limit, full_at, now)) // limit.every


def _known(limit: Limit, full_at: datetime | None, now: datetime) -> datetime:
    return min(max(now, full_at or now), now + limit.every * limit.burst)


def block(key: str, every: timedelta) -> Limit:
    """The Limit under which Messages are handed over, one after each `every`: what a second brings may go together."""
    return Limit(key, max(1, _BLOCK // every), every)


def halved(every: timedelta, asked_at: datetime | None, now: datetime) -> timedelta:
    """The pace after somebody asked for less; `asked_at` says when that was done last."""
    if asked_at is not None and timedelta(0) <= now - asked_at < TOGETHER:
        return every
    return min(every * 2, SLOWEST)


def recovered(
    every: timedelta, asked_at: datetime, now: datetime, usual: timedelta | None
) -> tuple[timedelta | None, datetime]:
    """The pace by now, a tenth faster for each clean minute, and up to when that is reckoned.

    None once it is as fast as `usual`; where that is None too, once it is FREE.
    """
    since = min(asked_at, now)  # what lies ahead, a clock that was wrong has written
    minutes = (now - since) // CLEAN
    now_every = every / _FASTER ** min(minutes, _FORGIVEN)
    return (None if now_every <= (usual or FREE) else now_every), since + minutes * CLEAN
