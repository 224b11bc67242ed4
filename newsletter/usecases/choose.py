"""library, ledger | what is due | which posts are in, which wait, which are out, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from newsletter.errors import Problem, Refused
from newsletter.issues import cadence as cadences
from newsletter.issues import selection
from newsletter.model import (
    ALL_SLOTS,
    USUAL,
    WEEKLY,
    Brief,
    Cadence,
    IssueState,
    Library,
    Site,
    Slot,
    SlotOutcome,
    SlotPlan,
    SlotRecord,
)
from newsletter.ports import Ledger, MailedPictures
from newsletter.usecases.inspect import Inspection

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
    inspection: Inspection
    now: datetime
    pictures: MailedPictures | None = None
    brief: Brief = USUAL  # for the next issue
    remarks: tuple[Problem, ...] = ()  # on the brief

    @property
    def edition(self) -> str:
        """Whose issues are made."""
        return self.cadence.edition


def standing(ledger: Ledger, edition: str) -> Sequence[SlotPlan]:
    """What was decided about slots of an edition; what is decided about all holds in every edition."""
    whole = [plan for plan in ledger.plans(WEEKLY) if plan.key == ALL_SLOTS]
    return [*(plan for plan in ledger.plans(edition) if plan.key != ALL_SLOTS), *whole]


def due(press: Press) -> list[Slot]:
    """The slots that have passed without an outcome, oldest first."""
    started = press.ledger.started(press.edition) or press.now
    return selection.due(press.cadence, press.ledger.slots(press.edition), started, press.now)


def free_slot(cadence: Cadence, records: Iterable[SlotRecord], now: datetime) -> Slot:
    """The next slot to come that has no outcome: an issue that was sent ahead has taken its own."""
    taken = {record.key for record in records}
    return next(slot for slot in cadences.next_slots(cadence, now, len(taken) + 1) if slot.key not in taken)


def as_of(cadence: Cadence, ledger: Ledger, now: datetime) -> datetime:
    """The time as of which an issue is made: the next slot's own once it is to be frozen, else now."""
    if ledger.started(cadence.edition) is None:
        return now
    slot = free_slot(cadence, ledger.slots(cadence.edition), now)
    return slot.due if cadences.freeze_at(cadence, slot) <= now else now


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next issue would stand in the rhythm."""

    slot: Slot
    earlier: tuple[Slot, ...]  # slots that were missed before it
    ahead: bool  # the slot is still to come


def place(press: Press) -> Place:
    """The slot of an issue that was held and is a draft again; the last that passed undecided; else the next free.

    Raises Refused (I120) where there is no rhythm.
    """
    records = press.ledger.slots(press.edition)
    draft = next((issue for issue in press.ledger.issues(press.edition) if issue.state is IssueState.DRAFT), None)
    if draft and any(record.issue_number == draft.number for record in records if record.key == draft.slot.key):
        return Place(draft.slot, (), ahead=False)
    return place_by_clock(press)


def place_by_clock(press: Press) -> Place:
    """Where the clock puts the next issue: at the last slot that passed undecided; else at the next free one.

    Raises Refused (I120) where there is no rhythm.
    """
    if press.cadence.singly:
        why = "Each post is made an issue by itself when it comes out; issue list shows those that are made."
        raise Refused(
            Problem("I120", "There is no next issue of this edition", why=why, fixes=("newsletter issue list",))
        )
    passed = due(press)
    if not passed:
        return Place(free_slot(press.cadence, press.ledger.slots(press.edition), press.now), (), ahead=True)
    *earlier, slot = passed
    return Place(slot, tuple(earlier), ahead=False)


def place_now(press: Press, start: datetime) -> Place:
    """Where an issue stands that a hand starts at `start`: as `place` says; but the slot of this week that was held,
    since no story was approved, is made up before the next one is taken.
    """
    where = place(press)
    missed = [
        record.key
        for record in press.ledger.slots(press.edition)
        if record.outcome is SlotOutcome.HELD
        and record.issue_number is None
        and press.now - timedelta(weeks=1) < record.due <= press.now
    ]
    if missed and where.ahead and start < where.slot.due:
        return Place(cadences.slot_for(press.cadence, missed[-1]), (), ahead=False)
    return where


def choose(press: Press) -> selection.Selection:
    """Every post of the library with why it is in or out of the next issue."""
    started = press.ledger.started(press.edition) or press.now
    start = press.ledger.posts_from(press.edition) or selection.start(press.cadence, started)
    return selection.choose(
        press.library, press.ledger.carried(press.edition), start=start, now=press.now, brief=press.brief
    )
