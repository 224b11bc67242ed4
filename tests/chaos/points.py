"""A sender that ends exactly where a test wants it to: the real program, in whose ports somebody waits with a knife."""

from __future__ import annotations

import itertools
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from newsletter import config
from newsletter.app import App
from newsletter.model import Message, Receipt
from newsletter.store import audience
from newsletter.store.database import Database
from tests.chaos.alone import hand_out, without_pages

_TORN = 2000
"""Octets of a commit that reach the disk: less than its first page."""


@dataclass(frozen=True)
class Point:
    """The `nth` time (from 1) that a sender comes to a place, and the signal that it gets there.

    Places of its own: `before`, `in` and `after` a commit, and `answer`, when it has read what the server said. Places
    of its mail server: a stage of the conversation; at `DOT` the message is stored, at `DOT lost` it is not.
    """

    place: str
    nth: int
    signal: int = signal.SIGKILL
    of: str = ""  # only commits of this function of the store are counted

    @property
    def of_the_server(self) -> bool:
        return self.place.isupper() or self.place == "DOT lost"


def sender(root: Path, now: datetime, point: Point | None) -> None:
    """Hand out what is due; what the Point says happens on the way."""
    audience.BATCH, audience.CHUNK = 2, 2  # so that few readers are many commits
    if point and not point.of_the_server:
        _watch(point, root / "ended-at")
    with closing(App(config.load(root))) as app:
        without_pages(app)
        hand_out(app, now)


def _watch(point: Point, note: Path) -> None:
    if point.place == "answer":
        _watch_answers(point, note)
    else:
        _watch_commits(point, note)


def _watch_commits(point: Point, note: Path) -> None:
    begun = itertools.count(1)
    inner = Database.write

    @contextmanager
    def watched(self: Database) -> Iterator[Connection]:
        mine = 0
        with inner(self) as connection:
            yield connection
            mine = next(begun) if point.of in ("", _who()) else 0
            if mine == point.nth and point.place != "after":
                _end(point, note, _who(), self.file)
        if mine == point.nth and point.place == "after":
            _end(point, note, _who())

    Database.write = watched  # type: ignore[method-assign]


def _watch_answers(point: Point, note: Path) -> None:
    from newsletter.delivery.smtp import SmtpSession

    read = itertools.count(1)
    inner = SmtpSession.send

    def watched(self: SmtpSession, message: Message) -> Receipt:
        receipt = inner(self, message)
        if next(read) == point.nth:
            _end(point, note, "send")
        return receipt

    SmtpSession.send = watched  # type: ignore[method-assign]


def _end(point: Point, note: Path, who: str, file: Path | None = None) -> None:
    note.write_text(who)
    if point.place == "in" and file:
        _tear(file)
        return
    os.kill(os.getpid(), point.signal)


def _tear(file: Path) -> None:
    """The kernel ends this process while it writes the commit that follows."""
    log = Path(f"{file}-wal")
    size = log.stat().st_size if log.exists() else 0
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + _TORN, size + _TORN))


def _who() -> str:
    """What of the store was writing."""
    frame: Any = sys._getframe()
    while frame and ("newsletter/store/" not in frame.f_code.co_filename or "database.py" in frame.f_code.co_filename):
        frame = frame.f_back
    return frame.f_code.co_name if frame else "?"
