"""The committer of a send: it writes down what lanes report and gives them their next rows, in one commit.

A lane goes on only after the commit that holds its outcome. A row that waits for leave (`gate`) is never `sending`.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from newsletter.delivery.account import Account
from newsletter.delivery.breaker import Breaker
from newsletter.delivery.circuit import Circuit, Relay
from newsletter.delivery.gate import Gate
from newsletter.delivery.lane import FINAL, OF_RELAY, Lane, Report, Work
from newsletter.delivery.progress import Drained
from newsletter.delivery.supply import Row, Supply
from newsletter.delivery.throttle import slows
from newsletter.errors import Outside, Problem
from newsletter.model import Addressee, Chunk, DeliveryState, Settlement, by_clock
from newsletter.ports import Clock, Ledger

_GLANCE = 0.25  # seconds between two looks whether somebody stops it, while nothing happens

_LINGER = 0.002
"""Seconds that a report waits where few have come: a commit costs about the same for one row as for eight."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds between tries; after the last of `relay` with no mail server answering, or of `ledger`, it counts as
    lost. `beside` is how long one rests further while another answers.
    """

    relay: tuple[float, ...] = (1, 2, 4, 8)
    ledger: tuple[float, ...] = (0.5, 1, 2, 4, 8)
    beside: tuple[float, ...] = (15, 30, 60)
    told: float = 0.1  # between two words of progress
    anew: float = 30  # after which a send that waits for leave looks what else is due by now
    held: float = (
        5  # for which lanes wait for that until each has ended what it holds; one that hangs is not waited for
    )


class Committer:
    """One send, from its first pass over what is due to its last commit."""

    def __init__(
        self,
        ledger: Ledger,
        gate: Gate,
        supply: Supply,
        breaker: Breaker | None,
        clock: Clock,
        stop: threading.Event,
        patience: Patience,
        stays: float,
        account: Account,
    ) -> None:
        self._reports: SimpleQueue[Report] = SimpleQueue()
        self._ledger = ledger
        self._gate = gate
        self._supply = supply
        self._breaker = breaker
        self._clock = clock
        self._stop = stop
        self._patience = patience
        self._stays = stays
        self._account = account
        self._circuits: list[Circuit[Lane]] = []
        self._settled: defaultdict[Chunk, list[Settlement]] = defaultdict(list)  # reported, not written
        self._out: Counter[Chunk] = Counter()  # rows that lanes hold
        self._working = 0
        self._taken = 0.0  # when the pass over what is due began
        self._anew = False  # give out no more, so that a new pass can begin
        self._through = False  # nothing is left that may go now
        self._closing = False
        self._ledger_lost = False
        self._trouble: Problem | None = None

    def run(self, relays: Sequence[Relay], work: Work) -> Drained:
        if not self._take():
            self._give_back()
            return self._account.drained(self._trouble)
        rests = (*self._patience.relay, *self._patience.beside)
        self._account.circuits = self._circuits = [Circuit(relay, rests) for relay in relays]
        lanes = [lane for one in self._circuits for lane in self._staffed(one, work)]
        self._working = len(lanes)
        for lane in lanes:
            lane.start()
        try:
            while self._working:
                self._note(self._gather())
                self._advance()
            self._account.end()
        finally:
            self._end(lanes)
        return self._account.drained(self._trouble)

    def _staffed(self, circuit: Circuit[Lane], work: Work) -> Sequence[Lane]:
        circuit.lanes = [Lane(circuit, work, self._reports) for _ in range(circuit.relay.connections)]
        circuit.living = len(circuit.lanes)
        return circuit.lanes

    def _end(self, lanes: Sequence[Lane]) -> None:
        """After an interruption too: what lanes still hold is finished and written, what was claimed is given back."""
        self._closing = True
        for lane in lanes:
            lane.dismiss()
        for lane in lanes:
            lane.join()
        self._note(self._waiting())
        try:
            if self._settled:
                self._commit([])
        finally:
            self._give_back()

    def _give_back(self) -> None:
        self._supply.release()
        with suppress(Outside):  # what the day could have had is lost: that is less than it may have
            self._gate.close()

    # -- listening
    def _gather(self) -> Iterable[Report]:
        """What lanes report; nothing after a while in which one of them could be given something by itself."""
        with suppress(Empty):
            yield self._reports.get(timeout=self._pause())
            self._linger()
        yield from self._waiting()

    def _linger(self) -> None:
        """Until half of the lanes that hold a Message have reported, or a moment has passed."""
        busy = self._working - sum(len(circuit.idle) for circuit in self._circuits)
        if self._reports.qsize() + 1 < busy // 2:
            time.sleep(_LINGER)

    def _waiting(self) -> Iterable[Report]:
        with suppress(Empty):
            while True:
                yield self._reports.get_nowait()

    def _pause(self) -> float | None:
        """Seconds until something may go by itself; None where only a report can change anything."""
        if self._anew:
            return 0.0 if self._all_idle() else _GLANCE
        if not (self._open() and self._supply):
            return _GLANCE if self._open() and self._supply.grows else None
        now = time.monotonic()
        times = [one.rests_until - now for one in self._circuits if one.idle and one.rests_until is not None]
        if (opens_in := self._gate.opens_in) is not None:
            times.append(opens_in)
        return min(max(0.0, min(times)), _GLANCE) if times else None

    def _note(self, reports: Iterable[Report]) -> None:
        for report in reports:
            if report.row and report.settlement:
                self._settled[report.row.chunk].append(report.settlement)
                self._out[report.row.chunk] -= 1
            if report.ended:
                self._note_end(report)
                continue
            circuit = report.lane.circuit
            if circuit.out:
                report.lane.dismiss()
                continue
            if report.wants:
                circuit.idle.append(report.lane)
            if report.trouble:
                self._note_fault(circuit, report.lane, report.trouble)
            elif report.settlement:
                circuit.answered()

    def _note_end(self, report: Report) -> None:
        self._working -= 1
        circuit, trouble = report.lane.circuit, report.trouble
        circuit.living -= 1
        if trouble and (trouble.code in OF_RELAY or not circuit.living):
            circuit.ended(trouble)
            self._dismiss(circuit)
        if trouble and (trouble.code in FINAL - OF_RELAY or all(one.out for one in self._circuits)):
            self._close(trouble)

    def _note_fault(self, circuit: Circuit[Lane], lane: Lane, fault: Problem) -> None:
        """The server rests, ever longer, while others may go on; all end once none answers over all rests."""
        circuit.failed(lane, fault, time.monotonic())
        if all(one.out or one.faults > len(self._patience.relay) for one in self._circuits):
            self._close(fault)

    @staticmethod
    def _dismiss(circuit: Circuit[Lane]) -> None:
        for lane in circuit.idle:
            lane.dismiss()
        circuit.idle.clear()

    # -- deciding
    def _advance(self) -> None:
        """Write what was reported and give idle lanes their next rows, while there are rows that may go."""
        rows = self._next_rows()
        while (rows or self._settled) and not self._ledger_lost:
            if not self._commit(rows):
                break
            rows = self._next_rows()
        if self._all_idle() and self._over():
            self._through = True
            for circuit in self._circuits:
                self._dismiss(circuit)

    def _next_rows(self) -> list[tuple[Lane, Row]]:
        given: list[tuple[Lane, Row]] = []
        try:
            while self._open() and not given and self._refilled():
                self._gate.look()
                for circuit in self._circuits:
                    given += self._rows_for(circuit)
                if given or (self._supply and not self._more()):
                    break
        except Outside as fault:
            self._close(fault.problems[0])
        passed = (time.monotonic() - self._taken) % (self._patience.anew + self._patience.held)
        self._anew = self._gate.opens is not None and passed > self._patience.anew
        return given

    def _rows_for(self, circuit: Circuit[Lane]) -> Sequence[tuple[Lane, Row]]:
        rows = self._supply.rows(circuit.key, circuit.room(time.monotonic()))
        return [(circuit.lend(), row) for row in rows]

    def _refilled(self) -> bool:
        """Whether there may be rows. A new pass begins only while no lane holds a row of an older epoch."""
        if not self._anew and (self._supply or self._more()):
            return True
        if not self._all_idle() or self._settled:
            return False
        self._anew = False
        self._supply.release()
        return self._take()

    def _more(self) -> bool:
        """Whether chunks came up meanwhile, for lanes that have nothing to do."""
        if not any(one.idle for one in self._circuits):
            return False
        return self._supply.more({*+self._out, *self._settled})

    def _take(self) -> bool:
        self._taken = time.monotonic()
        try:
            return self._supply.take()
        except Outside as fault:
            self._close(fault.problems[0])
            return False

    def _over(self) -> bool:
        """Whether nothing is left to do now; while every lane is idle."""
        if not self._open() or not self._supply:
            return True
        opens_in = self._gate.opens_in
        if opens_in is None or any(one.rests_until is not None for one in self._circuits if not one.out):
            return False
        return opens_in > self._stays

    def _open(self) -> bool:
        return not (self._through or self._closing or self._stop.is_set())

    def _all_idle(self) -> bool:
        return sum(len(circuit.idle) for circuit in self._circuits) == self._working

    def _close(self, trouble: Problem) -> None:
        self._closing = True
        self._trouble = trouble

    # -- writing
    def _commit(self, given: Sequence[tuple[Lane, Row]]) -> bool:
        """One `hand_over` per Chunk concerned; as a rule that is one. False when the ledger cannot be written."""
        wanted: defaultdict[Chunk, list[tuple[Lane, Row]]] = defaultdict(list)
        for lane, row in given:
            wanted[row.chunk].append((lane, row))
        for chunk in dict.fromkeys((*self._settled, *wanted)):
            try:
                answers = self._hand_over(chunk, [row.subscriber_id for _, row in wanted[chunk]])
            except Outside as fault:
                for lane, row in (pair for pairs in wanted.values() for pair in pairs):
                    lane.circuit.take_back(lane)
                    self._supply.put_back(row)
                self._ledger_lost = True
                self._close(fault.problems[0])
                return False
            settled = self._settled.pop(chunk, ())
            self._give(wanted.pop(chunk), answers)
            self._count(chunk, settled)
        self._account.tell(time.monotonic())
        return True

    def _hand_over(self, chunk: Chunk, wanted: Sequence[int]) -> Mapping[int, Addressee | None]:
        """Record and mark in one commit; while the ledger refuses, every lane waits here and nothing is sent."""
        settled = self._settled.get(chunk, ())
        for seconds in () if self._ledger_lost else self._patience.ledger:
            try:
                return self._ledger.hand_over(chunk, settled=settled, wanted=wanted, now=self._clock())
            except Outside as fault:
                self._account.tell(time.monotonic(), fault.problems[0])
            threading.Event().wait(seconds)
        return self._ledger.hand_over(chunk, settled=settled, wanted=wanted, now=self._clock())

    def _give(self, pairs: Sequence[tuple[Lane, Row]], answers: Mapping[int, Addressee | None]) -> None:
        given = 0
        for lane, row in pairs:
            if addressee := answers.get(row.subscriber_id):
                lane.give(row, addressee)
                self._out[row.chunk] += 1
                self._account.served(row)
                given += 1
            else:
                lane.circuit.take_back(lane)
                self._withhold(row, dropped=row.subscriber_id in answers)
        if pairs and not given:
            self._supply.release()  # the issue was stopped or the fence is lost, so ask what is due

    def _withhold(self, row: Row, *, dropped: bool) -> None:
        """A row that is refused twice is not dropped but stuck: the rest is for a later drain."""
        self._closing = self._account.withheld(row, dropped=dropped) or self._closing
        self._gate.unused(1)

    def _count(self, chunk: Chunk, settlements: Sequence[Settlement]) -> None:
        self._account.count(settlements)
        self._gate.unused(sum(not one.counted and one.state is DeliveryState.WAITING for one in settlements))
        try:
            if any(one.state is DeliveryState.WAITING and slows(chunk.provider, one.receipt) for one in settlements):
                self._gate.slow(f"group:{chunk.provider}")
            if self._breaker and (why := self._breaker.note(chunk, settlements)):
                self._supply.release()
                hand = by_clock(self._clock())
                self._ledger.pause(chunk.edition, chunk.issue_number, reason=why, hand=hand)
        except Outside as fault:
            self._close(fault.problems[0])
