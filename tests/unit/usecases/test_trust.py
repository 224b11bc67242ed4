"""A clock that jumps is in doubt until it is right again, or somebody says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from newsletter.model import ALL_SLOTS, WEEKLY, PlanKind
from newsletter.store.database import open_database
from newsletter.store.ledger import SqlLedger
from newsletter.usecases.trust import Trust, doubt
from tests.unit.usecases.world import WEDNESDAY, WEEK

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass
class Machine:
    """A wall clock that can be set, a steady one that cannot, and the process that compares them."""

    ledger: SqlLedger

    def __post_init__(self) -> None:
        self.wall, self.steady = WEDNESDAY, 0.0
        self.start()

    def start(self) -> None:
        self.trust = Trust(self.ledger, ZoneInfo("Europe/Madrid"), lambda: self.steady)

    def look(self, after: timedelta = MINUTE / 2, jump: timedelta = timedelta(0)) -> str:
        """Time passes, the wall clock is set, and the process looks; whether the clock is in doubt then."""
        self.steady += after.total_seconds()
        self.wall += after + jump
        self.trust.look(lambda: self.wall)
        self.ledger.beat("work", self.wall)
        plan = doubt(self.ledger)
        return plan.reason if plan else ""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    database = open_database(f"sqlite:///{tmp_path}/newsletter.sqlite3")
    yield Machine(SqlLedger(database))
    database.close()


def test_a_clock_that_goes_is_trusted_however_long_a_look_takes(machine: Machine) -> None:
    assert not any(machine.look(after) for after in (MINUTE, HOUR, WEEK, MINUTE))


def test_a_machine_that_slept_less_than_an_hour_or_whose_clock_is_set_right_is_trusted(machine: Machine) -> None:
    assert not any(machine.look(jump=jump) for jump in (MINUTE * 0, MINUTE * 59, -MINUTE / 2, -MINUTE / 2))


@pytest.mark.parametrize(
    ("jump", "told"),
    [
        (2 * HOUR, "jumped 2 h forward, to Wed 25 Nov 2026, 14:01"),
        (-2 * MINUTE, "jumped 2 min back, to Wed 25 Nov 2026, 11:59"),
    ],
)
def test_a_clock_that_jumps_is_in_doubt_until_it_is_back(machine: Machine, jump: timedelta, told: str) -> None:
    machine.look()
    assert told in machine.look(jump=jump)
    assert told in machine.look(after=HOUR)
    assert machine.look(jump=-jump) == ""
    assert [entry.action for entry in machine.ledger.entries()] == ["trust", "doubt"]


def test_a_person_may_say_that_it_is_right(machine: Machine) -> None:
    machine.look()
    assert machine.look(jump=WEEK)
    machine.ledger.unplan(WEEKLY, ALL_SLOTS, PlanKind.CLOCK)
    assert not any(machine.look() for _ in range(3))
    assert machine.look(jump=WEEK)


def test_a_start_before_the_last_sign_of_life_is_in_doubt_and_a_long_silence_is_not(machine: Machine) -> None:
    machine.look()
    machine.start()
    assert not machine.look(jump=WEEK)
    machine.start()
    assert "1 day" in machine.look(jump=timedelta(days=-1, minutes=-10))


@pytest.mark.parametrize("jump", [timedelta(days=2), timedelta(days=-2)])
def test_a_doubt_outlives_the_process_until_the_clock_is_right(machine: Machine, jump: timedelta) -> None:
    machine.look()
    assert machine.look(jump=jump)
    machine.start()
    assert machine.look()
    assert machine.look(after=HOUR)
    machine.start()
    assert machine.look(jump=-jump) == ""
