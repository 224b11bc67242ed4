"""What every ledger promises, whatever database it stands on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from newsletter.errors import UsageError
from newsletter.model import (
    NO_MAILBOX,
    WEEKLY,
    Addressee,
    Answer,
    Attempt,
    DeliveryState,
    Digest,
    IssueState,
    LogEntry,
    Outcome,
    Receipt,
    Settlement,
    SlotOutcome,
    SlotRecord,
    Subscriber,
    SubscriberStatus,
    by_clock,
)
from newsletter.ports import Ledger, Roster
from newsletter.providers import provider_of
from newsletter.store import audience
from newsletter.store.database import Database
from newsletter.store.tables import subscriber
from newsletter.usecases.report import report
from tests.contract.desk import (
    ADA,
    FRIDAY,
    LINK,
    MINUTE,
    PAPER,
    Desk,
    a_digest,
    a_story,
    accepted,
    deferred,
    join,
    slot_of_week,
)

WAITING, CLAIMED, SENDING = DeliveryState.WAITING, DeliveryState.CLAIMED, DeliveryState.SENDING
ACCEPTED, FAILED = DeliveryState.ACCEPTED, DeliveryState.FAILED
UNCERTAIN, DROPPED = DeliveryState.UNCERTAIN, DeliveryState.DROPPED


@pytest.fixture
def desk(ledger: Ledger, roster: Roster) -> Desk:
    return Desk(ledger, roster)


# -- slots and issues


def test_an_edition_started_when_it_was_first_asked_for(ledger: Ledger) -> None:
    assert ledger.started(WEEKLY) is None
    ledger.start(WEEKLY, FRIDAY)
    ledger.start(WEEKLY, FRIDAY + MINUTE)
    ledger.start("monthly", FRIDAY + MINUTE)
    assert ledger.started(WEEKLY) == FRIDAY
    assert ledger.started("monthly") == FRIDAY + MINUTE


def test_a_slot_has_one_outcome_for_ever(ledger: Ledger) -> None:
    assert ledger.record_slot(WEEKLY, slot_of_week(5), SlotOutcome.EMPTY, "nothing new")
    assert not ledger.record_slot(WEEKLY, slot_of_week(5), SlotOutcome.SKIPPED, "by hand")
    assert ledger.slots(WEEKLY) == [SlotRecord("2022-W05", FRIDAY, SlotOutcome.EMPTY, "nothing new")]
    assert ledger.record_slot("monthly", slot_of_week(5), SlotOutcome.EMPTY, "another edition")
    assert ledger.record_slot(WEEKLY, slot_of_week(6), SlotOutcome.HELD, "2 stories wait for approval")
    assert not ledger.record_slot(WEEKLY, slot_of_week(6), SlotOutcome.SKIPPED, "by hand")


def test_an_issue_comes_back_as_it_was_opened(desk: Desk) -> None:
    opened = desk.open(6, "batteries", "alliance")
    assert opened
    assert opened == desk.ledger.issue(WEEKLY, 1)
    assert (opened.number, opened.state, opened.subject) == (1, IssueState.READY, "Subject 1")
    assert opened.stories == (a_story("batteries"), a_story("alliance"))
    assert opened.slot.local.tzinfo == ZoneInfo("Europe/Madrid")
    assert opened.slot.local.hour == 8
    assert desk.ledger.digest(WEEKLY, 1) == a_digest(1)
    assert desk.ledger.carried(WEEKLY) == {story.post_id: 1 for story in opened.stories}


def test_missed_slots_go_into_the_issue_that_was_made(desk: Desk) -> None:
    desk.open(7, "batteries", coalesced=[slot_of_week(5), slot_of_week(6)])
    assert [(each.key, each.outcome, each.issue_number) for each in desk.ledger.slots(WEEKLY)] == [
        ("2022-W05", SlotOutcome.COALESCED, 1),
        ("2022-W06", SlotOutcome.COALESCED, 1),
        ("2022-W07", SlotOutcome.ISSUED, 1),
    ]


@pytest.mark.parametrize(
    ("week", "posts", "missed"),
    [(5, ["alliance"], []), (6, ["alliance", "batteries"], []), (6, ["alliance"], [5])],
    ids=["the slot", "a story", "a missed slot"],
)
def test_who_comes_second_writes_nothing(desk: Desk, week: int, posts: list[str], missed: list[int]) -> None:
    desk.open(5, "batteries")
    before = (desk.ledger.slots(WEEKLY), desk.ledger.issues(WEEKLY), desk.ledger.carried(WEEKLY))
    assert desk.open(week, *posts, coalesced=[slot_of_week(each) for each in missed]) is None
    assert (desk.ledger.slots(WEEKLY), desk.ledger.issues(WEEKLY), desk.ledger.carried(WEEKLY)) == before


def test_a_digest_that_cannot_be_rendered_leaves_the_slot_free(desk: Desk) -> None:
    def broken(number: int) -> Digest:
        raise LookupError("no template")

    with pytest.raises(LookupError):
        desk.open(5, "batteries", render=broken)
    assert not desk.ledger.slots(WEEKLY)
    assert desk.open(5, "batteries")


def test_a_number_is_never_given_again(desk: Desk) -> None:
    desk.open(5, "batteries")
    desk.ledger.cancel(WEEKLY, 1, reason="a mistake", hand=ADA)
    again = desk.open(6, "batteries")
    assert again
    assert again.number == 2
    assert [each.number for each in desk.ledger.issues(WEEKLY)] == [1, 2]


def test_a_held_issue_holds_its_slot_and_starts_only_when_somebody_says_so(desk: Desk) -> None:
    desk.join(1)
    desk.open(5, "batteries", state=IssueState.HELD, reason="found 4 h after the slot")
    assert desk.ledger.slots(WEEKLY)[0].outcome is SlotOutcome.HELD
    assert desk.ledger.start_send(WEEKLY, 1, now=FRIDAY + timedelta(days=9)) is None
    assert desk.ledger.schedule_send(WEEKLY, 1, at=FRIDAY + MINUTE, hand=replace(ADA, who="review-desk"))
    started = desk.ledger.start_send(WEEKLY, 1, now=FRIDAY + MINUTE)
    assert started
    assert (started.state, started.sent_by, started.reason) == (IssueState.SENDING, "review-desk", "")
    assert desk.ledger.slots(WEEKLY)[0].outcome is SlotOutcome.ISSUED


def test_a_ready_issue_can_be_held_and_then_is_not_intended_any_more(desk: Desk) -> None:
    desk.open(5, "batteries")
    assert desk.ledger.hold(WEEKLY, 1, reason="a doubt", hand=ADA)
    assert not desk.ledger.hold(WEEKLY, 1, reason="twice", hand=ADA)
    held = desk.ledger.issue(WEEKLY, 1)
    assert held
    assert (held.state, held.reason, held.send_at) == (IssueState.HELD, "a doubt", None)
    assert desk.ledger.slots(WEEKLY) == [SlotRecord("2022-W05", FRIDAY, SlotOutcome.HELD, "a doubt", 1)]


def test_an_issue_is_intended_once(desk: Desk) -> None:
    desk.open(5, "batteries", send_at=None)
    assert desk.ledger.schedule_send(WEEKLY, 1, at=FRIDAY, hand=ADA)
    assert not desk.ledger.schedule_send(WEEKLY, 1, at=FRIDAY, hand=replace(ADA, who="ben"))
    desk.ledger.cancel(WEEKLY, 1, reason="no", hand=ADA)
    assert not desk.ledger.schedule_send(WEEKLY, 1, at=FRIDAY, hand=replace(ADA, who="ben"))


@pytest.mark.parametrize(
    "ask",
    [
        lambda ledger: ledger.digest(WEEKLY, 9),
        lambda ledger: ledger.cancel(WEEKLY, 9, reason="", hand=ADA),
        lambda ledger: ledger.finish(WEEKLY, 9, now=FRIDAY),
        lambda ledger: ledger.pause(WEEKLY, 9, reason="", hand=ADA),
    ],
)
def test_an_issue_that_does_not_exist_is_said_to_be_missing(ledger: Ledger, ask: Callable[[Ledger], object]) -> None:
    with pytest.raises(UsageError) as told:
        ask(ledger)
    assert told.value.problems[0].code == "I501"
    assert ledger.issue(WEEKLY, 9) is None


# -- the audience


def test_the_audience_is_who_is_active_when_the_send_starts(desk: Desk) -> None:
    active = desk.join(3)
    desk.join(2, status="unconfirmed", prefix="maybe")
    left = desk.join(1, prefix="gone")
    desk.roster.leave(left[0], evidence=LINK, now=FRIDAY)
    desk.open(5, "batteries")
    started = desk.ledger.start_send(WEEKLY, 1, now=FRIDAY)
    desk.join(1, prefix="late")
    assert started
    assert (started.audience, started.started_at) == (3, FRIDAY)
    assert desk.states() == dict.fromkeys(active, WAITING)


def test_nothing_starts_before_its_time_or_twice(desk: Desk) -> None:
    desk.join(1)
    desk.open(5, "batteries", send_at=FRIDAY + MINUTE)
    assert desk.ledger.start_send(WEEKLY, 1, now=FRIDAY) is None
    assert desk.ledger.due_chunks(FRIDAY) == []
    assert desk.ledger.start_send(WEEKLY, 1, now=FRIDAY + MINUTE)
    assert desk.ledger.start_send(WEEKLY, 1, now=FRIDAY + MINUTE) is None


def test_an_issue_without_readers_is_sent_at_once(desk: Desk) -> None:
    desk.open(5, "batteries")
    assert desk.ledger.start_send(WEEKLY, 1, now=FRIDAY)
    done = desk.ledger.finish(WEEKLY, 1, now=FRIDAY)
    assert (done.state, done.audience, done.finished_at) == (IssueState.SENT, 0, FRIDAY)


def test_many_readers_come_in_chunks_of_five_hundred(desk: Desk, database: Database) -> None:
    ids = [*range(1, 502)]
    like = {"status": "active", "edition": WEEKLY, "joined_at": FRIDAY}
    with database.write() as connection:
        rows = [like | {"address": f"reader{n}@readers.example", "folded": f"reader{n}@readers.example"} for n in ids]
        connection.execute(insert(subscriber), rows)
    desk.open(5, "batteries")
    desk.ledger.start_send(WEEKLY, 1, now=FRIDAY)
    chunks = desk.ledger.due_chunks(FRIDAY)
    claimed = [desk.ledger.claim(chunk, limit=1000, now=FRIDAY) for chunk in chunks]
    assert sorted(map(len, claimed)) == [1, 500]
    assert sorted(each for some in claimed for each in some) == ids


def test_a_chunk_has_the_mailboxes_of_one_provider(desk: Desk) -> None:
    """Those of a provider lie among those of the others, and a domain counts however it is written."""
    homes = ["gmail.com", "ME.com", "readers.example", "Hotmail.fr", "yahoo.co.uk", "GoogleMail.com", "mail.gmail.com"]
    for n in range(3):
        for home in homes:
            join(desk.roster, f"reader{n}@{home}")
    desk.open(5, "batteries")
    desk.ledger.start_send(WEEKLY, 1, now=FRIDAY)
    chunks = desk.ledger.due_chunks(FRIDAY)
    found = {
        row.address: chunk.provider
        for chunk in chunks
        for each in desk.ledger.claim(chunk, limit=99, now=FRIDAY)
        if (row := desk.ledger.delivery(WEEKLY, 1, each))
    }
    assert len(found) == 3 * len(homes)
    assert found == {address: provider_of(address) for address in found}
    assert [chunk.provider for chunk in chunks] == ["gmail", "icloud", "other", "outlook", "yahoo"]


def test_each_provider_has_chunks_of_its_own_from_the_start_to_the_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience, "CHUNK", 2)
    for n in range(5):
        for home in ("gmail.com", "readers.example"):
            join(desk.roster, f"reader{n}@{home}")
    desk.open(5, "batteries")
    desk.ledger.start_send(WEEKLY, 1, now=FRIDAY)
    chunks = desk.ledger.due_chunks(FRIDAY)
    assert [chunk.provider for chunk in chunks] == ["gmail", "other"] * 3
    assert [len(desk.ledger.claim(chunk, limit=99, now=FRIDAY)) for chunk in chunks] == [2, 2, 2, 2, 1, 1]


CANARY = 10 * MINUTE


def test_with_a_canary_the_first_readers_are_due_at_once_and_all_others_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience, "CANARIES", 2)
    monkeypatch.setattr(audience, "CANARY_FROM", 5)
    ids = desk.join(5)
    desk.open(5, "batteries")
    desk.ledger.start_send(WEEKLY, 1, now=FRIDAY, canary=CANARY)
    assert desk.ledger.next_retry() == FRIDAY
    [first] = desk.ledger.due_chunks(FRIDAY)
    assert desk.ledger.claim(first, limit=99, now=FRIDAY) == ids[:2]
    desk.ledger.hand_over(first, settled=[], wanted=ids[:2], now=FRIDAY)
    desk.ledger.hand_over(first, settled=[accepted(one) for one in ids[:2]], wanted=[], now=FRIDAY)
    assert desk.ledger.due_chunks(FRIDAY + CANARY - MINUTE) == []
    assert desk.ledger.next_retry() == FRIDAY + CANARY
    [rest] = desk.ledger.due_chunks(FRIDAY + CANARY)
    assert desk.ledger.claim(rest, limit=99, now=FRIDAY + CANARY) == ids[2:]


def test_a_deferred_reader_of_a_canary_is_due_before_the_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience, "CANARIES", 1)
    monkeypatch.setattr(audience, "CANARY_FROM", 2)
    first, _ = desk.join(2)
    desk.open(5, "batteries")
    desk.ledger.start_send(WEEKLY, 1, now=FRIDAY, canary=CANARY)
    [chunk] = desk.ledger.due_chunks(FRIDAY)
    desk.hand(chunk, [first])
    desk.ledger.hand_over(chunk, settled=[deferred(first, FRIDAY + MINUTE)], wanted=[], now=FRIDAY)
    assert desk.ledger.next_retry() == FRIDAY + MINUTE
    assert [one.id for one in desk.ledger.due_chunks(FRIDAY + MINUTE)] == [chunk.id]


def test_a_canary_that_was_cut_short_is_one_when_it_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience, "CANARIES", 2)
    monkeypatch.setattr(audience, "CANARY_FROM", 5)
    ids = desk.join(5)
    desk.open(5, "batteries")
    with monkeypatch.context() as cut:
        cut.setattr(audience, "_freeze", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            desk.ledger.start_send(WEEKLY, 1, now=FRIDAY, canary=CANARY)
    assert [*desk.states()] == ids[:2]
    desk.ledger.recover(now=FRIDAY + MINUTE, resend=False)
    assert len(desk.ledger.due_chunks(FRIDAY + MINUTE)) == 1
    assert len(desk.ledger.due_chunks(FRIDAY + CANARY)) == 2
    assert [*desk.states()] == ids


def test_a_small_audience_has_no_canary(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience, "CANARIES", 2)
    monkeypatch.setattr(audience, "CANARY_FROM", 5)
    ids = desk.join(4)
    desk.open(5, "batteries")
    desk.ledger.start_send(WEEKLY, 1, now=FRIDAY, canary=CANARY)
    [chunk] = desk.ledger.due_chunks(FRIDAY)
    assert desk.ledger.claim(chunk, limit=99, now=FRIDAY) == ids


# -- claiming, handing over, settling


def test_a_row_goes_from_waiting_to_accepted_by_way_of_two_commits(desk: Desk) -> None:
    [ada, ben, cleo], chunk = desk.send(3)
    assert desk.ledger.claim(chunk, limit=2, now=FRIDAY) == [ada, ben]
    given = desk.ledger.hand_over(chunk, settled=[], wanted=[ada], now=FRIDAY)
    assert given == {ada: Addressee(ada, "reader0@readers.example", FRIDAY, 1)}
    assert desk.states() == {ada: SENDING, ben: CLAIMED, cleo: WAITING}
    desk.ledger.hand_over(chunk, settled=[accepted(ada)], wanted=[ben], now=FRIDAY + MINUTE)
    assert desk.states() == {ada: ACCEPTED, ben: SENDING, cleo: WAITING}
    row = desk.ledger.delivery(WEEKLY, 1, ada)
    assert row
    assert (row.attempts, row.code, row.reply, row.done_at) == (1, 250, "2.0.0 Ok: queued", FRIDAY + MINUTE)
    assert desk.ledger.attempts(WEEKLY, 1, ada) == [Attempt(FRIDAY + MINUTE, 1, "accepted", 250, "2.0.0 Ok: queued")]


def test_who_left_after_the_claim_gets_nothing(desk: Desk) -> None:
    [ada, ben], chunk = desk.send(2)
    desk.ledger.claim(chunk, limit=9, now=FRIDAY)
    desk.roster.leave(ada, evidence=LINK, now=FRIDAY)
    given = desk.ledger.hand_over(chunk, settled=[], wanted=[ada, ben], now=FRIDAY)
    assert given[ada] is None
    assert given[ben]
    row = desk.ledger.delivery(WEEKLY, 1, ada)
    assert row
    assert (row.state, row.reason, row.done_at) == (DROPPED, "left", FRIDAY)


def test_who_left_while_waiting_is_dropped_with_the_leaving(desk: Desk) -> None:
    [ada, ben], chunk = desk.send(2)
    desk.roster.leave(ada, evidence=LINK, now=FRIDAY)
    assert desk.states() == {ada: DROPPED, ben: WAITING}
    assert desk.ledger.claim(chunk, limit=9, now=FRIDAY) == [ben]


def test_a_row_that_was_not_claimed_is_not_handed_over(desk: Desk) -> None:
    [ada, _], chunk = desk.send(2)
    assert desk.ledger.hand_over(chunk, settled=[], wanted=[ada, 999], now=FRIDAY) == {}


def test_a_deferred_row_waits_for_its_time_and_remembers_its_tries(desk: Desk) -> None:
    [ada], chunk = desk.send(1)
    desk.hand(chunk, [ada])
    later = FRIDAY + 5 * MINUTE
    desk.ledger.hand_over(chunk, settled=[deferred(ada, later)], wanted=[], now=FRIDAY)
    assert desk.ledger.next_retry() == later
    assert desk.ledger.due_chunks(later - MINUTE) == []
    [again] = desk.ledger.due_chunks(later)
    desk.ledger.claim(again, limit=9, now=later)
    [addressee] = desk.ledger.hand_over(again, settled=[], wanted=[ada], now=later).values()
    assert addressee
    assert (addressee.attempts, addressee.first_at) == (1, FRIDAY)


def test_a_fault_of_the_relay_is_no_attempt_at_the_reader(desk: Desk) -> None:
    [ada], chunk = desk.send(1)
    desk.hand(chunk, [ada])
    fault = Settlement(ada, WAITING, reason="relay", next_at=FRIDAY, counted=False)
    desk.ledger.hand_over(chunk, settled=[fault], wanted=[], now=FRIDAY)
    desk.ledger.claim(chunk, limit=9, now=FRIDAY)
    [addressee] = desk.ledger.hand_over(chunk, settled=[], wanted=[ada], now=FRIDAY).values()
    assert addressee
    assert (addressee.attempts, addressee.first_at) == (0, None)


def test_what_keeps_everybody_waiting_is_told_until_somebody_is_answered(desk: Desk) -> None:
    [ada, ben], chunk = desk.send(2)
    assert desk.ledger.trouble(WEEKLY, 1) == ""
    fault = Settlement(ada, WAITING, reason="S323 refuses the sender", next_at=FRIDAY, counted=False)
    desk.hand(chunk, [ada])
    desk.ledger.hand_over(chunk, settled=[fault], wanted=[], now=FRIDAY)
    assert desk.ledger.trouble(WEEKLY, 1) == "S323 refuses the sender"
    desk.hand(chunk, [ben])
    desk.ledger.hand_over(chunk, settled=[accepted(ben)], wanted=[], now=FRIDAY)
    assert desk.ledger.trouble(WEEKLY, 1) == ""


def test_fresh_rows_are_due_since_the_send_started(desk: Desk) -> None:
    assert desk.ledger.next_retry() is None
    desk.send(2)
    assert desk.ledger.next_retry() == FRIDAY


def test_released_rows_wait_again_without_an_attempt(desk: Desk) -> None:
    [ada, ben], chunk = desk.send(2)
    desk.hand(chunk, [ada])
    desk.ledger.release(chunk, [ada, ben])
    assert desk.states() == {ada: SENDING, ben: WAITING}
    assert not desk.ledger.attempts(WEEKLY, 1, ben)


def test_who_lost_the_fence_claims_marks_and_settles_nothing(desk: Desk) -> None:
    [ada, ben, cleo], old = desk.send(3)
    desk.hand(old, [ada])
    desk.ledger.recover(now=FRIDAY, resend=False)
    [new] = desk.ledger.due_chunks(FRIDAY)
    assert new.epoch > old.epoch
    assert desk.ledger.claim(old, limit=9, now=FRIDAY) == []
    assert desk.ledger.claim(new, limit=9, now=FRIDAY) == [ben, cleo]
    assert desk.ledger.hand_over(old, settled=[accepted(ada)], wanted=[ben], now=FRIDAY) == {}
    assert desk.states() == {ada: UNCERTAIN, ben: CLAIMED, cleo: CLAIMED}


def test_after_a_recovery_the_chunks_of_before_are_worth_nothing(desk: Desk) -> None:
    [ada], old = desk.send(1)
    desk.ledger.recover(now=FRIDAY, resend=False)
    assert desk.ledger.claim(old, limit=9, now=FRIDAY) == []
    assert desk.states() == {ada: WAITING}


def test_what_a_late_answer_said_is_kept_for_whoever_asks(desk: Desk) -> None:
    [ada], chunk = desk.send(1)
    desk.hand(chunk, [ada])
    desk.ledger.recover(now=FRIDAY, resend=False)
    desk.ledger.hand_over(chunk, settled=[accepted(ada)], wanted=[], now=FRIDAY + MINUTE)
    assert [each.outcome for each in desk.ledger.attempts(WEEKLY, 1, ada)] == ["unknown", "accepted"]


def test_taking_a_chunk_again_gives_back_what_was_claimed_and_keeps_what_is_under_way(desk: Desk) -> None:
    [ada, ben, cleo], old = desk.send(3)
    desk.ledger.claim(old, limit=2, now=FRIDAY)
    desk.ledger.hand_over(old, settled=[], wanted=[ada], now=FRIDAY)
    [new] = desk.ledger.due_chunks(FRIDAY)
    assert desk.ledger.claim(new, limit=9, now=FRIDAY) == [ben, cleo]
    desk.ledger.hand_over(old, settled=[accepted(ada)], wanted=[], now=FRIDAY)
    assert desk.states()[ada] is ACCEPTED


# -- pause, resume, cancel, finish


def test_a_paused_issue_hands_nothing_over_and_loses_nothing(desk: Desk) -> None:
    [ada, ben], chunk = desk.send(2)
    desk.hand(chunk, [ada])
    desk.ledger.pause(WEEKLY, 1, reason="a typo in the lead", hand=ADA)
    given = desk.ledger.hand_over(chunk, settled=[accepted(ada)], wanted=[ben], now=FRIDAY)
    assert given == {}
    assert desk.states() == {ada: ACCEPTED, ben: WAITING}
    assert desk.ledger.claim(chunk, limit=9, now=FRIDAY) == []
    assert desk.ledger.due_chunks(FRIDAY) == []
    assert desk.ledger.next_retry() is None
    desk.ledger.resume(WEEKLY, 1, hand=ADA)
    assert desk.ledger.claim(chunk, limit=9, now=FRIDAY) == [ben]


def test_cancelled_before_any_hand_over_the_posts_return(desk: Desk) -> None:
    [ada, ben], chunk = desk.send(2)
    desk.ledger.claim(chunk, limit=1, now=FRIDAY)
    assert desk.ledger.cancel(WEEKLY, 1, reason="wrong text", hand=ADA) == 0
    assert desk.ledger.carried(WEEKLY) == {}
    assert desk.states() == {ada: DROPPED, ben: DROPPED}
    [slot] = desk.ledger.slots(WEEKLY)
    assert (slot.outcome, slot.reason) == (SlotOutcome.ISSUED, "wrong text")
    cancelled = desk.ledger.issue(WEEKLY, 1)
    assert cancelled
    assert (cancelled.state, cancelled.reason) == (IssueState.CANCELLED, "wrong text")
    assert cancelled.stories == (a_story("batteries"),)


def test_it_is_known_when_a_post_went_out_in_an_edition(desk: Desk) -> None:
    opened = desk.open()
    assert opened
    assert desk.ledger.went_out(WEEKLY) == {story.post_id: None for story in opened.stories}
    desk.ledger.start_send(WEEKLY, 1, now=FRIDAY)
    assert desk.ledger.went_out(WEEKLY) == {story.post_id: FRIDAY for story in opened.stories}
    assert desk.ledger.went_out("monthly") == {}


def test_cancelled_later_the_posts_stay_carried(desk: Desk) -> None:
    [ada, ben, cleo], chunk = desk.send(3)
    desk.hand(chunk, [ada, ben])
    desk.ledger.hand_over(chunk, settled=[accepted(ada)], wanted=[], now=FRIDAY)
    assert desk.ledger.cancel(WEEKLY, 1, reason="wrong text", hand=ADA) == 1
    assert desk.ledger.carried(WEEKLY)
    assert desk.states() == {ada: ACCEPTED, ben: SENDING, cleo: DROPPED}
    desk.ledger.hand_over(chunk, settled=[deferred(ben, FRIDAY + MINUTE)], wanted=[cleo], now=FRIDAY)
    row = desk.ledger.delivery(WEEKLY, 1, ben)
    assert row
    assert (row.state, row.reason) == (DROPPED, "cancelled")


def test_a_finished_issue_cannot_be_cancelled(desk: Desk) -> None:
    [ada], chunk = desk.send(1)
    desk.hand(chunk, [ada])
    desk.ledger.hand_over(chunk, settled=[accepted(ada)], wanted=[], now=FRIDAY)
    assert desk.ledger.finish(WEEKLY, 1, now=FRIDAY).state is IssueState.SENT
    assert desk.ledger.cancel(WEEKLY, 1, reason="too late", hand=ADA) == 1
    sent = desk.ledger.issue(WEEKLY, 1)
    assert sent
    assert (sent.state, sent.reason) == (IssueState.SENT, "")


NO_SUCH_USER = Settlement(1, FAILED, receipt=Receipt(Outcome.REFUSED, 550, "5.1.1 No such user"))
GAVE_UP = Settlement(1, FAILED, reason="expired", receipt=Receipt(Outcome.DEFERRED, 451, "4.2.2 Mailbox full"))
NO_MESSAGE = Settlement(1, FAILED, reason="could not be composed")
NO_ANSWER = Settlement(1, UNCERTAIN, receipt=Receipt(Outcome.UNKNOWN))


@pytest.mark.parametrize(
    ("settlement", "end"),
    [
        (accepted(1), IssueState.SENT),
        (NO_SUCH_USER, IssueState.SENT),
        (GAVE_UP, IssueState.NEEDS_ATTENTION),
        (NO_MESSAGE, IssueState.NEEDS_ATTENTION),
        (NO_ANSWER, IssueState.NEEDS_ATTENTION),
    ],
    ids=["accepted", "refused for good", "given up", "not composed", "uncertain"],
)
def test_how_an_issue_ends(desk: Desk, settlement: Settlement, end: IssueState) -> None:
    [ada], chunk = desk.send(1)
    assert ada == settlement.subscriber_id
    desk.hand(chunk, [ada])
    assert desk.ledger.finish(WEEKLY, 1, now=FRIDAY).state is IssueState.SENDING
    desk.ledger.hand_over(chunk, settled=[settlement], wanted=[], now=FRIDAY)
    finished = desk.ledger.finish(WEEKLY, 1, now=FRIDAY + MINUTE)
    assert (finished.state, finished.finished_at) == (end, FRIDAY + MINUTE)


# -- who has no mailbox


def _reader(desk: Desk, subscriber_id: int) -> Subscriber:
    reader = desk.roster.get(subscriber_id)
    assert reader
    return reader


def test_who_has_no_mailbox_is_blocked_with_the_outcome_and_can_be_let_back(desk: Desk) -> None:
    [ada, ben], chunk = desk.send(2)
    desk.hand(chunk, [ada, ben])
    address = _reader(desk, ada).address
    gone = Settlement(
        ada, FAILED, NO_MAILBOX, receipt=Receipt(Outcome.REFUSED, 550, f"5.1.1 <{address}>: no such user")
    )
    desk.ledger.hand_over(chunk, settled=[gone, accepted(ben)], wanted=[], now=FRIDAY)
    assert _reader(desk, ada).status is SubscriberStatus.BLOCKED
    assert desk.roster.suppressed(address) == "no mailbox: 550 5.1.1"
    assert desk.roster.consents(ada)[-1].text == f"550 5.1.1 <{address}>: no such user"
    assert _reader(desk, ben).status is SubscriberStatus.ACTIVE
    assert desk.roster.unblock(ada, evidence=PAPER, now=FRIDAY)
    assert _reader(desk, ada).status is SubscriberStatus.ACTIVE
    assert desk.roster.suppressed(address) == ""


@pytest.mark.parametrize("reason", ["policy", "content", "too-large", "expired"])
def test_other_refusals_are_held_against_nobody(desk: Desk, reason: str) -> None:
    [ada], chunk = desk.send(1)
    desk.hand(chunk, [ada])
    refused = Settlement(ada, FAILED, reason, receipt=Receipt(Outcome.REFUSED, 550, "5.7.26 not authenticated"))
    desk.ledger.hand_over(chunk, settled=[refused], wanted=[], now=FRIDAY)
    assert _reader(desk, ada).status is SubscriberStatus.ACTIVE


# -- after a crash


def test_after_a_crash_claimed_rows_wait_and_sending_rows_are_uncertain(desk: Desk) -> None:
    [ada, ben, cleo], chunk = desk.send(3)
    desk.ledger.claim(chunk, limit=2, now=FRIDAY)
    desk.ledger.hand_over(chunk, settled=[], wanted=[ada], now=FRIDAY)
    assert desk.ledger.recover(now=FRIDAY + MINUTE, resend=False) == 1
    assert desk.states() == {ada: UNCERTAIN, ben: WAITING, cleo: WAITING}
    assert desk.ledger.recover(now=FRIDAY + MINUTE, resend=False) == 0


def test_with_resend_a_row_of_unknown_fate_is_due_again(desk: Desk) -> None:
    [ada, _], chunk = desk.send(2)
    desk.hand(chunk, [ada])
    assert desk.ledger.recover(now=FRIDAY + MINUTE, resend=True) == 1
    row = desk.ledger.delivery(WEEKLY, 1, ada)
    assert row
    assert (row.state, row.attempts, row.next_at) == (WAITING, 1, FRIDAY + MINUTE)


def test_with_resend_nothing_of_a_cancelled_issue_is_sent_again(desk: Desk) -> None:
    [ada], chunk = desk.send(1)
    desk.hand(chunk, [ada])
    desk.ledger.cancel(WEEKLY, 1, reason="stop", hand=ADA)
    assert desk.ledger.recover(now=FRIDAY, resend=True) == 1
    assert desk.states() == {ada: UNCERTAIN}


# -- looking


def test_counts_name_every_state_and_add_up(desk: Desk) -> None:
    [ada, ben, _, _], chunk = desk.send(4)
    desk.hand(chunk, [ada])
    desk.ledger.hand_over(chunk, settled=[accepted(ada)], wanted=[ben], now=FRIDAY)
    counts = desk.ledger.counts(WEEKLY, 1)
    assert counts == dict.fromkeys(DeliveryState, 0) | {ACCEPTED: 1, SENDING: 1, CLAIMED: 2}
    assert [each.subscriber_id for each in desk.ledger.deliveries(WEEKLY, 1, ACCEPTED)] == [ada]
    assert desk.ledger.delivery(WEEKLY, 1, 999) is None


def test_those_who_have_it_not_are_counted_by_what_was_answered(desk: Desk) -> None:
    [ada, ben, eve, dan], chunk = desk.send(4)
    desk.hand(chunk, [ada, ben, eve])
    gone = Receipt(Outcome.REFUSED, 550, "5.1.1 unknown")
    settled = [accepted(ada), deferred(eve, FRIDAY + MINUTE), Settlement(ben, FAILED, "no-mailbox", receipt=gone)]
    desk.ledger.hand_over(chunk, settled=settled, wanted=[], now=FRIDAY)
    assert dan
    assert desk.ledger.answers(WEEKLY, 1) == [
        Answer(FAILED, "no-mailbox", 550, "5.1.1 unknown", 1),
        Answer(WAITING, "", 451, "4.7.1 Greylisted", 1, FRIDAY + MINUTE),
    ]
    assert desk.ledger.answers(WEEKLY, 2) == []


def test_the_deliveries_are_counted_by_provider_as_well(desk: Desk) -> None:
    join(desk.roster, "ada@gmail.com")
    desk.join(2)
    desk.open(5, "batteries")
    desk.ledger.start_send(WEEKLY, 1, now=FRIDAY)
    assert desk.ledger.by_provider(WEEKLY, 1) == {"gmail": {WAITING: 1}, "other": {WAITING: 2}}


def test_the_last_sign_of_life_counts(ledger: Ledger) -> None:
    assert ledger.last_beat("work") is None
    ledger.beat("work", FRIDAY)
    ledger.beat("work", FRIDAY + MINUTE)
    assert ledger.last_beat("work") == FRIDAY + MINUTE


def test_the_log_is_read_newest_first(ledger: Ledger) -> None:
    lines = [LogEntry(FRIDAY, "ada", "cli", "send", f"issue {n}", "ready", "sending") for n in range(3)]
    for line in lines:
        ledger.log(line)
    assert ledger.entries(limit=2) == [lines[2], lines[1]]


def test_every_change_of_an_issue_is_a_turn_that_says_who_when_and_from_where(desk: Desk) -> None:
    desk.join(1)
    desk.open(5, "batteries", send_at=None, hand=by_clock(FRIDAY))
    desk.ledger.hold(WEEKLY, 1, reason="a doubt", hand=ADA)
    desk.ledger.hold(WEEKLY, 1, reason="twice", hand=ADA)
    desk.ledger.schedule_send(WEEKLY, 1, at=FRIDAY, hand=ADA, note="starts at once")
    desk.ledger.start_send(WEEKLY, 1, now=FRIDAY)
    desk.ledger.pause(WEEKLY, 1, reason="a typo", hand=replace(ADA, channel="web"))
    turns = desk.ledger.turns()
    assert [(t.act.value, t.before, t.after.value, t.hand.who, t.hand.channel, t.note) for t in turns] == [
        ("make", None, "ready", "clock", "clock", ""),
        ("hold", IssueState.READY, "held", "ada", "cli", "a doubt"),
        ("send", IssueState.HELD, "ready", "ada", "cli", "starts at once"),
        ("start", IssueState.READY, "sending", "clock", "clock", "1 reader"),
        ("pause", IssueState.SENDING, "paused", "ada", "web", "a typo"),
    ]
    assert {(t.edition, t.number, t.hand.at) for t in turns} == {(WEEKLY, 1, FRIDAY)}
    assert desk.ledger.turns(after=turns[2].id) == turns[3:]
    assert [entry.object for entry in desk.ledger.entries(2)] == ["issue 1", "issue 1"]


def test_what_waits_for_its_slot_can_be_brought_forward_and_what_a_hand_sent_cannot(desk: Desk) -> None:
    desk.open(5, "batteries", send_at=FRIDAY + MINUTE)
    assert desk.ledger.schedule_send(WEEKLY, 1, at=FRIDAY, hand=ADA)
    assert not desk.ledger.schedule_send(WEEKLY, 1, at=FRIDAY + MINUTE, hand=replace(ADA, who="ben"))
    sent = desk.ledger.issue(WEEKLY, 1)
    assert sent
    assert (sent.send_at, sent.sent_by) == (FRIDAY, "ada")


def test_the_figures_of_an_issue_name_no_reader_whom_a_mail_server_names(desk: Desk) -> None:
    ids, chunk = desk.send(2)
    desk.hand(chunk, ids)
    replies = [f"<reader{n}@readers.example>: reader{n}@readers.example is unknown here" for n in range(2)]
    refused = [
        Settlement(one, DeliveryState.FAILED, "no-mailbox", receipt=Receipt(Outcome.REFUSED, 550, reply))
        for one, reply in zip(ids, replies, strict=True)
    ]
    desk.ledger.hand_over(chunk, settled=refused, wanted=[], now=FRIDAY)
    [told] = report(desk.ledger, WEEKLY, 1).answers
    assert (told.state, told.code, told.reply, told.readers) == (FAILED, 550, "…: … is unknown here", 2)
