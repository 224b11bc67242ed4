"""The retry table: what each answer of a mail server means for one reader."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.retry import LIMIT, WAITS, reason_of, relay_fault, settle
from newsletter.model import DeliveryState, Outcome, Receipt, Settlement

NOW = datetime(2022, 2, 11, 7, tzinfo=UTC)
LATER = Receipt(Outcome.DEFERRED, 451, "4.3.0 try again later")


def test_an_accepted_message_is_settled_for_good() -> None:
    receipt = Receipt(Outcome.ACCEPTED, 250, "2.0.0 queued as 1")
    settlement = settle(1, receipt, attempts=0, first_at=None, now=NOW)
    assert (settlement.state, settlement.next_at, settlement.counted) == (DeliveryState.ACCEPTED, None, True)
    assert settlement.receipt == receipt


@pytest.mark.parametrize(
    ("code", "reply", "reason"),
    [
        (550, "5.1.1 no such user", "no-mailbox"),
        (556, "5.1.10 null MX", "no-mailbox"),
        (550, "5.1.8 sender's domain does not exist", "policy"),
        (550, "5.1.15 what?", "policy"),
        (550, "5.7.26 this mail is not authenticated", "policy"),
        (550, "5.4.1 all recipient addresses rejected: access denied", "policy"),
        (551, "5.1.6 has moved", "no-mailbox"),
        (550, "5.2.1 mailbox disabled", "no-mailbox"),
        (550, "no such user", "no-mailbox"),
        (550, "relaying denied", "policy"),
        (550, "message looks like SPAM", "policy"),
        (553, "sorry, that domain isn't in my list of allowed rcpthosts", "policy"),
        (554, "5.7.515 access denied", "policy"),
        (553, "mailbox name not allowed", "no-mailbox"),
        (550, "5.7.1 spam", "policy"),
        (554, "transaction failed", "policy"),
        (554, "5.6.0 bad content", "content"),
        (552, "5.3.4 message too big", "too-large"),
        (552, "too much mail data", "too-large"),
        (550, "see https://a.example/5.7.1", "no-mailbox"),
    ],
)
def test_a_refusal_is_final_and_says_why(code: int, reply: str, reason: str) -> None:
    receipt = Receipt(Outcome.REFUSED, code, reply)
    settlement = settle(1, receipt, attempts=0, first_at=None, now=NOW)
    assert (settlement.state, settlement.reason) == (DeliveryState.FAILED, reason)
    assert reason_of(receipt) == reason


def test_what_is_said_of_the_content_says_nothing_of_the_mailbox() -> None:
    assert reason_of(Receipt(Outcome.REFUSED, 550, "not this one", of_content=True)) == "policy"
    assert reason_of(Receipt(Outcome.REFUSED, 550, "5.1.1 no such user", of_content=True)) == "no-mailbox"


def test_only_who_has_no_mailbox_is_dead() -> None:
    def settled(code: int, reply: str) -> Settlement:
        return settle(1, Receipt(Outcome.REFUSED, code, reply), attempts=0, first_at=None, now=NOW)

    assert settled(550, "5.1.1 no such user").is_dead
    assert not settled(550, "5.7.26 not authenticated").is_dead
    assert not settled(552, "5.2.2 mailbox full").is_dead


def test_an_address_that_the_server_cannot_be_told_fails_without_an_attempt_and_is_not_dead() -> None:
    own = settle(1, Receipt(Outcome.REFUSED, None, "no SMTPUTF8"), attempts=0, first_at=None, now=NOW)
    theirs = settle(1, Receipt(Outcome.REFUSED, 553, "5.6.7 not there"), attempts=0, first_at=None, now=NOW)
    assert (own.reason, own.counted, own.is_dead) == ("no-smtputf8", False, False)
    assert (theirs.reason, theirs.counted, theirs.is_dead) == ("no-smtputf8", True, False)


def test_a_full_mailbox_is_tried_again_although_the_code_says_never() -> None:
    full = Receipt(Outcome.REFUSED, 552, "5.2.2 mailbox full")
    assert settle(1, full, attempts=0, first_at=None, now=NOW).state is DeliveryState.WAITING


def test_no_answer_after_the_final_dot_is_uncertain_at_once() -> None:
    settlement = settle(1, Receipt(Outcome.UNKNOWN), attempts=0, first_at=None, now=NOW)
    assert (settlement.state, settlement.next_at, settlement.counted) == (DeliveryState.UNCERTAIN, None, True)


def test_no_answer_is_tried_once_more_only_where_the_site_wishes_it() -> None:
    first = settle(1, Receipt(Outcome.UNKNOWN), attempts=0, first_at=None, now=NOW, after_crash="resend")
    second = settle(1, Receipt(Outcome.UNKNOWN), attempts=1, first_at=NOW, now=NOW, after_crash="resend")
    assert (first.state, first.next_at) == (DeliveryState.WAITING, NOW + timedelta(minutes=15))
    assert second.state is DeliveryState.UNCERTAIN


@given(st.integers(1), st.integers(0, 50))
def test_the_wait_grows_by_the_table_and_is_spread_by_a_fifth(subscriber_id: int, attempts: int) -> None:
    settlement = settle(subscriber_id, LATER, attempts=attempts, first_at=None, now=NOW)
    table = WAITS[min(attempts, len(WAITS) - 1)]
    assert settlement.next_at is not None
    assert table * 0.8 <= settlement.next_at - NOW <= table * 1.2
    assert settlement == settle(subscriber_id, LATER, attempts=attempts, first_at=None, now=NOW)


def test_readers_who_were_put_off_together_do_not_come_back_together() -> None:
    times = {settle(reader, LATER, attempts=0, first_at=None, now=NOW).next_at for reader in range(100)}
    assert len(times) > 90


@given(st.integers(1))
def test_a_reader_who_is_put_off_for_ever_fails_after_48_hours_and_not_before(subscriber_id: int) -> None:
    now, attempts = NOW, 0
    while True:
        settlement = settle(subscriber_id, LATER, attempts=attempts, first_at=NOW if attempts else None, now=now)
        if settlement.state is DeliveryState.FAILED:
            break
        assert settlement.next_at is not None
        assert settlement.next_at > now
        now, attempts = settlement.next_at, attempts + 1
    assert (settlement.reason, now) == ("expired", NOW + LIMIT)
    assert attempts < 20


def test_a_fault_of_the_relay_is_not_held_against_the_reader() -> None:
    settlement = relay_fault(1, NOW, "S320 gone")
    assert (settlement.state, settlement.next_at, settlement.counted) == (DeliveryState.WAITING, NOW, False)
    assert settlement.reason == "S320 gone"
