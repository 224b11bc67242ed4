from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import UsageError
from newsletter.issues.cadence import clock_note, edition_of, next_slots, one_before, slot_for, slot_on, slots
from newsletter.model import EACH_POST, MONTHLY, WEEKLY, Cadence
from tests.builders import a_cadence

BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)


@cache
def clock_changes() -> tuple[tuple[str, datetime], ...]:
    """Every clock change of every zone from 2026 to 2028, zones with the same changes once."""
    seen: dict[tuple[tuple[datetime, timedelta], ...], str] = {}
    for name in sorted(available_timezones()):
        zone, found, at = ZoneInfo(name), [], BEGIN
        while at < END:
            later = at + timedelta(days=7)
            if offset(zone, at) != offset(zone, later):
                change = bisect(zone, at, later)
                found.append((change, offset(zone, change)))
            at = later
        seen.setdefault(tuple(found), name)
    return tuple((name, change) for changes, name in seen.items() for change, _ in changes)


def offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def bisect(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The first minute with the new offset."""
    old = offset(zone, low)
    while high - low > timedelta(minutes=1):
        middle = low + (high - low) // 2
        low, high = (middle, high) if offset(zone, middle) == old else (low, middle)
    return high.replace(second=0, microsecond=0)


def cadences_around(name: str, change: datetime) -> list[Cadence]:
    """Weekly rhythms at wall times before, inside and after the hour that a change skips or repeats."""
    zone = ZoneInfo(name)
    before = (change - timedelta(minutes=1)).astimezone(zone).replace(tzinfo=None)
    walls = [before + timedelta(minutes=minutes) for minutes in (-60, -30, 0, 1, 15, 31, 59, 61, 90, 121)]
    return [a_cadence(weekday=wall.weekday(), at=wall.time(), zone=zone) for wall in walls]


def test_slots_tile_time_through_every_clock_change_of_every_zone() -> None:
    changes = clock_changes()
    assert len(changes) > 60  # a database without changes would prove nothing
    for name, change in changes:
        for cadence in cadences_around(name, change):
            around = list(slots(cadence, change - timedelta(weeks=6), change + timedelta(weeks=6)))
            assert all(earlier.due < later.due for earlier, later in pairwise(around)), (name, cadence)
            mondays = [date.fromisocalendar(int(s.key[:4]), int(s.key[-2:]), 1) for s in around]
            assert all(later - earlier == timedelta(weeks=1) for earlier, later in pairwise(mondays)), (name, cadence)
            assert 11 <= len(around) <= 13
            moved = [slot.due for slot in around if slot.local.time() != cadence.at]
            near = [at for zone, at in changes if zone == name]
            assert all(any(at <= due <= at + timedelta(hours=2) for at in near) for due in moved), (name, cadence)


@given(
    zone=st.sampled_from(sorted(available_timezones())).map(ZoneInfo),
    weekday=st.integers(0, 6),
    at=st.times().map(lambda moment: moment.replace(second=0, microsecond=0, fold=0)),
    after=st.datetimes(datetime(2026, 1, 1), datetime(2028, 6, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    cut=st.timedeltas(timedelta(0), timedelta(weeks=20)),
)
def test_a_span_cut_anywhere_has_the_slots_of_its_two_parts(
    zone: ZoneInfo, weekday: int, at: time, after: datetime, cut: timedelta
) -> None:
    cadence = a_cadence(zone=zone, weekday=weekday, at=at)
    until = after + timedelta(weeks=20)
    whole = list(slots(cadence, after, until))
    assert whole == [*slots(cadence, after, after + cut), *slots(cadence, after + cut, until)]
    assert all(after < slot.due <= until for slot in whole)
    assert max(Counter(slot.key for slot in whole).values()) == 1
    assert [slot_for(cadence, slot.key) for slot in whole] == whole


def test_monthly_slots_tile_time_through_every_clock_change_of_every_zone() -> None:
    for name, change in clock_changes():
        for weekly in cadences_around(name, change)[::3]:
            for nth in (1, 4, -1):
                cadence = replace(weekly, edition=MONTHLY, nth=nth)
                around = list(slots(cadence, change - timedelta(days=100), change + timedelta(days=100)))
                assert all(earlier.due < later.due for earlier, later in pairwise(around)), (name, cadence)
                months = [int(slot.key[:4]) * 12 + int(slot.key[6:]) for slot in around]
                assert months == list(range(months[0], months[0] + len(months))), (name, cadence)
                assert 6 <= len(around) <= 7
                assert [slot_for(cadence, slot.key) for slot in around] == around


@pytest.mark.parametrize(("nth", "days"), [(1, (6, 4, 1)), (2, (13, 11, 8)), (4, (27, 25, 22)), (-1, (27, 25, 29))])
def test_a_monthly_slot_is_that_weekday_of_its_month(nth: int, days: tuple[int, int, int]) -> None:
    cadence = a_cadence(edition=MONTHLY, nth=nth)
    found = next_slots(cadence, datetime(2026, 11, 1, tzinfo=UTC), 3)
    assert [(slot.key, slot.local.day) for slot in found] == [
        ("2026-M11", days[0]),
        ("2026-M12", days[1]),
        ("2027-M01", days[2]),
    ]
    assert all(f"{slot.local:%A %H:%M}" == "Friday 08:00" for slot in found)
    assert one_before(cadence, found[2]) == found[1]


def test_a_key_says_of_which_edition_a_slot_is() -> None:
    assert [edition_of(key) for key in ("2026-W48", "2026-M12", "post:1f", "extra:3", "all")] == [
        WEEKLY,
        MONTHLY,
        EACH_POST,
        WEEKLY,
        WEEKLY,
    ]


@pytest.mark.parametrize("key", ["2026-M13", "2026-M00", "2026-W48", "2026-12"])
def test_a_key_that_names_no_month_is_refused(key: str) -> None:
    with pytest.raises(UsageError) as refused:
        slot_for(a_cadence(edition=MONTHLY, nth=1), key)
    assert refused.value.problems[0].code == "I101"


def test_a_time_that_the_clocks_skip_is_shifted_forward() -> None:
    cadence = a_cadence(weekday=6, at=time(2, 30), zone=ZoneInfo("Europe/Berlin"))
    slot = slot_for(cadence, "2026-W13")
    assert slot.due == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert f"{slot.local:%H:%M}" == "03:30"


def test_a_time_that_the_clocks_repeat_counts_the_first_time() -> None:
    cadence = a_cadence(weekday=6, at=time(2, 30), zone=ZoneInfo("Europe/Berlin"))
    assert slot_for(cadence, "2026-W43").due == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_slot_that_a_midnight_gap_moves_keeps_its_week() -> None:
    cadence = a_cadence(weekday=6, at=time(0), zone=ZoneInfo("America/Santiago"))
    slot = slot_for(cadence, "2026-W36")
    assert slot.key == "2026-W36"
    assert slot.local == datetime(2026, 9, 6, 1, tzinfo=cadence.zone)


def test_the_hour_on_the_wall_stays_when_the_distance_to_utc_changes() -> None:
    berlin = a_cadence(zone=ZoneInfo("Europe/Berlin"))
    march = next_slots(berlin, datetime(2026, 3, 24, tzinfo=UTC), 2)
    assert [slot.due.hour for slot in march] == [7, 6]
    assert [slot.local.hour for slot in march] == [8, 8]


def test_a_slot_is_named_by_the_iso_week_of_its_local_date() -> None:
    auckland = a_cadence(weekday=0, at=time(0, 30), zone=ZoneInfo("Pacific/Auckland"))
    slot = next_slots(auckland, datetime(2026, 1, 2, tzinfo=UTC), 1)[0]
    assert (slot.key, slot.due.date()) == ("2026-W02", date(2026, 1, 4))


def test_a_year_of_53_weeks_has_53_slots() -> None:
    keys = [slot.key for slot in slots(a_cadence(), BEGIN, datetime(2027, 1, 3, tzinfo=UTC))]
    assert (len(keys), keys[0], keys[-1]) == (53, "2026-W01", "2026-W53")


def test_the_slot_due_at_the_end_of_a_span_is_in_it_and_the_one_at_its_start_is_not() -> None:
    cadence = a_cadence()
    first, second = next_slots(cadence, BEGIN, 2)
    assert list(slots(cadence, first.due, second.due)) == [second]


def test_the_note_marks_the_first_slot_after_a_clock_change_and_no_other() -> None:
    madrid = a_cadence()
    notes = {slot.key: clock_note(madrid, slot) for slot in next_slots(madrid, datetime(2027, 3, 1, tzinfo=UTC), 8)}
    assert {key for key, note in notes.items() if note} == {"2027-W13"}
    assert notes["2027-W13"] == "(clocks changed)"


def test_the_note_says_what_a_skipped_time_becomes() -> None:
    cadence = a_cadence(weekday=6, at=time(2, 30), zone=ZoneInfo("Europe/Berlin"))
    assert clock_note(cadence, slot_for(cadence, "2026-W13")) == "(02:30 becomes 03:30: clocks changed)"


def test_the_slot_on_a_day_is_that_of_its_week() -> None:
    cadence = a_cadence()
    assert slot_on(cadence, date(2026, 11, 23)) == slot_on(cadence, date(2026, 11, 29)) == slot_for(cadence, "2026-W48")
    assert one_before(cadence, slot_for(cadence, "2026-W01")).key == "2025-W52"


@pytest.mark.parametrize("key", ["2026-W54", "2025-W53", "2026-W00", "2026-48", "next", "", "0000-W01", "２０２６-W48"])
def test_a_key_that_names_no_week_is_refused(key: str) -> None:
    with pytest.raises(UsageError) as refused:
        slot_for(a_cadence(), key)
    assert refused.value.problems[0].code == "I101"
