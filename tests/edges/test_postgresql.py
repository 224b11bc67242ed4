"""What PostgreSQL does otherwise than SQLite: who waits for whom, what it refuses, what a lost connection leaves."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import IntegrityError

from newsletter.delivery.circuit import Relay
from newsletter.delivery.committer import Patience
from newsletter.errors import ConfigError, Outside, Refused
from newsletter.model import WEEKLY, Limit
from newsletter.readers.limits import decide
from newsletter.store import migrate
from newsletter.store.database import Database, as_it_is, open_database, upgrade
from newsletter.store.dump import dump
from newsletter.store.instance import Instance
from newsletter.store.ledger import SqlLedger
from newsletter.store.migrate import known_revisions
from newsletter.store.rates import SqlRates
from newsletter.store.roster import SqlRoster
from newsletter.store.serverlock import ServerLock
from newsletter.store.tables import metadata
from tests.acceptance.harness import until
from tests.contract.desk import FRIDAY, LINK, MINUTE, Desk, accepted, hashed
from tests.edges.sending import Scripted, begun
from tests.postgres import Server, empty

T = TypeVar("T")


@pytest.fixture(scope="module")
def url(postgres: Server) -> Iterator[str]:
    with postgres.database() as made:
        yield made


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with closing(open_database(url, patience=0.2)) as opened:
        empty(opened)
        yield opened


def wrote(database: Database, *statements: str) -> None:
    with database.write() as connection:
        for statement in statements:
            connection.execute(text(statement))


def refused(database: Database, *statements: str) -> str:
    with pytest.raises(Outside) as told:
        wrote(database, *statements)
    return told.value.problems[0].code


# -- the schema


def test_the_migrated_schema_is_the_schema(database: Database, postgres: Server) -> None:
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        migrated = described(connection)
    with postgres.database() as other:
        engine = create_engine(other)
        with engine.begin() as fresh:
            metadata.create_all(fresh)
            assert described(fresh) == migrated
        engine.dispose()


def described(connection: Any) -> dict[str, object]:
    look = inspect(connection)
    return {
        name: (
            sorted(str(sorted(one.items())) for one in look.get_check_constraints(name)),
            sorted(str(sorted(one.items(), key=str)) for one in look.get_indexes(name)),
            sorted((one["name"], str(one["type"]), one["nullable"], one["default"]) for one in look.get_columns(name)),
        )
        for name in metadata.tables
    }


@pytest.mark.parametrize("change", ["UPDATE log SET who = 'eve'", "DELETE FROM log"])
def test_a_record_is_never_rewritten(database: Database, change: str) -> None:
    line = "INSERT INTO log (at, who, channel, action, object) VALUES (0, 'ada', 'cli', 'send', 'issue 1')"
    with pytest.raises(IntegrityError, match="log is append-only"):
        wrote(database, line, change)


def test_a_schema_from_the_future_is_refused(database: Database, url: str) -> None:
    with database.write() as connection:
        (was,) = connection.execute(text("SELECT version_num FROM alembic_version")).one()
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError) as told:
        open_database(url)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :was"), {"was": was})
    assert told.value.problems[0].code == "C501"


def test_an_older_schema_is_changed_only_when_a_person_says_so(postgres: Server) -> None:
    with postgres.database() as url, closing(as_it_is(url)) as database:
        with database.write() as connection:
            migrate.upgrade(connection, known_revisions()[-2])
        with pytest.raises(ConfigError) as told:
            open_database(url)
        assert told.value.problems[0].code == "C526"
        upgrade(database)
        open_database(url).close()


def test_what_pg_dump_saves_is_whole_and_for_its_owner_alone(
    database: Database, url: str, postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused):
        dump(url, tmp_path / "none")
    monkeypatch.setenv("PATH", str(postgres.programs), prepend=os.pathsep)
    dump(url, tmp_path / "it.dump")
    assert (tmp_path / "it.dump").read_bytes().startswith(b"PGDMP")
    assert (tmp_path / "it.dump").stat().st_mode & 0o777 == 0o600
    with pytest.raises(Outside) as told:
        dump(postgres.url("nowhere"), tmp_path / "none")
    assert told.value.problems[0].code == "C527"
    assert not (tmp_path / "none").exists()


def test_two_machines_may_make_the_schema_at_once(postgres: Server) -> None:
    with postgres.database() as fresh, ThreadPoolExecutor(4) as machines:
        for opened in [*machines.map(open_database, [fresh] * 4)]:
            opened.close()


# -- who waits for whom


def test_of_many_at_once_each_sees_what_the_one_before_it_wrote(database: Database, url: str) -> None:
    limits = [Limit("network:x", 5, MINUTE)]
    with closing(open_database(url)) as other, ThreadPoolExecutor(8) as threads:
        rates = [SqlRates(each, decide) for each in (database, other)]
        waits = [*threads.map(lambda n: rates[n % 2].take(limits, FRIDAY), range(20))]
    assert waits.count(None) == 5


def at_once(url: str, what: Callable[[Desk], T]) -> list[T]:
    """What four hosts get that do the same at the same instant."""
    start = threading.Barrier(4)

    def one(_: int) -> T:
        with closing(open_database(url)) as host:
            desk = Desk(SqlLedger(host), SqlRoster(host, hashed))
            start.wait()
            return what(desk)

    with ThreadPoolExecutor(4) as hosts:
        return [*hosts.map(one, range(4))]


def test_of_hosts_that_make_an_issue_and_send_it_at_once_one_does(database: Database, url: str) -> None:
    Desk(SqlLedger(database), SqlRoster(database, hashed)).join(30)
    made = at_once(url, lambda desk: desk.open(5, "a", "b"))
    assert len([issue for issue in made if issue]) == 1
    begun = at_once(url, lambda desk: desk.ledger.start_send(WEEKLY, 1, now=FRIDAY))
    assert len([issue for issue in begun if issue]) == 1
    mailed = [one for ids in at_once(url, mail_all) for one in ids]
    assert sorted(mailed) == [*range(1, 31)]


def mail_all(desk: Desk) -> list[int]:
    mailed = []
    for chunk in desk.ledger.due_chunks(FRIDAY):
        while claimed := desk.ledger.claim(chunk, limit=4, now=FRIDAY):
            marked = desk.ledger.hand_over(chunk, settled=[], wanted=claimed, now=FRIDAY)
            sent = [reader for reader, addressee in marked.items() if addressee]
            desk.ledger.hand_over(chunk, settled=[accepted(one) for one in sent], wanted=[], now=FRIDAY)
            mailed += sent
    return mailed


def test_whoever_waits_too_long_for_another_writer_is_told_that_it_is_busy(database: Database, url: str) -> None:
    with closing(open_database(url)) as other, other.write():
        assert refused(database, "SELECT 1") == "C502"


def test_a_reader_waits_for_no_writer_and_writes_nothing(database: Database) -> None:
    with database.write() as writer:
        writer.execute(text("INSERT INTO beat (process, at) VALUES ('work', 1)"))
        with database.read() as reader:
            assert reader.scalar(text("SELECT count(*) FROM beat")) == 0
            with pytest.raises(Outside):
                told_off(database)


def told_off(database: Database) -> None:
    with database.read() as connection:
        connection.execute(text("DELETE FROM beat"))


def test_a_read_sees_one_state_however_long_it_takes(database: Database) -> None:
    with database.read() as reader:
        before = reader.scalar(text("SELECT count(*) FROM beat"))
        with database.write() as writer:
            writer.execute(text("INSERT INTO beat (process, at) VALUES ('work', 1)"))
        assert reader.scalar(text("SELECT count(*) FROM beat")) == before


# -- refusals


def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    with pytest.raises(Outside) as told:
        open_database("postgresql://ada:secret@127.0.0.1:1/newsletter")
    (problem,) = told.value.problems
    assert problem.code == "C506"
    assert "secret" not in str(told.value)


def test_a_database_that_is_not_there_is_told_with_what_makes_it(postgres: Server) -> None:
    with pytest.raises(Outside) as told:
        open_database(postgres.url("nowhere"))
    (problem,) = told.value.problems
    assert problem.code == "C506"
    assert 'database "nowhere" does not exist' in problem.why


def test_a_connection_that_was_ended_is_told_and_the_next_write_makes_another(database: Database) -> None:
    assert refused(database, "SELECT pg_terminate_backend(pg_backend_pid())") == "C506"
    with database.write() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_a_restart_of_the_server_is_over_with_the_next_write(database: Database, postgres: Server) -> None:
    with database.read():
        pass
    postgres.restart()
    with database.write() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_a_commit_is_on_the_disk_also_where_the_server_would_let_it_wait(database: Database, url: str) -> None:
    name = url.rpartition("/")[2]
    wrote(database, f"ALTER DATABASE {name} SET synchronous_commit = off")
    try:
        with closing(open_database(url)) as opened, opened.write() as connection:
            assert connection.scalar(text("SHOW synchronous_commit")) == "on"
    finally:
        wrote(database, f"ALTER DATABASE {name} RESET synchronous_commit")


def test_a_send_lives_through_restarts_of_the_server(database: Database, postgres: Server) -> None:
    send = begun(database, 40)
    transport = Scripted()
    for number in (10, 25):
        transport.answer(number, postgres.restart)
    patient = Patience(ledger=(0.2, 0.5, 1, 2, 4), told=0)
    done = send.over([Relay("main", transport, 4)], patience=patient)
    assert (done.accepted, done.trouble) == (40, None)
    assert len(transport.recipients) == len(set(transport.recipients)) == 40
    assert send.ledger.recover(now=send.now, resend=False) == 0


def test_a_process_that_froze_in_a_write_lets_the_others_in(database: Database, url: str) -> None:
    with closing(open_database(url)) as frozen, pytest.raises(Outside) as told:
        freeze_in(frozen, lambda: wrote(database, "SELECT 1"))
    assert told.value.problems[0].code in ("C502", "C506")


def freeze_in(database: Database, meanwhile: Callable[[], None]) -> None:
    with database.write() as connection:
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 50"))
        threading.Event().wait(0.1)
        meanwhile()
        connection.execute(text("SELECT 1"))


def test_a_character_that_postgresql_does_not_keep_is_replaced(database: Database) -> None:
    with database.write() as connection:
        assert connection.scalar(text("SELECT CAST(:it AS TEXT)"), {"it": "too\0much"}) == "too\ufffdmuch"


def test_a_user_of_the_server_without_rights_beyond_this_database_is_enough(database: Database, url: str) -> None:
    wrote(database, "CREATE ROLE plain LOGIN", "GRANT ALL ON ALL TABLES IN SCHEMA public TO plain")
    try:
        with closing(open_database(url.replace("postgres@", "plain@"))) as opened:
            assert Instance(Path("/nowhere/instance.toml"), opened)._place()
            assert ServerLock(opened).holder() is None
    finally:
        wrote(database, "DROP OWNED BY plain", "DROP ROLE plain")


# -- one sender


def test_one_process_sends_and_the_others_learn_who(database: Database, url: str) -> None:
    with closing(open_database(url)) as elsewhere:
        first, second = ServerLock(database), ServerLock(elsewhere)
        assert first.acquire()
        assert first.acquire()
        assert not second.acquire()
        assert second.holder()
        first.release()
        assert second.acquire()
        second.release()
        until(lambda: first.holder() is None, what="the server to see that the connection is closed")


def test_who_lost_the_server_has_the_lock_no_more_until_they_ask_again(database: Database, postgres: Server) -> None:
    lock = ServerLock(database)
    assert lock.acquire()
    postgres.restart()
    assert lock.holder() is None
    assert lock.acquire()
    assert lock.holder()
    lock.release()


# -- which site


@pytest.fixture
def node(database: Database, tmp_path: Path) -> Instance:
    made = Instance(tmp_path / "here" / "instance.toml", database)
    assert made.doubt() == ""
    return made


def test_machines_that_share_a_database_are_one_site(database: Database, node: Instance, tmp_path: Path) -> None:
    other = Instance(tmp_path / "there" / "instance.toml", database)
    assert other.doubt() == ""
    node.claim()
    assert (node.doubt(), other.doubt()) == ("", "")


def test_a_database_from_a_dump_is_a_copy_until_somebody_claims_it(database: Database, node: Instance) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE instance SET mark = 'of another server'"))
    assert node.doubt() == "its database was copied, or restored"
    node.claim()
    assert node.doubt() == ""


def test_a_database_that_was_put_back_to_an_earlier_time_is_noticed(database: Database, node: Instance) -> None:
    roster = SqlRoster(database, hashed)
    roster.ask("ada@readers.example", edition="weekly", evidence=LINK, now=FRIDAY)
    node.remember()
    with database.write() as connection:
        connection.execute(text("SELECT setval('subscriber_id_seq', 1, false)"))
    assert "older than what was done here" in node.doubt()


def test_records_that_lie_elsewhere_are_not_begun_anew(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "instance.toml"
    with closing(open_database(f"sqlite:///{tmp_path / 'newsletter.sqlite3'}")) as before:
        assert Instance(file, before).doubt() == ""
    assert Instance(file, database).doubt() == "its database is not the one that instance.toml remembers"
