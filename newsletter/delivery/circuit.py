"""One mail server in one send: whether it may be given Messages, after faults of its own.

Faults that come together count once. After each the server rests, ever longer, and comes back by one Message; when that
is answered, all its lanes go on. Readers hear nothing of it: their rows go to another server or wait.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from newsletter.errors import Problem
from newsletter.ports import Transport

L = TypeVar("L")


@dataclass(frozen=True, slots=True)
class Relay:
    """A mail server over which issues go, and how many connections it may be sent at once."""

    name: str
    transport: Transport
    connections: int


_FIRST_REST, _LONGEST_REST = timedelta(minutes=1), timedelta(minutes=15)


class Outs:
    """Mail servers that refuse us for good, from one send to the next: knocking at each would only get us shut out.

    They are left out ever longer, as long as there is another.
    """

    def __init__(self) -> None:
        self._rests: dict[str, tuple[int, datetime]] = {}  # how often in a row, and until when

    def fit(self, relays: Sequence[Relay], now: datetime) -> Sequence[Relay]:
        """Those to send over now."""
        return [one for one in relays if self._left(one.name, now) <= timedelta(0)] or relays

    def note(self, used: Sequence[Relay], out: Collection[str], now: datetime) -> None:
        """Which of those that a send used were out at its end."""
        for one in used:
            times, _ = self._rests.pop(one.name, (0, now))
            if one.name in out:
                self._rests[one.name] = (times + 1, now + min(_FIRST_REST * 2**times, _LONGEST_REST))

    def _left(self, name: str, now: datetime) -> timedelta:
        """Of a rest; one that is longer than the longest was begun before the clock was set back."""
        left = self._rests[name][1] - now if name in self._rests else timedelta(0)
        return left if left <= _LONGEST_REST else timedelta(0)


class Circuit(Generic[L]):
    """The lanes of one Relay and its faults. Times are seconds of a clock that only goes forward."""

    def __init__(self, relay: Relay, rests: Sequence[float]) -> None:
        self.relay = relay
        self.key = f"relay:{relay.name}"
        self.lanes: list[L] = []
        self.idle: deque[L] = deque()
        self.living = 0  # lanes that have not ended
        self.faults = 0  # since it last answered
        self.fault: Problem | None = None  # the last of these, or why it is out
        self.out = False  # for the rest of this send
        self._rests = rests
        self._rests_until: float | None = None
        self._tried_by: L | None = None  # the lane that comes back first

    @property
    def rests_until(self) -> float | None:
        """When it may be tried again; None while it is not resting."""
        return self._rests_until

    def room(self, now: float) -> int:
        """How many rows its idle lanes may be given."""
        if self._rests_until is None:
            return len(self.idle)
        if self._tried_by is not None or now < self._rests_until:
            return 0
        return min(1, len(self.idle))

    def lend(self) -> L:
        """An idle lane, which is given a row."""
        lane = self.idle.popleft()
        if self._rests_until is not None:
            self._tried_by = lane
        return lane

    def take_back(self, lane: L) -> None:
        """A lane that was lent got no row after all."""
        self.idle.appendleft(lane)
        if self._tried_by is lane:
            self._tried_by = None

    def answered(self) -> None:
        """The server dealt with a Message, whatever it said."""
        self.faults, self.fault = 0, None
        self._rests_until = self._tried_by = None

    def failed(self, lane: L, fault: Problem, now: float) -> None:
        """The server failed before it took anything."""
        self.fault = fault
        if self._rests_until is not None and lane is not self._tried_by:
            return
        self._tried_by = None
        self._rests_until = now + self._rests[min(self.faults, len(self._rests) - 1)]
        self.faults += 1

    def ended(self, trouble: Problem) -> None:
        """No second try mends this."""
        self.out = True
        self.fault = trouble
