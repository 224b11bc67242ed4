"""Who comes, goes or changes while an audience is being written: the count adds up, and nobody gets what they left."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from newsletter.model import WEEKLY, DeliveryState, LetterKind
from newsletter.ports import Ledger, Roster
from newsletter.store import audience
from tests.contract.desk import FRIDAY, LINK, MINUTE, PAPER, Desk, accepted, join, slot_of_week

LATER = FRIDAY + timedelta(weeks=1)
READERS = 9
EARLY, LATE = 2, 8  # one whose row is written when the writing stops, one whose is not


class Stopped(Exception):
    """The writing of an audience was cut off."""


@pytest.fixture
def desk(ledger: Ledger, roster: Roster) -> Desk:
    """Nine active readers who have issue 1, and issue 2 about to start."""
    made = Desk(ledger, roster)
    made.join(READERS)
    made.open(5, "batteries")
    ledger.start_send(WEEKLY, 1, now=FRIDAY)
    made.open(6, "hatches", slot=slot_of_week(6), send_at=LATER)
    return made


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Callable[[Desk, int], None]:
    """Write the audience of issue 2 in commits of three, and stop after some."""
    monkeypatch.setattr(audience, "BATCH", 3)
    monkeypatch.setattr(audience, "CHUNK", 3)
    add = audience._add_readers

    def cut(desk: Desk, commits: int) -> None:
        left = [True] * commits

        def add_or_stop(*args: object) -> bool:
            if not left:
                raise Stopped
            left.pop()
            return add(*args)  # type: ignore[arg-type]

        with monkeypatch.context() as patch:
            patch.setattr(audience, "_add_readers", add_or_stop)
            with pytest.raises(Stopped):
                desk.ledger.start_send(WEEKLY, 2, now=LATER)

    return cut


Stop = Callable[[Desk, int], None]


def finish(desk: Desk) -> dict[int, tuple[DeliveryState, str]]:
    """Write the rest: who is in the audience, and how."""
    issue = desk.ledger.start_send(WEEKLY, 2, now=LATER + MINUTE)
    assert issue
    rows = {each.subscriber_id: (each.state, each.reason) for each in desk.ledger.deliveries(WEEKLY, 2)}
    assert issue.audience == len(rows)
    return rows


WAITS = (DeliveryState.WAITING, "")


def gone(reason: str) -> tuple[DeliveryState, str]:
    return (DeliveryState.DROPPED, reason)


@pytest.mark.parametrize("reader", [EARLY, LATE])
def test_a_pause_counts_at_once(desk: Desk, stop: Stop, reader: int) -> None:
    stop(desk, 1)
    desk.roster.pause(reader, until=None, evidence=LINK, now=LATER)
    assert finish(desk)[reader] == gone("paused")


@pytest.mark.parametrize("reader", [EARLY, LATE])
def test_so_does_a_block(desk: Desk, stop: Stop, reader: int) -> None:
    stop(desk, 1)
    desk.roster.block(reader, reason="complained", evidence=LINK, now=LATER)
    assert finish(desk)[reader] == gone("suppressed")


@pytest.mark.parametrize("reader", [EARLY, LATE])
def test_so_does_being_forgotten(desk: Desk, stop: Stop, reader: int) -> None:
    stop(desk, 1)
    desk.roster.forget(reader, now=LATER)
    assert finish(desk)[reader] == gone("left")


@pytest.mark.parametrize("reader", [EARLY, LATE])
def test_another_edition_counts_from_the_next_issue(desk: Desk, stop: Stop, reader: int) -> None:
    stop(desk, 1)
    desk.roster.choose(reader, edition="monthly", without=(), plain=False, evidence=LINK, now=LATER)
    assert finish(desk)[reader] == WAITS


def test_who_comes_into_the_edition_with_a_number_ahead_gets_the_issue(desk: Desk, stop: Stop) -> None:
    for reader in (EARLY, LATE):
        desk.roster.choose(reader, edition="monthly", without=(), plain=False, evidence=LINK, now=FRIDAY)
    stop(desk, 1)
    for reader in (EARLY, LATE):
        desk.roster.choose(reader, edition=WEEKLY, without=(), plain=False, evidence=LINK, now=LATER)
    rows = finish(desk)
    assert (EARLY in rows, rows[LATE]) == (False, WAITS)


@pytest.mark.parametrize("back", ["resume", "come_back", "unblock"])
def test_who_is_active_again_with_a_number_ahead_gets_the_issue_whatever_they_had_before(
    desk: Desk, stop: Stop, back: str
) -> None:
    roster = desk.roster
    for reader in (EARLY, LATE):
        if back == "resume":
            roster.pause(reader, until=None, evidence=LINK, now=FRIDAY)
        elif back == "come_back":
            roster.leave(reader, evidence=LINK, now=FRIDAY)
        else:
            roster.block(reader, reason="by hand", evidence=LINK, now=FRIDAY)
    stop(desk, 1)
    for reader in (EARLY, LATE):
        assert getattr(roster, back)(reader, evidence=LINK, now=LATER)
    rows = finish(desk)
    assert (EARLY in rows, rows[LATE]) == (False, WAITS)


def test_who_goes_and_comes_is_in_the_audience_as_one_who_went(desk: Desk, stop: Stop) -> None:
    stop(desk, 1)
    for _ in range(2):
        desk.roster.pause(LATE, until=None, evidence=LINK, now=LATER)
        desk.roster.resume(LATE, evidence=LINK, now=LATER)
    assert finish(desk)[LATE] == gone("paused")


def test_who_confirms_meanwhile_is_counted_when_their_number_is_ahead(desk: Desk, stop: Stop) -> None:
    asked = join(desk.roster, "asked@readers.example", "unconfirmed")
    stop(desk, 1)
    new = join(desk.roster, "new@readers.example", "unconfirmed")
    for reader in (asked, new):
        assert desk.roster.confirm(reader.id, evidence=LINK, now=LATER)
    rows = finish(desk)
    assert (rows[asked.id], new.id in rows) == (WAITS, False)


def test_a_pause_that_ends_meanwhile_is_counted(desk: Desk, stop: Stop) -> None:
    desk.roster.pause(LATE, until=LATER + MINUTE, evidence=LINK, now=FRIDAY)
    stop(desk, 1)
    assert desk.roster.wake(LATER + MINUTE) == 1
    assert finish(desk)[LATE] == WAITS


def test_a_pause_that_is_over_when_the_issue_starts_keeps_nothing_back(desk: Desk) -> None:
    desk.roster.pause(EARLY, until=LATER, evidence=LINK, now=FRIDAY)
    desk.roster.pause(LATE, until=LATER + MINUTE, evidence=LINK, now=FRIDAY)
    issue = desk.ledger.start_send(WEEKLY, 2, now=LATER)
    assert issue
    assert issue.audience == READERS - 1
    assert [line.kind for line in desk.roster.consents(EARLY)] == ["joined", "paused", "resumed"]


def test_whatever_happens_meanwhile_the_audience_adds_up(desk: Desk, stop: Stop) -> None:
    chance = random.Random(5)
    for n in range(4):
        join(desk.roster, f"asked{n}@readers.example", "unconfirmed")
    stop(desk, 1)
    for turn in range(200):
        reader, now = chance.randrange(1, READERS + 5), LATER + timedelta(seconds=turn)
        _something(desk.roster, chance, reader, now)
        if turn % 50 == 0:
            desk.roster.forget(reader, now=now)
            desk.roster.add(f"late{turn}@readers.example", edition=WEEKLY, evidence=PAPER, now=now)
    for subscriber_id, (state, _) in finish(desk).items():
        reader_now = desk.roster.get(subscriber_id)
        active = reader_now is not None and reader_now.status == "active"
        assert active or state is DeliveryState.DROPPED


def _something(roster: Roster, chance: random.Random, reader: int, now: datetime) -> None:
    match chance.randrange(6):
        case 0:
            roster.pause(reader, until=None, evidence=LINK, now=now)
        case 1:
            roster.resume(reader, evidence=LINK, now=now)
        case 2:
            roster.leave(reader, evidence=LINK, now=now)
        case 3:
            roster.come_back(reader, evidence=LINK, now=now)
        case 4:
            roster.confirm(reader, evidence=LINK, now=now)
        case _:
            edition = chance.choice([WEEKLY, "monthly"])
            roster.choose(reader, edition=edition, without=(), plain=False, evidence=LINK, now=now)


# --- an issue on its way ---------------------------------------------------------------------------


@pytest.mark.parametrize(("act", "reason"), [("pause", "paused"), ("leave", "left"), ("block", "suppressed")])
def test_what_waits_of_an_issue_on_its_way_is_dropped(ledger: Ledger, roster: Roster, act: str, reason: str) -> None:
    desk = Desk(ledger, roster)
    ids, chunk = desk.send(3)
    desk.hand(chunk, ids[:1])
    ledger.hand_over(chunk, settled=[accepted(ids[0])], wanted=[], now=FRIDAY)
    _act(roster, act, ids[0])
    _act(roster, act, ids[1])
    rows = {each.subscriber_id: (each.state, each.reason) for each in ledger.deliveries(WEEKLY, 1)}
    assert rows[ids[0]] == (DeliveryState.ACCEPTED, "")
    assert rows[ids[1]] == (DeliveryState.CLAIMED, "")  # in the hands of a worker, who asks again before it leaves
    assert ledger.hand_over(chunk, settled=[], wanted=ids[1:], now=FRIDAY)[ids[1]] is None
    assert ledger.delivery(WEEKLY, 1, ids[1]).reason == reason  # type: ignore[union-attr]


@pytest.mark.parametrize(("act", "reason"), [("pause", "paused"), ("leave", "left"), ("block", "suppressed")])
def test_what_no_worker_has_taken_is_dropped_at_once(ledger: Ledger, roster: Roster, act: str, reason: str) -> None:
    desk = Desk(ledger, roster)
    ids, _ = desk.send(2)
    _act(roster, act, ids[0])
    dropped = ledger.delivery(WEEKLY, 1, ids[0])
    assert dropped
    assert (dropped.state, dropped.reason) == gone(reason)


def test_a_pause_keeps_no_letter_back_that_its_reader_asked_for(roster: Roster) -> None:
    ada = join(roster, "ada@readers.example")
    letter = roster.write(ada.id, LetterKind.DATA, now=FRIDAY)
    roster.pause(ada.id, until=None, evidence=LINK, now=FRIDAY)
    assert [each["state"] for each in roster.held(ada.id)["letters"]] == ["waiting"]
    assert letter


def _act(roster: Roster, act: str, reader: int) -> None:
    if act == "pause":
        assert roster.pause(reader, until=None, evidence=LINK, now=FRIDAY)
    elif act == "leave":
        assert roster.leave(reader, evidence=LINK, now=FRIDAY)
    else:
        assert roster.block(reader, reason="bounced", evidence=LINK, now=FRIDAY)
