"""a site | one verified file of it, each night | a folder that is locked until somebody claims it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from newsletter.ports import Backups

_DAY = timedelta(days=1)


def due(backups: Backups, at: time | None, zone: ZoneInfo, now: datetime) -> bool:
    """Whether the last time of day `at` (wall clock; None: never) passed without a backup since."""
    if at is None:
        return False
    last = backups.last()
    return last is None or last < last_time(at, zone, now)


def last_time(at: time, zone: ZoneInfo, now: datetime) -> datetime:
    """When it was last `at` on the wall; a time that the clocks skip comes as much later (PEP 495, `fold=0`)."""
    today = datetime.combine(now.astimezone(zone).date(), at, tzinfo=zone).astimezone(UTC)
    if today <= now:
        return today
    yesterday = now.astimezone(zone).date() - _DAY
    return datetime.combine(yesterday, at, tzinfo=zone).astimezone(UTC)
