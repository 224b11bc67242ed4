"""What `work` does each time the clock wakes it: publish, prepare, deliver, and say what came of it, once."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from newsletter import words
from newsletter.cli.door import Door, told
from newsletter.cli.machine import delivered_words, letters_words, prepared_words
from newsletter.cli.telling import Telling
from newsletter.content.library import Loaded
from newsletter.delivery.progress import LettersDone
from newsletter.errors import NewsletterError, Outside, Problem
from newsletter.issues.cadence import freeze_at, preview_at
from newsletter.issues.site_notice import no_backup
from newsletter.model import Cadence, Library, LogEntry, by_clock
from newsletter.usecases.backup import due
from newsletter.usecases.check import library_of
from newsletter.usecases.trust import Trust, doubt

REFUSALS = frozenset({"S321", "S322", "S323", "S327"})
"""What a mail server says to us and not to a reader; knocking every half minute would only get us shut out."""

_OF_MAIL = "S3"  # codes of what a mail server says, or that none is there

_FIRST_REST = timedelta(minutes=1)
_LONGEST_REST = timedelta(minutes=15)


class Rounds:
    """The rounds of one `work` process. It sends only while it holds the sender lock; otherwise it stands by.

    Letters go out beside the rounds from when it first holds the lock until it is left.
    """

    def __init__(self, door: Door, stop: threading.Event, every: timedelta = timedelta(seconds=30)) -> None:
        self._door = door
        self._stop = stop
        self._every = every
        self.clock = door.ticking_clock()
        self._trust = Trust(door.app.ledger, door.app.config.cadence.zone, door.steady())
        self._holds = False
        self._sends = False  # holds the lock, whatever became of its last round
        self._stands_by = False
        self._looking = False
        self._telling = Telling(door.app, self._say)
        self._loaded: Loaded | None = None
        self._refused = 0  # in a row
        self._not_before: datetime | None = None
        self._leave: datetime | None = None  # when readers who wait for a pace or a day may be served
        self._said: tuple[str, ...] = ()
        self._remarks: tuple[Problem, ...] = ()
        self._beside = ExitStack()
        self._letters_go = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._beside.close()

    def look(self) -> None:
        """One round. Whatever goes wrong is told and left for the next round; nothing is lost by it."""
        self._looking = True
        steps = (
            self._look_at_the_clock,
            self._tend,
            self._publish_and_prepare,
            self._tell_of_posts,
            self._tell,
            self._deliver,
            self._tell,
            self._back_up,
        )
        trouble = [line for step in steps for line in self._try(step)]
        self._looking = False
        silent = self._try(self._beat)
        if not silent:  # a look that leaves no sign is none
            self._telling.knock()
        trouble += silent
        self._say_once(list(dict.fromkeys(trouble)))  # a full disk stops every step in the same words

    def _look_at_the_clock(self) -> None:
        if news := self._trust.look(self.clock):
            self._say(news)

    def beat(self) -> None:
        """A sign of life while a round lasts: handing out an issue may take hours."""
        if self._looking and not self._try(self._beat):
            self._telling.knock()
            self._try(self._tell)

    def due_in(self) -> timedelta | None:
        """How long until something is due: a slot, a scheduled start, a retry. None as well when nobody can tell."""
        due: list[timedelta] = []
        self._try(lambda: due.extend(self._due()))
        return min(due, default=None)

    @staticmethod
    def _try(step: Callable[[], None]) -> list[str]:
        """Take a step; what went wrong, in words. `work` outlives it, whatever it was."""
        try:
            step()
        except NewsletterError as error:
            return list(told(error.problems))
        except OSError as error:
            return [f"stop C901  {error}"]
        except Exception:
            return [traceback.format_exc(), "stop C900  This is a bug in newsletter. Please report the lines above."]
        return []

    def _beat(self) -> None:
        self._door.app.ledger.beat("work", self.clock(), self._every)
        self._door.app.remember()

    def _due(self) -> list[timedelta]:
        app = self._door.app
        now = self.clock()
        times = [self._leave, app.ledger.next_retry()]
        for cadence in app.rhythms:
            if cadence.singly:  # posts come out as they come: each look finds those that have
                continue
            slot = app.next_slot(now, cadence.edition)
            times += [slot.due, freeze_at(cadence, slot), preview_at(cadence, slot)]
        times += [i.send_at for i in app.ledger.issues() if i.send_at and i.started_at is None]
        return [time - now for time in times if time and time > now]

    def _publish_and_prepare(self) -> None:
        app = self._door.app
        self._loaded = None
        app.own()
        if doubt(app.ledger):
            return
        now = self.clock()
        self._loaded = app.loaded(now)
        library = library_of(self._loaded)
        done = app.publish(library, now)
        if done.changes:
            self._say(f"Published: {done.changes.changed} changed, {done.changes.new} new, {done.changes.gone} gone")
        if done.remarks != self._remarks:
            self._say(*told(done.remarks))
        self._remarks = done.remarks
        wrong = [error for cadence in app.rhythms if (error := self._prepare(cadence, library, now))]
        if wrong:
            raise wrong[0]

    def _prepare(self, cadence: Cadence, library: Library, now: datetime) -> NewsletterError | None:
        """Make what is due of one edition; what is wrong with it keeps the others from nothing."""
        app = self._door.app
        try:
            done = app.prepare(cadence, library, now, hand=by_clock(now))
        except NewsletterError as error:
            return error
        for made in done:
            if made.slot is None:
                continue
            self._say(*prepared_words(self._door, made, "just now"), *told(made.problems))
            if made.issue is None:
                line = LogEntry(now, "clock", "clock", "prepare", f"slot {made.slot.key}", "", "no issue", made.reason)
                app.ledger.log(line)
        return None

    def _tend(self) -> None:
        """What time does to readers, as far as it can be told what the time is."""
        app = self._door.app
        if not app.instance.doubt() and not doubt(app.ledger):
            self._say(*app.tend(self.clock()).lines)

    def _tell_of_posts(self) -> None:
        if self._loaded:
            self._door.app.tell_of_posts(self._loaded, self.clock())

    def _tell(self) -> None:
        """Events, at once: also those of a round that lasts, from the thread that gives signs of life."""
        if self._door.app.instance.doubt():  # its people hear of it, and nobody else
            self._sends = self._door.app.lock.acquire()
        done = self._telling.tell(self.clock, sends=self._sends)
        if done and done.trouble:
            self._door.app.tell_of_mail(done.trouble, self.clock())
            raise Outside(done.trouble)

    def _deliver(self) -> None:
        app = self._door.app
        app.own()
        self._sends = self._take_over()
        if not self._sends or self._rests():
            return
        self._holds = False  # unless all goes well: what a broken round left in doubt is settled by the next
        done = app.deliver(clock=self.clock, stop=self._stop)
        self._leave = done.drained.not_before
        if done.started or done.held or done.finished or done.drained.accepted:
            self._say(*delivered_words(self._door, done, "this round", self.clock()))
        self._note(done.drained.trouble)
        if done.drained.trouble:
            app.tell_of_mail(done.drained.trouble, self.clock())
        if trouble := [*([done.drained.trouble] if done.drained.trouble else []), *done.put_off]:
            raise Outside(trouble)
        self._holds = True

    def _note(self, trouble: Problem | None) -> None:
        """After a refusal that concerns everybody the next try is a while off, and ever longer."""
        if trouble is None or trouble.code not in REFUSALS:
            self._refused, self._not_before = 0, None
            return
        rest = min(_FIRST_REST * 2**self._refused, _LONGEST_REST)
        self._not_before = self.clock() + rest
        self._refused += 1
        self._say(f"The mail server refuses us: the next try is in {words.span(rest)}, or when work is started anew.")

    def _rests(self) -> bool:
        """Whether a rest goes on; one that is longer than the longest was begun before the clock was set back."""
        left = self._not_before - self.clock() if self._not_before else timedelta(0)
        return timedelta(0) < left <= _LONGEST_REST

    def _take_over(self) -> bool:
        """Whether this process may send: it holds the lock, or gets it now and settles what a crash left."""
        app = self._door.app
        self._holds = self._holds and app.lock.acquire()  # a lock that a server keeps may have been lost since
        if self._holds:
            return True
        if not app.lock.acquire():
            if not self._stands_by:
                self._say(f"Standing by: another process sends ({app.lock.holder()}).")
            self._stands_by = True
            return False
        self._stands_by = False
        if not self._letters_go:
            self._beside.enter_context(app.ahead(self.clock, self._tell_of_letters))
            self._letters_go = True
        uncertain = app.recover(self.clock())
        self._holds = True
        if uncertain:
            self._say(
                f"warn  {words.count(uncertain, 'delivery', 'deliveries')} broke off uncertain: newsletter status"
            )
        return True

    def _tell_of_letters(self, done: LettersDone) -> None:
        """From the thread that hands them over: what became of some, and trouble once."""
        self._say(*letters_words(done), *(told([done.trouble]) if done.trouble else ()))
        if done.trouble and done.trouble.code.startswith(_OF_MAIL):
            trouble = done.trouble
            self._try(lambda: self._door.app.tell_of_mail(trouble, self.clock()))

    def _back_up(self) -> None:
        """Nightly; in the process that sends, so that of several one does it."""
        app, now = self._door.app, self.clock()
        plan, zone = app.config.backup, app.config.site.timezone
        if not (self._sends and due(app.backups, plan.at, zone, now)):
            return
        try:
            made = app.backups.make(now, keep=plan.keep)
        except NewsletterError as error:
            app.desk.tell(no_backup(error.problems[0].message, now, app.config.site))
            raise
        self._say(f"Backed up: {made.file.name}, {words.size(made.size)}")

    def _say(self, *lines: str) -> None:
        stamp = f"{self.clock():%H:%M:%S}Z"
        self._door.say(*(f"{stamp}  {line}" for line in lines))

    def _say_once(self, lines: list[str]) -> None:
        """Trouble is told when it changes, not every thirty seconds."""
        if lines and tuple(lines) != self._said:
            self._say(*lines)
        self._said = tuple(lines)
