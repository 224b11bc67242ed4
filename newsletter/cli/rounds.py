"""What `work` does each time the clock wakes it: publish, prepare, deliver, and say what came of it, once."""

from __future__ import annotations

import threading
from datetime import timedelta

from newsletter import words
from newsletter.cli.door import Door, told
from newsletter.cli.machine import delivered_words, prepared_words
from newsletter.errors import NewsletterError, Outside, Problem
from newsletter.model import WEEKLY, LogEntry
from newsletter.usecases.prepare import prepare


class Rounds:
    """The rounds of one `work` process. It sends only while it holds the sender lock; otherwise it stands by."""

    def __init__(self, door: Door, stop: threading.Event) -> None:
        self._door = door
        self._stop = stop
        self.clock = door.ticking_clock()
        self._holds = False
        self._said: tuple[str, ...] = ()
        self._remarks: tuple[Problem, ...] = ()

    def look(self) -> None:
        """One round. Trouble is told and left for the next round; nothing is lost by it."""
        app = self._door.app
        now = self.clock()
        trouble: list[str] = []
        for step in (self._publish_and_prepare, self._deliver):
            try:
                step()
            except NewsletterError as error:
                trouble += told(error.problems)
            except OSError as error:
                trouble.append(f"stop C901  {error}")
        self._tell(trouble)
        try:
            app.ledger.beat("work", now)
        except Outside as error:
            self._tell(list(told(error.problems)))

    def due_in(self) -> timedelta | None:
        """How long until something is due: a slot, a scheduled start, a retry."""
        app = self._door.app
        now = self.clock()
        times = [app.next_slot(now).due, app.ledger.next_retry()]
        times += [i.send_at for i in app.ledger.issues(WEEKLY) if i.send_at and i.started_at is None]
        return min((time - now for time in times if time and time > now), default=None)

    def _publish_and_prepare(self) -> None:
        app = self._door.app
        now = self.clock()
        library = app.library(now)
        done = app.publish(library, now)
        if done.changes:
            self._say(f"Published: {done.changes.changed} changed, {done.changes.new} new, {done.changes.gone} gone")
        if done.remarks != self._remarks:
            self._say(*told(done.remarks))
        self._remarks = done.remarks
        made = prepare(app.press(library, now))
        if made.slot is not None:
            self._say(*prepared_words(self._door, made, "just now"), *told(made.problems))
            state = made.issue.state.value if made.issue else "no issue"
            app.ledger.log(
                LogEntry(now, "clock", "clock", "prepare", f"slot {made.slot.key}", "", f"{state} {made.reason}")
            )

    def _deliver(self) -> None:
        app = self._door.app
        if not self._take_over():
            return
        done = app.deliver(clock=self.clock, stop=self._stop)
        if done.started or done.held or done.finished or done.drained.accepted:
            self._say(*delivered_words(self._door, done, "this round"))
        if done.drained.trouble:
            raise Outside(done.drained.trouble)

    def _take_over(self) -> bool:
        """Whether this process may send: it holds the lock, or gets it now and settles what a crash left."""
        app = self._door.app
        if self._holds:
            return True
        if not app.lock.acquire():
            self._tell([f"Standing by: another process sends ({app.lock.holder()})."])
            return False
        uncertain = app.recover(self.clock())
        self._holds = True
        if uncertain:
            self._say(
                f"warn  A crash left {words.count(uncertain, 'delivery', 'deliveries')} uncertain: newsletter status"
            )
        return True

    def _say(self, *lines: str) -> None:
        stamp = f"{self.clock():%H:%M:%S}Z"
        self._door.say(*(f"{stamp}  {line}" for line in lines))

    def _tell(self, lines: list[str]) -> None:
        """Trouble is told when it changes, not every thirty seconds."""
        if lines and tuple(lines) != self._said:
            self._say(*lines)
        self._said = tuple(lines)
