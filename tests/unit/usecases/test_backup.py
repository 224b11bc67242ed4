"""When it is time for a backup."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from newsletter.model import Backup
from newsletter.usecases.backup import due, last_time

MADRID = ZoneInfo("Europe/Madrid")
AT = time(3)


class Made:
    def __init__(self, last: datetime | None) -> None:
        self._last = last

    def last(self) -> datetime | None:
        return self._last

    def make(self, now: datetime, *, keep: int) -> Backup:
        return Backup(Path(str(keep)), now, 0, {})


def local(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=MADRID).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "last", "is_due"),
    [
        (local(2026, 11, 27, 12), None, True),
        (local(2026, 11, 27, 12), local(2026, 11, 27, 3, 1), False),
        (local(2026, 11, 27, 2, 59), local(2026, 11, 26, 3, 1), False),
        (local(2026, 11, 27, 3), local(2026, 11, 26, 3, 1), True),
        (local(2026, 11, 27, 12), local(2026, 11, 20, 3, 1), True),
        (local(2026, 11, 27, 12), local(2026, 11, 27, 2), True),
    ],
)
def test_one_is_due_once_the_hour_has_passed_without_one(now: datetime, last: datetime | None, is_due: bool) -> None:
    assert due(Made(last), AT, MADRID, now) is is_due


def test_none_is_due_where_nobody_wants_any() -> None:
    assert not due(Made(None), None, MADRID, local(2026, 11, 27, 12))


@pytest.mark.parametrize("day", [(2026, 3, 29), (2026, 10, 25), (2026, 11, 27)])
def test_there_is_one_each_night_also_when_the_clocks_change(day: tuple[int, int, int]) -> None:
    begin = local(*day, 0)
    nights = {last_time(time(2, 30), MADRID, begin + timedelta(minutes=10 * n)) for n in range(6 * 24)}
    assert len(nights) == 2
    assert max(nights) - min(nights) <= timedelta(hours=25)
