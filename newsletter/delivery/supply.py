"""The rows of a send that may go now: claimed by provider, so that none that is slow holds up the others.

Rows come from as few chunks at a time as can be, since each costs a commit of its own: from those providers first that
are given Messages slowly, then from one of the others until it has no more.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple, Protocol

from newsletter.delivery.gate import Gate
from newsletter.errors import Outside
from newsletter.model import Chunk
from newsletter.ports import Clock, Ledger

CLAIM = 200
"""Rows claimed at a time; only those marked `sending` can become uncertain, so this costs nothing after a crash."""


class Row(NamedTuple):
    """A claimed Delivery and the Chunk whose epoch vouches for it."""

    chunk: Chunk
    subscriber_id: int


class Chunks(Protocol):
    """Where the chunks of a send come from. Raises Outside when the ledger fails."""

    grows: bool  # chunks may come up at any time

    def anew(self, now: datetime, opens: datetime | None) -> Sequence[Chunk]:
        """Take what is due; what was taken before is given up, and may go from `opens` on, if that is known."""

    def more(self, now: datetime, busy: Collection[Chunk]) -> Sequence[Chunk]:
        """Take what has come up since then; what was taken and is not `busy` is done with."""


class AllDue:
    """All that is due, for the one who sends alone."""

    grows = False

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def anew(self, now: datetime, _opens: datetime | None) -> Sequence[Chunk]:
        return self._ledger.due_chunks(now)

    def more(self, _now: datetime, _busy: Collection[Chunk]) -> Sequence[Chunk]:
        return ()


class Supply:
    """All of it raises Outside when the ledger fails, but for `release`."""

    def __init__(self, ledger: Ledger, gate: Gate, clock: Clock, source: Chunks) -> None:
        self._ledger = ledger
        self._source = source
        self._gate = gate
        self._clock = clock
        self._chunks: defaultdict[str, deque[Chunk]] = defaultdict(deque)  # taken, with rows that are not claimed yet
        self._rows: defaultdict[str, deque[Row]] = defaultdict(deque)  # claimed, not handed over

    def __bool__(self) -> bool:
        """Whether there may be rows."""
        return any(self._rows.values()) or any(self._chunks.values())

    def take(self) -> bool:
        """Begin a new pass over what is due: only while no lane holds a row, whose epoch would be an older one."""
        opens = self._gate.opens
        self._gate.look()
        if not self._gate.may_today():
            if self._ledger.next_retry() is None:
                self._gate.look()  # nobody waits for the day to end
            return False
        return self._add(self._source.anew(self._clock(), opens))

    @property
    def grows(self) -> bool:
        return self._source.grows

    def more(self, out: Iterable[Chunk]) -> bool:
        """Whether chunks came up, beside those of which rows are `out` or here."""
        here = {chunk for chunks in self._chunks.values() for chunk in chunks}
        busy = here.union(out, (row.chunk for row in self._claimed()))
        return self._add(self._source.more(self._clock(), busy))

    def _add(self, chunks: Sequence[Chunk]) -> bool:
        for chunk in chunks:
            self._chunks[chunk.provider].append(chunk)
        return bool(chunks)

    def rows(self, relay: str, count: int) -> list[Row]:
        """Up to `count` rows that may go to a relay, by its key; `gate.opens` says when others may."""
        found: list[Row] = []
        for group in sorted(self._groups(), key=self._free) if count else ():
            key = f"group:{group}"
            while len(found) < count and (room := self._gate.room(relay, key, count - len(found))):
                if not self._filled(group):
                    break
                rows = self._rows[group]
                some = min(room, len(rows))
                self._gate.use(relay, key, some)
                found += [rows.popleft() for _ in range(some)]
        return found

    def put_back(self, row: Row) -> None:
        """It was not handed over."""
        self._rows[row.chunk.provider].appendleft(row)
        self._gate.unused(1)

    def release(self) -> None:
        """Give all of it back; what is due must be asked anew."""
        by_chunk: defaultdict[Chunk, list[int]] = defaultdict(list)
        for row in self._claimed():
            by_chunk[row.chunk].append(row.subscriber_id)
        self._rows.clear()
        self._chunks.clear()
        for chunk, subscriber_ids in by_chunk.items():
            with suppress(Outside):  # a claimed row that cannot be given back waits again after `recover`
                self._ledger.release(chunk, subscriber_ids)

    def _claimed(self) -> Iterable[Row]:
        return (row for rows in self._rows.values() for row in rows)

    def _groups(self) -> list[str]:
        return [group for group in {**self._rows, **self._chunks} if self._rows[group] or self._chunks[group]]

    def _free(self, group: str) -> bool:
        return not self._gate.paced(f"group:{group}")

    def _filled(self, group: str) -> bool:
        """Whether it has a row; claims some where it has none."""
        rows, chunks = self._rows[group], self._chunks[group]
        while not rows and chunks:
            claimed = self._ledger.claim(chunks[0], limit=CLAIM, now=self._clock())
            rows.extend([Row(chunks[0], subscriber_id) for subscriber_id in claimed])
            if len(claimed) < CLAIM:
                chunks.popleft()
        return bool(rows)
