"""Single mails over several mail servers: where one cannot take a letter, the next is asked at once.

Issues go over all of them side by side (`engine`); for a letter, a notice or a test there is no time to rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from newsletter.errors import Outside
from newsletter.model import Message, Outcome, Receipt
from newsletter.ports import Session, Transport


class InTurn:
    """Implements `ports.Transport` over others of one kind. Whichever answered last is asked first."""

    def __init__(self, transports: Sequence[Transport]) -> None:
        self.name = transports[0].name
        self.transports = tuple(transports)
        self.first = 0

    def open(self) -> _Turns:
        return _Turns(self)


class _Turns:
    """A session with each of them, made when its turn comes."""

    def __init__(self, over: InTurn) -> None:
        self._over = over
        self._open: dict[int, Session] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def send(self, message: Message) -> Receipt:
        """What the first answered that could be talked to; a Message that one may have taken is shown to no other.

        Raises Outside, of the server that was asked first, when none of them takes mail.
        """
        faults: list[Outside] = []
        count, first = len(self._over.transports), self._over.first
        for place in (*range(first, count), *range(first)):
            try:
                receipt = self._session(place).send(message)
            except Outside as fault:  # certainly not accepted
                faults.append(fault)
            else:
                silent = receipt.outcome is Outcome.UNKNOWN  # the next letter need not wait as long for it
                self._over.first = (place + silent) % count
                return receipt
        raise faults[0]

    def _session(self, place: int) -> Session:
        if place not in self._open:
            self._open[place] = self._stack.enter_context(self._over.transports[place].open())
        return self._open[place]
