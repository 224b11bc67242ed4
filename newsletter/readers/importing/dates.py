"""Dates as other programs write them; whether 03/04 is in March or in April is said by the whole column.

03/04/2026 alone can be read either way. A column in which one value is 27/11/2026 is day first throughout; one that
never says so is not guessed at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

_BASIC = 8  # digits of 20261127; longer numbers count seconds
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)

_NUMBERS = re.compile(
    r"(\d{1,2})([/.\-])(\d{1,2})\2(\d{4}|\d{2})(?:,?\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([ap])?\.?m?\.?)?\s*", re.I
)
_WORDS = re.compile(
    r"(?:[a-z]+,?\s+)?(?:(\d{1,2})\.?\s+([a-z]{3,9})\.?|([a-z]{3,9})\.?\s+(\d{1,2})),?\s+(\d{4})\b", re.I
)
_GO = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? ([+-]\d\d)(\d\d)(?: [A-Z]{3,4})?")
_UTC_NAMED = re.compile(r"\s*(?:UTC|GMT|Z)$")
_SLASHED = re.compile(r"\d{4}/\d\d?/\d\d?")
_SECONDS = re.compile(r"\d{10}(?:\d{3})?")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


class Order(StrEnum):
    """How dates are to be read."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"
    ISO = "iso"


@dataclass(slots=True)
class Sighting:
    """What a column says about the order of its dates."""

    day_first: tuple[int, str] | None = None  # row and text of the first value that can only be read so
    month_first: tuple[int, str] | None = None
    either: tuple[int, str] | None = None  # the first one that can be read both ways, and means different days
    unread: int = 0  # values that are no date in any order
    example: str = field(default="")

    def see(self, text: str, row: int) -> None:
        """Look at one value."""
        if text and not _iso(text):
            self._see(text, row)

    def _see(self, text: str, row: int) -> None:
        found = _NUMBERS.fullmatch(text)
        if not found:
            self.unread += _other(text, UTC) is None
            return
        first, second = int(found[1]), int(found[3])
        self.example = self.example or text
        if first > 12 >= second:
            self.day_first = self.day_first or (row, text)
        elif second > 12 >= first:
            self.month_first = self.month_first or (row, text)
        elif found[2] == "." and first <= 12:
            self.day_first = self.day_first or (row, text)  # with dots nobody puts the month first
        elif first != second:
            self.either = self.either or (row, text)

    @property
    def order(self) -> Order | None:
        """None when it cannot be told."""
        if self.day_first and self.month_first:
            return None
        if self.month_first:
            return Order.MONTH_FIRST
        return Order.DAY_FIRST if self.day_first or not self.either else None


def moment(text: str, order: Order, zone: tzinfo) -> datetime | None:
    """What a value means, in UTC, `zone` where it names none; None for what is no date, or none of this age."""
    found = _iso(text)
    if found is None and order is not Order.ISO:
        found = _numbers(text, order, zone) or _other(text, zone)
    if found is None:
        return None
    try:
        found = (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        return None
    return found if found >= _EARLIEST else None


def _iso(text: str) -> datetime | None:
    if text.isdigit() and len(text) != _BASIC:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _numbers(text: str, order: Order, zone: tzinfo) -> datetime | None:
    found = _NUMBERS.fullmatch(text)
    if not found:
        return None
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    day, month = (first, second) if order is Order.DAY_FIRST else (second, first)
    hour = int(found[5] or 0)
    if half := (found[8] or "").lower():
        hour = hour % 12 + (12 if half == "p" else 0)
    minute, second_ = int(found[6] or 0), int(found[7] or 0)
    try:
        return datetime(year + 2000 if year < 100 else year, month, day, hour, minute, second_, tzinfo=zone)
    except ValueError:
        return None


def _other(text: str, zone: tzinfo) -> datetime | None:
    """What no order is needed for: "27 Nov 2026", a zone behind a blank, seconds since 1970."""
    if _SECONDS.fullmatch(text):
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(text[:10]))
    if go := _GO.match(text):
        return _iso(f"{go[1]}{go[2]}:{go[3]}")
    if (bare := _UTC_NAMED.sub("", text)) != text:
        plain = _iso(bare)
        return plain.replace(tzinfo=UTC) if plain and not plain.tzinfo else plain
    if slashed := _SLASHED.match(text):
        year, month, day = map(int, slashed[0].split("/"))
        return _date(year, month, day, zone)
    return _worded(text, zone)


def _worded(text: str, zone: tzinfo) -> datetime | None:
    found = _WORDS.match(text)
    if not found:
        return None
    word = (found[2] or found[3]).lower()[:3]
    if word not in _MONTHS:
        return None
    return _date(int(found[5]), _MONTHS.index(word) + 1, int(found[1] or found[4]), zone)


def _date(year: int, month: int, day: int, zone: tzinfo) -> datetime | None:
    try:
        return datetime(year, month, day, tzinfo=zone)
    except ValueError:
        return None
