"""Where a long command stands, told on stderr while it lasts: a live line on a terminal, a line every ten seconds
elsewhere, a JSON object a second with `--json`, and nothing with `-q`.

A thread tells it, so that the work only remembers how far it is. On a terminal it hears keys as well. What ends within
half a second is told by its answer alone.
"""

from __future__ import annotations

import json
import os
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from newsletter import words
from newsletter.cli.door import as_plain, told
from newsletter.errors import NewsletterError, Problem

if TYPE_CHECKING:
    from newsletter.cli.door import Door

LONG = 0.5
"""Seconds after which whoever waits wants to know why."""
BETWEEN = {"terminal": 0.25, "json": 1.0, "lines": 10.0}
"""Seconds from one look to the next."""
_WINDOW = 20.0
"""Seconds over which a pace is taken: shorter ones flicker, longer ones tell of what is past."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far it is: pieces of a line, and the same for a program."""

    pieces: Sequence[str]
    data: Mapping[str, object]
    fault: Problem | None = None  # what it fails with at present
    then: str = "It is tried again."  # what follows from that


class Pace:
    """How many in a second lately, and how long the rest takes at that."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, int]] = []

    def at(self, seconds: float, done: int) -> float:
        """Note that so many were done by then; how many a second that is, 0.0 before it can be told."""
        self._seen = [*(one for one in self._seen if seconds - one[0] <= _WINDOW), (seconds, done)]
        (began, first), length = self._seen[0], seconds - self._seen[0][0]
        return (done - first) / length if began < seconds else 0.0


def pace_words(rate: float, left: int) -> list[str]:
    """`8.1/s`, `about 50 s left`; nothing while it stands still."""
    if rate <= 0:
        return []
    told_rate = f"{rate:,.0f}/s" if rate >= 100 else f"{rate:,.1f}/s"
    return [told_rate, f"about {_roughly(left / rate)} left"] if left else [told_rate]


def _roughly(seconds: float) -> str:
    """To five seconds, or to the minute: what is said of the time to come is not better than that."""
    unit = 5 if seconds < 60 else 60
    return words.span(timedelta(seconds=max(unit, round(seconds / unit) * unit)))


def fitted(pieces: Sequence[str], width: int) -> list[str]:
    """Pieces side by side, in as few lines of at most `width` columns as that takes; no piece is cut."""
    lines: list[str] = []
    for piece in pieces:
        if lines and len(lines[-1]) + 3 + len(piece) <= width:
            lines[-1] += f"   {piece}"
        else:
            lines.append(piece)
    return lines


@dataclass
class Live:
    """Tells `standing` as long as the block lasts, but for what follows once `stop` is set: then the terminal is as it
    was, for whoever ends it the hard way. `key` hears what is pressed, and answers what is to be said about it.
    """

    door: Door
    standing: Callable[[], Standing | None]
    key: Callable[[str], Sequence[str]] | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="live", daemon=True)
        self._said: Problem | None = None

    def __enter__(self) -> Self:
        if not self.door.quiet:
            self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._ended.set()
        if self._thread.ident:
            self._thread.join()

    def _tell(self) -> None:
        if self._ended.wait(LONG):
            return
        if self.door.json:
            self._tell_lines(BETWEEN["json"])
        elif on_terminal():
            self._tell_terminal()
        else:
            self._tell_lines(BETWEEN["lines"])

    def _over(self) -> bool:
        return self._ended.is_set() or self.stop.is_set()

    # -- into a file
    def _tell_lines(self, between: float) -> None:
        """Every so many seconds; what goes wrong is told within one."""
        last = time.monotonic()
        while not self._ended.wait(min(between, 1.0)):
            now = self.standing()
            if now is None:
                continue
            self._warn(now, self.door.say)
            if time.monotonic() - last >= between:
                last = time.monotonic()
                self._say(now)

    def _say(self, now: Standing) -> None:
        self.door.say(json.dumps(now.data, ensure_ascii=False, default=as_plain) if self.door.json else line_of(now))

    def _warn(self, now: Standing, say: Callable[..., None]) -> None:
        if now.fault and now.fault != self._said and not self.door.json:
            say(*told([now.fault]), f"  {now.then}")
        self._said = now.fault

    # -- on a terminal
    def _tell_terminal(self) -> None:
        from rich.console import Console
        from rich.live import Live as Screen
        from rich.text import Text

        console = Console(stderr=True, highlight=False, no_color=self.door.plain or None)

        def say(*lines: str) -> None:
            for line in lines:
                console.print(Text.from_ansi(line), soft_wrap=True)

        screen = Screen(console=console, auto_refresh=False, transient=True)
        with keys(self.key is not None and not self.door.no_input) as pressed, screen:
            while not self._over():
                if now := self.standing():
                    self._warn(now, say)
                    screen.update(Text("\n".join(fitted(now.pieces, console.width))), refresh=True)
                self._hear(pressed(BETWEEN["terminal"], self._ended), say)
        if not self._ended.is_set():
            self.door.say(
                "Stopping: the messages in flight are finished first. Ctrl-C again would leave them uncertain."
            )

    def _hear(self, key: str, say: Callable[..., None]) -> None:
        if not key or self.key is None:
            return
        try:
            say(*self.key(key))
        except NewsletterError as error:  # too late for it, or the ledger is busy: it goes on
            say(*told(error.problems))


class Counting:
    """What is counted, told while it lasts: so many rows, or posts, done of so many."""

    def __init__(self, door: Door, noun: str) -> None:
        self._noun = noun
        self._live = Live(door, self._standing)
        self._pace = Pace()
        self._what = ""
        self.done = self.all = 0

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self._live.__exit__(*raised)

    def __call__(self, what: str, done: int, of: int = 0) -> None:
        if what != self._what:
            self._what, self._pace = what, Pace()
        self.done, self.all = done, of

    def _standing(self) -> Standing | None:
        what, done, of = self._what, self.done, self.all
        if not what:
            return None
        rate = self._pace.at(time.monotonic(), done)
        counted = f"{done:,} of {of:,} {self._noun}" if of else f"{done:,} {self._noun}"
        data = {"event": "progress", "doing": what.lower(), self._noun: done, "of": of or None}
        return Standing([f"{what} {counted}", *pace_words(rate, max(0, of - done))], data)


def line_of(now: Standing) -> str:
    return "   ".join(now.pieces)


def on_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in {"dumb", "unknown"}


def hears_keys() -> bool:
    """Whether keys can be heard one by one: where somebody sits, and the system can (it has termios)."""
    if not (on_terminal() and sys.stdin.isatty()):
        return False
    try:
        import termios  # noqa: F401
    except ImportError:
        return False
    return True


@contextmanager
def keys(wanted: bool) -> Iterator[Callable[[float, threading.Event], str]]:
    """Yields what waits for a key, so many seconds or until the event; the terminal is as it was afterwards."""
    if not (wanted and hears_keys()):
        yield _no_key
        return
    import termios
    import tty

    place = sys.stdin.fileno()
    before = termios.tcgetattr(place)
    tty.setcbreak(place)  # Ctrl-C stays a signal
    try:
        yield lambda seconds, _: os.read(place, 1).decode(errors="replace") if _ready(place, seconds) else ""
    finally:
        termios.tcsetattr(place, termios.TCSADRAIN, before)


def _no_key(seconds: float, ended: threading.Event) -> str:
    ended.wait(seconds)
    return ""


def _ready(place: int, seconds: float) -> bool:
    return bool(select.select([place], [], [], seconds)[0])
