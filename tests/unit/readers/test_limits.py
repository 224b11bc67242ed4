"""How often something may happen, whatever the order of who asks when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model import Limit, Wait
from newsletter.readers.limits import decide, key, network_of

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
pauses = st.lists(st.integers(0, 4000), max_size=60)
limits = st.builds(
    Limit, st.sampled_from(["one", "two"]), st.integers(1, 5), st.integers(1, 7200).map(lambda n: timedelta(seconds=n))
)


def let_through(some: list[Limit], steps: list[int]) -> list[datetime]:
    """When was what let through that came after these pauses, in seconds."""
    known: dict[str, datetime] = {}
    now, passed = NOON, []
    for step in steps:
        now += timedelta(seconds=step)
        decided = decide(some, known, now)
        if not isinstance(decided, Wait):
            known.update(decided)
            passed.append(now)
    return passed


@given(limits, pauses)
def test_never_more_than_the_burst_come_within_one_span(limit: Limit, steps: list[int]) -> None:
    passed = let_through([limit], steps)
    assert all(b - a >= limit.every for a, b in zip(passed, passed[limit.burst :], strict=False))


@given(limits, limits, pauses)
def test_of_several_limits_each_holds(one: Limit, other: Limit, steps: list[int]) -> None:
    both = [Limit("one", one.burst, one.every), Limit("two", other.burst, other.every)]
    passed = let_through(both, steps)
    for limit in both:
        assert all(b - a >= limit.every for a, b in zip(passed, passed[limit.burst :], strict=False))


@given(limits, st.integers(0, 10**9))
def test_a_clock_that_was_wrong_and_is_set_back_locks_nobody_out_for_longer_than_the_limit(
    limit: Limit, ahead: int
) -> None:
    decided = decide([limit], {limit.key: NOON + timedelta(seconds=ahead)}, NOON)
    if isinstance(decided, Wait):
        assert decided.until <= NOON + limit.every


@given(limits, pauses, st.integers(0, 4000))
def test_who_comes_back_when_told_to_is_let_through(limit: Limit, steps: list[int], more: int) -> None:
    known: dict[str, datetime] = {}
    now = NOON
    for step in [*steps, more]:
        now += timedelta(seconds=step)
        decided = decide([limit], known, now)
        if isinstance(decided, Wait):
            assert decided.until > now
            assert not isinstance(decide([limit], known, decided.until), Wait)
            assert isinstance(decide([limit], known, decided.until - timedelta(milliseconds=1)), Wait)
        else:
            known.update(decided)


def test_a_refusal_names_the_limit_that_says_no_longest() -> None:
    day, month = Limit("day", 1, 24 * HOUR), Limit("month", 1, 30 * 24 * HOUR)
    known = decide([day, month], {}, NOON)
    assert not isinstance(known, Wait)
    assert decide([day, month], known, NOON + HOUR) == Wait(month, NOON + month.every)


def test_what_is_full_again_may_be_forgotten() -> None:
    limit = Limit("one", 3, HOUR)
    known = decide([limit], {}, NOON)
    assert not isinstance(known, Wait)
    later = known["one"]
    assert decide([limit], known, later) == decide([limit], {}, later)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", ""),
        ("", ""),
        ("203.0.113.77:1234", ""),
    ],
)
def test_a_network_is_what_one_household_has(address: str, network: str) -> None:
    assert network_of(address) == network


def test_less_of_an_address_can_be_kept() -> None:
    assert network_of("2001:db8:1:2:3::4", v6=48) == "2001:db8:1::/48"


def test_a_key_holds_nothing_of_what_it_is_of() -> None:
    made = key("secret", "address", "ada@example.org")
    assert "ada" not in made
    assert made != key("other", "address", "ada@example.org")
    assert made != key("secret", "network", "ada@example.org")
