"""What every store of imports promises: looked up and written by the hundred, as one by one."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from newsletter.model import ConsentKind, Evidence, ImportRun, LetterKind, Subscriber, SubscriberStatus
from newsletter.ports import Imports, Roster
from newsletter.readers.limits import decide
from newsletter.store.database import Database
from newsletter.store.importing import SqlImports
from newsletter.store.letters import SqlLetters
from newsletter.store.rates import SqlRates
from tests.contract.desk import FRIDAY, LINK, hashed, join

LATER = FRIDAY + timedelta(days=1)
PACE = timedelta(seconds=0.5)
ADA = Subscriber(0, "Ada@readers.example", SubscriberStatus.ACTIVE, "weekly", FRIDAY, owed_from=LATER)


@pytest.fixture
def imports(database: Database) -> Imports:
    return SqlImports(database, hashed)


def put(imports: Imports, *arrivals: tuple[Subscriber, str]) -> None:
    with imports.step(LATER, write=True) as step:
        step.put(arrivals, PACE)


def looked(imports: Imports, *addresses: str) -> dict[str, str]:
    with imports.step(LATER, write=False) as step:
        return dict(step.look(addresses))


def test_who_is_known_is_found_with_their_status_and_who_is_forgotten_by_their_hash(
    imports: Imports, roster: Roster
) -> None:
    for status in ("active", "unconfirmed", "paused", "left", "blocked"):
        join(roster, f"{status}@readers.example", status)
    roster.forget(join(roster, "forgotten@readers.example").id, now=FRIDAY)
    roster.forget(join(roster, "worse@readers.example", "blocked").id, now=FRIDAY)
    names = ["active", "unconfirmed", "paused", "left", "blocked", "forgotten"]
    known = looked(imports, *(f"{name}@readers.example" for name in (*names, "worse", "new")))
    assert known == {f"{name}@readers.example": name for name in names} | {"worse@readers.example": "blocked"}


def test_a_reader_arrives_with_all_that_is_known_of_them(imports: Imports, roster: Roster) -> None:
    paused = replace(ADA, status=SubscriberStatus.PAUSED, paused_until=LATER, without=("cars", "trains"), plain=True)
    put(imports, (paused, "list.csv, row 2: the form of 2021"))
    there = roster.find("ada@READERS.example")
    assert there
    assert there == replace(paused, id=there.id)
    line, rest = roster.consents(there.id)
    assert (line.kind, line.way, line.at, line.address) == (ConsentKind.JOINED, "import", LATER, paused.address)
    assert (rest.kind, rest.way) == (ConsentKind.PAUSED, "import")
    assert line.text_hash == hashlib.sha256(b"list.csv, row 2: the form of 2021").hexdigest()


def test_only_who_is_still_to_confirm_gets_a_letter(imports: Imports, roster: Roster, database: Database) -> None:
    statuses = [each for each in SubscriberStatus if each is not SubscriberStatus.PAUSED]
    readers = [replace(ADA, address=f"{each.value}@readers.example", status=each) for each in statuses]
    put(imports, *((reader, "list.csv") for reader in readers))
    [letter] = SqlLetters(database).due(LATER, 10)
    assert (letter.kind, letter.address) == (LetterKind.CONFIRM, "unconfirmed@readers.example")
    kinds = [
        roster.consents(there.id)[0].kind.value for there in map(roster.find, (r.address for r in readers)) if there
    ]
    assert kinds == ["asked", "joined", "left", "blocked"]


def asked(imports: Imports, *names: str) -> None:
    unconfirmed = replace(ADA, status=SubscriberStatus.UNCONFIRMED, owed_from=None)
    put(imports, *((replace(unconfirmed, address=f"{name}@readers.example"), "list.csv") for name in names))


def due(database: Database, at: datetime) -> list[str]:
    return [letter.address.partition("@")[0] for letter in SqlLetters(database).due(at, 100)]


def test_the_letters_of_lists_are_due_one_after_another(imports: Imports, database: Database) -> None:
    asked(imports, "ada", "bob", "cleo")
    asked(imports, "dora", "ed")
    assert due(database, LATER) == ["ada"]
    assert due(database, LATER + 2 * PACE) == ["ada", "bob", "cleo"]
    assert due(database, LATER + 4 * PACE) == ["ada", "bob", "cleo", "dora", "ed"]


def test_the_time_to_confirm_counts_from_the_letter(imports: Imports, roster: Roster, database: Database) -> None:
    asked(imports, "ada", "bob", "cleo")
    letters = SqlLetters(database).due(LATER + 9 * PACE, 9)
    assert [letter.at for letter in letters] == [LATER, LATER + PACE, LATER + 2 * PACE]
    assert roster.expire(before=LATER + 2 * PACE) == 2
    assert [reader.address for reader in roster.all()] == ["cleo@readers.example"]


def test_who_signs_up_waits_behind_no_list(imports: Imports, roster: Roster, database: Database) -> None:
    asked(imports, "ada", "bob", "cleo")
    much_later = LATER + timedelta(days=1)
    for name in ("cleo", "new"):  # one of them is on the list
        roster.ask(f"{name}@readers.example", edition="weekly", evidence=LINK, now=much_later)
    assert due(database, much_later) == ["cleo", "new", "ada", "bob"]


def test_a_list_is_no_rush_of_sign_ups(imports: Imports, database: Database) -> None:
    asked(imports, *(f"r{n}" for n in range(20)))
    assert SqlRates(database, decide).signups(FRIDAY) == 0


def test_who_bounced_elsewhere_stays_suppressed_and_is_made_no_reader_by_lifting_it(
    imports: Imports, roster: Roster
) -> None:
    put(imports, (replace(ADA, status=SubscriberStatus.BLOCKED), "list.csv"))
    there = roster.find(ADA.address)
    assert there
    assert roster.suppressed(ADA.address) == "blocked"
    roster.unblock(there.id, evidence=Evidence("cli"), now=LATER)
    lifted = roster.get(there.id)
    assert lifted
    assert lifted.status not in (SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED)


def test_who_left_elsewhere_cannot_be_brought_back_by_undoing_it(imports: Imports, roster: Roster) -> None:
    put(imports, (replace(ADA, status=SubscriberStatus.LEFT, left_at=FRIDAY, owed_from=None), "list.csv"))
    there = roster.find(ADA.address)
    assert there
    assert not roster.come_back(there.id, evidence=LINK, now=LATER)


def test_a_step_that_fails_leaves_nothing(imports: Imports, roster: Roster) -> None:
    def cut_off() -> None:
        with imports.step(LATER, write=True) as step:
            step.put([(ADA, "list.csv")], PACE)
            step.record(ImportRun("key", "list.csv", 1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cut_off()
    assert roster.find(ADA.address) is None
    assert imports.unfinished("key") is None


def test_how_far_it_came_is_remembered_until_it_is_over(imports: Imports) -> None:
    runs = [ImportRun("key", "list.csv", rows, {"new": rows}, rows * 10) for rows in (2000, 4000)]
    for run in runs:
        with imports.step(LATER, write=True) as step:
            step.record(run)
    assert imports.unfinished("key") == runs[-1]
    assert imports.unfinished("another") is None
    with imports.step(LATER, write=True) as step:
        step.finish("key")
    assert imports.unfinished("key") is None


def test_all_readers_come_with_the_way_in_which_they_agreed_last(imports: Imports, roster: Roster) -> None:
    roster.forget(join(roster, "gone@readers.example").id, now=FRIDAY)
    back = join(roster, "back@readers.example", "left")
    roster.come_back(back.id, evidence=LINK, now=LATER)
    put(imports, *((replace(ADA, address=f"reader{n}@readers.example"), "list.csv") for n in range(1100)))
    readers = list(imports.readers(None))
    assert [(reader.address, way) for reader, way in readers[:2]] == [
        ("back@readers.example", "link"),
        ("reader0@readers.example", "import"),
    ]
    assert len(readers) == 1101
    assert list(imports.readers("left")) == []


def test_who_arrived_paused_left_and_comes_back_is_paused(imports: Imports, roster: Roster) -> None:
    put(imports, (replace(ADA, status=SubscriberStatus.PAUSED), "list.csv"))
    there = roster.find(ADA.address)
    assert there
    roster.leave(there.id, evidence=LINK, now=LATER)
    assert roster.come_back(there.id, evidence=LINK, now=LATER)
    assert roster.get(there.id) == there
