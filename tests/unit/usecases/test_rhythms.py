"""When the next issue comes that a reader gets, as far as anybody can say."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from newsletter.model import EACH_POST, MONTHLY, WEEKLY, Cadence, Subscriber, SubscriberStatus
from newsletter.usecases.rhythms import Rhythms
from tests.builders import a_cadence

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
FRIDAY, NEXT = datetime(2026, 11, 27, 7, tzinfo=UTC), datetime(2026, 12, 4, 7, tzinfo=UTC)
READER = Subscriber(1, "ada@readers.example", SubscriberStatus.ACTIVE, WEEKLY, NOW)


def rhythms(
    *, resting: Callable[[str], bool] = lambda _: False, gone: Collection[str] = (), **changes: object
) -> Rhythms:
    cadence: Cadence = a_cadence(**changes)
    offered = {WEEKLY: cadence, EACH_POST: replace(cadence, edition=EACH_POST)}
    return Rhythms(lambda: offered, resting, cadence.zone, lambda _: gone)


def next_for(reader: Subscriber, at: Rhythms) -> datetime | None:
    slot = at.next_for(reader, NOW)
    return slot.due if slot else None


def test_an_active_reader_gets_the_next_slot() -> None:
    assert next_for(READER, rhythms()) == FRIDAY


def test_nothing_is_promised_before_the_first_slot() -> None:
    assert next_for(READER, rhythms(first_slot=date(2026, 12, 2))) == NEXT


def test_a_slot_that_was_moved_comes_when_it_was_moved_to() -> None:
    saturday = datetime(2026, 11, 28, 9, tzinfo=UTC)
    assert next_for(READER, rhythms(moved={"2026-W48": saturday})) == saturday


def test_a_slot_whose_issue_went_out_before_its_time_is_not_promised_again() -> None:
    assert next_for(READER, rhythms(gone=["2026-W48"])) == NEXT


def test_after_a_pause_comes_the_first_slot_that_is_not_within_it() -> None:
    paused = replace(READER, status=SubscriberStatus.PAUSED, paused_until=datetime(2026, 11, 28, tzinfo=UTC))
    assert next_for(paused, rhythms()) == NEXT
    assert next_for(replace(paused, paused_until=datetime(2026, 11, 1, tzinfo=UTC)), rhythms()) == FRIDAY


@pytest.mark.parametrize(
    "reader",
    [
        replace(READER, status=SubscriberStatus.PAUSED),
        replace(READER, status=SubscriberStatus.LEFT),
        replace(READER, edition=EACH_POST),
        replace(READER, edition=MONTHLY),
    ],
    ids=["paused without an end", "left", "with each post", "of an edition that is switched off"],
)
def test_who_gets_nothing_that_can_be_foreseen_is_told_no_day(reader: Subscriber) -> None:
    assert next_for(reader, rhythms()) is None


def test_no_day_is_told_while_all_slots_rest() -> None:
    assert next_for(READER, rhythms(resting=lambda edition: edition == WEEKLY)) is None
