from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter import words


def test_dates_are_whole_words_in_english() -> None:
    day = date(2026, 11, 7)
    assert words.full_date(day) == "Saturday 7 November 2026"
    assert words.long_date(day) == "7 November 2026"
    assert words.short_date(day) == "7 Nov 2026"
    assert words.moment(datetime(2026, 11, 7, 8, 5)) == "Sat 7 Nov 2026, 08:05"  # noqa: DTZ001 - a wall clock


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(hours=2), "2 h"),
        (timedelta(minutes=130, seconds=3), "2 h 10 min"),
        (timedelta(days=1, minutes=4), "1 day 4 min"),
        (timedelta(days=1460), "1,460 days"),
    ],
)
def test_a_span_is_told_in_its_two_largest_units(length: timedelta, text: str) -> None:
    assert words.span(length) == text


def test_a_number_has_its_noun_in_the_right_form() -> None:
    assert [words.stories(n) for n in (0, 1, 2)] == ["0 stories", "1 story", "2 stories"]
    assert words.count(1284, "reader") == "1,284 readers"


@given(st.text(max_size=200), st.integers(2, 80))
def test_a_shortened_text_fits_and_begins_like_the_whole(text: str, limit: int) -> None:
    short = words.shorten(text, limit)
    assert len(short) <= limit
    assert " ".join(text.split()).startswith(short.removesuffix("…"))


def test_a_text_is_cut_between_words() -> None:
    assert words.shorten("Ten brands and one bill", 16) == "Ten brands and…"
    assert words.shorten("Ten brands, one bill", 13) == "Ten brands…"
    assert words.shorten("Unbroken" * 4, 10) == "UnbrokenU…"
