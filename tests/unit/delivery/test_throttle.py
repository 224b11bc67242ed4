"""How many a day may have, and over which days an issue is spread."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.throttle import Limits, Warmup, asks_for_less, over_days, slows
from newsletter.model import Outcome, Receipt

FRIDAY = date(2026, 11, 27)
warmups = st.builds(
    Warmup,
    start=st.integers(1, 5000),
    growth=st.floats(1.01, 10),
    since=st.just(FRIDAY),
    target=st.one_of(st.none(), st.integers(1, 10**6)),
)
caps = st.one_of(st.none(), st.integers(1, 10**6))


@given(warmups, st.integers(-10, 2000))
def test_a_warm_up_never_goes_back_and_never_past_its_target(warmup: Warmup, days: int) -> None:
    day = FRIDAY + timedelta(days=days)
    assert warmup.cap(day) <= warmup.cap(day + timedelta(days=1))
    assert warmup.target is None or warmup.cap(day) <= warmup.target
    assert warmup.cap(day) >= 1


@given(st.one_of(st.none(), warmups), caps, st.integers(0, 10**6), st.integers(0, 10**4))
def test_an_issue_that_is_spread_reaches_everybody_and_no_day_has_too_many(
    warmup: Warmup | None, per_day: int | None, readers: int, taken: int
) -> None:
    limits = Limits(per_day=per_day, warmup=warmup)
    days = over_days(readers, limits, FRIDAY, taken)
    for day, count in days:
        cap = limits.cap(day)
        assert count > 0
        assert cap is None or count + (taken if day == FRIDAY else 0) <= cap
    if (limits.cap(FRIDAY + timedelta(days=1500)) or 10**6) > 1000:  # else it takes more days than a plan has
        assert sum(count for _, count in days) == readers


def test_the_first_day_has_the_start_and_each_day_half_as_many_again() -> None:
    warmup = Warmup(500, 1.5, FRIDAY)
    assert [warmup.cap(FRIDAY + timedelta(days=n)) for n in (-1, 0, 1, 2)] == [500, 500, 750, 1125]
    assert over_days(1800, Limits(warmup=warmup), FRIDAY, 100) == [
        (FRIDAY, 400),
        (FRIDAY + timedelta(days=1), 750),
        (FRIDAY + timedelta(days=2), 650),
    ]


def test_the_lower_of_two_caps_holds_and_none_is_none() -> None:
    limits = Limits(per_day=600, warmup=Warmup(500, 2, FRIDAY))
    assert [limits.cap(FRIDAY + timedelta(days=n)) for n in (0, 1)] == [500, 600]
    assert Limits().cap(FRIDAY) is None


def test_a_day_begins_on_the_sites_wall() -> None:
    limits = Limits(zone=ZoneInfo("Europe/Madrid"))
    late = datetime(2026, 11, 27, 23, 30, tzinfo=UTC)
    assert limits.day(late) == date(2026, 11, 28)
    assert limits.tomorrow(late) == datetime(2026, 11, 28, 23, tzinfo=UTC)


def test_rates_are_told_by_key_as_time_between_two() -> None:
    limits = Limits(relays={"main": 50.0}, groups={"gmail": 0.5})
    assert limits.usual("relay:main") == timedelta(milliseconds=20)
    assert limits.usual("group:gmail") == timedelta(seconds=2)
    assert limits.usual("group:yahoo") is None
    assert Limits(groups={"gmail": 9_999_999}).usual("group:gmail") == timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("code", "reply", "less"),
    [
        (421, "4.7.0 Try again later", True),
        (421, "too many connections", True),
        (451, "4.7.650 unusual rate of mail", True),
        (450, "4.2.1 mailbox is busy", False),
        (452, "4.2.2 mailbox full", False),
        (421, "4.3.2 shutting down", True),
        (None, "The mail server mail:25 broke off in the middle of a message: it was closed", False),
    ],
)
def test_who_asks_for_less(code: int | None, reply: str, less: bool) -> None:
    assert asks_for_less(Receipt(Outcome.DEFERRED, code, reply)) is less


def test_a_refusal_and_silence_ask_for_nothing() -> None:
    assert not asks_for_less(Receipt(Outcome.REFUSED, 550, "5.7.1 blocked"))
    assert not asks_for_less(Receipt(Outcome.UNKNOWN, None, "no answer"))
    assert not asks_for_less(None)


@pytest.mark.parametrize(
    ("provider", "code", "slow"),
    [("gmail", 451, True), ("gmail", 421, True), ("other", 451, False), ("other", 421, True)],
)
def test_of_the_many_servers_behind_other_none_speaks_for_the_rest(provider: str, code: int, slow: bool) -> None:
    assert slows(provider, Receipt(Outcome.DEFERRED, code, "4.7.1 too fast")) is slow
