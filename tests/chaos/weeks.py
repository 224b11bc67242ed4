"""One of several processes of one site in which a week takes a moment: it prepares, sends by hand and delivers."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from newsletter import config
from newsletter.app import App
from newsletter.errors import Refused
from newsletter.model import Hand
from newsletter.usecases import each_post, send
from newsletter.usecases.choose import Press, place
from newsletter.usecases.prepare import prepare

BEGIN = datetime(2026, 11, 25, 11, tzinfo=UTC)
POSTS = 40
"""One comes out each day from BEGIN on."""


def live(root: Path, seed: int, began: float, speed: float) -> None:
    """Work until killed. `speed` is days in a second since `began` (of `time.time`)."""
    chance = random.Random(seed)

    def clock() -> datetime:
        return BEGIN + timedelta(days=speed * (time.time() - began))

    with closing(App(config.load(root))) as app:
        app.publish = _nothing  # type: ignore[method-assign, assignment]
        library = app.library(BEGIN + timedelta(days=POSTS))
        while True:
            now = clock()
            coming = tuple(post for post in library.posts if post.published <= now)
            press = replace(app.press(replace(library, posts=coming), now), now=now)
            chance.choice([_prepare, _prepare, _send, _deliver])(app, press, clock)


def _nothing(*_: object, **__: object) -> None:
    return None


def _prepare(app: App, press: Press, _clock: Callable[[], datetime]) -> None:
    """Of every edition that is switched on."""
    for cadence in app.rhythms:
        of_edition = replace(press, cadence=cadence)
        if cadence.singly:
            each_post.prepare(of_edition, {})
        else:
            prepare(of_edition)


def _send(app: App, press: Press, _clock: Callable[[], datetime]) -> None:
    """By hand, this week's issue; often there is nothing, or another was faster."""
    if place(press).slot.due > press.now + timedelta(weeks=1):
        return
    try:
        plan = send.plan(press, app.roster, None)
        count, hand = plan.audience.readers, Hand("operator", "cli", press.now)
        send.send(press, plan, confirmed=count, delay=timedelta(0), at=None, hand=hand)
    except Refused:
        pass


def _deliver(app: App, _press: Press, clock: Callable[[], datetime]) -> None:
    if app.lock.acquire():
        app.recover(clock())
        app.deliver(clock=clock, stop=threading.Event())
        app.lock.release()
