"""The schema: one, however it came about, and times that mean an instant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateIndex, CreateTable

from newsletter.store.database import REVISION, Database, open_database
from newsletter.store.migrate import known_revisions
from newsletter.store.tables import Instant, metadata

SCHEMA = text("SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/newsletter.sqlite3")
    yield opened
    opened.close()


def schema(connection: Connection) -> dict[str, str]:
    found = {name: re.sub(r"\s+", " ", sql).strip() for name, sql in connection.execute(SCHEMA)}
    found.pop("alembic_version", None)
    return found


def test_the_migrated_schema_is_the_schema(database: Database) -> None:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.connect() as fresh, database.read() as migrated:
        assert schema(migrated) == schema(fresh)
    engine.dispose()


def test_the_program_knows_its_newest_revision() -> None:
    assert known_revisions()[-1] == REVISION


def test_all_tables_are_strict_and_only_deliveries_have_no_row_id(database: Database) -> None:
    with database.read() as connection:
        rows = connection.execute(text("SELECT name, strict, wr FROM pragma_table_list WHERE schema = 'main'")).all()
    ours = {name: (strict, without_rowid) for name, strict, without_rowid in rows if name in metadata.tables}
    assert ours == {name: (1, int(name == "delivery")) for name in metadata.tables}


def test_the_same_tables_can_be_made_on_postgresql() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    made = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    indexes = [
        str(CreateIndex(each).compile(dialect=dialect)) for table in metadata.tables.values() for each in table.indexes
    ]
    assert "next_at BIGINT" in "".join(made)
    assert any(each.endswith("WHERE state = 'waiting'") for each in indexes)


READER = (
    "INSERT INTO subscriber (id, address, folded, status, edition, joined_at) "
    "VALUES (1, 'ada@readers.example', 'ada@readers.example', 'active', 'weekly', 0)"
)


@pytest.mark.parametrize("change", ["UPDATE {} SET id = 2", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["consent", "attempt", "log"])
def test_a_record_is_never_rewritten(database: Database, table: str, change: str) -> None:
    lines = {
        "consent": "(id, subscriber_id, at, kind, way) VALUES (1, 1, 0, 'joined', 'cli')",
        "attempt": "(id, issue_id, subscriber_id, at, outcome) VALUES (1, 1, 1, 0, 'accepted')",
        "log": "(id, at, who, channel, action, object) VALUES (1, 0, 'ada', 'cli', 'send', 'issue 1')",
    }
    with database.write() as connection:
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        connection.execute(text(READER))
        connection.execute(text(f"INSERT INTO {table} {lines[table]}"))
        with pytest.raises(IntegrityError, match=f"{table} is append-only"):
            connection.execute(text(change.format(table)))
        connection.rollback()


INSTANT, DIALECT = Instant(), sqlite.dialect()


@given(st.integers(-(10**15), 10**16), st.integers(-14 * 60, 14 * 60))
def test_an_instant_comes_back_to_the_millisecond_in_utc(microseconds: int, minutes_east: int) -> None:
    zone = timezone(timedelta(minutes=minutes_east))
    when = datetime(1970, 1, 1, tzinfo=UTC).astimezone(zone) + timedelta(microseconds=microseconds)
    back = INSTANT.process_result_value(INSTANT.process_bind_param(when, DIALECT), DIALECT)
    assert back
    assert back.tzinfo is UTC
    assert timedelta(0) <= when.astimezone(UTC) - back < timedelta(milliseconds=1)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        INSTANT.process_bind_param(datetime(2022, 2, 4, 8), DIALECT)  # noqa: DTZ001
