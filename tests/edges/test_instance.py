"""Whether this is the site that did what its database says: what is beside the database remembers how far it came."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path

import pytest

from newsletter.store.database import Database, open_database
from newsletter.store.instance import Instance
from newsletter.store.roster import SqlRoster
from tests.contract.desk import FRIDAY, LINK, hashed, join


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'newsletter.sqlite3'}")
    yield opened
    opened.close()


@pytest.fixture
def instance(tmp_path: Path, database: Database) -> Instance:
    made = Instance(tmp_path / "instance.toml", database)
    assert made.doubt() == ""
    return made


def test_two_that_start_at_once_are_one_site(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    half, go_on = threading.Event(), threading.Event()
    write = Instance._write

    def slowly(self: Instance, mark: str) -> object:
        half.set()
        assert go_on.wait(30)
        return write(self, mark)

    monkeypatch.setattr(Instance, "_write", slowly)
    first, second = (Instance(tmp_path / "instance.toml", database) for _ in range(2))
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first.doubt)
        assert half.wait(30)
        two = pool.submit(second.doubt)
        assert not wait([two], timeout=0.3).done, "the first is half-way: nobody can tell yet"
        go_on.set()
        assert (one.result(30), two.result(30)) == ("", "")


def test_readers_who_are_deleted_or_forgotten_do_not_make_the_site_an_older_one(
    database: Database, instance: Instance
) -> None:
    roster = SqlRoster(database, hashed)
    roster.ask("ada@readers.example", edition="weekly", evidence=LINK, now=FRIDAY)
    ben = join(roster, "ben@readers.example")
    roster.ask("eve@readers.example", edition="weekly", evidence=LINK, now=FRIDAY)
    instance.remember()
    for address in ("eve@readers.example", "ada@readers.example"):
        found = roster.find(address)
        assert found
        assert roster.deny(found.id, now=FRIDAY)
    assert roster.forget(ben.id, now=FRIDAY)
    assert instance.doubt() == ""
    instance.remember()
    assert instance.doubt() == ""


def test_a_file_that_an_earlier_version_wrote_is_believed(tmp_path: Path, instance: Instance) -> None:
    file = tmp_path / "instance.toml"
    file.write_text(file.read_text("utf-8").replace("readers = ", "consents = "), encoding="utf-8")
    assert instance.doubt() == ""
    file.write_text(file.read_text("utf-8") + "what = 1\n", encoding="utf-8")
    assert instance.doubt()


def test_a_database_that_knows_fewer_readers_than_there_were_is_an_older_one(
    database: Database, instance: Instance
) -> None:
    file = Path(database.place)
    before = file.with_name("backup")
    with closing(sqlite3.connect(file)) as now:
        now.execute("VACUUM INTO ?", (str(before),))
    join(SqlRoster(database, hashed), "ada@readers.example")
    instance.remember()
    database.close()
    file.write_bytes(before.read_bytes())  # in place: the same file, of an earlier time
    for beside in ("-wal", "-shm"):
        file.with_name(file.name + beside).unlink(missing_ok=True)
    assert "is older than what was done here" in instance.doubt()
