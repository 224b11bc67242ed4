"""A send as it is watched: what is told of it while it lasts, and the keys that pause and cancel it.

Whoever sends tells what was done (`heard`); whoever watches another process send reads it in the ledger (`read`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from newsletter import words
from newsletter.cli.live import Live, Pace, Standing, hears_keys, pace_words
from newsletter.delivery.progress import Progress
from newsletter.model import DeliveryState, Hand, Issue, IssueState
from newsletter.usecases import life
from newsletter.usecases import send as sends

if TYPE_CHECKING:
    from newsletter.cli.door import Door
    from newsletter.ports import Clock, Ledger

_ENDS = (DeliveryState.ACCEPTED, DeliveryState.FAILED, DeliveryState.UNCERTAIN, DeliveryState.DROPPED)
_OPEN = (DeliveryState.WAITING, DeliveryState.CLAIMED, DeliveryState.SENDING)


@dataclass(frozen=True, slots=True)
class Tally:
    """How the deliveries of what is being sent stand."""

    accepted: int = 0
    waiting: int = 0
    failed: int = 0
    uncertain: int = 0
    dropped: int = 0

    @property
    def ended(self) -> int:
        """Those that a mail server answered, or should have."""
        return self.accepted + self.failed + self.uncertain

    def after(self, done: Progress, since: Progress) -> Tally:
        """As it is when a drain did this since then."""
        news = {state.value: getattr(done, state.value) - getattr(since, state.value) for state in _ENDS}
        ends = {name: getattr(self, name) + count for name, count in news.items()}
        return Tally(**ends, waiting=max(0, self.waiting - sum(news.values())))


def tally(ledger: Ledger, issues: Sequence[Issue]) -> Tally:
    """What the ledger knows of these issues together."""
    counts = [ledger.counts(one.edition, one.number) for one in issues]
    ends = {state.value: sum(one.get(state, 0) for one in counts) for state in _ENDS}
    return Tally(**ends, waiting=sum(one.get(state, 0) for one in counts for state in _OPEN))


def tally_words(now: Tally) -> str:
    """`accepted 871 · waiting 409 · failed 3`; who left meanwhile and what did not happen are left out."""
    always = {"accepted": now.accepted, "waiting": now.waiting}
    sometimes = {"failed": now.failed, "uncertain": now.uncertain}
    shown = always | {name: count for name, count in sometimes.items() if count}
    return " · ".join(f"{name} {count:,}" for name, count in shown.items())


SOON = timedelta(seconds=2)
"""What a pace holds back for less is not worth a word: it is leased by the second."""


def obstacles(done: Progress, now: datetime, zone: tzinfo) -> list[str]:
    """`gmail goes on 08:15:03`, `backup rests`: what holds it back, beside the pace that it has."""
    said = [f"{one.name} {'is out' if one.out else 'rests'}" for one in done.relays]
    if done.not_before and done.not_before - now > SOON:
        kind, _, name = done.waits_for.partition(":")
        at, today = done.not_before.astimezone(zone), now.astimezone(zone).date()
        time_of_it = f"{at:%H:%M:%S}" if at.date() == today else words.moment(at)
        said.append(f"{'the number of a day is reached:' if kind == 'day' else name} goes on {time_of_it}")
    return said


def what_follows(done: Progress) -> str:
    """From the fault that is told."""
    out = [one.name for one in done.relays if one.out and one.fault == done.fault]
    return f"{out[0]} is out until this send ends." if out else "It is tried again."


@dataclass
class Watch:
    """What is told of the issues that are being sent from here, or from elsewhere."""

    door: Door
    clock: Clock
    issues: Sequence[Issue] = ()
    _pace: Pace = field(default_factory=Pace)
    _begun: tuple[Tally, Progress] | None = None
    _now: Tally | None = None
    _done: Progress = field(default_factory=Progress)
    _asked: bool = False  # whether `c` was pressed once

    def live(self, stop: threading.Event | None = None) -> AbstractContextManager[object]:
        """Tells it as long as the block lasts."""
        return Live(self.door, self.standing, self.pressed, stop or threading.Event())

    def heard(self, done: Progress) -> None:
        """What a drain did by now. It is called after every commit, so it only remembers."""
        if self._begun is None:
            self.issues = [one for one in self.door.app.ledger.issues() if one.state is IssueState.SENDING]
            self._begun = tally(self.door.app.ledger, self.issues), done
        self._now, self._done = self._begun[0].after(done, self._begun[1]), done

    def read(self) -> None:
        """What the ledger knows by now."""
        self._now = tally(self.door.app.ledger, self.issues)

    def standing(self) -> Standing | None:
        """For `Live`; None before anything is known."""
        now = self._now
        if now is None or not self.issues:
            return None
        rate = self._pace.at(time.monotonic(), now.ended)
        names = ", ".join(one.name for one in self.issues)
        pieces = [f"Sending {names}", tally_words(now), *pace_words(rate, now.waiting)]
        pieces += obstacles(self._done, self.clock(), self.door.app.config.site.timezone)
        return Standing([*pieces, *self._ways(now)], self._data(now, rate), self._done.fault, what_follows(self._done))

    def _ways(self, now: Tally) -> list[str]:
        if not hears_keys() or self.door.no_input:
            return []
        if self._asked:
            return [f"c again cancels for good: {words.count(now.waiting, 'reader')} would not get it"]
        return ["p pause  c cancel"]

    def _data(self, now: Tally, rate: float) -> Mapping[str, object]:
        counts = {name: getattr(now, name) for name in ("accepted", "waiting", "failed", "uncertain", "dropped")}
        return {
            "event": "progress",
            "issues": [{"edition": one.edition, "number": one.number} for one in self.issues],
            **counts,
            "per_second": round(rate, 1),
            "seconds_left": round(now.waiting / rate) if rate else None,
            "problem": self._done.fault.as_json() if self._done.fault else None,
            "relays": [{"name": one.name, "out": one.out, "problem": one.fault.as_json()} for one in self._done.relays],
            "not_before": self._done.not_before,
            "waits_for": self._done.waits_for,
        }

    # -- keys
    def pressed(self, key: str) -> list[str]:
        """`p` pauses; `c` cancels once it is pressed again. What was done, in words. Raises Refused, Outside."""
        asked, self._asked = self._asked, key == "c"
        hand = Hand(self.door.who, "cli", self.clock())
        if key == "p":
            return [_paused(self.door, one, hand) for one in self.issues]
        if key == "c" and asked:
            self._asked = False
            return [_cancelled(self.door, one, hand) for one in self.issues]
        return []


def _paused(door: Door, issue: Issue, hand: Hand) -> str:
    life.pause(door.app.ledger, issue.edition, issue.number, reason="", hand=hand)
    return f"{issue.title} is paused. It goes on with: newsletter issue resume {issue.name}"


def _cancelled(door: Door, issue: Issue, hand: Hand) -> str:
    app = door.app
    cadence = app.rhythm(issue.edition) if issue.edition in app.config.editions else None
    sends.cancel(app.ledger, issue, cadence, reason=f"cancelled by {hand.who}", hand=hand)
    return f"{issue.title} is cancelled; what is in flight ends. Who has it: newsletter issue report {issue.name}"
