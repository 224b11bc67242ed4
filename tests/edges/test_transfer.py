"""A site moves from its SQLite file to PostgreSQL: all of it, compared, or nothing. Then the file is closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from newsletter.errors import ConfigError, Outside, Refused
from newsletter.model import WEEKLY, IssueState
from newsletter.store.database import Database, open_database
from newsletter.store.instance import Instance
from newsletter.store.ledger import SqlLedger
from newsletter.store.roster import SqlRoster
from newsletter.store.transfer import ahead, filled, transfer
from tests.contract.desk import FRIDAY, LINK, Desk, accepted, hashed, join
from tests.postgres import Server, empty


@pytest.fixture(scope="module")
def served(postgres: Server) -> Iterator[tuple[str, Database]]:
    with postgres.database() as url, closing(open_database(url)) as opened:
        yield url, opened


@pytest.fixture
def target(served: tuple[str, Database]) -> Database:
    empty(served[1])
    return served[1]


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Database]:
    """A site in the middle of a send, whose last reader was deleted."""
    with closing(open_database(f"sqlite:///{tmp_path}/newsletter.sqlite3")) as opened:
        desk = Desk(SqlLedger(opened), SqlRoster(opened, hashed))
        desk.join(3)
        desk.open(5, "a", "b")
        desk.ledger.start_send(WEEKLY, 1, now=FRIDAY)
        (chunk,) = desk.ledger.due_chunks(FRIDAY)
        claimed = desk.ledger.claim(chunk, limit=2, now=FRIDAY)
        desk.ledger.hand_over(chunk, settled=[], wanted=claimed, now=FRIDAY)
        desk.ledger.hand_over(chunk, settled=[accepted(claimed[0])], wanted=[], now=FRIDAY)
        desk.roster.ask("eve@readers.example", edition=WEEKLY, evidence=LINK, now=FRIDAY)
        eve = desk.roster.find("eve@readers.example")
        assert eve
        assert desk.roster.deny(eve.id, now=FRIDAY)
        yield opened


def quiet(_table: str, _rows: int) -> None:
    """Nobody is told."""


def test_all_that_was_there_is_there(source: Database, target: Database) -> None:
    before = SqlLedger(source)
    counts = transfer(source, target, quiet)
    assert counts["subscriber"] == 3
    assert counts["delivery"] == 3
    after = SqlLedger(target)
    assert after.issues() == before.issues()
    assert after.digest(WEEKLY, 1) == before.digest(WEEKLY, 1)
    assert after.counts(WEEKLY, 1) == before.counts(WEEKLY, 1)
    there, here = SqlRoster(target, hashed), SqlRoster(source, hashed)
    assert [*there.all()] == [*here.all()]


def test_the_send_goes_on_where_it_was(source: Database, target: Database) -> None:
    transfer(source, target, quiet)
    ledger = SqlLedger(target)
    assert ledger.recover(now=FRIDAY, resend=False) == 1
    (chunk,) = ledger.due_chunks(FRIDAY)
    (last,) = ledger.claim(chunk, limit=9, now=FRIDAY)
    ledger.hand_over(chunk, settled=[], wanted=[last], now=FRIDAY)
    ledger.hand_over(chunk, settled=[accepted(last)], wanted=[], now=FRIDAY)
    ledger.finish(WEEKLY, 1, now=FRIDAY)
    issue = ledger.issue(WEEKLY, 1)
    assert issue
    assert issue.state is IssueState.NEEDS_ATTENTION


def test_a_number_that_was_given_once_is_not_given_again(source: Database, target: Database) -> None:
    transfer(source, target, quiet)
    assert join(SqlRoster(target, hashed), "ben@readers.example").id == 5


def test_a_character_that_postgresql_does_not_keep_is_replaced(source: Database, target: Database) -> None:
    with source.write() as connection:
        connection.execute(text("UPDATE subscriber SET why = 'too' || char(0) || 'much' WHERE id = 1"))
    transfer(source, target, quiet)
    with target.read() as connection:
        assert connection.scalar(text("SELECT why FROM subscriber WHERE id = 1")) == "too\ufffdmuch"


def test_nothing_is_written_over(source: Database, target: Database) -> None:
    join(SqlRoster(target, hashed), "ada@elsewhere.example")
    with pytest.raises(Refused) as told:
        transfer(source, target, quiet)
    assert told.value.problems[0].code == "C521"
    join(SqlRoster(source, hashed), "ben@readers.example")  # the file is still in use


@pytest.fixture
def forgetful(target: Database) -> Iterator[Database]:
    """It loses the last word of a line."""
    with target.write() as connection:
        for statement in LOSES:
            connection.execute(text(statement))
    yield target
    with target.write() as connection:
        connection.execute(text("DROP FUNCTION lose CASCADE"))


LOSES = (
    "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.object = 'issue'; RETURN NEW; END $$",
    "CREATE TRIGGER lose BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION lose()",
)


def test_a_table_that_came_out_otherwise_stops_it_and_nothing_is_there(source: Database, forgetful: Database) -> None:
    with pytest.raises(Outside) as told:
        transfer(source, forgetful, quiet)
    assert told.value.problems[0].code == "C522"
    assert "table log" in told.value.problems[0].message
    with forgetful.read() as connection:
        assert not filled(connection)
    join(SqlRoster(source, hashed), "ben@readers.example")


def test_the_file_refuses_whoever_has_it_open_and_whoever_opens_it(source: Database, target: Database) -> None:
    transfer(source, target, quiet)
    with pytest.raises(Outside) as late:
        SqlRoster(source, hashed).ask("late@readers.example", edition=WEEKLY, evidence=LINK, now=FRIDAY)
    with pytest.raises(ConfigError) as again:
        open_database(f"sqlite:///{source.place}")
    assert (late.value.problems[0].code, again.value.problems[0].code) == ("C523", "C523")


def test_looking_ahead_changes_nothing(source: Database, postgres: Server) -> None:
    with postgres.database() as url:
        assert ahead(source, url)["subscriber"] == 3
        with closing(open_database(url)) as made:  # its schema is made only now
            join(SqlRoster(made, hashed), "ada@elsewhere.example")
        with pytest.raises(Refused):
            ahead(source, url)
    with pytest.raises(ConfigError):
        ahead(source, f"sqlite:///{source.place}")


def test_the_new_database_is_the_site_and_the_file_would_be_a_copy(
    source: Database, target: Database, tmp_path: Path
) -> None:
    file = tmp_path / "instance.toml"
    assert Instance(file, source).doubt() == ""
    transfer(source, target, quiet)
    Instance(file, target).claim()
    assert "readers = 4" in file.read_text("utf-8")
    assert Instance(file, target).doubt() == ""
    assert Instance(file, source).doubt()
