"""One ledger and one roster for each database that the store knows; the suites run on all of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from newsletter.ports import Ledger, Roster
from newsletter.store.database import Database, open_database
from newsletter.store.ledger import SqlLedger
from newsletter.store.roster import SqlRoster
from tests.contract.desk import hashed
from tests.postgres import Server, empty

Fresh = Callable[[], AbstractContextManager[Database]]
"""Opens a database that nobody used yet, and takes it away."""


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file without a row; copying it is faster than migrating."""
    file = tmp_path_factory.mktemp("store") / "empty.sqlite3"
    open_database(f"sqlite:///{file}").close()
    return file


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, empty_file: Path, postgres: Server) -> Iterator[Fresh]:
    if request.param == "sqlite":
        yield partial(_file, empty_file)
        return
    with postgres.database() as url, closing(open_database(url)) as database:
        yield partial(_emptied, database)


@pytest.fixture(scope="session")
def fewer(fresh: Fresh) -> int:
    """By what to divide the examples of a long history: SQLite has gone through all of them."""
    return 1 if fresh.func is _file else 5  # type: ignore[attr-defined]


@contextmanager
def _file(empty: Path) -> Iterator[Database]:
    with TemporaryDirectory() as folder:
        shutil.copy(empty, f"{folder}/newsletter.sqlite3")
        with closing(open_database(f"sqlite:///{folder}/newsletter.sqlite3")) as database:
            yield database


@contextmanager
def _emptied(database: Database) -> Iterator[Database]:
    """The one that is open: the rows of the test before are gone."""
    empty(database)
    yield database


@pytest.fixture
def database(fresh: Fresh) -> Iterator[Database]:
    with fresh() as opened:
        yield opened


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return SqlLedger(database, hashed)


@pytest.fixture
def roster(database: Database) -> Roster:
    return SqlRoster(database, hashed)
