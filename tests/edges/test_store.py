"""The database at its edges: processes that race, processes that die, disks that refuse."""

from __future__ import annotations

import multiprocessing
import signal
import sqlite3
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, text

from newsletter.errors import ConfigError, NewsletterError, Outside
from newsletter.model import WEEKLY, DeliveryState, LogEntry, Outcome, Receipt
from newsletter.store import audience, tables
from newsletter.store.database import Database, open_database
from newsletter.store.folder import alone_in
from newsletter.store.ledger import SqlLedger
from newsletter.store.letters import SqlLetters
from newsletter.store.roster import SqlRoster
from newsletter.store.turns import Turns
from tests.contract.desk import ADA, FRIDAY, LINK, MINUTE, Desk, accepted, hashed

LINE = LogEntry(FRIDAY, "ada", "cli", "send", "issue 1")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "var" / "newsletter.sqlite3"


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{file}", patience=0.05)
    yield opened
    opened.close()


def desk_at(database: Database) -> Desk:
    return Desk(SqlLedger(database), SqlRoster(database, hashed))


def refused(action: Callable[[], object]) -> str:
    """The code of the one Problem that the action ends in."""
    with pytest.raises(NewsletterError) as told:
        action()
    [problem] = told.value.problems
    assert problem.file
    assert problem.fixes or problem.why
    return problem.code


# -- opening


def test_the_first_start_makes_folder_file_and_schema_for_the_owners_eyes(database: Database, file: Path) -> None:
    database_files = list(file.parent.glob("newsletter.sqlite3*"))
    assert file in database_files
    assert {each.stat().st_mode & 0o077 for each in database_files} == {0}
    with database.write() as connection:
        settings = {
            name: connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "busy_timeout")
        }
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "busy_timeout": 50,
    }


def _open(url: str, start: Barrier) -> None:
    start.wait(30)
    open_database(url).close()


def _open_issue(url: str, start: Barrier) -> None:
    database = open_database(url)
    start.wait(30)
    try:
        sys.exit(10 if desk_at(database).open(5, "batteries") else 20)
    finally:
        database.close()


def race(task: Callable[[str, Barrier], None], file: Path, count: int) -> list[int | None]:
    """Run `task` in `count` processes that set off together; their exit codes, sorted."""
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(count)
    racers = [context.Process(target=task, args=(f"sqlite:///{file}", start)) for _ in range(count)]
    for each in racers:
        each.start()
    for each in racers:
        each.join(60)
    return sorted((each.exitcode for each in racers), key=str)


def test_processes_that_open_an_empty_folder_at_once_all_find_the_schema(file: Path) -> None:
    assert race(_open, file, 3) == [0, 0, 0]
    open_database(f"sqlite:///{file}").close()


def test_an_opening_waits_for_the_one_before_it(file: Path) -> None:
    opening = threading.Thread(target=lambda: open_database(f"sqlite:///{file}").close())
    with alone_in(file.parent):
        opening.start()
        opening.join(0.2)
        assert opening.is_alive()
        assert not file.exists()
    opening.join(30)
    assert file.exists()


def test_of_two_processes_one_makes_the_issue_of_a_slot(file: Path) -> None:
    open_database(f"sqlite:///{file}").close()
    assert race(_open_issue, file, 2) == [10, 20]
    database = open_database(f"sqlite:///{file}")
    assert [each.number for each in SqlLedger(database).issues(WEEKLY)] == [1]
    database.close()


def test_a_schema_of_a_newer_program_is_refused_and_left_alone(database: Database, file: Path) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError):
        open_database(f"sqlite:///{file}")
    assert refused(lambda: open_database(f"sqlite:///{file}")) == "C501"
    with database.read() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"


def test_a_migration_that_is_cut_short_has_not_happened(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pull_the_plug(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE half (a INTEGER)"))
        raise KeyboardInterrupt

    monkeypatch.setattr("newsletter.store.migrate.upgrade", pull_the_plug)
    with pytest.raises(KeyboardInterrupt):
        open_database(f"sqlite:///{file}")
    monkeypatch.undo()
    database = open_database(f"sqlite:///{file}")
    with database.read() as connection:
        assert not connection.scalar(text("SELECT count(*) FROM sqlite_master WHERE name = 'half'"))
    database.close()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://host/name",
        "postgresql://host",
        "postgresql+asyncpg://host/name",
        "sqlite://",
        "sqlite:///:memory:",
        "no url at all",
    ],
)
def test_another_kind_of_database_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as told:
        open_database(url)
    assert told.value.problems[0].code == "C508"


def test_a_password_in_a_url_is_not_shown() -> None:
    with pytest.raises(ConfigError) as told:
        open_database("mysql://ada:secret@host/name")
    assert "secret" not in str(told.value)


# -- refusals


def test_a_file_that_is_no_database_is_said_to_be_none(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("Dear diary, " * 500)
    assert refused(lambda: open_database(f"sqlite:///{file}")) == "C505"
    assert file.read_text().startswith("Dear diary")


def test_a_file_in_the_place_of_the_folder_is_trouble_outside(file: Path) -> None:
    file.parent.write_text("")
    assert refused(lambda: open_database(f"sqlite:///{file}")) == "C506"


def test_a_folder_in_the_place_of_the_file_is_trouble_outside(file: Path) -> None:
    file.mkdir(parents=True)
    assert refused(lambda: open_database(f"sqlite:///{file}")) == "C506"


def test_a_writer_that_does_not_end_is_trouble_outside_and_readers_go_on(database: Database, file: Path) -> None:
    ledger = SqlLedger(database)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Outside) as told:
        ledger.log(LINE)
    assert told.value.problems[0].code == "C502"
    assert ledger.entries() == []
    other.close()
    ledger.log(LINE)
    assert ledger.entries() == [LINE]


def test_a_view_for_reading_cannot_write(database: Database) -> None:
    def write() -> None:
        with database.read() as connection:
            connection.execute(insert(tables.edition).values(name=WEEKLY, started_at=FRIDAY))

    assert refused(write) == "C503"


def test_a_full_disk_loses_nothing_and_passes(database: Database) -> None:
    ledger = SqlLedger(database)
    ledger.log(LINE)
    limit(database, 1)
    long = LogEntry(FRIDAY, "ada", "cli", "send", "x" * 200_000)
    with pytest.raises(Outside) as told:
        ledger.log(long)
    assert told.value.problems[0].code == "C504"
    limit(database, 1_000_000)
    ledger.log(long)
    assert ledger.entries() == [long, LINE]


def limit(database: Database, pages: int) -> None:
    with database.write() as connection:
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))


def test_threads_take_turns(database: Database) -> None:
    ledger = SqlLedger(database)

    def write_twenty() -> None:
        for _ in range(20):
            ledger.log(LINE)

    threads = [threading.Thread(target=write_twenty) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(ledger.entries(limit=100)) == 80


def test_a_thread_that_writes_all_the_time_keeps_no_other_waiting(database: Database) -> None:
    ledger = SqlLedger(database)
    done = threading.Event()
    written = 0

    def write_all_the_time() -> None:
        nonlocal written
        while not done.is_set():
            ledger.log(LINE)
            written += 1

    greedy = threading.Thread(target=write_all_the_time)
    greedy.start()
    try:
        for _ in range(20):
            before = written
            ledger.beat("serve", FRIDAY)
            assert written - before <= 2
    finally:
        done.set()
        greedy.join()


def test_whoever_gives_up_waiting_for_a_turn_keeps_nobody_from_his() -> None:
    turns = Turns()
    with turns.turn(0), pytest.raises(TimeoutError), turns.turn(0.01):
        pass
    with turns.turn(0):
        pass


# -- the audience, cut short

START = """
import os, signal, sys
from newsletter.store import audience
from newsletter.store.database import open_database
from newsletter.store.folder import alone_in
from newsletter.store.ledger import SqlLedger
from newsletter.store.letters import SqlLetters
from tests.contract.desk import FRIDAY

url, commits = sys.argv[1], int(sys.argv[2])
add, audience.CHUNK, audience.BATCH = audience._add, 5, 10
written = 0

def add_and_die(*args, **named):
    global written
    add(*args, **named)
    written += 1
    if written > commits:
        os.kill(os.getpid(), signal.SIGKILL)

audience._add = add_and_die
SqlLedger(open_database(url)).start_send("weekly", 1, now=FRIDAY)
"""


def cut_short(database: Database, *, commits: int) -> None:
    """Kill a process in the middle of the commit after `commits` of its batches of ten."""
    url = f"sqlite:///{database.file}"
    ended = subprocess.run([sys.executable, "-c", START, url, str(commits)], check=False)
    assert ended.returncode == -signal.SIGKILL


@pytest.fixture
def desk(database: Database) -> Desk:
    made = desk_at(database)
    with database.write() as connection:
        rows = [
            {"address": one, "folded": one, "status": "active", "edition": WEEKLY, "joined_at": FRIDAY}
            for one in (f"{n}@readers.example" for n in range(1, 101))
        ]
        connection.execute(insert(tables.subscriber), rows)
    made.open(5, "batteries")
    return made


def test_an_audience_cut_short_by_a_kill_is_finished_before_anything_goes_out(desk: Desk, database: Database) -> None:
    cut_short(database, commits=3)
    assert len(desk.states()) == 30
    assert desk.ledger.due_chunks(FRIDAY) == []
    desk.join(5, prefix="late")
    desk.ledger.recover(now=FRIDAY + 9 * MINUTE, resend=False)
    issue = desk.ledger.issue(WEEKLY, 1)
    assert issue
    assert (issue.audience, issue.started_at) == (100, FRIDAY)
    assert desk.states() == dict.fromkeys(range(1, 101), DeliveryState.WAITING)


def test_the_next_start_finishes_it_as_of_the_same_instant(desk: Desk, database: Database) -> None:
    cut_short(database, commits=0)
    issue = desk.ledger.start_send(WEEKLY, 1, now=FRIDAY + 9 * MINUTE)
    assert issue
    assert (issue.audience, issue.started_at) == (100, FRIDAY)


def test_who_left_meanwhile_is_in_the_audience_as_one_who_left(desk: Desk, database: Database) -> None:
    cut_short(database, commits=3)
    for reader in (30, 31):  # one whose row was written, one whose row was not
        desk.roster.leave(reader, evidence=LINK, now=FRIDAY)
    desk.roster.leave(50, evidence=LINK, now=FRIDAY)
    desk.roster.come_back(50, evidence=LINK, now=FRIDAY)
    [late] = desk.join(1, prefix="late")
    desk.roster.leave(late, evidence=LINK, now=FRIDAY)
    issue = desk.ledger.start_send(WEEKLY, 1, now=FRIDAY)
    assert issue
    assert issue.audience == 100
    dropped = desk.ledger.deliveries(WEEKLY, 1, DeliveryState.DROPPED)
    assert [(each.subscriber_id, each.reason) for each in dropped] == [(30, "left"), (31, "left"), (50, "left")]


def test_readers_that_do_not_add_up_stop_the_send_and_the_next_try_reads_them_anew(
    desk: Desk, database: Database
) -> None:
    cut_short(database, commits=3)
    with database.write() as connection:
        connection.execute(text("UPDATE subscriber SET status = 'paused' WHERE id = 77"))
    with pytest.raises(Outside) as told:
        desk.ledger.start_send(WEEKLY, 1, now=FRIDAY)
    assert told.value.problems[0].code == "S501"
    assert desk.states() == {}
    issue = desk.ledger.start_send(WEEKLY, 1, now=FRIDAY + MINUTE)
    assert issue
    assert (issue.audience, issue.started_at) == (99, FRIDAY + MINUTE)


@pytest.mark.parametrize("turn", ["hold", "cancel"])
def test_a_begun_audience_can_be_called_off(desk: Desk, database: Database, turn: str) -> None:
    cut_short(database, commits=3)
    if turn == "hold":
        assert desk.ledger.hold(WEEKLY, 1, reason="a doubt", hand=ADA)
    else:
        assert desk.ledger.cancel(WEEKLY, 1, reason="a doubt", hand=ADA) == 0
        assert desk.ledger.carried(WEEKLY) == {}
    desk.ledger.recover(now=FRIDAY, resend=False)
    assert desk.states() == {}
    assert desk.ledger.start_send(WEEKLY, 1, now=FRIDAY) is None


def test_an_audience_comes_in_commits_of_a_bounded_size(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience, "CHUNK", 10)
    monkeypatch.setattr(audience, "BATCH", 25)
    assert desk.ledger.start_send(WEEKLY, 1, now=FRIDAY)
    chunks = desk.ledger.due_chunks(FRIDAY)
    sizes = [len(desk.ledger.claim(each, limit=99, now=FRIDAY)) for each in chunks]
    assert sizes == [10, 10, 5] * 4


def test_an_outcome_that_a_full_disk_refuses_is_trouble_outside_and_is_written_later(
    desk: Desk, database: Database
) -> None:
    desk.ledger.start_send(WEEKLY, 1, now=FRIDAY)
    [chunk] = desk.ledger.due_chunks(FRIDAY)
    desk.hand(chunk, [1])
    settled = [replace(accepted(1), receipt=Receipt(Outcome.ACCEPTED, 250, "x" * 200_000))]
    limit(database, 1)
    with pytest.raises(Outside) as told:
        desk.ledger.hand_over(chunk, settled=settled, wanted=[2], now=FRIDAY)
    assert told.value.problems[0].code == "C504"
    assert (desk.states()[1], desk.states()[2]) == (DeliveryState.SENDING, DeliveryState.CLAIMED)
    limit(database, 1_000_000)
    desk.ledger.hand_over(chunk, settled=settled, wanted=[2], now=FRIDAY)
    assert (desk.states()[1], desk.states()[2]) == (DeliveryState.ACCEPTED, DeliveryState.SENDING)


# -- how it finds its rows


def test_no_statement_of_a_send_reads_all_deliveries(desk: Desk, database: Database) -> None:
    """Years of deliveries lie in this table; SQLite's own choice would walk them for every claim."""
    seen: dict[str, Any] = {}

    def note(_c: object, _cursor: object, statement: str, parameters: Any, _x: object, many: bool) -> None:
        if "delivery" in statement and not statement.startswith("EXPLAIN"):
            seen[statement] = parameters[0] if many else parameters

    engine = database._writer
    event.listen(engine, "before_cursor_execute", note)
    run_a_send(desk)
    event.remove(engine, "before_cursor_execute", note)

    with database.write() as connection:
        plans = {
            statement: [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
            for statement, values in seen.items()
        }
    assert len(plans) > 12
    assert not [statement for statement, plan in plans.items() if any("SCAN delivery" in step for step in plan)]
    claim = next(plan for statement, plan in plans.items() if "UPDATE delivery" in statement and "LIMIT" in statement)
    assert "SEARCH due USING INDEX ix_delivery_waiting (chunk_id=?)" in claim
    assert "SEARCH delivery USING PRIMARY KEY (issue_id=? AND subscriber_id=?)" in claim


def test_looking_for_letters_every_second_reads_none_of_those_that_are_done(database: Database) -> None:
    seen: dict[str, Any] = {}

    def note(_c: object, _cursor: object, statement: str, parameters: Any, _x: object, _many: bool) -> None:
        if " letter " in statement.replace("\n", " ") and not statement.startswith("EXPLAIN"):
            seen[statement] = parameters

    event.listen(database._reader, "before_cursor_execute", note)
    SqlLetters(database).due(FRIDAY, 100)
    SqlLetters(database).recover(now=FRIDAY, resend=False)
    event.remove(database._reader, "before_cursor_execute", note)
    with database.read() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", values).all() for one, values in seen.items()]
    assert len(plans) == 2
    assert all("USING" in plan[0][-1] and "ix_letter_open (state=?" in plan[0][-1] for plan in plans)


def run_a_send(desk: Desk) -> None:
    desk.ledger.start_send(WEEKLY, 1, now=FRIDAY)
    [chunk] = desk.ledger.due_chunks(FRIDAY)
    first, second, *_ = desk.ledger.claim(chunk, limit=200, now=FRIDAY)
    desk.ledger.hand_over(chunk, settled=[], wanted=[first, second], now=FRIDAY)
    desk.ledger.hand_over(chunk, settled=[accepted(first)], wanted=[], now=FRIDAY)
    desk.ledger.release(chunk, [9])
    desk.roster.leave(50, evidence=LINK, now=FRIDAY)
    desk.ledger.recover(now=FRIDAY, resend=True)
    desk.ledger.finish(WEEKLY, 1, now=FRIDAY)
    desk.ledger.cancel(WEEKLY, 1, reason="enough", hand=ADA)


# --- what is erased ---------------------------------------------------------------------------------


def test_of_who_is_forgotten_no_byte_is_left_in_the_file(file: Path) -> None:
    with closing(open_database(f"sqlite:///{file}")) as database:
        roster = SqlRoster(database, hashed)
        for name in ("ada", "ben"):
            roster.ask(f"{name}@readers.example", edition=WEEKLY, evidence=LINK, now=FRIDAY)
        roster.forget(1, now=FRIDAY)
    content = b"".join(each.read_bytes() for each in file.parent.iterdir() if each.is_file())
    assert b"ben@readers.example" in content
    assert b"ada@readers.example" not in content


def test_what_a_database_refuses_is_told_without_the_addresses_in_it(database: Database) -> None:
    reader = {"address": "ada@readers.example", "folded": "ada", "status": "asleep", "edition": WEEKLY}
    with pytest.raises(Exception, match="CHECK") as refused, database.write() as connection:
        connection.execute(insert(tables.subscriber).values(**reader, joined_at=FRIDAY))
    assert "ada@" not in "".join(traceback.format_exception(refused.value))
