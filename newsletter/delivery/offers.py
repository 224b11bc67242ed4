"""Chunks that are taken one by one, beside others who send from the same database: the sources of such a send.

Whatever is taken is ended: when its last row has an end, when a new pass begins, when the send is over.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

from newsletter.errors import Outside
from newsletter.model import Chunk
from newsletter.ports import Workers

BULK = "bulk"
"""The queue of chunks."""

_SOONEST, _LATEST = timedelta(seconds=1), timedelta(minutes=1)
"""After which a chunk that could not go to its end is told of again."""

_LULL = 2.0  # seconds that a send waits for a chunk, its connections open


class Hands:
    """The chunks that this process holds, by its name."""

    def __init__(self, workers: Workers, name: str) -> None:
        self._workers = workers
        self._name = name
        self._held: dict[Chunk, Callable[[], object]] = {}  # what to call when it is ended
        self._left: list[Chunk] = []  # that could not be ended, as the database was away

    def take(self, chunk_id: int, now: datetime, ended: Callable[[], object] = lambda: None) -> Sequence[Chunk]:
        """The chunk, or none if it is not to be had. Raises Outside."""
        try:
            chunk = self._workers.take(chunk_id, self._name, now)
        except Outside:
            ended()
            raise
        if chunk is None:
            ended()
            return ()
        self._held[chunk] = ended
        return (chunk,)

    def end(self, now: datetime, *, busy: Collection[Chunk] = (), opens: datetime | None = None) -> None:
        """All but the busy ones; they may go again from `opens` on. Raises nothing: what fails is tried again."""
        after = min(max(opens - now if opens else _SOONEST, _SOONEST), _LATEST)
        over = [chunk for chunk in self._held if chunk not in busy]
        self._left, left = [], [*self._left, *over]
        for chunk in left:
            try:
                self._workers.end(chunk, now, again_after=after)
            except Outside:
                self._left.append(chunk)
            self._held.pop(chunk, _nothing)()


def _nothing() -> None:
    """Of a chunk whose end was told before."""


class Offers:
    """Chunks that were told of from outside, as they come. `offer` is for any thread, the rest for one."""

    grows = True

    def __init__(self, workers: Workers, name: str, stop: threading.Event) -> None:
        self._hands = Hands(workers, name)
        self._stop = stop
        self._offered: SimpleQueue[tuple[int, Future[None]]] = SimpleQueue()

    def offer(self, chunk_id: int) -> Future[None]:
        """Ends when this process is done with the chunk, for now or for good."""
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()  # nobody cancels what is being sent
        if self._stop.is_set():
            done.set_result(None)
        else:
            self._offered.put((chunk_id, done))
        return done

    def wait(self) -> bool:
        """Whether there is an offer, within a while."""
        for _ in range(round(_LULL / 0.1)):
            if self._stop.is_set() or not self._offered.empty():
                break
            self._stop.wait(0.1)
        return not self._offered.empty()

    def anew(self, now: datetime, opens: datetime | None) -> Sequence[Chunk]:
        self._hands.end(now, opens=opens)
        while not self._stop.is_set() and self.wait():
            if taken := self._next(now):
                return taken
        return ()

    def more(self, now: datetime, busy: Collection[Chunk]) -> Sequence[Chunk]:
        self._hands.end(now, busy=busy)
        while not self._stop.is_set() and not self._offered.empty():
            if taken := self._next(now):
                return taken
        return ()

    def _next(self, now: datetime) -> Sequence[Chunk]:
        try:
            chunk_id, done = self._offered.get_nowait()
        except Empty:
            return ()
        return self._hands.take(chunk_id, now, lambda: done.set_result(None))

    def give_up(self, now: datetime, opens: datetime | None) -> None:
        """End all that is held, and let go of what was offered: it is told of again."""
        self._hands.end(now, opens=opens)
        while not self._offered.empty():
            self._offered.get()[1].set_result(None)


class Unattended:
    """What is ready, taken by a process that sends for as long as there is no worker."""

    grows = False

    def __init__(self, workers: Workers, name: str) -> None:
        self._workers = workers
        self._hands = Hands(workers, name)
        self._ready: deque[int] = deque()

    def anew(self, now: datetime, opens: datetime | None) -> Sequence[Chunk]:
        self._hands.end(now, opens=opens)
        self._ready = deque() if attended(self._workers) else deque(self._workers.ready(now))
        return self.more(now, ())

    def more(self, now: datetime, busy: Collection[Chunk]) -> Sequence[Chunk]:
        """One of each of some; none any more once a worker is there."""
        self._hands.end(now, busy=busy)
        while self._ready and not attended(self._workers):
            if taken := self._hands.take(self._ready.popleft(), now):
                return taken
        return ()

    def give_up(self, now: datetime) -> None:
        """End all that is held."""
        self._hands.end(now)


def attended(workers: Workers) -> int:
    """How many workers are there, as far as can be told, that send issues."""
    return sum(one.lives and BULK in one.queues for one in workers.workers())
