from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from newsletter.errors import Problem, stops, warnings
from newsletter.issues import waiving
from newsletter.model import Waiver

SHORT = Problem("I316", "The subject has 8 characters", level="warn")
HERE = Problem("P121", "The link text is only “here”", file="posts/a.md", line=7, level="warn")
STOP = Problem("I305", "The text part has no unsubscribe link")


def a_waiver(problem: Problem, reason: str = "meant so") -> Waiver:
    at = datetime(2026, 11, 26, 9, tzinfo=UTC)
    return Waiver(47, problem.code, waiving.finding(problem), "sha256:1", "review-desk", at, reason)


def test_a_waived_warning_says_who_let_it_pass_and_why() -> None:
    waved, other = waiving.applied([SHORT, HERE], [a_waiver(SHORT)])
    assert waved.waved == "review-desk: meant so"
    assert warnings([waved, other]) == (HERE,)


def test_an_edit_that_changes_what_is_found_voids_the_waiver() -> None:
    shorter = replace(SHORT, message="The subject has 7 characters")
    assert warnings(waiving.applied([shorter], [a_waiver(SHORT)])) == (shorter,)


def test_an_edit_above_it_in_the_file_does_not() -> None:
    moved = replace(HERE, line=9)
    elsewhere = replace(HERE, file="posts/b.md")
    assert warnings(waiving.applied([moved, elsewhere], [a_waiver(HERE)])) == (elsewhere,)


def test_a_stop_is_never_let_pass() -> None:
    assert stops(waiving.applied([STOP], [a_waiver(STOP)])) == (STOP,)
    refusal = waiving.may_wave("47", "I305", [STOP], "it is fine")
    assert refusal is not None
    assert refusal.code == "I345"


def test_only_what_was_found_is_waved_and_with_a_reason() -> None:
    assert waiving.may_wave("47", "I316", [SHORT, STOP], "meant so") is None
    for code, reason, expected in (("I317", "meant so", "I344"), ("I316", " ", "I343")):
        refusal = waiving.may_wave("47", code, [SHORT, STOP], reason)
        assert refusal is not None
        assert refusal.code == expected
