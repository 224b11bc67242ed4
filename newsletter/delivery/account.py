"""What a send has done so far, and how often somebody is told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from newsletter.delivery.circuit import Circuit
from newsletter.delivery.gate import Gate
from newsletter.delivery.progress import Drained, Progress, RelayTrouble
from newsletter.delivery.supply import Row
from newsletter.errors import Problem
from newsletter.model import DeliveryState, Settlement


class Account:
    """Told of not more often than somebody can look, but at once when a fault comes or goes. Times are seconds of a
    clock that only goes forward.
    """

    def __init__(self, told: Callable[[Progress], None], every: float, gate: Gate) -> None:
        self.circuits: Sequence[Circuit[Any]] = ()
        self._told = told
        self._every = every
        self._gate = gate
        self._ends: Counter[DeliveryState] = Counter()
        self._deferred = 0
        self._dropped = 0
        self._withheld: set[tuple[int, int]] = set()
        self._last = -every
        self._last_fault: Problem | None = None
        self._untold = False

    def count(self, settlements: Iterable[Settlement]) -> None:
        """What became of some rows; one that a fault of the server put back counts as nothing."""
        for one in settlements:
            if one.state is DeliveryState.WAITING:
                self._deferred += one.counted
            else:
                self._ends[one.state] += 1

    def served(self, row: Row) -> None:
        self._withheld.discard((row.chunk.id, row.subscriber_id))

    def withheld(self, row: Row, *, dropped: bool) -> bool:
        """It may not be handed over, now or ever; whether that is so for the second time."""
        self._dropped += dropped
        key = (row.chunk.id, row.subscriber_id)
        again = key in self._withheld
        self._withheld.add(key)
        return again

    def tell(self, now: float, trouble: Problem | None = None) -> None:
        """With `trouble` of the ledger, which is tried again."""
        fault = trouble or self._fault()
        self._untold = now - self._last < self._every and fault == self._last_fault
        if not self._untold:
            self._last, self._last_fault = now, fault
            self._told(replace(Progress(**self._standing()), fault=fault))

    def end(self) -> None:
        """The last word, if it was not said yet."""
        if self._untold:
            self._told(Progress(**self._standing()))

    def drained(self, trouble: Problem | None) -> Drained:
        return Drained(**self._standing(), trouble=trouble)

    def _fault(self) -> Problem | None:
        return next((one.fault for one in self.circuits if one.fault), None)

    def _standing(self) -> dict[str, Any]:
        troubled = [RelayTrouble(one.relay.name, one.fault, one.out) for one in self.circuits if one.fault]
        return {
            **{state.value: count for state, count in self._ends.items()},
            "deferred": self._deferred,
            "dropped": self._dropped,
            "fault": self._fault(),
            "relays": tuple(troubled),
            "not_before": self._gate.opens,
            "waits_for": self._gate.shut,
        }
