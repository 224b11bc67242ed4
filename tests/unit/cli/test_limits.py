"""What is said of limits before a send, and while mail is held back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from newsletter.cli.limits import days_words, held_lines, left_lines, rate_words, spread_lines
from newsletter.delivery.progress import Drained, RelayTrouble
from newsletter.errors import Problem
from newsletter.usecases.allowance import HeldBack, Spread

FRIDAY = date(2026, 11, 27)
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def spread(*counts: int, warms_up: bool = False, canary: timedelta | None = None, pace: float | None = None) -> Spread:
    return Spread(sum(counts), [(FRIDAY + n * DAY, count) for n, count in enumerate(counts)], warms_up, canary, pace)


def test_an_issue_of_two_days_names_both_and_of_more_the_last() -> None:
    assert days_words(spread(500, 300), FRIDAY) == "500 today, 300 tomorrow (mail.per_day)"
    told = days_words(spread(500, 750, 1125, 1687, 9, warms_up=True), FRIDAY)
    assert told == "500 today, 750 tomorrow, 1,125 Sun 29 Nov 2026, the rest until Tue 1 Dec 2026 (warm-up)"


def test_an_issue_of_one_day_says_how_long_if_that_can_be_told() -> None:
    assert spread_lines(spread(1284, pace=1.8), FRIDAY) == ["Takes    about 11 min 53 s, at 1.8 a second"]
    assert spread_lines(spread(1284), FRIDAY) == []
    first = spread_lines(spread(1284, pace=107.0, canary=timedelta(minutes=10)), FRIDAY)
    assert first == ["Takes    about 10 min 12 s, at 107.0 a second", "First    100 readers; all others 10 min later"]


def test_what_holds_mail_back_is_told_a_line_each_and_nothing_where_nothing_does() -> None:
    assert held_lines(HeldBack(), UTC, NOON) == []
    until = HeldBack(500, 500, NOON + timedelta(hours=12), {"gmail": timedelta(milliseconds=400)})
    assert held_lines(until, UTC, NOON) == [
        "500 of the 500 messages of today are gone; the rest goes on Sat 28 Nov 2026, 00:00 UTC, in 12 h",
        "gmail asked for less: it gets 2.5 a second, and a tenth more for each quiet minute",
    ]


def test_a_pace_is_told_by_the_second_or_by_the_minute() -> None:
    assert [rate_words(timedelta(seconds=s)) for s in (0.4, 1, 5, 60)] == [
        "2.5 a second",
        "1.0 a second",
        "12 a minute",
        "1 a minute",
    ]


def test_a_send_that_ends_for_today_says_when_it_goes_on_and_who_took_no_part() -> None:
    fault = Problem("S322", "refuses the user or the password")
    ended = Drained(
        not_before=NOON + timedelta(hours=12), waits_for="day:2026-11-27", relays=(RelayTrouble("second", fault, True),)
    )
    assert left_lines(ended, UTC, NOON) == [
        "The messages of today are gone: newsletter work (or deliver) goes on Sat 28 Nov 2026, 00:00 UTC, in 12 h.",
        "warn  Mail server second took no part: S322 refuses the user or the password",
    ]
    assert left_lines(Drained(trouble=fault, relays=ended.relays), UTC, NOON) == []
    away = Problem("S320", "cannot be reached")
    assert left_lines(Drained(trouble=away, relays=ended.relays), UTC, NOON) == [
        "warn  Mail server second took no part: S322 refuses the user or the password"
    ]
