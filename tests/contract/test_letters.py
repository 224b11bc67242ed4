"""What every store of letters promises: owed once, handed over once, and never to somebody whom it is not for."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from newsletter.model import (
    WEEKLY,
    DeliveryState,
    Digest,
    Letter,
    LetterKind,
    Outcome,
    Receipt,
    Settlement,
    Story,
    SubscriberStatus,
)
from newsletter.ports import Letters
from newsletter.store import tables
from newsletter.store.database import Database
from newsletter.store.letters import SqlLetters, write
from tests.contract.desk import FRIDAY, MINUTE

ADA = "ada@readers.example"
KIND, STATUS = LetterKind, SubscriberStatus
OK = Receipt(Outcome.ACCEPTED, 250, "2.0.0 queued")
ACCEPTED = Settlement(1, DeliveryState.ACCEPTED, receipt=OK)


@pytest.fixture
def letters(database: Database) -> Letters:
    with database.write() as connection:
        row = {"address": ADA, "folded": ADA, "status": "unconfirmed", "edition": WEEKLY, "joined_at": FRIDAY}
        connection.execute(insert(tables.subscriber).values(id=1, **row))
    return SqlLetters(database)


def turn(database: Database, **values: object) -> None:
    with database.write() as connection:
        connection.execute(update(tables.subscriber).values(**values))


def asked(database: Database, kind: LetterKind = KIND.CONFIRM, address: str = ADA, **more: object) -> Letter:
    with database.write() as connection:
        return write(connection, kind, 1, address, FRIDAY, **more)  # type: ignore[arg-type]


def begun(letters: Letters, letter: Letter) -> Letter:
    found = letters.begin(letter, FRIDAY)
    assert found
    return found[0]


def only(letters: Letters) -> Letter:
    [found] = letters.of(1)
    return found


def test_a_letter_waits_is_sent_and_is_done(database: Database, letters: Letters) -> None:
    written = asked(database)
    assert written == Letter(written.id, KIND.CONFIRM, 1, ADA, FRIDAY, DeliveryState.WAITING)
    assert list(letters.due(FRIDAY, 10)) == [written]
    found = letters.begin(written, FRIDAY)
    assert found
    sending, reader = found
    assert (sending.state, reader.address, reader.token_version) == (DeliveryState.SENDING, ADA, 1)
    assert not letters.due(FRIDAY, 10)
    letters.settle(sending, ACCEPTED, FRIDAY + MINUTE)
    done = only(letters)
    assert (done.state, done.attempts, done.code, done.done_at) == (DeliveryState.ACCEPTED, 1, 250, FRIDAY + MINUTE)


def test_a_catch_up_comes_back_as_it_was_frozen(database: Database, letters: Letters) -> None:
    digest = Digest("Since you left", "Two stories", "<p>Ünï</p>", "Text\n", "sha256:9f")
    stories = [Story("tag:two", "h", "two", "Two", corrections=1), Story("tag:one", "h", "one", "One")]
    turn(database, status="active")
    written = asked(database, KIND.CATCH_UP, digest=digest, posts=stories)
    assert (only(letters).digest, only(letters).posts) == (digest, ("tag:one", "tag:two"))
    letters.settle(begun(letters, written), ACCEPTED, FRIDAY)
    assert (only(letters).digest, only(letters).posts) == (None, ("tag:one", "tag:two"))  # its words are not kept


def test_who_asks_again_while_a_letter_waits_gets_one(database: Database, letters: Letters) -> None:
    first = asked(database)
    assert asked(database) == first
    letters.settle(begun(letters, first), ACCEPTED, FRIDAY)
    assert asked(database) != first
    assert len(letters.of(1)) == 2


def test_of_many_who_begin_a_letter_one_may_send_it(database: Database, letters: Letters) -> None:
    written = asked(database)
    found: list[bool] = []
    threads = [threading.Thread(target=lambda: found.append(bool(letters.begin(written, FRIDAY)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.count(True) == 1


def test_a_letter_that_was_put_off_waits_for_its_time(database: Database, letters: Letters) -> None:
    busy = Receipt(Outcome.DEFERRED, 451, "busy")
    later = Settlement(1, DeliveryState.WAITING, "deferred", FRIDAY + MINUTE, receipt=busy)
    letters.settle(begun(letters, asked(database)), later, FRIDAY)
    assert not letters.due(FRIDAY, 10)
    [again] = letters.due(FRIDAY + MINUTE, 10)
    assert (again.attempts, again.first_at, again.reply) == (1, FRIDAY, "busy")


def test_what_a_crash_left_is_uncertain_and_goes_again_only_if_told_so(database: Database, letters: Letters) -> None:
    begun(letters, asked(database))
    assert letters.recover(now=FRIDAY, resend=False) == 1
    assert (only(letters).state, only(letters).attempts) == (DeliveryState.UNCERTAIN, 1)
    assert letters.recover(now=FRIDAY, resend=True) == 0
    turn(database, status="active")
    begun(letters, asked(database, KIND.DATA))
    assert letters.recover(now=FRIDAY, resend=True) == 1
    assert [one.kind for one in letters.due(FRIDAY, 10)] == [KIND.DATA]


def test_a_sender_that_only_seemed_dead_changes_nothing_any_more(database: Database, letters: Letters) -> None:
    before = begun(letters, asked(database))
    letters.recover(now=FRIDAY, resend=True)
    begun(letters, letters.due(FRIDAY, 1)[0])
    letters.settle(before, ACCEPTED, FRIDAY)
    assert only(letters).state is DeliveryState.SENDING


_MAY = {
    KIND.CONFIRM: {STATUS.UNCONFIRMED, STATUS.LEFT},
    KIND.KNOWN: {STATUS.ACTIVE, STATUS.PAUSED},
    KIND.LINK: {STATUS.ACTIVE, STATUS.PAUSED, STATUS.LEFT},
    KIND.DATA: {STATUS.ACTIVE, STATUS.PAUSED, STATUS.LEFT},
    KIND.MOVE: {STATUS.ACTIVE, STATUS.PAUSED},
    KIND.MOVED: {STATUS.ACTIVE, STATUS.PAUSED, STATUS.LEFT},
    KIND.CATCH_UP: {STATUS.ACTIVE, STATUS.PAUSED},
}


@pytest.mark.parametrize("status", STATUS)
def test_a_letter_goes_only_to_readers_whom_it_is_for(
    database: Database, letters: Letters, status: SubscriberStatus
) -> None:
    turn(database, status=status.value)
    other = {KIND.MOVE, KIND.MOVED}
    went = {
        kind
        for kind in KIND
        if letters.begin(asked(database, kind, "new@readers.example" if kind in other else ADA), FRIDAY)
    }
    assert went == {kind for kind, those in _MAY.items() if status in those}
    dropped = [one for one in letters.of(1) if one.kind not in went]
    reasons = {STATUS.LEFT: "left", STATUS.BLOCKED: "suppressed"}
    assert {(one.state, one.reason) for one in dropped} <= {(DeliveryState.DROPPED, reasons.get(status, "settled"))}


@pytest.mark.parametrize(
    ("kind", "life"),
    [(KIND.CONFIRM, timedelta(days=14)), (KIND.MOVE, timedelta(days=14)), (KIND.MOVED, timedelta(days=7))],
)
def test_a_letter_whose_link_would_be_dead_is_not_sent(
    database: Database, letters: Letters, kind: LetterKind, life: timedelta
) -> None:
    turn(database, status="unconfirmed" if kind is KIND.CONFIRM else "active")
    written = asked(database, kind, ADA if kind is KIND.CONFIRM else "new@readers.example")
    assert letters.begin(written, FRIDAY + life) is None
    assert (only(letters).state, only(letters).reason) == (DeliveryState.DROPPED, "expired")


@pytest.mark.parametrize("kind", [KIND.KNOWN, KIND.LINK, KIND.DATA, KIND.CATCH_UP])
def test_what_is_a_readers_own_does_not_go_to_an_address_that_they_moved_from(
    database: Database, letters: Letters, kind: LetterKind
) -> None:
    written = asked(database, kind)
    turn(database, status="active", address="new@readers.example", folded="new@readers.example")
    assert letters.begin(written, FRIDAY) is None
    assert only(letters).reason == "moved"


def test_a_letter_that_is_gone_with_its_reader_is_nobodys_trouble(database: Database, letters: Letters) -> None:
    sending = begun(letters, asked(database))
    with database.write() as connection:
        connection.execute(tables.letter.delete())
    assert letters.begin(replace(sending, state=DeliveryState.WAITING), FRIDAY) is None
    letters.settle(sending, ACCEPTED, FRIDAY)
    assert not letters.of(1)


def test_what_failed_lately_or_waits_long_can_be_named(database: Database, letters: Letters) -> None:
    hour, day = timedelta(hours=1), timedelta(days=1)
    refused = Settlement(1, DeliveryState.FAILED, "no-mailbox", receipt=Receipt(Outcome.REFUSED, 550, "no"))
    letters.settle(begun(letters, asked(database)), refused, FRIDAY)
    asked(database, KIND.LINK)

    def named(after: timedelta) -> list[LetterKind]:
        return [one.kind for one in letters.stuck(FRIDAY + after, since=day, waiting=hour)]

    assert named(MINUTE) == [KIND.CONFIRM]
    assert named(2 * hour) == [KIND.CONFIRM, KIND.LINK]
    assert named(2 * day) == [KIND.LINK]
