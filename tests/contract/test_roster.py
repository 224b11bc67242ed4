"""What every roster promises, whatever database it stands on."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select

from newsletter.model import (
    WEEKLY,
    Addressee,
    ConsentKind,
    DeliveryState,
    Evidence,
    Letter,
    LetterKind,
    Outcome,
    Receipt,
    Settlement,
    Subscriber,
    SubscriberStatus,
)
from newsletter.ports import Ledger, Roster
from newsletter.store import pausing, reading
from newsletter.store.database import Database
from newsletter.store.letters import SqlLetters
from newsletter.store.tables import metadata
from tests.contract.desk import ADA as HAND
from tests.contract.desk import FRIDAY, LINK, MINUTE, PAPER, Desk, a_digest, a_story, deferred, join

ADA = "ada@readers.example"
BEN = "ben@readers.example"
FORM = Evidence("form", "One mail each Friday.", "/subscribe/", "192.0.2.0/24")
STATUSES = [status.value for status in SubscriberStatus]


@pytest.fixture
def letters(database: Database) -> SqlLetters:
    return SqlLetters(database)


def waiting(letters: SqlLetters) -> list[Letter]:
    return [*letters.due(FRIDAY + timedelta(days=400), 1000)]


def kinds(letters: SqlLetters) -> list[LetterKind]:
    return [letter.kind for letter in waiting(letters)]


def said(roster: Roster, reader: Subscriber) -> list[ConsentKind]:
    return [line.kind for line in roster.consents(reader.id)]


def now(roster: Roster, reader: Subscriber) -> Subscriber:
    there = roster.get(reader.id)
    assert there
    return there


def ask(roster: Roster, address: str = ADA, *, edition: str = WEEKLY) -> None:
    roster.ask(address, edition=edition, evidence=FORM, now=FRIDAY + MINUTE)


def confirm(roster: Roster, reader: Subscriber) -> bool:
    return roster.confirm(reader.id, evidence=LINK, now=FRIDAY + 2 * MINUTE)


# --- reading ---------------------------------------------------------------------------------------


def test_nobody_is_found_who_never_joined(roster: Roster) -> None:
    assert roster.find(ADA) is None
    assert roster.get(1) is None
    assert not roster.leave(1, evidence=LINK, now=FRIDAY)
    assert not roster.come_back(1, evidence=LINK, now=FRIDAY)
    assert not roster.forget(1, now=FRIDAY)
    assert roster.held(1) == {}


def test_readers_are_listed_and_counted_by_status(roster: Roster) -> None:
    everybody = [join(roster, f"{status}@readers.example", status) for status in STATUSES]
    assert [*roster.all()] == everybody
    for reader in everybody:
        assert [*roster.all(reader.status.value)] == [reader]
    assert roster.counts() == dict.fromkeys(SubscriberStatus, 1)


@pytest.mark.parametrize("count", [5, 6, 7])
def test_more_readers_than_fit_into_one_look_come_once_each(
    roster: Roster, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(reading, "_BATCH", 3)
    made = [join(roster, f"reader{n}@readers.example").id for n in range(count)]
    assert [each.id for each in roster.all("active")] == made


def test_readers_are_found_by_a_part_of_their_address_to_the_letter(roster: Roster) -> None:
    underline = join(roster, "a_b@readers.example")
    join(roster, "axb@readers.example")
    assert [*roster.all(search="A_B")] == [underline]
    assert [*roster.all("left", search="a_b")] == []


def test_the_first_ones_are_those_of_the_alphabet(roster: Roster) -> None:
    for name in ("cleo", "Ben", "ada"):
        join(roster, f"{name}@readers.example")
    assert roster.first(2, status="active") == [ADA, "Ben@readers.example"]
    assert roster.first(2, status="left") == []


def test_readers_are_counted_by_edition_and_as_of_the_time_when_pauses_are_over(roster: Roster) -> None:
    ada, ben, cleo = (join(roster, f"{name}@readers.example") for name in ("ada", "ben", "cleo"))
    roster.choose(ada.id, edition="monthly", without=(), plain=False, evidence=LINK, now=FRIDAY)
    roster.pause(ben.id, until=FRIDAY + MINUTE, evidence=LINK, now=FRIDAY)
    roster.pause(cleo.id, until=None, evidence=LINK, now=FRIDAY)
    nobody = {status.value: 0 for status in SubscriberStatus}
    assert roster.counts("monthly", at=FRIDAY + MINUTE) == {**nobody, "active": 1}
    assert roster.counts(WEEKLY) == {**nobody, "paused": 2}
    assert roster.counts(WEEKLY, at=FRIDAY + MINUTE) == {**nobody, "active": 1, "paused": 1}
    assert roster.first(3, status="active", edition=WEEKLY) == []


def test_a_status_that_does_not_exist_is_a_mistake_of_the_caller(roster: Roster) -> None:
    with pytest.raises(ValueError, match="asleep"):
        [*roster.all("asleep")]


# --- becoming a reader -----------------------------------------------------------------------------


def test_a_reader_is_added_once_whatever_became_of_them(roster: Roster) -> None:
    ada = join(roster, ADA)
    assert ada == Subscriber(ada.id, ADA, SubscriberStatus.ACTIVE, WEEKLY, FRIDAY, owed_from=FRIDAY)
    assert roster.find("Ada@readers.example") == roster.get(ada.id) == ada
    roster.leave(ada.id, evidence=LINK, now=FRIDAY)
    assert roster.add("ADA@readers.example", edition=WEEKLY, evidence=PAPER, now=FRIDAY) is None
    assert len([*roster.all()]) == 1


def test_a_line_of_consent_holds_how_and_the_hash_of_what_was_shown(roster: Roster) -> None:
    ask(roster)
    ada = roster.find(ADA)
    assert ada
    [line] = roster.consents(ada.id)
    assert (line.kind, line.at, line.way, line.page, line.network) == (
        ConsentKind.ASKED,
        FRIDAY + MINUTE,
        "form",
        "/subscribe/",
        "192.0.2.0/24",
    )
    assert (line.text, line.text_hash) == (FORM.text, hashlib.sha256(FORM.text.encode()).hexdigest())
    assert line.address == ADA


def test_who_asks_is_unconfirmed_and_gets_one_letter_however_often_they_ask(
    roster: Roster, letters: SqlLetters
) -> None:
    for _ in range(3):
        ask(roster)
    ada = roster.find(ADA)
    assert ada
    assert (ada.status, ada.owed_from) == (SubscriberStatus.UNCONFIRMED, None)
    [letter] = waiting(letters)
    assert (letter.kind, letter.address, letter.subscriber_id) == (LetterKind.CONFIRM, ADA, ada.id)


def test_confirming_makes_a_reader_once(roster: Roster) -> None:
    ada = join(roster, ADA, "unconfirmed")
    assert confirm(roster, ada)
    assert not confirm(roster, ada)
    then = FRIDAY + 2 * MINUTE
    assert now(roster, ada) == Subscriber(ada.id, ADA, SubscriberStatus.ACTIVE, WEEKLY, then, owed_from=then)
    assert said(roster, ada) == ["asked", "joined"]


def test_what_was_asked_for_last_is_confirmed(roster: Roster) -> None:
    ask(roster)
    ask(roster, edition="monthly")
    ada = roster.find(ADA)
    assert ada
    confirm(roster, ada)
    assert now(roster, ada).edition == "monthly"


@pytest.mark.parametrize("status", ["active", "paused"])
def test_who_is_a_reader_and_asks_is_told_so_and_nothing_changes(
    roster: Roster, letters: SqlLetters, status: str
) -> None:
    ada = join(roster, ADA, status)
    before = roster.held(ada.id)["consents"]
    ask(roster, edition="monthly")
    assert kinds(letters) == [LetterKind.KNOWN]
    assert not confirm(roster, ada)
    assert now(roster, ada) == ada
    assert roster.held(ada.id)["consents"] == before


def test_who_left_comes_back_by_asking_and_confirming(roster: Roster, letters: SqlLetters) -> None:
    ada = join(roster, ADA, "left")
    assert not confirm(roster, ada)  # the link of their first letter was used up
    ask(roster)
    assert now(roster, ada).status is SubscriberStatus.LEFT
    assert kinds(letters) == [LetterKind.CONFIRM]
    assert confirm(roster, ada)
    assert now(roster, ada).left_at is None
    assert said(roster, ada)[-2:] == ["asked", "returned"]


def test_who_left_again_is_not_brought_back_by_the_link_they_used(roster: Roster) -> None:
    ada = join(roster, ADA, "unconfirmed")
    confirm(roster, ada)
    roster.leave(ada.id, evidence=LINK, now=FRIDAY + 3 * MINUTE)
    assert not confirm(roster, ada)


def test_who_is_blocked_gets_no_letter_by_asking(roster: Roster, letters: SqlLetters) -> None:
    ada = join(roster, ADA, "blocked")
    ask(roster)
    assert kinds(letters) == []
    assert now(roster, ada) == ada
    assert not confirm(roster, ada)


def test_it_was_not_me_leaves_nothing_behind(roster: Roster, letters: SqlLetters, database: Database) -> None:
    ada = join(roster, ADA, "unconfirmed")
    assert roster.deny(ada.id, now=FRIDAY)
    assert not roster.deny(ada.id, now=FRIDAY)
    assert everywhere(database, ADA) == []
    assert roster.suppressed(ADA) == ""
    assert kinds(letters) == []


def test_it_was_not_me_takes_no_reader_off(roster: Roster, letters: SqlLetters) -> None:
    ada = join(roster, ADA, "left")
    ask(roster)
    assert not roster.deny(ada.id, now=FRIDAY)
    assert kinds(letters) == []
    assert now(roster, ada).status is SubscriberStatus.LEFT


def test_who_never_confirmed_is_gone_after_a_while(roster: Roster, database: Database) -> None:
    late, left = join(roster, ADA, "unconfirmed"), join(roster, BEN, "left")
    ask(roster, "cleo@readers.example")
    assert roster.expire(before=FRIDAY + MINUTE) == 1
    assert roster.get(late.id) is None
    assert everywhere(database, ADA) == []
    assert [reader.address for reader in roster.all()] == [BEN, "cleo@readers.example"]
    assert roster.get(left.id)
    assert roster.expire(before=FRIDAY + MINUTE) == 0


def test_asking_again_starts_the_time_to_confirm_anew(roster: Roster) -> None:
    join(roster, ADA, "unconfirmed")
    ask(roster)
    assert roster.expire(before=FRIDAY + MINUTE) == 0


# --- what they get ---------------------------------------------------------------------------------


def test_a_choice_is_kept_and_on_record_once(roster: Roster) -> None:
    ada = join(roster, ADA)
    for _ in range(2):
        chosen = roster.choose(
            ada.id, edition="monthly", without={"sailing", "bees"}, plain=True, evidence=LINK, now=FRIDAY
        )
        assert chosen == now(roster, ada)
    assert (now(roster, ada).edition, now(roster, ada).without, now(roster, ada).plain) == (
        "monthly",
        ("bees", "sailing"),
        True,
    )
    assert said(roster, ada) == ["joined", "chose"]


@pytest.mark.parametrize("status", ["unconfirmed", "left", "blocked"])
def test_who_gets_no_mail_has_nothing_to_choose(roster: Roster, status: str) -> None:
    ada = join(roster, ADA, status)
    assert roster.choose(ada.id, edition="monthly", without=(), plain=False, evidence=LINK, now=FRIDAY) is None
    assert not roster.pause(ada.id, until=None, evidence=LINK, now=FRIDAY)
    assert not roster.resume(ada.id, evidence=LINK, now=FRIDAY)
    assert now(roster, ada) == ada


def test_a_pause_ends_by_hand(roster: Roster) -> None:
    ada = join(roster, ADA)
    assert roster.pause(ada.id, until=None, evidence=LINK, now=FRIDAY)
    assert not roster.pause(ada.id, until=None, evidence=LINK, now=FRIDAY)
    assert roster.wake(FRIDAY + timedelta(days=900)) == 0
    assert roster.resume(ada.id, evidence=LINK, now=FRIDAY)
    assert not roster.resume(ada.id, evidence=LINK, now=FRIDAY)
    assert now(roster, ada) == ada
    assert said(roster, ada) == ["joined", "paused", "resumed"]


def test_a_pause_ends_by_itself_at_its_time(roster: Roster) -> None:
    ada = join(roster, ADA)
    end = FRIDAY + timedelta(weeks=4)
    assert roster.pause(ada.id, until=end, evidence=LINK, now=FRIDAY)
    assert now(roster, ada).paused_until == end
    assert roster.wake(end - MINUTE) == 0
    assert roster.wake(end) == 1
    assert now(roster, ada) == ada
    [*_, line] = roster.consents(ada.id)
    assert (line.kind, line.at, line.way, line.address) == (ConsentKind.RESUMED, end, "clock", ADA)


def test_more_pauses_end_than_fit_into_one_commit(roster: Roster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pausing, "_BATCH", 2)
    for n in range(5):
        reader = join(roster, f"reader{n}@readers.example")
        roster.pause(reader.id, until=FRIDAY + (n + 1) * MINUTE, evidence=LINK, now=FRIDAY)
    assert roster.wake(FRIDAY + 5 * MINUTE) == 5
    assert roster.counts()["active"] == 5


def test_a_pause_may_be_made_longer_but_not_into_the_past(roster: Roster) -> None:
    ada = join(roster, ADA)
    assert not roster.pause(ada.id, until=FRIDAY, evidence=LINK, now=FRIDAY)
    assert roster.pause(ada.id, until=FRIDAY + MINUTE, evidence=LINK, now=FRIDAY)
    assert roster.pause(ada.id, until=None, evidence=LINK, now=FRIDAY)
    assert now(roster, ada).paused_until is None


# --- another address -------------------------------------------------------------------------------


def asked_to_move(roster: Roster, letters: SqlLetters, reader: Subscriber, address: str = BEN) -> int:
    roster.ask_move(reader.id, address, now=FRIDAY + MINUTE)
    [letter] = [each for each in waiting(letters) if each.kind is LetterKind.MOVE]
    return letter.id


def move(roster: Roster, letter: int) -> Subscriber | None:
    return roster.move(letter, evidence=LINK, now=FRIDAY + 2 * MINUTE)


def test_an_address_changes_when_the_new_one_is_confirmed_and_the_old_one_is_told(
    roster: Roster, letters: SqlLetters
) -> None:
    ada = join(roster, ADA)
    letter = asked_to_move(roster, letters, ada)
    assert now(roster, ada) == ada
    moved = move(roster, letter)
    assert moved == now(roster, ada)
    assert moved
    assert (moved.address, moved.token_version) == (BEN, ada.token_version + 1)
    assert roster.find(ADA) is None
    assert [(each.kind, each.address) for each in waiting(letters)] == [(LetterKind.MOVED, ADA)]
    assert [(line.kind, line.address) for line in roster.consents(ada.id)] == [("joined", ADA), ("moved", BEN)]


def test_a_letter_moves_once(roster: Roster, letters: SqlLetters) -> None:
    ada = join(roster, ADA)
    letter = asked_to_move(roster, letters, ada)
    assert move(roster, letter)
    roster.ask_move(ada.id, "cleo@readers.example", now=FRIDAY + 3 * MINUTE)
    [second] = [each for each in waiting(letters) if each.kind is LetterKind.MOVE]
    assert roster.move(second.id, evidence=LINK, now=FRIDAY + 4 * MINUTE)
    assert move(roster, letter) is None
    assert now(roster, ada).address == "cleo@readers.example"


def test_only_the_letter_that_asked_for_it_moves(roster: Roster, letters: SqlLetters) -> None:
    join(roster, ADA, "unconfirmed")
    [confirmation] = waiting(letters)
    assert move(roster, confirmation.id) is None
    assert move(roster, 99) is None


@pytest.mark.parametrize("status", ["active", "paused"])
def test_the_address_of_another_reader_is_told_that_it_is_known(
    roster: Roster, letters: SqlLetters, status: str
) -> None:
    ada, ben = join(roster, ADA), join(roster, BEN, status)
    roster.ask_move(ada.id, BEN, now=FRIDAY)
    assert [(each.kind, each.address, each.subscriber_id) for each in waiting(letters)] == [
        (LetterKind.KNOWN, BEN, ben.id)
    ]


def test_an_address_that_was_taken_meanwhile_stays_where_it_is(roster: Roster, letters: SqlLetters) -> None:
    ada = join(roster, ADA)
    letter = asked_to_move(roster, letters, ada)
    ben = join(roster, BEN)
    assert move(roster, letter) is None
    assert (now(roster, ada), now(roster, ben)) == (ada, ben)


@pytest.mark.parametrize("status", ["unconfirmed", "left"])
def test_an_earlier_row_of_the_new_address_gives_way(roster: Roster, letters: SqlLetters, status: str) -> None:
    ada, earlier = join(roster, ADA), join(roster, BEN, status)
    assert move(roster, asked_to_move(roster, letters, ada))
    assert roster.get(earlier.id) is None
    found = roster.find(BEN)
    assert found
    assert found.id == ada.id


def test_an_address_may_change_in_case_alone(roster: Roster, letters: SqlLetters) -> None:
    ada = join(roster, ADA)
    moved = move(roster, asked_to_move(roster, letters, ada, "Ada@readers.example"))
    assert moved
    assert moved.address == "Ada@readers.example"


def test_nobody_moves_to_a_blocked_address(roster: Roster, letters: SqlLetters) -> None:
    ada = join(roster, ADA)
    letter = asked_to_move(roster, letters, ada)
    join(roster, BEN, "blocked")
    roster.ask_move(ada.id, BEN, now=FRIDAY)
    assert len(waiting(letters)) == 1
    assert move(roster, letter) is None


@pytest.mark.parametrize("status", ["unconfirmed", "left", "blocked"])
def test_who_gets_no_mail_does_not_move(roster: Roster, letters: SqlLetters, status: str) -> None:
    ada = join(roster, ADA)
    letter = asked_to_move(roster, letters, ada)
    other = join(roster, "cleo@readers.example", status)
    roster.ask_move(other.id, "dora@readers.example", now=FRIDAY)
    assert LetterKind.MOVE not in kinds(letters)[1:]
    roster.leave(ada.id, evidence=LINK, now=FRIDAY)
    assert move(roster, letter) is None


# --- letters by themselves -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [LetterKind.LINK, LetterKind.DATA, LetterKind.CATCH_UP])
@pytest.mark.parametrize("status", STATUSES)
def test_a_letter_is_written_once_and_to_those_alone_who_may_have_it(
    roster: Roster, kind: LetterKind, status: str
) -> None:
    ada = join(roster, ADA, status)
    letter = roster.write(ada.id, kind, now=FRIDAY)
    assert (letter is not None) is (ada.status in kind.readers)
    assert roster.write(ada.id, kind, now=FRIDAY + MINUTE) == letter


# --- going -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["active", "paused", "unconfirmed"])
def test_leaving_counts_once_and_is_on_record(roster: Roster, status: str) -> None:
    ada = join(roster, ADA, status)
    before = said(roster, ada)
    assert roster.leave(ada.id, evidence=Evidence("one-click"), now=FRIDAY + MINUTE)
    assert not roster.leave(ada.id, evidence=LINK, now=FRIDAY + 2 * MINUTE)
    left = now(roster, ada)
    assert (left.status, left.left_at) == (SubscriberStatus.LEFT, FRIDAY + MINUTE)
    assert said(roster, ada) == [*before, "left"]
    assert roster.consents(ada.id)[-1].way == "one-click"


def test_letters_that_wait_go_to_nobody_who_left(roster: Roster, letters: SqlLetters) -> None:
    ada = join(roster, ADA)
    roster.write(ada.id, LetterKind.DATA, now=FRIDAY)
    roster.ask_move(ada.id, BEN, now=FRIDAY)
    roster.leave(ada.id, evidence=LINK, now=FRIDAY)
    assert kinds(letters) == []
    assert [letter.reason for letter in letters.of(ada.id)] == ["left", "left"]


def test_a_blocked_reader_stays_blocked(roster: Roster) -> None:
    ada = join(roster, ADA, "blocked")
    assert not roster.leave(ada.id, evidence=LINK, now=FRIDAY)
    assert not roster.come_back(ada.id, evidence=LINK, now=FRIDAY)
    assert not roster.block(ada.id, reason="by hand", evidence=LINK, now=FRIDAY)
    assert now(roster, ada) == ada


@pytest.mark.parametrize("status", ["active", "paused"])
def test_who_left_may_come_back_as_they_were_and_that_is_on_record_too(roster: Roster, status: str) -> None:
    ada = join(roster, ADA, status)
    assert not roster.come_back(ada.id, evidence=LINK, now=FRIDAY)
    roster.leave(ada.id, evidence=LINK, now=FRIDAY)
    roster.say_why(ada.id, "too many")
    assert now(roster, ada).why == "too many"
    assert roster.come_back(ada.id, evidence=LINK, now=FRIDAY + MINUTE)
    assert now(roster, ada) == ada
    assert said(roster, ada)[-2:] == (["left", "returned"] if status == "active" else ["returned", "paused"])


def test_who_never_confirmed_cannot_come_back_as_a_reader(roster: Roster) -> None:
    ada = join(roster, ADA, "unconfirmed")
    roster.leave(ada.id, evidence=LINK, now=FRIDAY)
    assert not roster.come_back(ada.id, evidence=LINK, now=FRIDAY)


def test_only_who_left_says_why(roster: Roster) -> None:
    ada = join(roster, ADA)
    roster.say_why(ada.id, "too many")
    assert now(roster, ada) == ada


# --- never to be mailed ----------------------------------------------------------------------------


def test_a_blocked_address_is_remembered_and_not_added(roster: Roster) -> None:
    ada = join(roster, ADA, "blocked")
    assert roster.suppressed("ADA@readers.example") == "bounced"
    assert roster.add(ADA, edition=WEEKLY, evidence=PAPER, now=FRIDAY, forgotten=True) is None
    roster.forget(ada.id, now=FRIDAY)
    assert roster.suppressed(ADA) == "bounced"
    assert roster.add(ADA, edition=WEEKLY, evidence=PAPER, now=FRIDAY, forgotten=True) is None
    ask(roster)
    assert roster.find(ADA) is None


@pytest.mark.parametrize("status", ["unconfirmed", "active", "paused", "left"])
def test_who_is_unblocked_is_what_they_were(roster: Roster, status: str) -> None:
    ada = join(roster, ADA, status)
    assert roster.block(ada.id, reason="by hand", evidence=LINK, now=FRIDAY)
    assert roster.unblock(ada.id, evidence=LINK, now=FRIDAY)
    assert not roster.unblock(ada.id, evidence=LINK, now=FRIDAY)
    assert now(roster, ada) == ada
    assert roster.suppressed(ADA) == ""


def test_who_left_was_blocked_and_unblocked_comes_back_as_they_were_before_they_left(roster: Roster) -> None:
    ada = join(roster, ADA, "paused")
    roster.leave(ada.id, evidence=LINK, now=FRIDAY)
    roster.block(ada.id, reason="by hand", evidence=LINK, now=FRIDAY)
    roster.unblock(ada.id, evidence=LINK, now=FRIDAY)
    assert roster.come_back(ada.id, evidence=LINK, now=FRIDAY)
    assert now(roster, ada) == ada


@pytest.mark.parametrize("status", STATUSES)
def test_of_who_is_forgotten_nothing_is_left_but_a_hash(roster: Roster, database: Database, status: str) -> None:
    ada = join(roster, ADA, status)
    join(roster, BEN)
    before = roster.counts()
    assert roster.forget(ada.id, now=FRIDAY)
    assert not roster.forget(ada.id, now=FRIDAY)
    assert everywhere(database, ADA) == []
    assert roster.get(ada.id) is None
    assert roster.find(ADA) is None
    assert roster.find(f"#{ada.id}") is None
    assert [reader.address for reader in roster.all()] == [BEN]
    assert roster.counts() == {**before, status: before[status] - 1}
    assert roster.suppressed(ADA) == ("bounced" if status == "blocked" else "forgotten")


@pytest.mark.parametrize("under_way", [False, True])
def test_no_answer_of_a_mail_server_names_who_was_forgotten(
    roster: Roster, ledger: Ledger, database: Database, under_way: bool
) -> None:
    desk = Desk(ledger, roster)
    ada, ben = join(roster, ADA), join(roster, BEN)
    desk.open(5, "batteries")
    ledger.start_send(WEEKLY, 1, now=FRIDAY)
    [chunk] = ledger.due_chunks(FRIDAY)
    desk.hand(chunk, [ada.id, ben.id])
    gone = [
        Settlement(
            one.id,
            DeliveryState.FAILED,
            receipt=Receipt(Outcome.REFUSED, 550, f"5.1.1 <{one.address.upper()}>: no such user"),
        )
        for one in (ada, ben)
    ]
    if under_way:
        roster.forget(ada.id, now=FRIDAY)
    ledger.hand_over(chunk, settled=gone, wanted=[], now=FRIDAY)
    roster.forget(ada.id, now=FRIDAY)
    assert everywhere(database, ADA) == []
    assert everywhere(database, BEN) == ["subscriber", "consent", "delivery", "attempt"]
    assert ledger.counts(WEEKLY, 1)[DeliveryState.FAILED] == 2
    [attempt] = ledger.attempts(WEEKLY, 1, ada.id)
    assert (attempt.code, attempt.reply) == (550, "")


def refused(reader: Subscriber) -> Settlement:
    reply = f"5.1.1 <{reader.address.upper()}>: no such user"
    return Settlement(reader.id, DeliveryState.FAILED, receipt=Receipt(Outcome.REFUSED, 550, reply))


def test_an_answer_that_comes_after_its_reader_was_forgotten_does_not_name_them(
    roster: Roster, ledger: Ledger, database: Database
) -> None:
    desk = Desk(ledger, roster)
    ada, ben = join(roster, ADA), join(roster, BEN)
    desk.open(5, "batteries")
    ledger.start_send(WEEKLY, 1, now=FRIDAY)
    [chunk] = ledger.due_chunks(FRIDAY)
    desk.hand(chunk, [ada.id, ben.id])
    again = ledger.resend(WEEKLY, 1, Addressee(ada.id, ADA, FRIDAY, 1), hand=HAND)
    roster.forget(ada.id, now=FRIDAY)
    ledger.hand_over(chunk, settled=[refused(ada), refused(ben)], wanted=[], now=FRIDAY)
    ledger.resent(again, Receipt(Outcome.REFUSED, 550, f"<{ADA}>: no such user"))
    assert everywhere(database, ADA) == []
    assert everywhere(database, BEN) == ["subscriber", "consent", "delivery", "attempt"]
    [attempt] = ledger.attempts(WEEKLY, 1, ada.id)
    assert (attempt.code, attempt.reply) == (550, "")


def test_who_is_forgotten_is_so_under_each_address_that_they_had(
    roster: Roster, letters: SqlLetters, ledger: Ledger, database: Database
) -> None:
    desk, ada = Desk(ledger, roster), join(roster, ADA)
    desk.open(5, "batteries")
    ledger.start_send(WEEKLY, 1, now=FRIDAY)
    [chunk] = ledger.due_chunks(FRIDAY)
    desk.hand(chunk, [ada.id])
    ledger.hand_over(chunk, settled=[refused(ada)], wanted=[], now=FRIDAY)
    assert move(roster, asked_to_move(roster, letters, ada))
    roster.forget(ada.id, now=FRIDAY)
    assert everywhere(database, ADA) == everywhere(database, BEN) == []
    assert roster.suppressed(ADA) == roster.suppressed(BEN) == "forgotten"


def test_an_address_beyond_ascii_is_one_in_every_case_and_is_forgotten_in_every_case(
    roster: Roster, letters: SqlLetters, database: Database
) -> None:
    first, other = "Ädä@readers.example", "ÄDÄ@readers.example"
    ada, ben = join(roster, first), join(roster, BEN)
    assert roster.find(other) == ada
    assert [one.id for one in roster.all(search="äD")] == [ada.id]
    roster.leave(ada.id, evidence=LINK, now=FRIDAY)
    asked_to_move(roster, letters, ben, other)
    roster.forget(ada.id, now=FRIDAY)
    assert everywhere(database, "ädä@") == []
    assert roster.suppressed("ädä@readers.example") == "forgotten"


def test_a_reason_for_a_block_does_not_name_who_is_forgotten(roster: Roster, database: Database) -> None:
    ada = join(roster, ADA)
    roster.block(ada.id, reason=f"mail from {ADA.upper()}", evidence=PAPER, now=FRIDAY)
    roster.forget(ada.id, now=FRIDAY)
    assert everywhere(database, ADA) == []
    assert roster.suppressed(ADA) == "blocked"


def test_an_earlier_address_that_is_another_readers_by_now_stays_theirs(roster: Roster, letters: SqlLetters) -> None:
    ada = join(roster, ADA)
    assert move(roster, asked_to_move(roster, letters, ada))
    another = join(roster, ADA)
    roster.forget(ada.id, now=FRIDAY)
    assert (now(roster, another), roster.suppressed(ADA)) == (another, "")


def test_of_who_is_forgotten_no_wish_of_another_to_have_their_address_is_left(
    roster: Roster, letters: SqlLetters, database: Database
) -> None:
    ada = join(roster, ADA)
    asked_to_move(roster, letters, ada, "Ben@readers.example")
    ben = join(roster, BEN)
    roster.forget(ben.id, now=FRIDAY)
    assert everywhere(database, BEN) == []


def test_a_new_address_that_nobody_confirms_is_not_kept(
    roster: Roster, letters: SqlLetters, database: Database
) -> None:
    ada = join(roster, ADA)
    asked_to_move(roster, letters, ada)
    roster.expire_moves(before=FRIDAY + MINUTE)
    assert everywhere(database, BEN) == ["letter"]
    roster.expire_moves(before=FRIDAY + 2 * MINUTE)
    assert everywhere(database, BEN) == []
    assert now(roster, ada) == ada


def test_who_was_forgotten_comes_back_by_their_own_word_alone(roster: Roster) -> None:
    ada = join(roster, ADA)
    roster.forget(ada.id, now=FRIDAY)
    assert roster.add(ADA, edition=WEEKLY, evidence=PAPER, now=FRIDAY) is None
    ask(roster)
    again = roster.find(ADA)
    assert again
    assert again.id != ada.id
    assert roster.suppressed(ADA) == "forgotten"
    assert confirm(roster, again)
    assert roster.suppressed(ADA) == ""


def test_who_was_forgotten_may_be_added_by_whoever_says_so(roster: Roster) -> None:
    roster.forget(join(roster, ADA).id, now=FRIDAY)
    assert roster.add(ADA, edition=WEEKLY, evidence=PAPER, now=FRIDAY, forgotten=True)
    assert roster.suppressed(ADA) == ""


def test_the_hash_cannot_be_made_without_the_key(database: Database, roster: Roster) -> None:
    roster.forget(join(roster, ADA).id, now=FRIDAY)
    with database.read() as connection:
        kept = connection.scalars(select(metadata.tables["suppression"].c.hash)).one()
    assert kept not in {hashlib.new(kind, ADA.encode()).hexdigest() for kind in ("md5", "sha1", "sha256")}


def test_an_address_of_nobody_can_be_suppressed_and_released(roster: Roster) -> None:
    assert roster.suppress(ADA, reason="complained", now=FRIDAY)
    assert not roster.suppress(ADA, reason="by hand", now=FRIDAY)
    assert roster.suppressed(ADA) == "complained"
    assert roster.add(ADA, edition=WEEKLY, evidence=PAPER, now=FRIDAY) is None
    assert roster.release(ADA)
    assert not roster.release(ADA)
    assert roster.add(ADA, edition=WEEKLY, evidence=PAPER, now=FRIDAY)


def test_the_address_of_a_reader_is_not_suppressed_behind_their_back(roster: Roster) -> None:
    join(roster, ADA)
    assert not roster.suppress(ADA, reason="by hand", now=FRIDAY)
    join(roster, BEN, "blocked")
    assert not roster.release(BEN)


# --- everything about one --------------------------------------------------------------------------


def test_all_that_is_held_about_a_reader_is_told(roster: Roster) -> None:
    ada = join(roster, ADA, "unconfirmed")
    join(roster, BEN, "unconfirmed")
    held = roster.held(ada.id)
    assert held["reader"]["address"] == ADA
    assert [line["kind"] for line in held["consents"]] == ["asked"]
    assert [letter["kind"] for letter in held["letters"]] == ["confirm"]
    assert held["deliveries"] == []
    assert held["suppressed"] == ""


def test_what_is_held_has_every_answer_of_a_mail_server_and_every_story_that_was_asked_for(
    roster: Roster, ledger: Ledger
) -> None:
    desk, ada = Desk(ledger, roster), join(roster, ADA)
    desk.open(5, "batteries")
    ledger.start_send(WEEKLY, 1, now=FRIDAY)
    [chunk] = ledger.due_chunks(FRIDAY)
    desk.hand(chunk, [ada.id])
    ledger.hand_over(chunk, settled=[deferred(ada.id, FRIDAY + MINUTE)], wanted=[], now=FRIDAY)
    story = a_story("hatch")
    roster.write(ada.id, LetterKind.CATCH_UP, now=FRIDAY, digest=a_digest(1), posts=[story])
    held = roster.held(ada.id)
    assert [(one["number"], one["reply"]) for one in held["attempts"]] == [(1, "4.7.1 Greylisted")]
    assert [one["stories"] for one in held["letters"]] == [[story.post_id]]


def everywhere(database: Database, address: str) -> list[str]:
    """The tables in which an address stands, in whatever column."""
    with database.read() as connection:
        return [
            table.name
            for table in metadata.sorted_tables
            if any(address in str(value).lower() for row in connection.execute(select(table)) for value in row)
        ]
