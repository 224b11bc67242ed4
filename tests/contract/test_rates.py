"""What is remembered of how often things happened."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from newsletter.model import WEEKLY, Evidence, Limit, Wait
from newsletter.ports import Roster
from newsletter.readers.limits import decide
from newsletter.store.database import Database
from newsletter.store.rates import SqlRates
from newsletter.store.tables import SIGNUPS, consent, rate
from tests.contract.desk import FRIDAY, MINUTE

HOUR = timedelta(hours=1)
ONE, THREE = Limit("address:1", 1, HOUR), Limit("network:2", 3, HOUR)


@pytest.fixture
def rates(database: Database) -> SqlRates:
    return SqlRates(database, decide)


def test_a_limit_lets_its_burst_through_and_then_says_when(rates: SqlRates) -> None:
    assert [rates.take([THREE], FRIDAY) for _ in range(4)] == [None, None, None, Wait(THREE, FRIDAY + HOUR)]
    assert rates.take([THREE], FRIDAY + HOUR) is None


def test_where_one_of_several_says_no_none_is_counted(rates: SqlRates) -> None:
    rates.take([ONE], FRIDAY)
    assert rates.take([THREE, ONE], FRIDAY) == Wait(ONE, FRIDAY + HOUR)
    assert [rates.take([THREE], FRIDAY) for _ in range(3)] == [None] * 3


def test_twenty_at_once_are_counted_one_by_one(rates: SqlRates) -> None:
    answers: list[Wait | None] = []
    threads = [threading.Thread(target=lambda: answers.append(rates.take([THREE], FRIDAY))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(None) == 3


def test_rows_that_are_full_again_go(rates: SqlRates, database: Database) -> None:
    rates.take([ONE, THREE], FRIDAY)
    rates.take([Limit("address:other", 1, HOUR)], FRIDAY + HOUR)
    with database.read() as connection:
        assert connection.scalars(select(rate.c.key)).all() == ["address:other"]
    rates.purge(FRIDAY + 2 * HOUR)
    with database.read() as connection:
        assert connection.scalars(select(rate.c.key)).all() == []


def test_something_rests_until_a_time(rates: SqlRates) -> None:
    assert rates.held("intake", FRIDAY) is None
    rates.hold("intake", FRIDAY + HOUR)
    rates.hold("intake", FRIDAY + HOUR + MINUTE)
    assert rates.held("intake", FRIDAY + HOUR) == FRIDAY + HOUR + MINUTE
    assert rates.held("intake", FRIDAY + HOUR + MINUTE) is None


def test_the_usual_number_is_counted_of_pages_alone(rates: SqlRates, roster: Roster) -> None:
    for n, way in enumerate(["form", "embed", "import", "cli"]):
        roster.ask(f"r{n}@readers.example", edition=WEEKLY, evidence=Evidence(way), now=FRIDAY)
    assert rates.signups(FRIDAY) == 2
    assert rates.signups(FRIDAY + MINUTE) == 0


def test_sign_ups_are_counted_in_an_index(database: Database) -> None:
    asked = select(func.count()).select_from(consent).where(SIGNUPS, text("at >= 0"))
    with database.read() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if not sqlite:
            connection.execute(text("SET LOCAL enable_seqscan = off"))  # of no rows it would read all
        explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
        how = connection.execute(text(f"{explain} {asked.compile(compile_kwargs={'literal_binds': True})}"))
        assert "ix_consent_signups" in str(how.all())
