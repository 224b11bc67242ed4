"""What one send may hand over now, out of what all who send may together: leased by the second, counted here.

A key that has no pace costs nothing. Leave that was leased and is not used stays for the next Message; of a day it is
given back when the send ends.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

from newsletter.delivery.throttle import Limits, day_key
from newsletter.pace import FREE
from newsletter.ports import Clock, Throttle

_AGAIN = timedelta(seconds=5)  # until it is asked again which keys others have slowed
_AT_LEAST = 50  # Messages of a day that are leased together, so that a day costs few commits


class Gate:
    """For one thread. All of it raises Outside when the database refuses."""

    def __init__(self, throttle: Throttle | None, limits: Limits, clock: Clock) -> None:
        self._throttle = throttle
        self._limits = limits
        self._clock = clock
        self._held: dict[str, int] = {}
        self._again: dict[str, datetime] = {}
        self._paced = {f"relay:{name}" for name in limits.relays} | {f"group:{name}" for name in limits.groups}
        self._day: date | None = None
        self._of_day = 0  # leased of that day, not used
        self._begun = self._looked = clock()
        self._used: Counter[str] = Counter()
        self.opens: datetime | None = None  # when something that was refused may go; the earliest
        self.shut: str = ""  # its key
        self._learn()

    @property
    def opens_in(self) -> float | None:
        """Seconds until then."""
        return None if self.opens is None else (self.opens - self._clock()).total_seconds()

    def look(self) -> None:
        """Forget what was refused; learn of what others have slowed."""
        self.opens, self.shut = None, ""
        if self._throttle and self._clock() - self._looked >= _AGAIN:
            self._looked = self._clock()
            self._learn()

    def _learn(self) -> None:
        if self._throttle:
            self._paced |= self._throttle.slowed(self._clock()).keys()

    def paced(self, key: str) -> bool:
        """Whether it has a pace, its own or one that somebody asked for."""
        return key in self._paced

    def room(self, relay: str, group: str, wanted: int) -> int:
        """How many of `wanted` Messages may go now to the mailboxes of a group over a relay, by their keys."""
        for ask in (self._today, lambda: self._held_of(relay), lambda: self._held_of(group)):
            if (held := ask()) is not None:
                wanted = min(wanted, held)
            if not wanted:
                break
        return wanted

    def may_today(self) -> bool:
        """Whether the day may have one more."""
        return self._today() != 0

    def _held_of(self, key: str) -> int | None:
        """Leave that is left for a key, leased anew if it may be; None where it has no pace."""
        if key not in self._paced or self._throttle is None:
            return None
        if held := self._held.get(key):
            return held
        now = self._clock()
        again = self._again.get(key)
        if again is None or now >= again:
            leave = self._throttle.take(key, self._limits.usual(key), now)
            if leave.every is None:
                self._paced.discard(key)
                return None
            self._held[key], self._again[key] = leave.count, leave.again
        if not self._held[key]:
            self._refuse(key, self._again[key])
        return self._held[key]

    def _today(self) -> int | None:
        """What is left of the day, as far as it is leased; None where it may have as many as there are."""
        if self._throttle is None or not self._limits.daily:
            return None
        now = self._clock()
        today = self._limits.day(now)
        if (cap := self._limits.cap(today)) is None:
            return None
        if self._day != today:
            self.close()
            self._day = today
        if not self._of_day:
            self._of_day = self._throttle.take_of_day(day_key(today), max(_AT_LEAST, cap // 100), cap)
        if not self._of_day:
            self._refuse(day_key(today), self._limits.tomorrow(now))
        return self._of_day

    def use(self, relay: str, group: str, count: int) -> None:
        """So many go, of what there was room for."""
        self._used[group] += count
        for key in (relay, group):
            if self._held.get(key):
                self._held[key] -= count
        if self._of_day:
            self._of_day -= count

    def unused(self, count: int) -> None:
        """So many were not handed over after all; the day may have them still."""
        if self._day is not None:
            self._of_day += count

    def slow(self, key: str) -> None:
        """Somebody asked for less."""
        if self._throttle is None:
            return
        now = self._clock()
        seen = max(now - self._begun, timedelta(seconds=1)) / max(1, self._used[key])
        every = self._throttle.slow(key, self._limits.usual(key) or max(seen, FREE), now)
        self._paced.add(key)
        self._held[key], self._again[key] = 0, now + every

    def close(self) -> None:
        """Give back what is left of the day."""
        if self._throttle and self._day and self._of_day:
            self._throttle.give_back(day_key(self._day), self._of_day)
        self._of_day = 0

    def _refuse(self, key: str, opens: datetime) -> None:
        if self.opens is None or opens < self.opens:
            self.opens, self.shut = opens, key
