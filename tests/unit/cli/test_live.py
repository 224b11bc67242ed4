"""What is told of a long command while it lasts."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.cli import live
from newsletter.cli.door import Door
from newsletter.cli.live import Live, Pace, Standing, fitted, pace_words
from newsletter.cli.sending import Tally, obstacles, tally_words, what_follows
from newsletter.delivery.progress import Progress, RelayTrouble
from newsletter.errors import Problem

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
PIECES = ["Sending 47", "accepted 871 · waiting 409 · failed 3", "8.1/s", "about 50 s left", "p pause  c cancel"]


def test_what_stands_side_by_side_takes_further_lines_on_a_narrow_terminal_and_no_piece_is_cut() -> None:
    assert len(fitted(PIECES, 120)) == 1
    assert fitted(PIECES, 80) == ["   ".join(PIECES[:4]), PIECES[4]]
    assert fitted(PIECES, 40) == ["Sending 47", PIECES[1], "8.1/s   about 50 s left", "p pause  c cancel"]
    assert all(len(line) <= 40 for line in fitted(PIECES, 40))


def test_a_pace_is_that_of_the_last_seconds() -> None:
    pace = Pace()
    assert pace.at(0.0, 0) == 0
    assert pace.at(10.0, 1000) == 100
    assert pace.at(30.0, 1200) == 10  # the first look is too long ago
    assert pace.at(60.0, 1200) == 0


def test_the_time_that_is_left_is_told_as_roughly_as_it_is_known() -> None:
    assert pace_words(8.1, 409) == ["8.1/s", "about 50 s left"]
    assert pace_words(5000.4, 999_000) == ["5,000/s", "about 3 min left"]
    assert pace_words(8.1, 0) == ["8.1/s"]
    assert pace_words(0, 409) == []


def test_a_tally_goes_on_from_what_was_there_before_the_drain_and_keeps_its_sum() -> None:
    begun = Tally(accepted=600, waiting=400, failed=2)
    now = begun.after(Progress(accepted=50, failed=1, uncertain=1, dropped=3, deferred=9), since=Progress(accepted=5))
    assert now == Tally(accepted=645, waiting=350, failed=3, uncertain=1, dropped=3)
    assert tally_words(now) == "accepted 645 · waiting 350 · failed 3 · uncertain 1"
    assert tally_words(begun) == "accepted 600 · waiting 400 · failed 2"


def test_what_holds_a_send_back_is_told_with_the_time_at_which_it_goes_on() -> None:
    slow = Progress(not_before=NOW + timedelta(seconds=30), waits_for="group:gmail")
    assert obstacles(slow, NOW, UTC) == ["gmail goes on 08:00:30"]
    day = Progress(not_before=NOW + timedelta(days=1), waits_for="day:2026-11-27")
    assert obstacles(day, NOW, UTC) == ["the number of a day is reached: goes on Sat 28 Nov 2026, 08:00"]
    assert obstacles(Progress(not_before=NOW + timedelta(seconds=1), waits_for="relay:a"), NOW, UTC) == []
    fault = Problem("S324", "it does not take mail now")
    troubled = Progress(relays=(RelayTrouble("a", fault, out=False), RelayTrouble("b", fault, out=True)))
    assert obstacles(troubled, NOW, UTC) == ["a rests", "b is out"]


def test_of_a_server_that_is_out_nobody_is_told_that_it_is_tried_again() -> None:
    away, refused = Problem("S320", "cannot be reached"), Problem("S322", "refuses the password")
    relays = (RelayTrouble("a", away, out=False), RelayTrouble("b", refused, out=True))
    assert what_follows(Progress(fault=away, relays=relays)) == "It is tried again."
    assert what_follows(Progress(fault=refused, relays=relays)) == "b is out until this send ends."


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LONG", 0.0)
    monkeypatch.setattr(live, "BETWEEN", {"json": 0.01, "lines": 0.01})


def _told(door: Door, capsys: pytest.CaptureFixture[str], fault: Problem | None = None) -> list[str]:
    """What stands on stderr after a while; there is no terminal."""
    looks: list[int] = []

    def standing() -> Standing:
        looks.append(1)
        return Standing(["Sending 47", "accepted 871"], {"event": "progress", "accepted": 871}, fault)

    with Live(door, standing):
        end = time.monotonic() + 10
        while len(looks) < 4 and not door.quiet and time.monotonic() < end:
            time.sleep(0.005)
    seen = capsys.readouterr()
    assert not seen.out
    return seen.err.splitlines()


@pytest.mark.usefixtures("_at_once")
def test_without_a_terminal_it_is_told_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert _told(Door(), capsys)[0] == "Sending 47   accepted 871"


@pytest.mark.usefixtures("_at_once")
def test_a_program_gets_an_object_in_each_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(_told(Door(json=True), capsys)[0]) == {"event": "progress", "accepted": 871}


@pytest.mark.usefixtures("_at_once")
def test_quiet_says_nothing_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert _told(Door(quiet=True), capsys) == []


@pytest.mark.usefixtures("_at_once")
def test_what_goes_wrong_is_told_once_as_long_as_it_lasts(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _told(Door(), capsys, Problem("S320", "The mail server hangs up", level="warn"))
    assert sum("S320" in line for line in lines) == 1
