"""What every roster promises, whatever database it stands on."""

from __future__ import annotations

import pytest

from newsletter.model import WEEKLY, Consent, ConsentKind, Subscriber, SubscriberStatus
from newsletter.ports import Roster
from tests.contract.desk import FRIDAY, MINUTE

ADA = "ada@readers.example"


def join(roster: Roster, address: str = ADA, status: str = "active") -> Subscriber:
    made = roster.add(address, edition=WEEKLY, status=status, way="cli", text="on paper, 3 May", now=FRIDAY)
    assert made
    return made


def test_a_reader_joins_once_whatever_became_of_them(roster: Roster) -> None:
    ada = join(roster)
    assert ada == Subscriber(ada.id, ADA, SubscriberStatus.ACTIVE, WEEKLY, FRIDAY, owed_from=FRIDAY)
    assert roster.find(ADA) == roster.get(ada.id) == ada
    roster.leave(ada.id, way="link", now=FRIDAY)
    assert roster.add(ADA, edition=WEEKLY, status="active", way="cli", text="", now=FRIDAY) is None
    assert len(roster.all()) == 1


def test_nobody_is_found_who_never_joined(roster: Roster) -> None:
    assert roster.find(ADA) is None
    assert roster.get(1) is None
    assert not roster.leave(1, way="link", now=FRIDAY)
    assert not roster.come_back(1, way="link", now=FRIDAY)


@pytest.mark.parametrize("status", ["active", "paused", "unconfirmed"])
def test_leaving_counts_once_and_is_on_record(roster: Roster, status: str) -> None:
    ada = join(roster, status=status)
    assert roster.leave(ada.id, way="one-click", now=FRIDAY + MINUTE)
    assert not roster.leave(ada.id, way="link", now=FRIDAY + 2 * MINUTE)
    left = roster.get(ada.id)
    assert left
    assert (left.status, left.left_at) == (SubscriberStatus.LEFT, FRIDAY + MINUTE)
    assert roster.consents(ada.id) == [
        Consent(ada.id, FRIDAY, ConsentKind.JOINED, "cli", "on paper, 3 May"),
        Consent(ada.id, FRIDAY + MINUTE, ConsentKind.LEFT, "one-click"),
    ]


def test_a_blocked_reader_stays_blocked(roster: Roster) -> None:
    ada = join(roster, status="blocked")
    assert not roster.leave(ada.id, way="link", now=FRIDAY)
    assert not roster.come_back(ada.id, way="link", now=FRIDAY)
    assert roster.get(ada.id) == ada


def test_who_left_may_come_back_and_that_is_on_record_too(roster: Roster) -> None:
    ada = join(roster)
    assert not roster.come_back(ada.id, way="link", now=FRIDAY)
    roster.leave(ada.id, way="link", now=FRIDAY)
    assert roster.come_back(ada.id, way="link", now=FRIDAY + MINUTE)
    assert roster.get(ada.id) == ada
    assert [each.kind for each in roster.consents(ada.id)] == ["joined", "left", "returned"]


def test_readers_are_listed_and_counted_by_status(roster: Roster) -> None:
    ada = join(roster)
    ben = join(roster, "ben@readers.example", "unconfirmed")
    roster.leave(ada.id, way="cli", now=FRIDAY)
    assert [each.id for each in roster.all()] == [ada.id, ben.id]
    assert [each.id for each in roster.all("left")] == [ada.id]
    assert roster.counts() == dict.fromkeys(SubscriberStatus, 0) | {"left": 1, "unconfirmed": 1}


def test_a_status_that_does_not_exist_is_a_mistake_of_the_caller(roster: Roster) -> None:
    with pytest.raises(ValueError, match="asleep"):
        join(roster, status="asleep")
