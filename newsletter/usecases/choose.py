"""library, ledger | what is due | which posts are in, which wait, which are out, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from newsletter.issues import selection
from newsletter.model import WEEKLY, Cadence, Library, Site, Slot
from newsletter.ports import Ledger

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True, slots=True)
class Press:
    """What making an issue needs; handed around as one."""

    library: Library
    ledger: Ledger
    cadence: Cadence
    site: Site
    templates: Environment
    sandbox: bool
    now: datetime


def due(press: Press) -> list[Slot]:
    """The slots that have passed without an outcome, oldest first."""
    started = press.ledger.started(WEEKLY, press.now)
    return selection.due(press.cadence, press.ledger.slots(WEEKLY), started, press.now)


def choose(press: Press) -> selection.Selection:
    """Every post of the library with why it is in or out of the next issue."""
    started = press.ledger.started(WEEKLY, press.now)
    start = selection.start(press.cadence, started)
    return selection.choose(press.library, press.ledger.carried(WEEKLY), start=start, now=press.now)
