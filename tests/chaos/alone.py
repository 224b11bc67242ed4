"""One sender: what `newsletter deliver` does, without the pages, for processes that live for a moment."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import datetime
from pathlib import Path

from newsletter import config
from newsletter.app import App


def alone(root: Path, now: datetime) -> None:
    """Hand out what is due, in a process of its own."""
    with closing(App(config.load(root))) as app:
        without_pages(app)
        hand_out(app, now)


def without_pages(app: App) -> None:
    """What is published is not what is looked at here."""
    app.publish = lambda *_, **__: None  # type: ignore[method-assign,assignment]
    app._why_not = lambda *_: None  # type: ignore[method-assign]


def hand_out(app: App, now: datetime) -> None:
    assert app.lock.acquire()
    app.recover(now)
    with app.ahead(lambda: now, lambda _: None):
        app.deliver(clock=lambda: now, stop=threading.Event())


def hand_over(app: App, now: datetime) -> None:
    """Letters alone."""
    with app.ahead(lambda: now, lambda _: None):
        pass
