"""`schedule show | next | set | pause | resume | move`: when issues go out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from newsletter import words
from newsletter.cli.door import Door, Group, columns, command, moment_of
from newsletter.cli.naming import press_of
from newsletter.errors import Problem, UsageError
from newsletter.issues import cadence as cadences
from newsletter.model import ALL_SLOTS, Cadence, PlanKind, Slot, SlotPlan, issue_name
from newsletter.usecases import report
from newsletter.usecases import schedule as schedules

if TYPE_CHECKING:
    from newsletter.usecases.choose import Press
    from newsletter.usecases.report import Upcoming

_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done.")
_TABLE = {
    "show": ("newsletter.cli.schedule:show", "the rhythm, and what is paused"),
    "next": ("newsletter.cli.schedule:next_slots", "the next slots"),
    "set": ("newsletter.cli.schedule:set_rhythm", "another rhythm"),
    "pause": ("newsletter.cli.schedule:pause", "let a slot pass, or all"),
    "resume": ("newsletter.cli.schedule:resume", "take that back"),
    "move": ("newsletter.cli.schedule:move", "one slot at another time"),
}


@click.group("schedule", cls=Group, table=_TABLE)
def schedule() -> None:
    """When issues go out: see it, change it, pause it."""


def _press(door: Door, slot: str = "") -> Press:
    """What the slots of an edition need: of the one that `slot` is of."""
    return press_of(door, cadences.edition_of(slot))


@command("show")
def show(door: Door) -> None:
    """The rhythm in words, the next slot, and what is paused, moved or held.

    \b
    newsletter schedule show
    newsletter schedule show --json
    """
    door.remark_on_copy()
    app = door.app
    cadence = app.cadence
    others, plans = app.rhythms[1:], [plan for one in app.rhythms for plan in app.plans(one.edition)]
    slot = app.next_slot(door.now)
    lines = [
        f"Rhythm   {cadences.in_words(cadence)}",
        *(f"         {_singly(one) if one.singly else f'and {cadences.in_words(one)} (monthly)'}" for one in others),
        f"Late     a slot found more than {words.span(cadence.late_limit)} later is held, not sent",
        f"Next     {slot.key}, {words.when(slot.due, cadence.zone, door.now)}",
        *(f"{'Plans' if n == 0 else '':<8} {_plan_words(door, plan)}" for n, plan in enumerate(plans)),
    ]
    data = {
        "rhythm": cadences.in_words(cadence),
        "weekday": words.WEEKDAYS[cadence.weekday].lower(),
        "time": f"{cadence.at:%H:%M}",
        "timezone": str(cadence.zone),
        "late_limit_seconds": int(cadence.late_limit.total_seconds()),
        "next": {"slot": slot.key, "due": slot.due},
        "plans": [_plan_data(plan) for plan in plans],
        "others": {one.edition: None if one.singly else cadences.in_words(one) for one in others},
    }
    door.answer(data, *lines)


def _singly(cadence: Cadence) -> str:
    return f"and each post by itself, {words.span(cadence.delay)} after it comes out (each-post)"


def _plan_data(plan: SlotPlan) -> dict[str, object]:
    who = {"who": plan.hand.who, "at": plan.hand.at}
    return {"slot": plan.key, "plan": plan.kind.value, "moved_to": plan.moved_to, "reason": plan.reason} | who


def _plan_words(door: Door, plan: SlotPlan) -> str:
    zone = door.app.config.cadence.zone
    by = f" ({plan.hand.who}, {words.when(plan.hand.at, zone)})"
    reason = f": {plan.reason}" if plan.reason else ""
    what = {
        PlanKind.HOLD: f"slot {plan.key} is held",
        PlanKind.MOVE: f"slot {plan.key} comes {words.when(plan.moved_to, zone) if plan.moved_to else '–'}",
        PlanKind.PAUSE: "everything is paused",
        PlanKind.CLOCK: "the clock is in doubt",
    }[plan.kind]
    key = schedules.CLOCK if plan.kind is PlanKind.CLOCK else plan.key
    return f"{what}{reason}{by}: newsletter schedule resume {key}"


@command("next")
@click.option("--count", default=6, show_default=True, type=click.IntRange(1, 520), help="How many.")
def next_slots(door: Door, count: int) -> None:
    """The next slots in local time and UTC, with what the clocks do to them.

    \b
    newsletter schedule next
    newsletter schedule next --count 52 --json
    """
    door.remark_on_copy()
    app = door.app
    zone = app.config.cadence.zone
    rows = _rows(door, count)
    data = [
        {
            "slot": r.slot.key,
            "edition": cadences.edition_of(r.slot.key),
            "local": r.slot.local.isoformat(),
            "due": r.slot.due,
            "note": r.note,
            "state": _state(r),
        }
        for r in rows
    ]
    name = str(zone).rpartition("/")[2].replace("_", " ")
    utc = [f"{row.slot.due:%a} {row.slot.due.day} {row.slot.due:%H:%M}" for row in rows]
    table = [
        (row.slot.key, words.moment(row.slot.local), there, f"{_state(row) or '–'}  {row.note}")
        for row, there in zip(rows, utc, strict=True)
    ]
    standing = [_plan_words(door, plan) for plan in app.plans() if plan.key == ALL_SLOTS]
    standing += [_singly(cadence) for cadence in app.rhythms if cadence.singly]
    door.answer(data, *columns([("slot", f"local ({name})", "UTC", "state"), *table]), *standing)


def _state(row: Upcoming) -> str:
    """What has become of a slot to come, or will: `issue 12, sent early`, `issue 13, draft`."""
    from newsletter.cli.look import outcome_words

    if row.record is not None:
        early = " early" if row.issue and row.issue.started_at else ""
        return f"{outcome_words(row.record, row.issue)}{early}"
    held = f", {row.hold}" if row.hold else ""
    if not row.drafted:
        return row.hold
    return f"issue {issue_name(cadences.edition_of(row.slot.key), row.drafted)}, draft{held}"


def _rows(door: Door, count: int) -> list[Upcoming]:
    """The next slots of all editions that have a rhythm, by their time."""
    app = door.app
    rhythms = [cadence for cadence in app.rhythms if not cadence.singly]
    every = [report.upcoming(ledger=app.ledger, cadence=one, now=door.now, count=count) for one in rhythms]
    return sorted((row for rows in every for row in rows), key=lambda row: (row.slot.due, row.slot.key))[:count]


@command("set")
@click.argument("rhythm", metavar="RHYTHM")
@_dry_run
def set_rhythm(door: Door, rhythm: str, dry_run: bool) -> None:
    """Another weekday or time, in the words "fridays 08:00"; newsletter.toml is changed, its comments stay.

    \b
    newsletter schedule set "fridays 08:00"
    newsletter schedule set "tuesdays 17:30 Europe/Madrid" --dry-run
    """
    app = door.app
    wanted = cadences.parse(rhythm, app.cadence)
    press = _press(door)
    passed = schedules.passed_by(press, replace(press, cadence=wanted))
    if not dry_run:
        app.settings.set(
            "cadence",
            {"weekday": words.WEEKDAYS[wanted.weekday].lower(), "time": f"{wanted.at:%H:%M}"}
            | ({"timezone": str(wanted.zone)} if wanted.zone != app.cadence.zone else {}),
        )
        schedules.change(press, wanted, passed, hand=door.hand)
    slot = _next_of(press, replace(press, cadence=wanted), passed)
    verb = "Would go out" if dry_run else "Issues go out"
    door.answer(
        {"rhythm": cadences.in_words(wanted), "next": {"slot": slot.key, "due": slot.due}, "dry_run": dry_run},
        f"{verb} {cadences.in_words(wanted)}.",
        f"The next slot is {slot.key}, {words.when(slot.due, wanted.zone, door.now)}.",
        *(f"Slot {s.key} would have been {words.when(s.due, wanted.zone)}: it is skipped." for s in passed),
        *_kept(door, wanted),
    )


def _kept(door: Door, cadence: Cadence) -> list[str]:
    zone = door.app.config.cadence.zone
    return [
        f"{one.title} is made, and keeps its time: {words.when(one.slot.due, zone)}. "
        f"newsletter issue unready {one.name} lets it take the other"
        for one in door.app.issues(cadence.edition)
        if one.slot.due > door.now and report.keeps_its_time(one, cadence)
    ]


def _next_of(press: Press, after: Press, passed: tuple[Slot, ...]) -> Slot:
    from newsletter.usecases.choose import free_slot

    skipped = {slot.key for slot in passed}
    records = [record for record in press.ledger.slots(press.edition) if record.key not in skipped]
    return free_slot(after.cadence, records, press.now)


@command("pause")
@click.argument("slot", metavar="SLOT|all")
@click.option("--reason", default="", help="Why; kept in the log. Needed for all.")
@_dry_run
def pause(door: Door, slot: str, reason: str, dry_run: bool) -> None:
    """Let one slot pass, or all until they are resumed: no issue is made, stories wait. What is going goes on.

    \b
    newsletter schedule pause 2026-W52 --reason "holiday"
    newsletter schedule pause all --reason "we move house"
    """
    if slot == ALL_SLOTS and not reason:
        why = "A pause of everything is told to all, with its reason."
        fixes = ('newsletter schedule pause all --reason "…"',)
        raise UsageError(Problem("I116", "Pausing everything needs a --reason", why=why, fixes=fixes))
    press = _press(door, slot)
    if dry_run:
        found = None if slot == ALL_SLOTS else schedules.slot_to_come(press, slot)
    else:
        found = schedules.pause_slots(press, slot, reason=reason, hand=door.hand)
    verb = "would pass" if dry_run else "passes"
    what = f"Slot {slot} {verb} without an issue" if found else "Everything would be paused" if dry_run else _ALL
    door.answer(
        {"slot": slot, "reason": reason, "dry_run": dry_run},
        f"{what}.",
        f"Take it back: newsletter schedule resume {slot}",
    )


_ALL = "Everything is paused: slots pass without an issue, and only what a hand sends goes out"


@command("resume")
@click.argument("slot", metavar="SLOT|all|clock")
@_dry_run
def resume(door: Door, slot: str, dry_run: bool) -> None:
    """Take back what was decided about a slot (paused, held, moved), or all; or say that a doubted clock is right.

    \b
    newsletter schedule resume 2026-W52
    newsletter schedule resume clock
    """
    app = door.app
    if slot not in {ALL_SLOTS, schedules.CLOCK}:
        cadences.slot_for(app.rhythm_of(slot), slot)  # refuses what names no week
    undone = (
        schedules.decided(app.ledger, cadences.edition_of(slot), slot)
        if dry_run
        else schedules.resume_slots(_press(door, slot), slot, hand=door.hand)
    )
    names = {ALL_SLOTS: "all slots", schedules.CLOCK: "the clock"}
    nothing = f"Nothing was decided about {names.get(slot, f'slot {slot}')}."
    verb = "Would take" if dry_run else "Took"
    following = app.next_slot(door.now, cadences.edition_of(slot))
    door.answer(
        {"slot": slot, "undone": list(undone), "dry_run": dry_run},
        f"{verb} back: {', '.join(undone)}." if undone else nothing,
        f"The next slot is {following.key}, {words.when(following.due, app.config.cadence.zone, door.now)}.",
        *_kept(door, app.rhythm_of(slot)),
    )


@command("move")
@click.argument("slot", metavar="SLOT")
@click.argument("when", metavar="ISO-8601")
@_dry_run
def move(door: Door, slot: str, when: str, dry_run: bool) -> None:
    """Let one slot come at another time, once; the rhythm stays.

    \b
    newsletter schedule move 2026-W52 2026-12-23T08:00
    newsletter schedule move 2026-W52 2026-12-23T08:00 --dry-run
    """
    zone = door.app.config.cadence.zone
    to = moment_of(when, zone, timed=True)
    if to is None:
        fixes = (f"newsletter schedule move {slot} 2026-12-23T08:00",)
        raise UsageError(Problem("S313", f'"{when}" is not a date and time of ISO 8601', fixes=fixes))
    found = schedules.move_slot(_press(door, slot), slot, to, hand=door.hand, dry_run=dry_run)
    door.answer(
        {"slot": slot, "from": found.due, "to": to, "dry_run": dry_run},
        f"Slot {slot} {'would come' if dry_run else 'comes'} {words.when(to, zone, door.now)},",
        f"and not {words.when(found.due, zone)}. Take it back: newsletter schedule resume {slot}",
    )
