"""One thread at a time, in the order in which they came: a loop that writes all the time keeps nobody waiting."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """A lock that goes to whoever has waited longest; an ordinary one goes to whoever asks at the right moment."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()  # the first one has the turn

    @contextmanager
    def turn(self, patience: float) -> Iterator[None]:
        """Wait for one's turn at most `patience` seconds. Raises TimeoutError; never take a turn within a turn."""
        me = object()
        with self._changed:
            self._queue.append(me)
            came = False
            try:
                came = self._changed.wait_for(lambda: self._queue[0] is me, patience)
            finally:
                if not came:
                    self._leave(me)
        if not came:
            raise TimeoutError
        try:
            yield
        finally:
            with self._changed:
                self._leave(me)

    def _leave(self, me: object) -> None:
        self._queue.remove(me)
        self._changed.notify_all()
