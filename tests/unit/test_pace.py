"""Leave by the second: whatever is asked when, no more goes than may, and a pace comes back by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.pace import CLEAN, FREE, SLOWEST, TOGETHER, block, full_again, halved, recovered, room

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
paces = st.integers(1_000, 60_000_000).map(lambda n: timedelta(microseconds=n))
asks = st.lists(st.tuples(st.integers(0, 5_000_000), st.integers(0, 50)), max_size=40)


@given(paces, asks)
def test_within_any_time_no_more_go_than_the_pace_and_one_block(every: timedelta, steps: list[tuple[int, int]]) -> None:
    limit, full_at, now = block("relay:main", every), None, NOON
    gone: list[datetime] = []
    for pause, wanted in steps:
        now += timedelta(microseconds=pause)
        count = min(wanted, room(limit, full_at, now))
        full_at = full_again(limit, full_at, now, count)
        gone += [now] * count
    for first in range(len(gone)):
        for last in range(first, len(gone)):
            assert last - first + 1 <= (gone[last] - gone[first]) / every + limit.burst + 1e-9


@given(paces)
def test_what_is_leased_at_once_is_a_seconds_worth_and_at_least_one(every: timedelta) -> None:
    limit = block("relay:main", every)
    count = room(limit, None, NOON)
    assert count == max(1, timedelta(seconds=1) // every)
    assert room(limit, full_again(limit, None, NOON, count), NOON) == 0


@given(paces, st.integers(0, 10**9))
def test_after_a_clock_that_was_wrong_leave_comes_back_within_one_block(every: timedelta, ahead: int) -> None:
    limit = block("relay:main", every)
    wrong = NOON + timedelta(seconds=ahead)
    assert room(limit, wrong, NOON + every * limit.burst) >= 0
    known = full_again(limit, wrong, NOON, 0)
    assert known <= NOON + every * limit.burst


def test_who_asks_for_less_gets_half_and_those_who_ask_together_ask_once() -> None:
    every = timedelta(milliseconds=50)
    assert halved(every, None, NOON) == timedelta(milliseconds=100)
    assert halved(every, NOON, NOON + TOGETHER / 2) == every
    assert halved(every, NOON, NOON + TOGETHER) == timedelta(milliseconds=100)
    assert halved(timedelta(seconds=45), None, NOON) == SLOWEST


def test_a_tenth_comes_back_for_each_clean_minute_until_it_is_as_usual() -> None:
    slow, usual = timedelta(milliseconds=100), timedelta(milliseconds=50)
    assert recovered(slow, NOON, NOON + CLEAN / 2, usual) == (slow, NOON)
    assert recovered(slow, NOON, NOON + CLEAN * 1.5, usual) == (slow / 1.1, NOON + CLEAN)
    assert recovered(slow, NOON, NOON + CLEAN * 8, usual) == (None, NOON + CLEAN * 8)


@pytest.mark.parametrize("days", [1, 6, 7, 365])
def test_whoever_asked_for_less_at_an_issue_gets_the_next_as_usual(days: int) -> None:
    assert recovered(SLOWEST, NOON, NOON + timedelta(days=days), None)[0] is None


def test_after_a_clock_that_was_wrong_clean_minutes_count_from_now() -> None:
    slow, ahead = timedelta(milliseconds=100), NOON + timedelta(days=365)
    assert recovered(slow, ahead, NOON, None) == (slow, NOON)


@given(paces, st.integers(0, 200), st.one_of(st.none(), paces))
def test_no_pace_gets_slower_by_waiting_and_each_ends(every: timedelta, minutes: int, usual: timedelta | None) -> None:
    now, _ = recovered(every, NOON, NOON + CLEAN * minutes, usual)
    assert now is None or (usual or FREE) < now <= every
    assert recovered(every, NOON, NOON + CLEAN * 200, usual)[0] is None
