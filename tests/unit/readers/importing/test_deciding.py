"""What becomes of each row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.errors import Problem
from newsletter.model import SubscriberStatus
from newsletter.readers.importing.addresses import Addresses, cleaned
from newsletter.readers.importing.deciding import ADDED, Fate, Terms, fate_of, reader_of
from newsletter.readers.importing.rows import Entry
from newsletter.readers.importing.standing import Standing, worse
from newsletter.readers.subscriptions import canonical
from tests.unit.readers.importing.walking import surveyed

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
JOINED = datetime(2021, 5, 3, 10, 15, 25, tzinfo=UTC)
ADA = Entry(2, "Ada@readers.example", joined=JOINED)
ASKING = Terms("list.csv (Ghost)", "", frozenset({"weekly"}), "weekly", NOW)
PROVEN = replace(ASKING, consent="the form of 2021")


@pytest.mark.parametrize("known", ["left", "blocked", "forgotten"])
@pytest.mark.parametrize("standing", list(Standing))
def test_nobody_who_said_no_is_revived_whatever_a_list_says(standing: Standing, known: str) -> None:
    assert fate_of(ADA, standing, known) not in ADDED


@pytest.mark.parametrize("known", ["unconfirmed", "active", "paused"])
def test_who_is_here_stays_as_they_are_and_a_no_from_there_is_told(known: str) -> None:
    assert fate_of(ADA, Standing.WANTS, known) is Fate.HERE
    assert fate_of(ADA, Standing.UNCONFIRMED, known) is Fate.HERE
    assert fate_of(ADA, Standing.LEFT, known) is Fate.DISPUTED
    assert fate_of(ADA, Standing.BLOCKED, known) is Fate.DISPUTED


def test_a_new_address_becomes_what_it_was_there() -> None:
    fates = [fate_of(ADA, standing, "") for standing in Standing]
    assert fates == [Fate.NEW, Fate.NEW, Fate.PENDING, Fate.UNASKED, Fate.GONE, Fate.BOUNCED]
    assert fate_of(ADA, None, "") is Fate.TWICE
    assert fate_of(Entry(3, fault="no @", wrong=True), Standing.WANTS, "") is Fate.WRONG
    assert fate_of(Entry(3, fault="shifted"), Standing.WANTS, "") is Fate.ODD


def test_without_proof_each_is_asked() -> None:
    reader, text = reader_of(ADA, Standing.WANTS, ASKING)
    assert reader.status is SubscriberStatus.UNCONFIRMED
    assert reader.owed_from is None
    assert reader.joined_at == NOW  # their limit to confirm counts from now
    assert text == "list.csv (Ghost), row 2, there since 2021-05-03"


def test_with_proof_they_are_readers_from_now_on_and_joined_when_they_did() -> None:
    reader, text = reader_of(ADA, Standing.WANTS, PROVEN)
    assert reader.status is SubscriberStatus.ACTIVE
    assert (reader.joined_at, reader.owed_from) == (JOINED, NOW)
    assert text.endswith(": the form of 2021")
    assert reader_of(ADA._replace(joined=NOW + timedelta(days=9)), Standing.WANTS, PROVEN)[0].joined_at == NOW


def test_proof_for_all_is_no_proof_for_those_who_never_confirmed() -> None:
    reader, text = reader_of(ADA, Standing.UNCONFIRMED, PROVEN)
    assert reader.status is SubscriberStatus.UNCONFIRMED
    assert "form" not in text


def test_a_no_is_kept_with_its_day() -> None:
    gone, text = reader_of(ADA._replace(left=JOINED + timedelta(days=1)), Standing.LEFT, PROVEN)
    assert (gone.status, gone.joined_at, gone.left_at) == (SubscriberStatus.LEFT, JOINED, JOINED + timedelta(days=1))
    assert "form" not in text
    assert reader_of(ADA, Standing.BLOCKED, PROVEN)[0].status is SubscriberStatus.BLOCKED


def test_an_edition_that_is_not_switched_on_is_the_usual_one() -> None:
    monthly = ADA._replace(edition="monthly")
    assert reader_of(monthly, Standing.WANTS, PROVEN)[0].edition == "weekly"
    on = replace(PROVEN, editions=frozenset({"weekly", "monthly"}))
    assert reader_of(monthly, Standing.WANTS, on)[0].edition == "monthly"


def test_of_two_things_said_of_one_address_the_no_is_believed() -> None:
    assert worse(Standing.WANTS, Standing.LEFT) is Standing.LEFT
    assert worse(Standing.BLOCKED, Standing.LEFT) is Standing.BLOCKED
    found, _ = surveyed(
        "email,status\nada@readers.example,active\nbob@readers.example,active\nADA@readers.example,left\n"
        "bob@readers.example,active\ncleo@readers.example,active\n"
    )
    assert found.doubles.again("ada@readers.example") is Standing.LEFT
    assert found.doubles.again("bob@readers.example") is Standing.WANTS
    assert found.doubles.again("cleo@readers.example") is None
    assert found.doubles.again("cleo@readers.example") is None
    with pytest.raises(KeyError):
        found.doubles.again("ada@readers.example")


local = st.text("abcXYZ019._+-=?!'%é\" @", min_size=1, max_size=70)
domain = st.sampled_from(
    ["readers.example", "Readers.Example", "münchen.example", "localhost", "a..b", "-a.example", "x" * 64 + ".example",
     "xn--mnchen-3ya.example", ".".join(["a" * 60] * 4) + ".example", "[127.0.0.1]", ""]
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.tuples(local, domain), min_size=2, max_size=6))
@example([("a" * 64, "readers.example"), ("a" * 65, "readers.example"), ("=cmd", "readers.example")])
@example([("a", "readers.example"), ("=?utf-8?q?a?=", "readers.example"), ("a=?b", "readers.example")])
def test_addresses_are_judged_as_one_by_one(people: list[tuple[str, str]]) -> None:
    addresses = Addresses()
    for name, place in people:
        address = f"{name}@{place}".strip()
        quick, slow = addresses.canonical(address), canonical(address)
        assert quick == slow or (isinstance(quick, Problem) and isinstance(slow, Problem))


def test_blanks_that_nobody_sees_and_the_guard_of_an_export_are_taken_off() -> None:
    assert cleaned(" \u200bada@readers.example\u00a0\ufeff ") == "ada@readers.example"
    assert cleaned("'-1") == "-1"
    assert cleaned("'ada@readers.example") == "'ada@readers.example"
