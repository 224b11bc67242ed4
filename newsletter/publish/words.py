"""Dates and counts in words, the same on every machine: no locale is asked."""

from __future__ import annotations

from datetime import date

# fmt: off
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")
# fmt: on
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def day(when: date) -> str:
    """`8 February 2022`, of a date or of a datetime's own wall clock."""
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def weekday(when: date) -> str:
    """`Friday 11 February 2022`."""
    return f"{_WEEKDAYS[when.weekday()]} {day(when)}"


def count(number: int, noun: str) -> str:
    """`1 story`, `5 stories`, `1,284 readers`."""
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number:,} {noun if number == 1 else plural}"
