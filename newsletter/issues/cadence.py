"""Slots of a weekly rhythm, right through every clock change.

A slot is a wall-clock time in a week, named by the ISO week of its local date. Each week has exactly one: a time
that the clocks skip is shifted forward by what they skipped, a time that they repeat counts the first time
(PEP 495, `fold=0`). Nothing is stepped in seconds or cron fields, so nothing can be skipped or doubled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from newsletter import words
from newsletter.errors import Problem, UsageError, nearest
from newsletter.model import WEEKLY, Cadence, Slot

_WEEK = timedelta(weeks=1)
_RHYTHM = re.compile(r"(\w+) ((?:[01]\d|2[0-3]):[0-5]\d)(?: ([\w/+-]+))?", re.ASCII)
_KEY = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)


def slots(cadence: Cadence, after: datetime, until: datetime) -> Iterator[Slot]:
    """The slots with `after` < due <= `until`, oldest first; both are aware."""
    for slot in _slots_from(cadence, after):
        if slot.due > until:
            return
        yield slot


def next_slots(cadence: Cadence, after: datetime, count: int) -> list[Slot]:
    """The first `count` slots that are due later than `after`."""
    return list(islice(_slots_from(cadence, after), count))


def slot_for(cadence: Cadence, key: str) -> Slot:
    """The slot of a week such as `2026-W48`. Raises UsageError (I101) for a key that names no week."""
    match = _KEY.fullmatch(key)
    try:
        if match is None:
            raise ValueError(key)  # noqa: TRY301 - one refusal for both kinds of wrong key
        monday = date.fromisocalendar(int(match[1]), int(match[2]), 1)
    except ValueError:
        raise UsageError(_unknown_week(key)) from None
    return _slot_in_week(cadence, monday)


def edition_of(key: str) -> str:  # noqa: ARG001
    """Of which edition a slot is, by its key."""
    return WEEKLY


def slot_on(cadence: Cadence, day: date) -> Slot:
    """The slot of the ISO week that holds `day`, a date on the cadence's wall calendar."""
    return _slot_in_week(cadence, day - timedelta(days=day.weekday()))


def week_before(cadence: Cadence, slot: Slot) -> Slot:
    """The slot one week earlier."""
    return _slot_in_week(cadence, _monday(slot.key) - _WEEK)


def in_words(cadence: Cadence) -> str:
    """`Fridays 08:00 Madrid`."""
    zone = str(cadence.zone).rpartition("/")[2].replace("_", " ")
    return f"{words.WEEKDAYS[cadence.weekday]}s {cadence.at:%H:%M} {zone}"


def parse(text: str, cadence: Cadence) -> Cadence:
    """`fridays 08:00`, or with a zone behind it, as another rhythm. Raises UsageError (I115)."""
    match = _RHYTHM.fullmatch(" ".join(text.split()))
    days = [day.lower() for day in words.WEEKDAYS]
    day = match[1].lower().removesuffix("s") if match else ""
    if match is None or day not in days:
        raise UsageError(_no_rhythm(text, nearest(day, days)))
    try:
        zone = ZoneInfo(match[3]) if match[3] else cadence.zone
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(_no_rhythm(text, None)) from None
    return replace(cadence, weekday=days.index(day), at=time.fromisoformat(match[2]), zone=zone)


def _no_rhythm(text: str, meant: str | None) -> Problem:
    return Problem(
        "I115",
        f'"{text}" is not a rhythm',
        why="It is a weekday, a time of day, and, where it differs, a time zone of the IANA list.",
        fixes=(f"Did you mean {meant}?",) if meant else ('newsletter schedule set "fridays 08:00"',),
    )


def preview_at(cadence: Cadence, slot: Slot) -> datetime:
    """When editors get the mail of a slot: a day before is the same hour of the day before, whatever the clocks do."""
    return (slot.local - cadence.preview).astimezone(UTC)


def freeze_at(cadence: Cadence, slot: Slot) -> datetime:
    """From when on nothing changes any more in what a slot sends."""
    return slot.due - cadence.freeze


def still_open(cadence: Cadence, key: str, now: datetime) -> bool:
    """Whether a slot could make its issue anew: from its freeze on, what is taken back stays taken back."""
    return freeze_at(cadence, slot_for(cadence, key)) > now


def clock_note(cadence: Cadence, slot: Slot) -> str:
    """What the clocks, or a person, did to a slot, in words; empty for most.

    `(moved from …)` where somebody moved it; `(clocks changed)` when its distance to UTC differs from the week before,
    and where its wall time does not exist that day, what it became: `(08:00 becomes 09:00: clocks changed)`.
    """
    if slot.key in cadence.moved:
        return f"(moved from {words.moment(_on_the_wall(cadence, slot.key))})"
    if slot.local.time() != cadence.at:
        return f"({cadence.at:%H:%M} becomes {slot.local:%H:%M}: clocks changed)"
    changed = slot.local.utcoffset() != week_before(cadence, slot).local.utcoffset()
    return "(clocks changed)" if changed else ""


def _slots_from(cadence: Cadence, after: datetime) -> Iterator[Slot]:
    local = after.astimezone(cadence.zone).date()
    # A gap can carry a slot past midnight and so past its week: begin one week early.
    monday = local - timedelta(days=local.weekday()) - _WEEK
    every = (_slot_in_week(cadence, monday + n * _WEEK) for n in count())
    return (slot for slot in every if slot.due > after)


def movable(cadence: Cadence, slot: Slot, to: datetime, now: datetime) -> Problem | None:
    """I113 unless `to` is still to come, and between the slots before and after: their order is that of their keys."""
    before, after = week_before(cadence, slot), _week_after(cadence, slot)
    if now < to and before.due < to < after.due:
        return None
    zone = cadence.zone
    return Problem(
        "I113",
        f"Slot {slot.key} cannot move to {words.when(to, zone)}",
        why=f"It must be still to come, after slot {before.key} ({words.when(before.due, zone)}) "
        f"and before slot {after.key} ({words.when(after.due, zone)}).",
        fixes=("newsletter schedule next",),
    )


def _week_after(cadence: Cadence, slot: Slot) -> Slot:
    return _slot_in_week(cadence, _monday(slot.key) + _WEEK)


def _monday(key: str) -> date:
    year, week = key.split("-W")
    return date.fromisocalendar(int(year), int(week), 1)


def _on_the_wall(cadence: Cadence, key: str) -> datetime:
    """When the slot of a week comes, if nobody moved it."""
    day = _monday(key) + timedelta(days=cadence.weekday)
    return datetime.combine(day, cadence.at, tzinfo=cadence.zone)


def _slot_in_week(cadence: Cadence, monday: date) -> Slot:
    year, week, _ = monday.isocalendar()
    key = f"{year}-W{week:02d}"
    due = cadence.moved.get(key, _on_the_wall(cadence, key)).astimezone(UTC)
    return Slot(key, due, due.astimezone(cadence.zone))


def _unknown_week(key: str) -> Problem:
    return Problem(
        "I101",
        f"There is no week {key!r}",
        why="A slot is named by its ISO week: a year of four digits, -W, and a week from 01 to 52 or 53.",
        fixes=("newsletter schedule next",),
    )
