"""Slots of a weekly or monthly rhythm, right through every clock change.

A slot is a wall-clock time in a period: a week, named by the ISO week of its local date, or a month. Each period has
exactly one: a time that the clocks skip is shifted forward by what they skipped, a time that they repeat counts the
first time (PEP 495, `fold=0`). Nothing is stepped in seconds or cron fields, so nothing can be skipped or doubled.
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
from newsletter.model import EACH_POST, MONTHLY, WEEKLY, Cadence, Slot

_WEEK = timedelta(weeks=1)
_RHYTHM = re.compile(r"(\w+) ((?:[01]\d|2[0-3]):[0-5]\d)(?: ([\w/+-]+))?", re.ASCII)
_WEEK_KEY = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)
_MONTH_KEY = re.compile(r"(\d{4})-M(\d{2})", re.ASCII)


EACH = "post:"
"""How the key of a slot of a single Post begins."""


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
    """The slot of a week such as `2026-W48`, or of a month such as `2026-M12`. Raises UsageError (I101)."""
    match = (_MONTH_KEY if cadence.nth else _WEEK_KEY).fullmatch(key)
    try:
        if match is None:
            raise ValueError(key)  # noqa: TRY301 - one refusal for both kinds of wrong key
        year, n = int(match[1]), int(match[2])
        first = date(year, n, 1) if cadence.nth else date.fromisocalendar(year, n, 1)
    except ValueError:
        raise UsageError(_unknown(cadence, key)) from None
    return _slot_in(cadence, first)


def edition_of(key: str) -> str:
    """Of which edition a slot is, by its key."""
    if key.startswith(EACH):
        return EACH_POST
    return MONTHLY if _MONTH_KEY.fullmatch(key) else WEEKLY


def slot_on(cadence: Cadence, day: date) -> Slot:
    """The slot of the period that holds `day`, a date on the cadence's wall calendar."""
    return _slot_in(cadence, _period(cadence, day))


def one_before(cadence: Cadence, slot: Slot) -> Slot:
    """The slot one period earlier."""
    return _slot_in(cadence, _later(cadence, _first_day(slot.key), -1))


def follows(cadence: Cadence, day: date, later: date) -> bool:
    """Whether a day is in the week (or month) after that of another one."""
    return _later(cadence, _period(cadence, day), 1) == _period(cadence, later)


def in_words(cadence: Cadence) -> str:
    """`Fridays 08:00 Madrid`, `the first Friday of the month, 08:00 Madrid`."""
    day, at = words.WEEKDAYS[cadence.weekday], f"{cadence.at:%H:%M} {words.zone_name(cadence.zone)}"
    if cadence.nth:
        return f"the {words.NTH[cadence.nth]} {day} of the month, {at}"
    return f"{day}s {at}"


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

    `(moved from …)` where somebody moved it; `(clocks changed)` when its distance to UTC differs from the one before,
    and where its wall time does not exist that day, what it became: `(08:00 becomes 09:00: clocks changed)`.
    """
    if slot.key in cadence.moved:
        return f"(moved from {words.moment(_on_the_wall(cadence, _first_day(slot.key)))})"
    if slot.local.time() != cadence.at:
        return f"({cadence.at:%H:%M} becomes {slot.local:%H:%M}: clocks changed)"
    changed = slot.local.utcoffset() != one_before(cadence, slot).local.utcoffset()
    return "(clocks changed)" if changed else ""


def _slots_from(cadence: Cadence, after: datetime) -> Iterator[Slot]:
    # A gap can carry a slot past midnight and so past its period: begin one early.
    first = _later(cadence, _period(cadence, after.astimezone(cadence.zone).date()), -1)
    every = (_slot_in(cadence, _later(cadence, first, n)) for n in count())
    return (slot for slot in every if slot.due > after)


def movable(cadence: Cadence, slot: Slot, to: datetime, now: datetime) -> Problem | None:
    """I113 unless `to` is still to come, and between the slots before and after: their order is that of their keys."""
    before, after = one_before(cadence, slot), _one_after(cadence, slot)
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


def _one_after(cadence: Cadence, slot: Slot) -> Slot:
    return _slot_in(cadence, _later(cadence, _first_day(slot.key), 1))


def _period(cadence: Cadence, day: date) -> date:
    """The first day of the week or month that holds a day."""
    return day.replace(day=1) if cadence.nth else day - timedelta(days=day.weekday())


def _later(cadence: Cadence, first: date, n: int) -> date:
    """The first day of the period that is `n` after the one that begins with `first`."""
    if not cadence.nth:
        return first + n * _WEEK
    year, month = divmod(first.year * 12 + first.month - 1 + n, 12)
    return date(year, month + 1, 1)


def _first_day(key: str) -> date:
    """Of the period that a key names."""
    year, n = int(key[:4]), int(key[6:])
    return date(year, n, 1) if _MONTH_KEY.fullmatch(key) else date.fromisocalendar(year, n, 1)


def _day(cadence: Cadence, first: date) -> date:
    """That of the slot in a period: the nth of its weekday in the month, or the last."""
    if not cadence.nth:
        return first + timedelta(days=cadence.weekday)
    begin = first if cadence.nth > 0 else _later(cadence, first, 1)
    weeks = cadence.nth - 1 if cadence.nth > 0 else -1
    return begin + timedelta(days=(cadence.weekday - begin.weekday()) % 7) + weeks * _WEEK


def _on_the_wall(cadence: Cadence, first: date) -> datetime:
    """When the slot of a period comes, if nobody moved it."""
    return datetime.combine(_day(cadence, first), cadence.at, tzinfo=cadence.zone)


def _key(cadence: Cadence, first: date) -> str:
    if cadence.nth:
        return f"{first.year:04}-M{first.month:02}"
    year, week, _ = first.isocalendar()
    return f"{year}-W{week:02d}"


def _slot_in(cadence: Cadence, first: date) -> Slot:
    key = _key(cadence, first)
    due = cadence.moved.get(key, _on_the_wall(cadence, first)).astimezone(UTC)
    return Slot(key, due, due.astimezone(cadence.zone))


def _unknown(cadence: Cadence, key: str) -> Problem:
    week = "A slot is named by its ISO week: a year of four digits, -W, and a week from 01 to 52 or 53."
    month = "A slot of this edition is named by its month: a year of four digits, -M, and a month from 01 to 12."
    return Problem(
        "I101",
        f"There is no {'month' if cadence.nth else 'week'} {key!r}",
        why=month if cadence.nth else week,
        fixes=("newsletter schedule next",),
    )
