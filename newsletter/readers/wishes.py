"""What a reader asks for on the page of their preferences, as a value; and when a pause ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class Wishes:
    """How often, what, in which form, and whether nothing for a while."""

    edition: str
    without: tuple[str, ...]  # keys of topics
    plain: bool
    paused: bool
    until: datetime | None = None  # when the pause ends by itself; None for one without an end


def day_after(now: datetime, span: timedelta, zone: tzinfo) -> datetime:
    """The midnight with which the day begins that is so many days after today, on the calendar of the zone."""
    return datetime.combine(now.astimezone(zone).date() + span, time(), tzinfo=zone)
