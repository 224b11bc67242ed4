"""Letters go ahead of every Issue: on a thread and a connection of their own, as soon as they are asked for.

Whoever signs up waits at the screen; an issue of a million readers may take hours. So nothing here waits for the
engine, and the ledger is asked for letters every second, by a look into an index that writes nothing.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from newsletter.delivery.lane import FINAL, HandedOver, hand_over
from newsletter.delivery.progress import LettersDone
from newsletter.errors import NewsletterError, Problem
from newsletter.model import DeliveryState, Letter, Message, Outcome, Settlement, Subscriber
from newsletter.ports import Clock, Letters, Session, Transport
from newsletter.words import nameless

Compose = Callable[[Letter, Subscriber], Message]

EVERY = 1.0
"""Seconds between two looks for letters."""

_BATCH = 20  # letters between two looks for one that somebody asked for just now
_RESTS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # seconds after trouble, in a row
_LONG_RESTS = (60.0, 120.0, 240.0, 480.0, 900.0)  # after what no second try mends: more would get us shut out


@dataclass(frozen=True, slots=True)
class LetterWork:
    """What handing over letters needs."""

    letters: Letters
    transport: Transport
    compose: Compose
    clock: Clock
    after_crash: str
    may: Callable[[], bool]  # whether this site may send at all; asked before each round that has something to do


class Ahead:
    """Hands over letters for as long as it is entered, and once more when it is left. Only for the holder of the sender
    lock.
    """

    def __init__(self, work: LetterWork, told: Callable[[LettersDone], None] = lambda _: None) -> None:
        """`told` hears, from another thread, what became of letters, and of trouble when it comes and goes."""
        self._work = work
        self._told = told
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._in_doubt = True  # a crash may have left letters that nobody is sending
        self._trouble: Problem | None = None
        self._troubles = 0  # in a row

    def __enter__(self) -> Self:
        self.round()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """After the letter that is under way, and those that came up last."""
        self._stop.set()
        self._thread.join()
        self._stop.clear()
        if error is None and self._trouble is None:
            self.round()

    def _run(self) -> None:
        while not self._stop.wait(self._rest()):
            self.round()

    def _rest(self) -> float:
        if self._trouble is None:
            return EVERY
        rests = _LONG_RESTS if self._trouble.code in FINAL else _RESTS
        return rests[min(self._troubles, len(rests)) - 1]

    def round(self) -> None:
        """Hand over what is due. Whatever goes wrong is told and left for the next round; nothing is lost by it."""
        done = self._handed()
        before, self._trouble = self._trouble, done.trouble
        self._troubles = self._troubles + 1 if done.trouble else 0
        if done.trouble != before or done != LettersDone(trouble=done.trouble):
            with suppress(OSError):  # nobody listens any more: letters go on
                self._told(done)

    def _handed(self) -> LettersDone:
        work = self._work
        try:
            left = work.letters.recover(now=work.clock(), resend=work.after_crash == "resend") if self._in_doubt else 0
            self._in_doubt = True  # unless all goes well: what breaks off in between is settled by the next round
            done = drain(work, self._stop)
        except NewsletterError as error:
            return LettersDone(trouble=error.problems[0])
        except Exception as bug:
            why = "This is a fault of the program."
            return LettersDone(trouble=Problem("S406", f"Handing over a letter broke: {nameless(repr(bug))}", why=why))
        self._in_doubt = False
        return replace(done, uncertain=done.uncertain + left) if left else done


def drain(work: LetterWork, stop: threading.Event) -> LettersDone:
    """Hand over every letter that is due, until none is, `stop` is set, or something fails that concerns all.

    A mail server that says nothing at the end of a letter took ten minutes for it: whoever waits for the end of this is
    not kept longer. Trouble outside is returned, never raised, but for the ledger's own: then a letter stays `sending`,
    and `recover` settles it.
    """
    due = work.letters.due(work.clock(), _BATCH)
    if not (due and work.may()):
        return LettersDone()
    counts: Counter[str] = Counter()
    with work.transport.open() as session:
        while due and not stop.is_set():
            for done in (_one(work, session, letter) for letter in due if not stop.is_set()):
                if done is not None:
                    counts.update(_counted(done.settlement))
                    if done.fault or _silent(done.settlement):
                        return _done(counts, done.fault)
            due = work.letters.due(work.clock(), _BATCH)
    return _done(counts)


def _done(counts: Mapping[str, int], trouble: Problem | None = None) -> LettersDone:
    numbers: dict[str, Any] = {**counts}
    return LettersDone(**numbers, trouble=trouble)


def _one(work: LetterWork, session: Session, letter: Letter) -> HandedOver | None:
    """Mark it, hand it over, write down what came of it; None when it may not go."""
    begun = work.letters.begin(letter, work.clock())
    if begun is None:
        return None
    done = hand_over(session, lambda: work.compose(*begun), begun[0], clock=work.clock, after_crash=work.after_crash)
    work.letters.settle(begun[0], done.settlement, work.clock())
    return done


def _silent(settlement: Settlement) -> bool:
    """Whether no answer came at the end of the letter."""
    return settlement.receipt is not None and settlement.receipt.outcome is Outcome.UNKNOWN


def _counted(settlement: Settlement) -> list[str]:
    """What it counts as; one that was put back, since the mail server took nothing, as nothing."""
    if settlement.state is DeliveryState.WAITING:
        return ["deferred"] if settlement.counted else []
    return [settlement.state.value]
