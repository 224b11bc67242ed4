"""What stops an issue by itself, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.breaker import FEWEST, SHOWN, Breaker
from newsletter.model import NO_UTF8, Chunk, DeliveryState, Outcome, Receipt, Settlement

CHUNK = Chunk(1, 47, 1, provider="gmail")
OTHERS = Chunk(2, 47, 1, provider="other")


def accepted(n: int = 1) -> list[Settlement]:
    return [Settlement(i, DeliveryState.ACCEPTED, receipt=Receipt(Outcome.ACCEPTED, 250, "ok")) for i in range(n)]


def gone(reader: int = 0) -> Settlement:
    receipt = Receipt(Outcome.REFUSED, 550, f"5.1.1 <r{reader}@gmail.com> does not exist")
    return Settlement(reader, DeliveryState.FAILED, "no-mailbox", receipt=receipt)


def unwanted() -> Settlement:
    receipt = Receipt(Outcome.REFUSED, 554, "5.7.1 looks like spam")
    return Settlement(1, DeliveryState.FAILED, "policy", receipt=receipt)


def unanswered() -> Settlement:
    return Settlement(1, DeliveryState.UNCERTAIN, "no-answer", receipt=Receipt(Outcome.UNKNOWN, None, "no answer"))


def test_a_list_of_dead_mailboxes_stops_with_numbers_and_answers_that_name_nobody() -> None:
    breaker = Breaker()
    assert breaker.note(CHUNK, accepted(94)) == ""
    assert breaker.note(CHUNK, [gone(n) for n in range(4)]) == ""
    why = breaker.note(CHUNK, [gone(4), gone(5)])
    assert why == (
        "6 of the last 100 mailboxes are not there (more than 5 %) at gmail. "
        "The last answers: 550 5.1.1 … does not exist (6 times)"
    )


def test_three_of_the_last_hundred_that_are_unwanted_stop_it_and_three_further_apart_do_not() -> None:
    breaker = Breaker()
    for _ in range(5):
        assert breaker.note(OTHERS, [*accepted(59), unwanted()]) == ""
    assert "4 of the last 100 messages were refused as unwanted" in breaker.note(OTHERS, [unwanted(), unwanted()])


def test_addresses_that_the_mail_server_cannot_be_told_stop_nothing() -> None:
    told = Receipt(Outcome.REFUSED, None, "not ASCII, and the mail server has no SMTPUTF8")
    untold = [Settlement(n, DeliveryState.FAILED, NO_UTF8, counted=False, receipt=told) for n in range(SHOWN)]
    assert Breaker().note(OTHERS, [*accepted(2), *untold]) == ""


def test_more_than_one_in_a_hundred_without_an_answer_stop_it() -> None:
    breaker = Breaker()
    assert breaker.note(CHUNK, [*accepted(SHOWN), unanswered(), unanswered()]) == ""
    assert "3 of the last 200 messages got no answer" in breaker.note(CHUNK, [unanswered()])


def test_one_bad_provider_stops_an_issue_that_is_well_in_all() -> None:
    breaker = Breaker()
    breaker.note(OTHERS, accepted(150))
    breaker.note(CHUNK, accepted(47))
    assert "at gmail" in breaker.note(CHUNK, [gone(), gone(), gone()])


def test_of_few_results_nothing_is_said() -> None:
    assert Breaker().note(CHUNK, [gone(n) for n in range(FEWEST - 1)]) == ""


def test_what_was_put_back_says_nothing() -> None:
    put_back = Settlement(1, DeliveryState.WAITING, "S320 away", counted=False)
    breaker = Breaker()
    breaker.note(CHUNK, accepted(FEWEST - 3))
    assert breaker.note(CHUNK, [put_back] * 100) == ""
    assert breaker.note(CHUNK, [gone(), gone()]) == ""


def test_after_a_stop_counting_begins_anew_and_each_issue_is_counted_by_itself() -> None:
    breaker = Breaker()
    assert breaker.note(CHUNK, [*accepted(50), *[gone()] * 5])
    assert breaker.note(CHUNK, [*accepted(50), gone(), gone()]) == ""
    assert breaker.note(Chunk(3, 48, 1), [gone()] * 3) == ""


@given(st.lists(st.sampled_from(["ok", "gone", "policy", "unknown", "later"]), max_size=600))
def test_it_stops_exactly_when_the_last_results_say_so(kinds: list[str]) -> None:
    made = {
        "ok": accepted()[0],
        "gone": gone(),
        "policy": unwanted(),
        "unknown": unanswered(),
        "later": Settlement(1, DeliveryState.WAITING, receipt=Receipt(Outcome.DEFERRED, 451, "later")),
    }
    breaker, seen = Breaker(), list[str]()
    for kind in kinds:
        seen.append(kind)
        last = seen[-SHOWN:]
        bad = (
            last.count("gone") > 0.05 * len(last)
            or seen[-100:].count("policy") >= 3
            or last.count("unknown") > max(1, 0.01 * len(last))
        )
        must = len(last) >= FEWEST and bad
        assert bool(breaker.note(CHUNK, [made[kind]])) is must
        if must:
            seen.clear()


@pytest.mark.parametrize("bad", [4, 10])
def test_a_good_list_never_stops(bad: int) -> None:
    breaker = Breaker()
    for n in range(40):
        assert breaker.note(CHUNK, [*accepted(50), *([gone(n)] if n % bad else [])]) == ""
