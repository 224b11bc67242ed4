"""One connection of a send: a thread that holds a single Message at a time and waits for leave to take the next.

It reports each outcome and then blocks until the committer has written it down and gives another row. It never
touches the ledger, and decides nothing: the committer says when a lane rests and when it ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue

from newsletter.delivery import retry
from newsletter.errors import NewsletterError, Outside, Problem
from newsletter.model import Addressee, Chunk, DeliveryState, Message, Outcome, Receipt, Settlement
from newsletter.ports import Clock, Session, Transport

Compose = Callable[[Chunk, Addressee], Message]

FINAL = frozenset({"S321", "S322", "S323", "S327", "S403", "S404", "S406"})
"""Faults that concern every reader and that no second try mends: TLS, sign-in, sender, size, Digest, a bug."""

BROKE_OFF = "S328"
"""The server ended the connection over one Message: it may be the Message's fault as well as the server's."""

BROKEN_IN_A_ROW = 3
"""Messages that could not be composed, one after the other, before a lane takes the Digest for the reason."""


@dataclass(frozen=True, slots=True)
class Row:
    """A claimed Delivery and the Chunk whose epoch vouches for it."""

    chunk: Chunk
    subscriber_id: int


@dataclass(frozen=True, slots=True)
class Report:
    """A lane's word to the committer: what became of its row, whether it wants another, or why it ended.

    Trouble without `ended` is a fault of the mail server: the lane now waits to be told to rest, or dismissed.
    """

    lane: Lane
    row: Row | None = None
    settlement: Settlement | None = None
    wants: bool = False
    ended: bool = False
    trouble: Problem | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What all lanes of one send share."""

    transport: Transport
    compose: Compose
    clock: Clock
    stop: threading.Event
    after_crash: str


class Lane(threading.Thread):
    def __init__(self, work: Work, reports: SimpleQueue[Report]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._reports = reports
        self._given: SimpleQueue[tuple[Row, Addressee] | float | None] = SimpleQueue()
        self.faults = 0  # of the mail server, in a row; settled before they are reported
        self._broken = 0  # in a row

    def give(self, row: Row, addressee: Addressee) -> None:
        """Leave to hand over one row; its outcome will be reported."""
        self._given.put((row, addressee))

    def rest(self, seconds: float) -> None:
        """Do nothing for so long, or until the send is stopped; then ask for a row."""
        self._given.put(seconds)

    def dismiss(self) -> None:
        """No more work: the lane ends after what it holds."""
        self._given.put(None)

    def run(self) -> None:
        trouble: Problem | None = None
        try:
            with self._work.transport.open() as session:
                trouble = self._serve(session)
        except Outside as fault:
            trouble = fault.problems[0]
        except Exception as bug:
            trouble = _bug(bug)
        finally:
            self._reports.put(Report(self, ended=True, trouble=trouble))

    def _serve(self, session: Session) -> Problem | None:
        self._reports.put(Report(self, wants=True))
        while (given := self._given.get()) is not None:
            if isinstance(given, float | int):
                self._work.stop.wait(given)
                self._reports.put(Report(self, wants=True))
                continue
            row, addressee = given
            settlement, trouble = self._settle(session, row, addressee)
            if trouble and (trouble.code in FINAL or self._broken >= BROKEN_IN_A_ROW):
                self._reports.put(Report(self, row, settlement))
                return trouble
            self._reports.put(Report(self, row, settlement, wants=trouble is None, trouble=trouble))
        return None

    def _settle(self, session: Session, row: Row, addressee: Addressee) -> tuple[Settlement, Problem | None]:
        try:
            message = self._work.compose(row.chunk, addressee)
        except Exception as fault:  # whatever it was: the other readers must not wait for it
            return self._not_composed(addressee.subscriber_id, fault)
        return self._hand_over(session, message, addressee)

    def _put_back(self, subscriber_id: int, problem: Problem) -> Settlement:
        return retry.relay_fault(subscriber_id, self._work.clock(), f"{problem.code} {problem.message}")

    def _not_composed(self, subscriber_id: int, fault: Exception) -> tuple[Settlement, Problem | None]:
        problem = fault.problems[0] if isinstance(fault, NewsletterError) else Problem("S405", repr(fault))
        if problem.code in FINAL:
            return self._put_back(subscriber_id, problem), problem
        self._broken += problem.code != "S402"
        failed = Settlement(subscriber_id, DeliveryState.FAILED, f"{problem.code} {problem.message}", counted=False)
        return failed, problem if self._broken >= BROKEN_IN_A_ROW else None

    def _hand_over(self, session: Session, message: Message, addressee: Addressee) -> tuple[Settlement, Problem | None]:
        subscriber_id = addressee.subscriber_id
        try:
            receipt = session.send(message)
        except Outside as fault:
            self.faults += 1
            return self._failed(addressee, fault.problems[0]), fault.problems[0]
        except NewsletterError as refusal:  # the transport saw that it must not be sent
            return self._not_composed(subscriber_id, refusal)
        except Exception as bug:
            return Settlement(subscriber_id, DeliveryState.UNCERTAIN, repr(bug)), _bug(bug)
        self.faults = self._broken = 0
        return self._answered(addressee, receipt), None

    def _failed(self, addressee: Addressee, fault: Problem) -> Settlement:
        """A reader at whose Message the server breaks off is put off, and not for ever; other faults are nobody's."""
        if fault.code == BROKE_OFF:
            return self._answered(addressee, Receipt(Outcome.DEFERRED, None, fault.message))
        return self._put_back(addressee.subscriber_id, fault)

    def _answered(self, addressee: Addressee, receipt: Receipt) -> Settlement:
        return retry.settle(
            addressee.subscriber_id,
            receipt,
            attempts=addressee.attempts,
            first_at=addressee.first_at,
            now=self._work.clock(),
            after_crash=self._work.after_crash,
        )


def _bug(bug: Exception) -> Problem:
    why = "This is a fault of the program; a Delivery that was under way is shown as uncertain."
    return Problem("S406", f"Handing over broke: {bug!r}", why=why)
