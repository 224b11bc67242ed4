"""Whether 03/04 is in March or in April."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import NewsletterError
from newsletter.readers.importing.dates import Order, Sighting, moment
from tests.unit.readers.importing.walking import surveyed

D, M, I = Order.DAY_FIRST, Order.MONTH_FIRST, Order.ISO  # noqa: E741


@pytest.mark.parametrize(
    ("text", "order", "meant"),
    [
        ("2026-04-03", D, "2026-04-03T00:00:00Z"),
        ("2026-04-03 10:11:12", M, "2026-04-03T10:11:12Z"),
        ("2026-04-03T10:11:12.123Z", I, "2026-04-03T10:11:12Z"),
        ("2026-04-03T10:11:12+02:00", D, "2026-04-03T08:11:12Z"),
        ("2026-04-03 10:11:12.123456 +0200 CEST", D, "2026-04-03T08:11:12Z"),
        ("2026-04-03 10:11:12 UTC", D, "2026-04-03T10:11:12Z"),
        ("2026/04/03", M, "2026-04-03T00:00:00Z"),
        ("20260403", D, "2026-04-03T00:00:00Z"),
        ("03/04/2026", D, "2026-04-03T00:00:00Z"),
        ("03/04/2026", M, "2026-03-04T00:00:00Z"),
        ("3.4.2026", D, "2026-04-03T00:00:00Z"),
        ("3-4-26", D, "2026-04-03T00:00:00Z"),
        ("4/3/2026 1:05:09 PM", M, "2026-04-03T13:05:09Z"),
        ("4/3/2026, 12:05 AM", M, "2026-04-03T00:05:00Z"),
        ("03/04/2026 13:05", D, "2026-04-03T13:05:00Z"),
        ("Apr 3, 2026", D, "2026-04-03T00:00:00Z"),
        ("3 April 2026 10:00", M, "2026-04-03T00:00:00Z"),
        ("Fri, 3 Apr 2026 10:00:00 +0000", D, "2026-04-03T00:00:00Z"),
        ("1775174400", D, "2026-04-03T00:00:00Z"),
        ("1775174400123", D, "2026-04-03T00:00:00Z"),
    ],
)
def test_a_date_means_what_its_writer_meant(text: str, order: Order, meant: str) -> None:
    found = moment(text, order, UTC)
    assert found
    assert f"{found:%Y-%m-%dT%H:%M:%SZ}" == meant


@pytest.mark.parametrize(
    "text", ["soon", "31/02/2026", "0000-00-00", "1066-01-01", "12", "03/04/26/1", "never 3, 2026"]
)
def test_what_is_no_date_of_this_age_is_none(text: str) -> None:
    assert moment(text, D, UTC) is None


def test_only_iso_dates_are_read_where_that_was_said() -> None:
    assert moment("03/04/2026", I, UTC) is None
    assert moment("2026-04-03", I, UTC)


def test_a_date_without_a_zone_is_in_that_of_the_site() -> None:
    assert moment("2026-04-03", D, ZoneInfo("Europe/Madrid")) == datetime(2026, 4, 2, 22, tzinfo=UTC)


def order_of(*values: str) -> Order | None:
    sighting = Sighting()
    for n, value in enumerate(values):
        sighting.see(value, n)
    return sighting.order


def test_the_whole_column_says_which_is_the_day() -> None:
    assert order_of("03/04/2026", "27/11/2025") is D
    assert order_of("03/04/2026", "11/27/2025") is M
    assert order_of("03.04.2026") is D  # nobody puts the month first with dots
    assert order_of("2026-04-03", "04/04/2026") is D  # either way the same
    assert order_of("03/04/2026") is None
    assert order_of("27/11/2025", "11/27/2025") is None


@settings(max_examples=60)
@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=30), st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%m-%d-%y"]))
def test_a_column_is_read_as_it_was_written_or_not_at_all(days: list[int], form: str) -> None:
    meant = [datetime(1995, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in days]
    written = [f"{day:{form}}" for day in meant]
    order = order_of(*written)
    if order is not None:
        read = [moment(text, order, UTC) for text in written]
        assert [each and f"{each:%d %m %y}" for each in read] == [f"{day:%d %m %y}" for day in meant]


def test_dates_that_can_be_read_in_two_ways_are_refused_with_the_way_out() -> None:
    content = "email,joined\nada@readers.example,03/04/2026\n"
    with pytest.raises(NewsletterError) as refusal:
        surveyed(content)
    problem = refusal.value.problems[0]
    assert problem.code == "R127"
    assert "row 2 is 03/04/2026" in problem.why
    assert "--dates day-first" in problem.fixes[0]
    joined = surveyed(content, dates=Order.MONTH_FIRST)[1][0].joined
    assert joined
    assert joined.month == 3


def test_dates_in_two_ways_are_refused_with_both_rows() -> None:
    with pytest.raises(NewsletterError) as refusal:
        surveyed("email,joined\nada@readers.example,27/11/2025\nbob@readers.example,11/27/2025\n")
    assert "row 2" in refusal.value.problems[0].why
    assert "row 3" in refusal.value.problems[0].why


def test_one_column_says_it_for_the_others() -> None:
    entries = surveyed("email,joined,left\nada@readers.example,03/04/2026,27/11/2026\n")[1]
    assert entries[0].joined == datetime(2026, 4, 3, tzinfo=UTC)
