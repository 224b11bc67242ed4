"""One connection of a send: a thread that holds a single Message at a time and waits for leave to take the next.

It reports each outcome and then blocks until the committer has written it down and gives another row. It never
touches the ledger, and decides nothing: the committer says when it goes on and when it ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from queue import SimpleQueue
from typing import NamedTuple, Protocol

from newsletter.delivery import retry
from newsletter.delivery.circuit import Circuit
from newsletter.delivery.supply import Row
from newsletter.delivery.throttle import asks_for_less
from newsletter.errors import ConfigError, NewsletterError, Outside, Problem
from newsletter.model import Addressee, Chunk, DeliveryState, Message, Outcome, Receipt, Settlement
from newsletter.ports import Clock, Session
from newsletter.words import nameless

Compose = Callable[[Chunk, Addressee], Message]

OF_RELAY = frozenset({"S321", "S322", "S323", "S327", "S406"})
"""Faults of one mail server that no second try mends: TLS, sign-in, sender, size, a bug."""

FINAL = OF_RELAY | {"S403", "S404"}
"""With those of the Digest: they concern every reader, and no second try mends them."""

BROKE_OFF = "S328"
"""The server ended the connection over one Message: it may be the Message's fault as well as the server's."""

BROKEN_IN_A_ROW = 3
"""Messages that could not be composed, one after the other, before a lane takes the Digest for the reason."""


class Report(NamedTuple):
    """A lane's word to the committer: what became of its row, whether it wants another, or why it ended.

    Trouble without `ended` is a fault of the mail server.
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

    compose: Compose
    clock: Clock
    after_crash: str


class Lane(threading.Thread):
    def __init__(self, circuit: Circuit[Lane], work: Work, reports: SimpleQueue[Report]) -> None:
        super().__init__(daemon=True)
        self.circuit = circuit
        self._work = work
        self._reports = reports
        self._given: SimpleQueue[tuple[Row, Addressee] | None] = SimpleQueue()
        self._broken = 0  # in a row

    def give(self, row: Row, addressee: Addressee) -> None:
        """Leave to hand over one row; its outcome will be reported."""
        self._given.put((row, addressee))

    def dismiss(self) -> None:
        """No more work: the lane ends after what it holds."""
        self._given.put(None)

    def run(self) -> None:
        trouble: Problem | None = None
        try:
            with self.circuit.relay.transport.open() as session:
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
            row, addressee = given
            settlement, trouble = self._settle(session, row, addressee)
            if trouble and (trouble.code in FINAL or self._broken >= BROKEN_IN_A_ROW):
                self._reports.put(Report(self, row, settlement))
                return trouble
            self._reports.put(Report(self, row, settlement, wants=True, trouble=trouble))
        return None

    def _settle(self, session: Session, row: Row, addressee: Addressee) -> tuple[Settlement, Problem | None]:
        """What became of the row, and the trouble that keeps this lane from the next."""
        work = self._work
        done = hand_over(
            session,
            lambda: work.compose(row.chunk, addressee),
            addressee,
            clock=work.clock,
            after_crash=work.after_crash,
        )
        if done.fault:
            return done.settlement, done.fault
        if done.broken is None:
            self._broken = 0
            return done.settlement, None
        self._broken += done.broken.code != "S402"
        return done.settlement, done.broken if self._broken >= BROKEN_IN_A_ROW else None


class Owed(Protocol):
    """A message that is owed to somebody, with the counted hand-overs before this one."""

    @property
    def subscriber_id(self) -> int: ...
    @property
    def attempts(self) -> int: ...
    @property
    def first_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class HandedOver:
    """How one hand-over ended."""

    settlement: Settlement
    fault: Problem | None = None  # of the mail server, the configuration or the program: it concerns everybody
    broken: Problem | None = None  # of this Message, which cannot be written or handed over


def hand_over(
    session: Session, compose: Callable[[], Message], owed: Owed, *, clock: Clock, after_crash: str
) -> HandedOver:
    """Compose one Message and hand it over. Raises nothing: whatever it was, the others must not wait for it."""
    try:
        message = compose()
    except NewsletterError as error:
        concerns_all = isinstance(error, ConfigError | Outside)
        return _not_composed(owed, error.problems[0], clock(), concerns_all=concerns_all)
    except Exception as bug:
        return _not_composed(owed, Problem("S405", f"A message could not be written: {nameless(repr(bug))}"), clock())
    try:
        receipt = session.send(message)
    except Outside as error:
        fault = error.problems[0]
        settlement = _failed(owed, error, clock(), after_crash)
        return HandedOver(settlement, fault=None if asks_for_less(settlement.receipt) else fault)
    except NewsletterError as refusal:  # the transport saw that it must not be sent
        return _not_composed(owed, refusal.problems[0], clock())
    except Exception as bug:
        return HandedOver(Settlement(owed.subscriber_id, DeliveryState.UNCERTAIN, nameless(repr(bug))), fault=_bug(bug))
    return HandedOver(_answered(owed, receipt, clock(), after_crash))


def _put_back(owed: Owed, problem: Problem, now: datetime) -> Settlement:
    return retry.relay_fault(owed.subscriber_id, now, f"{problem.code} {problem.message}")


def _not_composed(owed: Owed, problem: Problem, now: datetime, *, concerns_all: bool = False) -> HandedOver:
    if concerns_all or problem.code in FINAL:
        return HandedOver(_put_back(owed, problem, now), fault=problem)
    reason = f"{problem.code} {problem.message}"
    return HandedOver(Settlement(owed.subscriber_id, DeliveryState.FAILED, reason, counted=False), broken=problem)


def _failed(owed: Owed, error: Outside, now: datetime, after_crash: str) -> Settlement:
    """Who is owed a Message at which the server breaks off is put off, and not for ever; other faults are nobody's."""
    fault = error.problems[0]
    if fault.code == BROKE_OFF:
        code, words = error.answer or (None, fault.message)
        return _answered(owed, Receipt(Outcome.DEFERRED, code, words), now, after_crash)
    return _put_back(owed, fault, now)


def _answered(owed: Owed, receipt: Receipt, now: datetime, after_crash: str) -> Settlement:
    return retry.settle(
        owed.subscriber_id, receipt, attempts=owed.attempts, first_at=owed.first_at, now=now, after_crash=after_crash
    )


def _bug(bug: Exception) -> Problem:
    why = "This is a fault of the program; a Delivery that was under way is shown as uncertain."
    return Problem("S406", f"Handing over broke: {nameless(repr(bug))}", why=why)
