"""A database of an earlier version, with rows in it, becomes one of this version and loses nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from newsletter.model import WEEKLY, ConsentKind, SubscriberStatus
from newsletter.store import migrate
from newsletter.store.database import open_database
from newsletter.store.ledger import SqlLedger
from newsletter.store.notices import SqlNotices
from newsletter.store.roster import SqlRoster
from tests.contract.desk import FRIDAY, LINK, hashed

OF_0003 = """
INSERT INTO subscriber (id, address, folded, status, edition, joined_at) VALUES
    (1, 'Ada@readers.example', 'ada@readers.example', 'active', 'weekly', 1000),
    (2, 'ben@readers.example', 'ben@readers.example', 'left', 'weekly', 2000),
    (7, 'eve@readers.example', 'eve@readers.example', 'unconfirmed', 'weekly', 3000);
INSERT INTO consent (id, subscriber_id, at, kind, way, text) VALUES
    (1, 1, 1000, 'joined', 'cli', 'on paper'), (2, 2, 2000, 'joined', 'cli', ''), (3, 2, 2500, 'left', 'one-click', '');
INSERT INTO issue (id, edition, number, slot_key, slot_due, slot_zone, state, subject, preheader, audience)
    VALUES (1, 'weekly', 1, '2022-W06', 5000, 'Europe/Madrid', 'sent', 'Solid, at last', 'Soon.', 1);
INSERT INTO issue_post (issue_id, position, edition, post_id, content_hash, slug, title)
    VALUES (1, 1, 'weekly', 'tag:a', 'sha256:1', 'solid', 'Solid');
INSERT INTO digest (issue_id, html, text, digest_hash) VALUES (1, '<p>', 'text', 'sha256:2');
INSERT INTO segment (issue_id, key, kind, post_id) VALUES (1, 'recap:1', 'recap', 'tag:0');
INSERT INTO chunk (id, issue_id) VALUES (1, 1);
INSERT INTO delivery (issue_id, subscriber_id, chunk_id, state, variant) VALUES (1, 1, 1, 'accepted', 'recap:1');
INSERT INTO attempt (issue_id, subscriber_id, at, outcome, code) VALUES (1, 1, 6000, 'accepted', 250);
INSERT INTO notice (id, key, kind, at, about, content) VALUES (1, 'turn:1', 'started', 5000, 'issue 1',
    '{"subject":"","what":"","why":"","otherwise":"","lines":[],"fixes":[],"links":[],"hold":"","number":0,"digest":null}');
INSERT INTO notice_copy (notice_id, recipient, state) VALUES (1, 'chief', 'accepted');
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "newsletter.sqlite3"
    engine = create_engine(f"sqlite:///{made}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
    engine.dispose()
    with closing(sqlite3.connect(made)) as plain:
        plain.executescript(OF_0003)
    return made


def test_what_was_known_is_known_after_an_update(file: Path) -> None:
    database = open_database(f"sqlite:///{file}")
    try:
        roster, ledger = SqlRoster(database, hashed), SqlLedger(database)
        ada, eve = roster.find("ada@readers.example"), roster.find("eve@readers.example")
        assert ada
        assert eve
        assert (ada.status, ada.owed_from, ada.without, ada.plain) == (
            SubscriberStatus.ACTIVE,
            ada.joined_at,
            (),
            False,
        )
        assert eve.owed_from is None
        assert [line.kind for line in roster.consents(2)] == [ConsentKind.JOINED, ConsentKind.LEFT]
        assert [segment.key for segment in ledger.digest(WEEKLY, 1).segments] == ["recap:1"]
        assert [attempt.code for attempt in ledger.attempts(WEEKLY, 1, 1)] == [250]
        assert [told.key for told, copies in SqlNotices(database).last(5) if copies] == ["turn:1"]
    finally:
        database.close()


def test_the_records_are_sealed_after_an_update_as_before_and_no_reader_gets_a_number_again(file: Path) -> None:
    database = open_database(f"sqlite:///{file}")
    try:
        with closing(sqlite3.connect(file)) as connection:
            for change in ("DELETE FROM consent", "UPDATE consent SET way = 'x'", "DELETE FROM attempt"):
                with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                    connection.execute(change)
                connection.rollback()
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        made = SqlRoster(database, hashed).add("new@readers.example", edition=WEEKLY, evidence=LINK, now=FRIDAY)
        assert made
        assert made.id == 8
    finally:
        database.close()
