"""What a worker does from its start to its end: it gives signs of life, waits for chunks and sends them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from newsletter.delivery.lane import OF_RELAY
from newsletter.delivery.offers import Offers
from newsletter.delivery.progress import Drained
from newsletter.errors import Outside
from newsletter.ports import Clock, Workers

SIGN = 5.0
"""Seconds between two signs of life."""

_RESTS = (5.0, 15.0, 30.0, 60.0)  # seconds after trouble, in a row: what was to be sent is left to others
_LONG_RESTS = (60.0, 120.0, 240.0, 480.0, 900.0)  # where a mail server refuses us
_GLANCE = 10.0  # at the most, where what waits for leave needs longer


class Signs:
    """Gives signs of life for as long as it is entered."""

    def __init__(self, workers: Workers, name: str, *, connections: int, queues: Sequence[str]) -> None:
        self._sign: Callable[[], None] = lambda: workers.sign(name, connections=connections, queues=queues)
        self._sign_off: Callable[[], None] = lambda: workers.sign_off(name)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._stay, daemon=True)

    def __enter__(self) -> Self:
        """Raises Outside."""
        self._sign()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        with suppress(Outside):
            self._sign_off()

    def _stay(self) -> None:
        while not self._over.wait(SIGN):
            with suppress(Outside):  # the next one may be heard
                self._sign()


def serve(
    offers: Offers,
    drain: Callable[[], Drained],
    *,
    clock: Clock,
    stop: threading.Event,
    told: Callable[[Drained], None],
) -> None:
    """Send what is offered until `stop` is set; then what was taken and not sent is given back."""
    troubles = 0
    while not stop.is_set():
        if not offers.wait():
            continue
        done = drain()
        offers.give_up(clock(), done.not_before)
        told(done)
        troubles = troubles + 1 if done.trouble else 0
        stop.wait(_rest(done, troubles, clock))
    offers.give_up(clock(), None)


def _rest(done: Drained, troubles: int, clock: Clock) -> float:
    if done.trouble:
        rests = _LONG_RESTS if done.trouble.code in OF_RELAY else _RESTS
        return rests[min(troubles, len(rests)) - 1]
    if done.not_before:
        return min(_GLANCE, max(0.0, (done.not_before - clock()).total_seconds()))
    return 0.0
