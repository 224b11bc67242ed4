"""What every store of waivers promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from newsletter.model import WEEKLY, Waiver
from newsletter.store.database import Database
from newsletter.store.waivers import SqlWaivers

FIRST = Waiver(
    47, "I316", "The subject has 8 characters", "sha256:1", "ada", datetime(2026, 11, 26, 9, tzinfo=UTC), "so"
)


def test_a_waiver_comes_back_as_it_was_given_and_the_first_of_a_finding_stays(database: Database) -> None:
    waivers = SqlWaivers(database)
    second = replace(FIRST, code="I320", finding="Hard black")
    for waiver in (FIRST, second, replace(FIRST, who="ben", reason="me too")):
        waivers.add(WEEKLY, waiver)
    assert waivers.of(WEEKLY, 47) == [FIRST, second]


def test_the_waivers_of_another_issue_are_its_own(database: Database) -> None:
    waivers = SqlWaivers(database)
    waivers.add(WEEKLY, FIRST)
    assert waivers.of(WEEKLY, 48) == []
    assert waivers.of("monthly", 47) == []
