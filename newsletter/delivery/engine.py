"""The embedded sender: drains what the ledger says is owed, over several lanes, with one committer.

The calling thread is the committer. It groups the outcomes of all lanes into one `hand_over`, which also marks each
lane's next row `sending`; a lane goes on only after that commit. So a crash leaves at most one unknown Delivery per
lane, and nobody who left meanwhile is mailed.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from newsletter.delivery.lane import FINAL, Compose, Lane, Report, Row, Work
from newsletter.delivery.progress import Drained, Progress
from newsletter.errors import Outside, Problem
from newsletter.model import Addressee, Chunk, DeliveryState, Settlement
from newsletter.ports import Clock, Ledger, Transport

__all__ = ["Drained", "Patience", "Progress", "drain"]

CLAIM = 200
"""Rows claimed at a time; only those marked `sending` can become uncertain, so this costs nothing after a crash."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds between tries; after the last one the mail server, or the ledger, counts as lost."""

    relay: tuple[float, ...] = (1, 2, 4, 8)
    ledger: tuple[float, ...] = (0.5, 1, 2, 4, 8)


PATIENCE = Patience()


def drain(
    ledger: Ledger,
    transport: Transport,
    compose: Compose,
    *,
    clock: Clock,
    connections: int,
    stop: threading.Event,
    progress: Callable[[Progress], None] | None = None,
    after_crash: str = "ask",
    patience: Patience = PATIENCE,
) -> Drained:
    """Hand over every row that is due, until none is, `stop` is set, or the outside world fails.

    Only for the holder of the sender lock. `compose` gets an issue's number and a reader. Trouble outside is
    returned, never raised: S32x or S330 once the transport failed over all of `patience`, the ledger's own Problem once
    outcomes could not be written (their rows stay `sending`; `recover` settles them), S40x when the Digest cannot
    become a message. Rows that were claimed and not handed over are given back in every case.
    """
    committer = _Committer(ledger, clock, stop, patience, progress or (lambda _: None))
    work = Work(transport, compose, clock, stop, after_crash)
    return committer.run([Lane(work, committer.reports) for _ in range(connections)])


class _Committer:
    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        stop: threading.Event,
        patience: Patience,
        progress: Callable[[Progress], None],
    ) -> None:
        self.reports: SimpleQueue[Report] = SimpleQueue()
        self._ledger = ledger
        self._clock = clock
        self._stop = stop
        self._patience = patience
        self._progress = progress
        self._chunks: deque[Chunk] = deque()  # taken, with rows that are not claimed yet
        self._rows: deque[Row] = deque()  # claimed, not handed over
        self._settled: defaultdict[Chunk, list[Settlement]] = defaultdict(list)  # reported, not written
        self._idle: deque[Lane] = deque()
        self._resting: set[Lane] = set()
        self._working = 0
        self._faults = 0  # of the mail server since it last answered; those that come together count once
        self._fault: Problem | None = None
        self._counts: Counter[str] = Counter()
        self._withheld: set[tuple[int, int]] = set()
        self._closing = False
        self._ledger_lost = False
        self._trouble: Problem | None = None

    def run(self, lanes: Sequence[Lane]) -> Drained:
        if not self._take_chunks():
            return self._drained()
        self._working = len(lanes)
        for lane in lanes:
            lane.start()
        try:
            while self._working:
                self._note(self._gather())
                self._advance()
        finally:
            self._end(lanes)
        return self._drained()

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
            self._release()

    # -- listening
    def _gather(self) -> Iterable[Report]:
        yield self.reports.get()
        yield from self._waiting()

    def _waiting(self) -> Iterable[Report]:
        with suppress(Empty):
            while True:
                yield self.reports.get_nowait()

    def _note(self, reports: Iterable[Report]) -> None:
        for report in reports:
            if report.row and report.settlement:
                self._settled[report.row.chunk].append(report.settlement)
            if report.wants:
                self._note_life(report)
            if report.ended:
                self._working -= 1
                if report.trouble and (report.trouble.code in FINAL or not self._working):
                    self._close(report.trouble)
            elif report.trouble:
                self._note_fault(report.lane, report.trouble)

    def _note_life(self, report: Report) -> None:
        self._idle.append(report.lane)
        self._resting.discard(report.lane)
        if report.settlement:
            self._faults, self._fault = 0, None

    def _note_fault(self, lane: Lane, fault: Problem) -> None:
        """The lane rests, ever longer, while others may be served; all end once nobody was answered over all rests."""
        rests = self._patience.relay
        self._faults += not self._resting
        self._fault = fault
        if self._faults > len(rests):
            self._close(fault)
        if self._closing:
            lane.dismiss()
            return
        self._resting.add(lane)
        lane.rest(rests[min(max(self._faults, lane.faults), len(rests)) - 1])

    # -- deciding
    def _advance(self) -> None:
        """Write what was reported and give every idle lane its next row, while there are rows."""
        rows = self._next_rows()
        while (rows or self._settled) and not self._ledger_lost:
            if not self._commit(rows):
                break
            rows = self._next_rows()
        if self._all_idle():
            for lane in self._idle:
                lane.dismiss()
            self._idle.clear()

    def _next_rows(self) -> list[Row]:
        try:
            while self._open() and len(self._rows) < len(self._idle) and self._refill():
                pass
        except Outside as fault:
            self._close(fault.problems[0])
        left_alone = self._faults and self._resting
        count = min(len(self._rows), len(self._idle)) if self._open() and not left_alone else 0
        return [self._rows.popleft() for _ in range(count)]

    def _refill(self) -> bool:
        """Claim more rows. A new pass over the chunks begins only while no lane holds a row of an older epoch."""
        if not self._chunks:
            return self._all_idle() and not self._rows and not self._settled and self._take_chunks()
        chunk = self._chunks[0]
        claimed = self._ledger.claim(chunk, limit=CLAIM, now=self._clock())
        self._rows.extend(Row(chunk, subscriber_id) for subscriber_id in claimed)
        if len(claimed) < CLAIM:
            self._chunks.popleft()
        return True

    def _take_chunks(self) -> bool:
        try:
            self._chunks.extend(self._ledger.due_chunks(self._clock()))
        except Outside as fault:
            self._close(fault.problems[0])
        return bool(self._chunks)

    def _open(self) -> bool:
        return not (self._closing or self._stop.is_set())

    def _all_idle(self) -> bool:
        return len(self._idle) == self._working

    def _close(self, trouble: Problem) -> None:
        self._closing = True
        self._trouble = trouble

    # -- writing
    def _commit(self, rows: Sequence[Row]) -> bool:
        """One `hand_over` per Chunk concerned; as a rule that is one. False when the ledger cannot be written."""
        wanted: defaultdict[Chunk, list[Row]] = defaultdict(list)
        for row in rows:
            wanted[row.chunk].append(row)
        for chunk in dict.fromkeys((*self._settled, *wanted)):
            try:
                answers = self._hand_over(chunk, [row.subscriber_id for row in wanted[chunk]])
            except Outside as fault:
                self._rows.extend(row for rows in wanted.values() for row in rows)
                self._ledger_lost = True
                self._close(fault.problems[0])
                return False
            self._count(self._settled.pop(chunk, ()))
            self._give(wanted.pop(chunk), answers)
        self._tell(self._fault)
        return True

    def _tell(self, fault: Problem | None) -> None:
        self._progress(Progress(**self._counts, dropped=len(self._withheld), fault=fault))

    def _hand_over(self, chunk: Chunk, wanted: Sequence[int]) -> Mapping[int, Addressee | None]:
        """Record and mark in one commit; while the ledger refuses, every lane waits here and nothing is sent."""
        settled = self._settled.get(chunk, ())
        for seconds in () if self._ledger_lost else self._patience.ledger:
            try:
                return self._ledger.hand_over(chunk, settled=settled, wanted=wanted, now=self._clock())
            except Outside as fault:
                self._tell(fault.problems[0])
            threading.Event().wait(seconds)
        return self._ledger.hand_over(chunk, settled=settled, wanted=wanted, now=self._clock())

    def _give(self, rows: Sequence[Row], answers: Mapping[int, Addressee | None]) -> None:
        given = 0
        for row in rows:
            if addressee := answers.get(row.subscriber_id):
                self._idle.popleft().give(row, addressee)
                self._withheld.discard((row.chunk.id, row.subscriber_id))
                given += 1
            else:
                self._withhold(row)
        if rows and not given:
            self._begin_anew()

    def _withhold(self, row: Row) -> None:
        """A row that is refused twice is not dropped but stuck: the rest is for a later drain."""
        key = (row.chunk.id, row.subscriber_id)
        self._closing = self._closing or key in self._withheld
        self._withheld.add(key)

    def _begin_anew(self) -> None:
        """Nobody of a whole group may be mailed: the issue was stopped or the fence is lost, so ask what is due."""
        self._release()
        self._chunks.clear()

    def _count(self, settlements: Iterable[Settlement]) -> None:
        for settlement in settlements:
            if settlement.state is DeliveryState.WAITING:
                self._counts["deferred"] += settlement.counted
            else:
                self._counts[settlement.state.value] += 1

    def _release(self) -> None:
        by_chunk: defaultdict[Chunk, list[int]] = defaultdict(list)
        while self._rows:
            row = self._rows.popleft()
            by_chunk[row.chunk].append(row.subscriber_id)
        for chunk, subscriber_ids in by_chunk.items():
            with suppress(Outside):  # a claimed row that cannot be given back waits again after `recover`
                self._ledger.release(chunk, subscriber_ids)

    def _drained(self) -> Drained:
        return Drained(**self._counts, dropped=len(self._withheld), fault=self._fault, trouble=self._trouble)
