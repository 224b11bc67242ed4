"""One ledger and one roster for each database that the store knows; the suites run on all of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.ports import Ledger, Roster
from newsletter.store.database import Database, open_database
from newsletter.store.ledger import SqlLedger
from newsletter.store.roster import SqlRoster
from tests.contract.desk import hashed


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file without a row; copying it is faster than migrating."""
    file = tmp_path_factory.mktemp("store") / "empty.sqlite3"
    open_database(f"sqlite:///{file}").close()
    return file


@pytest.fixture(params=["sqlite"])
def database(request: pytest.FixtureRequest, tmp_path: Path, empty_file: Path) -> Iterator[Database]:
    file = tmp_path / "newsletter.sqlite3"
    shutil.copy(empty_file, file)
    opened = open_database(f"{request.param}:///{file}")
    yield opened
    opened.close()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return SqlLedger(database, hashed)


@pytest.fixture
def roster(database: Database) -> Roster:
    return SqlRoster(database, hashed)
