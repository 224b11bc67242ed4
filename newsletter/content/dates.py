"""Dates as people write them, and the words for them.

A date without a zone is on the site's clock, never on the machine's: at a clock change a time that does
not exist is shifted forward, and of a time that comes twice the first is meant (PEP 495, fold 0).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.tongue import Tongue

_WRITTEN = re.compile(r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)? ?([Zz]|[+-]\d\d:?\d\d)?)?")
_YEARS = range(1000, 9000)  # well inside of what every zone can be applied to


def read(text: str, zone: ZoneInfo) -> datetime | None:
    """`2022-02-01`, `2022-02-01 08:00` or with an offset, as UTC; None when it is none of these."""
    match = _WRITTEN.fullmatch(text)
    if not match:
        return None
    day, clock, offset = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}{(offset or '').upper()}")
    except ValueError:
        return None
    if moment.year not in _YEARS:
        return None
    return moment.replace(tzinfo=moment.tzinfo or zone).astimezone(UTC)


def when(then: date, now: date, tongue: Tongue) -> str:
    """How a post dated `now` speaks of the day of an older one.

    Counted in calendar weeks from Monday, as people do: on Monday the 7th, Friday the 4th was "last week". Up to
    "last week" the words can be a possessive too: `[[x|when]]'s article`.
    Beyond four weeks, and for a later day, it is the date in words.
    """
    weeks = (_monday(now) - _monday(then)).days // 7
    if then == now:
        return tongue.say("today")
    if weeks == 0 and then < now:
        return tongue.say("this week")
    told = {
        1: tongue.say("last week"),
        2: tongue.say("two weeks ago"),
        3: tongue.say("three weeks ago"),
        4: tongue.say("four weeks ago"),
    }
    return told.get(weeks) or tongue.long_date(then)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday()) if day.toordinal() > 7 else day
