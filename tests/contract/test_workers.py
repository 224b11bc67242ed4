"""Many who send at once: a chunk is held by one of them, and by nobody who is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select, update

from newsletter.model import WEEKLY, Chunk, DeliveryState
from newsletter.ports import Ledger, Roster
from newsletter.store.database import Database
from newsletter.store.ledger import SqlLedger
from newsletter.store.tables import worker
from newsletter.store.workers import SILENT, SqlWorkers
from tests.contract.desk import ADA, FRIDAY, MINUTE, Desk, accepted, deferred, hashed

SOON = timedelta(seconds=1)
WAITING, SENDING, UNCERTAIN = DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.UNCERTAIN


@dataclass
class Bell:
    """Hears what workers are told."""

    told: list[tuple[Sequence[int], timedelta]] = field(default_factory=list)

    def __call__(self, _connection: Connection, chunks: Sequence[int], after: timedelta) -> None:
        self.told.append((list(chunks), after))


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def workers(database: Database, bell: Bell) -> SqlWorkers:
    made = SqlWorkers(database, bell)
    for name in ("ada", "ben"):
        made.sign(name, connections=3, queues=["bulk"])
    return made


@pytest.fixture
def desk(ledger: Ledger, roster: Roster) -> Desk:
    """With issue 1 on its way to three readers, whom nobody holds."""
    made = Desk(ledger, roster)
    made.send(3)
    return made


def taken(workers: SqlWorkers, name: str = "ada") -> Chunk:
    [chunk_id] = workers.ready(FRIDAY)
    chunk = workers.take(chunk_id, name, FRIDAY)
    assert chunk
    return chunk


def silent(database: Database, name: str) -> None:
    with database.write() as connection:
        seen: datetime = connection.scalars(select(worker.c.seen_at).where(worker.c.name == name)).one()
        connection.execute(update(worker).where(worker.c.name == name).values(seen_at=seen - 2 * SILENT))


def test_a_chunk_is_held_by_one_until_it_is_ended(desk: Desk, workers: SqlWorkers) -> None:
    first = taken(workers)
    assert workers.ready(FRIDAY) == []
    assert workers.take(first.id, "ben", FRIDAY) is None
    workers.end(first, FRIDAY, again_after=SOON)
    second = workers.take(first.id, "ben", FRIDAY)
    assert second
    assert second.epoch > first.epoch


def test_who_ends_a_chunk_that_another_has_changes_nothing(desk: Desk, workers: SqlWorkers) -> None:
    first = taken(workers)
    workers.end(first, FRIDAY, again_after=SOON)
    taken(workers, "ben")
    workers.end(first, FRIDAY, again_after=SOON)
    assert workers.ready(FRIDAY) == []


def test_what_was_claimed_waits_again_when_a_chunk_is_ended_and_workers_are_told(
    desk: Desk, workers: SqlWorkers, bell: Bell
) -> None:
    chunk = taken(workers)
    desk.ledger.claim(chunk, limit=2, now=FRIDAY)
    workers.end(chunk, FRIDAY, again_after=SOON)
    assert set(desk.states().values()) == {WAITING}
    assert bell.told == [([chunk.id], SOON)]


def test_nobody_is_told_of_a_chunk_whose_rows_are_due_later(desk: Desk, workers: SqlWorkers, bell: Bell) -> None:
    chunk = taken(workers)
    ids = list(desk.states())
    desk.hand(chunk, ids)
    later = [deferred(ids[0], FRIDAY + MINUTE), *map(accepted, ids[1:])]
    desk.ledger.hand_over(chunk, settled=later, wanted=[], now=FRIDAY)
    workers.end(chunk, FRIDAY, again_after=SOON)
    workers.wake_ready(FRIDAY)
    assert bell.told == []
    workers.wake_ready(FRIDAY + MINUTE)
    assert bell.told == [([chunk.id], timedelta(0))]


def test_an_outcome_that_could_not_be_written_is_uncertain_when_its_chunk_is_ended(
    desk: Desk, workers: SqlWorkers
) -> None:
    chunk = taken(workers)
    first, *_ = desk.states()
    desk.hand(chunk, [first])
    workers.end(chunk, FRIDAY, again_after=SOON)
    assert desk.states()[first] is UNCERTAIN


def test_the_chunks_of_a_silent_worker_are_freed_and_what_it_had_in_flight_is_uncertain(
    desk: Desk, workers: SqlWorkers, database: Database
) -> None:
    lost = taken(workers)
    first, second, third = desk.states()
    desk.hand(lost, [first])
    assert workers.recover_lost(FRIDAY) == 0
    silent(database, "ada")
    assert workers.recover_lost(FRIDAY) == 1
    assert desk.states() == {first: UNCERTAIN, second: WAITING, third: WAITING}
    taken(workers, "ben")


def test_a_worker_that_was_only_frozen_marks_and_settles_nothing_more(
    desk: Desk, workers: SqlWorkers, database: Database
) -> None:
    lost = taken(workers)
    first, second, _ = desk.states()
    desk.hand(lost, [first])
    silent(database, "ada")
    workers.recover_lost(FRIDAY)
    workers.sign("ada", connections=3, queues=["bulk"])
    given = desk.ledger.hand_over(lost, settled=[accepted(first)], wanted=[second], now=FRIDAY)
    assert not any(given.values())
    assert desk.states()[first] is UNCERTAIN


def test_what_a_lost_worker_had_of_a_cancelled_issue_is_settled_as_well(
    desk: Desk, workers: SqlWorkers, database: Database
) -> None:
    lost = taken(workers)
    first, *_ = desk.states()
    desk.hand(lost, [first])
    desk.ledger.cancel(WEEKLY, 1, reason="stop", hand=ADA)
    silent(database, "ada")
    workers.recover_lost(FRIDAY)
    assert SENDING not in desk.states().values()


def test_with_resend_what_a_lost_worker_had_in_flight_goes_again(desk: Desk, database: Database, bell: Bell) -> None:
    workers = SqlWorkers(database, bell, resend=True)
    workers.sign("ada", connections=3, queues=["bulk"])
    lost = taken(workers)
    first, *_ = desk.states()
    desk.hand(lost, [first])
    silent(database, "ada")
    assert workers.recover_lost(FRIDAY) == 1
    assert set(desk.states().values()) == {WAITING}


def test_workers_are_known_with_what_they_hold_until_they_sign_off(desk: Desk, workers: SqlWorkers) -> None:
    taken(workers)
    ada, ben = workers.workers()
    assert (ada.name, ada.connections, ada.queues, ada.chunks, ada.lives) == ("ada", 3, ("bulk",), 1, True)
    assert ben.chunks == 0
    assert ada.silent < SILENT
    workers.sign_off("ben")
    assert [one.name for one in workers.workers()] == ["ada"]


def test_a_row_that_was_marked_by_a_commit_whose_answer_was_lost_is_marked_again(
    desk: Desk, workers: SqlWorkers
) -> None:
    chunk = taken(workers)
    first, *_ = desk.states()
    desk.hand(chunk, [first])
    assert desk.ledger.hand_over(chunk, settled=[], wanted=[first], now=FRIDAY)[first]


def test_the_commit_that_lets_an_issue_go_tells_of_its_chunks(database: Database, roster: Roster, bell: Bell) -> None:
    Desk(SqlLedger(database, hashed, bell), roster).send(3)
    assert [(len(chunks), after) for chunks, after in bell.told] == [(1, timedelta(0))]
