"""Many hands on one reader at once, in threads and in processes: one change of state, one line of consent."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import Barrier as ThreadBarrier

import pytest

from newsletter.model import ConsentKind
from newsletter.ports import Roster
from newsletter.store.database import Database, open_database
from newsletter.store.roster import SqlRoster
from tests.contract.desk import FRIDAY, LINK, hashed, join

PROCESSES, THREADS = 4, 5
ACTS = {
    "confirm": ("unconfirmed", ConsentKind.JOINED),
    "leave": ("active", ConsentKind.LEFT),
    "come_back": ("left", ConsentKind.RETURNED),
    "resume": ("paused", ConsentKind.RESUMED),
}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'newsletter.sqlite3'}")
    yield opened
    opened.close()


def do(roster: Roster, act: str, reader: int) -> bool:
    called: Callable[..., bool] = getattr(roster, act)
    return called(reader, evidence=LINK, now=FRIDAY)


def all_at_once(roster: Roster, act: str, reader: int) -> list[bool]:
    start = ThreadBarrier(THREADS)

    def one(_: int) -> bool:
        start.wait()
        return do(roster, act, reader)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(THREADS)))


@pytest.mark.parametrize("act", ACTS)
def test_threads_change_a_reader_once(database: Database, act: str) -> None:
    roster = SqlRoster(database, hashed)
    before, kind = ACTS[act]
    ada = join(roster, "ada@readers.example", before)
    assert sum(all_at_once(roster, act, ada.id)) == 1
    assert [line.kind for line in roster.consents(ada.id)].count(kind) == 1


def _in_a_process(url: str, start: Barrier, ids: list[int], done: multiprocessing.Queue[tuple[str, int]]) -> None:
    opened = open_database(url)
    roster = SqlRoster(opened, hashed)
    start.wait()
    for act, reader in zip(ACTS, ids, strict=True):
        done.put((act, sum(all_at_once(roster, act, reader))))
    opened.close()


def test_processes_change_a_reader_once(database: Database) -> None:
    roster = SqlRoster(database, hashed)
    ids = [join(roster, f"{act}@readers.example", before).id for act, (before, _) in ACTS.items()]
    context = multiprocessing.get_context("spawn")
    start, done = context.Barrier(PROCESSES), context.Queue()
    told = (f"sqlite:///{database.file}", start, ids, done)
    racers = [context.Process(target=_in_a_process, args=told) for _ in range(PROCESSES)]
    for each in racers:
        each.start()
    changes = [done.get(timeout=60) for _ in range(PROCESSES * len(ACTS))]
    for each in racers:
        each.join(60)
    assert {act: sum(n for one, n in changes if one == act) for act in ACTS} == dict.fromkeys(ACTS, 1)
    for (_, kind), reader in zip(ACTS.values(), ids, strict=True):
        assert [line.kind for line in roster.consents(reader)].count(kind) == 1
