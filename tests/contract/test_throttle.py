"""How fast mail goes, over all who send together."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from newsletter.delivery.throttle import Limits
from newsletter.pace import CLEAN, SLOWEST, TOGETHER
from newsletter.ports import Throttle
from newsletter.store.database import Database
from newsletter.store.throttle import SqlThrottle
from newsletter.usecases.allowance import held_back
from tests.contract.desk import FRIDAY

SECOND = timedelta(seconds=1)
TWENTY = SECOND / 20  # a second


@pytest.fixture
def throttle(database: Database) -> Throttle:
    return SqlThrottle(database)


def test_a_second_is_leased_at_once_and_then_nothing_until_it_is_over(throttle: Throttle) -> None:
    first = throttle.take("relay:main", TWENTY, FRIDAY)
    assert (first.count, first.again, first.every) == (20, FRIDAY + SECOND, TWENTY)
    assert throttle.take("relay:main", TWENTY, FRIDAY).count == 0
    assert throttle.take("relay:main", TWENTY, FRIDAY + SECOND).count == 20


def test_two_who_send_share_what_one_may_have(database: Database) -> None:
    one, other = SqlThrottle(database), SqlThrottle(database)
    leased = [
        who.take("group:gmail", TWENTY, FRIDAY + step * SECOND / 4).count for step in range(40) for who in (one, other)
    ]
    assert 200 <= sum(leased) <= 220


def test_without_a_pace_there_is_nothing_to_lease(throttle: Throttle) -> None:
    assert throttle.take("group:gmail", None, FRIDAY).every is None
    assert throttle.slowed(FRIDAY + CLEAN * 13) == {}


def test_twenty_at_once_lease_no_more_than_one_would(throttle: Throttle) -> None:
    leased: list[int] = []
    threads = [
        threading.Thread(target=lambda: leased.append(throttle.take("relay:main", TWENTY, FRIDAY).count))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(leased) == 20


def test_who_asks_for_less_is_heard_by_all_and_forgotten_after_clean_minutes(throttle: Throttle) -> None:
    assert throttle.slow("group:gmail", TWENTY, FRIDAY) == 2 * TWENTY
    assert throttle.slow("group:gmail", TWENTY, FRIDAY + TOGETHER / 2) == 2 * TWENTY
    assert throttle.slowed(FRIDAY) == {"group:gmail": 2 * TWENTY}
    assert throttle.take("group:gmail", TWENTY, FRIDAY).count == 10
    later = FRIDAY + CLEAN * 3
    assert throttle.take("group:gmail", TWENTY, later).count == 13
    assert throttle.take("group:gmail", TWENTY, later + CLEAN * 10).count == 20
    assert throttle.slowed(FRIDAY + CLEAN * 13) == {}


def test_a_pace_that_was_asked_for_again_and_again_ends_at_one_a_minute(throttle: Throttle) -> None:
    for n in range(20):
        throttle.slow("group:gmail", TWENTY, FRIDAY + n * TOGETHER)
    assert throttle.slowed(FRIDAY + 19 * TOGETHER) == {"group:gmail": timedelta(minutes=1)}
    leave = throttle.take("group:gmail", None, FRIDAY + 20 * TOGETHER)
    assert leave.count == 1


def test_a_provider_is_told_of_as_slowed_no_longer_than_it_would_be(throttle: Throttle) -> None:
    throttle.slow("group:gmail", TWENTY, FRIDAY)
    for limits, clean, told in (
        (Limits(groups={"gmail": 20.0}), 8, False),
        (Limits(), 8, True),
        (Limits(), 200, False),
    ):
        assert ("gmail" in held_back(limits, throttle, FRIDAY + CLEAN * clean, None).slowed) is told


def test_at_the_slowest_pace_clean_minutes_count_from_when_it_was_asked_for_last(throttle: Throttle) -> None:
    throttle.slow("group:gmail", SLOWEST, FRIDAY)
    throttle.slow("group:gmail", SLOWEST, FRIDAY + CLEAN * 5)
    assert throttle.take("group:gmail", TWENTY, FRIDAY + CLEAN * 5.5).every == SLOWEST


def test_a_day_has_no_more_than_its_cap_and_what_is_given_back_it_has_still(throttle: Throttle) -> None:
    day = "day:2026-11-27"
    assert [throttle.take_of_day(day, 50, 120) for _ in range(4)] == [50, 50, 20, 0]
    throttle.give_back(day, 7)
    assert throttle.taken(day) == 113
    assert throttle.take_of_day(day, 50, 120) == 7
    assert throttle.take_of_day("day:2026-11-28", 50, 120) == 50
    assert throttle.take_of_day(day, 50, 60) == 0, "the cap was lowered meanwhile"
