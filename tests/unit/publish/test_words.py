"""Dates and counts in words."""

from datetime import date

from newsletter.publish import words


def test_a_day_is_told_with_its_month_in_full() -> None:
    assert words.day(date(2022, 2, 8)) == "8 February 2022"


def test_a_weekday_comes_before_its_day() -> None:
    assert words.weekday(date(2022, 2, 11)) == "Friday 11 February 2022"
    assert words.weekday(date(2023, 12, 31)) == "Sunday 31 December 2023"


def test_a_count_agrees_with_its_noun_and_has_thousands_separators() -> None:
    assert words.count(1, "story") == "1 story"
    assert words.count(5, "story") == "5 stories"
    assert words.count(1284, "reader") == "1,284 readers"
