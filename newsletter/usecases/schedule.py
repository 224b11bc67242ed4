"""slot | is it still to come | what a person decides about it: let it pass, move it, or take that back."""

from __future__ import annotations

from datetime import datetime

from newsletter import words
from newsletter.errors import Problem, Refused
from newsletter.issues import cadence as cadences
from newsletter.model import (
    ALL_SLOTS,
    WEEKLY,
    Cadence,
    Hand,
    LogEntry,
    PlanKind,
    Slot,
    SlotOutcome,
    SlotPlan,
    issue_name,
)
from newsletter.ports import Ledger
from newsletter.usecases.choose import Press, free_slot
from newsletter.usecases.life import skip_slot

CLOCK = "clock"
"""Names the doubt about the machine's clock, where a slot or ALL_SLOTS could be named."""


def kinds(key: str) -> frozenset[PlanKind]:
    """What may stand in the way of a slot, of all, or of the clock."""
    whole = {ALL_SLOTS: frozenset({PlanKind.PAUSE}), CLOCK: frozenset({PlanKind.CLOCK})}
    return whole.get(key, frozenset({PlanKind.HOLD, PlanKind.MOVE}))


def _stored(edition: str, key: str) -> tuple[str, str]:
    """Under which edition and key it is kept: what is decided about all slots stands with the edition always there."""
    return (WEEKLY, ALL_SLOTS) if key in {ALL_SLOTS, CLOCK} else (edition, key)


def pause_slots(press: Press, key: str, *, reason: str, hand: Hand) -> Slot | None:
    """Let a slot to come pass, or all (`all`) until they are resumed. Raises Refused (I114), UsageError (I101)."""
    if key == ALL_SLOTS:
        press.ledger.plan(WEEKLY, SlotPlan(key, PlanKind.PAUSE, hand, reason))
        press.ledger.log(LogEntry(hand.at, hand.who, hand.channel, "pause", "schedule", "", "paused", reason))
        return None
    slot = slot_to_come(press, key)
    skip_slot(
        press.ledger,
        press.edition,
        slot,
        reason=f"{reason} ({hand.who})" if reason else f"paused by {hand.who}",
        hand=hand,
    )
    return slot


def slot_to_come(press: Press, key: str) -> Slot:
    """The slot, if it is still to come and nothing became of it. Raises Refused (I114), UsageError (I101)."""
    slot = cadences.slot_for(press.cadence, key)
    record = next((record for record in press.ledger.slots(press.edition) if record.key == key), None)
    if record is None and slot.due > press.now:
        return slot
    name = issue_name(press.edition, record.issue_number) if record and record.issue_number else ""
    issue = f", issue {name}" if name else ""
    what = f"is {record.outcome.value}{issue}" if record else "has passed"
    fix = f"newsletter issue show {name}" if name else "newsletter schedule next"
    raise Refused(Problem("I114", f"Slot {key} {what}. Nothing was changed.", fixes=(fix,)))


def resume_slots(press: Press, key: str, *, hand: Hand) -> tuple[str, ...]:
    """Take back what was decided about a slot, or about all; in words, what that was. Raises UsageError (I101)."""
    ledger = press.ledger
    undone = [kind.value for kind in kinds(key) if ledger.unplan(*_stored(press.edition, key), kind)]
    if key not in {ALL_SLOTS, CLOCK}:
        ahead = cadences.slot_for(press.cadence, key).due > press.now
        if ahead and ledger.free_slot(press.edition, key):
            undone.append("pause")
    if undone:
        what = "schedule" if key == ALL_SLOTS else CLOCK if key == CLOCK else f"slot {key}"
        ledger.log(LogEntry(hand.at, hand.who, hand.channel, "resume", what, ", ".join(undone), ""))
    return tuple(undone)


def decided(ledger: Ledger, edition: str, key: str) -> tuple[str, ...]:
    """What `resume_slots` would take back, in words."""
    where, stored = _stored(edition, key)
    plans = [plan.kind.value for plan in ledger.plans(where) if plan.key == stored and plan.kind in kinds(key)]
    skipped = [r for r in ledger.slots(edition) if r.key == key and r.outcome is SlotOutcome.SKIPPED]
    return (*plans, *(["pause"] if skipped and not skipped[0].issue_number else []))


def change(press: Press, wanted: Cadence, passed: tuple[Slot, ...], *, hand: Hand) -> None:
    """Write down that the rhythm is another one; slots that it puts into the past are skipped."""
    before, after = cadences.in_words(press.cadence), cadences.in_words(wanted)
    press.ledger.start(press.edition, press.now)
    for slot in passed:
        skip_slot(press.ledger, press.edition, slot, reason=f"the rhythm changed: {before} → {after}", hand=hand)
    press.ledger.log(LogEntry(hand.at, hand.who, hand.channel, "set", "schedule", before, after))


def move_slot(press: Press, key: str, to: datetime, *, hand: Hand, dry_run: bool = False) -> Slot:
    """Let a slot come at another time, once. Raises Refused (I113, I114), UsageError (I101)."""
    slot = slot_to_come(press, key)
    if refusal := cadences.movable(press.cadence, slot, to, press.now):
        raise Refused(refusal)
    if not dry_run:
        press.ledger.plan(press.edition, SlotPlan(key, PlanKind.MOVE, hand, moved_to=to))
        before, after = (words.when(at, press.cadence.zone) for at in (slot.due, to))
        press.ledger.log(LogEntry(hand.at, hand.who, hand.channel, "move", f"slot {key}", before, after))
    return slot


def passed_by(before: Press, after: Press) -> tuple[Slot, ...]:
    """The slots that a change of the rhythm would make due at once, though they were never announced."""
    now = after.now
    taken = {record.key for record in after.ledger.slots(after.edition)}
    next_before = free_slot(before.cadence, before.ledger.slots(before.edition), now)
    this_week = cadences.slot_on(after.cadence, next_before.local.date())
    return (this_week,) if this_week.due <= now and this_week.key not in taken else ()
