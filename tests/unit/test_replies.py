"""Answers of mail servers: what their codes say, and that a fault of ours is never a reader's."""

from __future__ import annotations

import pytest

from newsletter.replies import enhanced, setup, speaks_of_us


@pytest.mark.parametrize(
    ("reply", "code"),
    [("5.1.1 no", "5.1.1"), (" 4.7.650 slow", "4.7.650"), ("see 5.1.1", ""), ("3.1.1 no", ""), ("5.1.1.1 no", "")],
)
def test_an_enhanced_code_stands_at_the_beginning(reply: str, code: str) -> None:
    assert enhanced(reply) == code


@pytest.mark.parametrize(
    "reply", ["5.7.25 no PTR", "4.7.26 unauthenticated", "5.7.28 flood", "5.7.29 TLS", "5.7.515 no"]
)
def test_some_codes_speak_of_how_we_are_set_up(reply: str) -> None:
    assert setup(reply)


@pytest.mark.parametrize("reply", ["", "5.1.1 no such user", "5.7.1 no", "2.0.0 queued", "no such user 5.7.26"])
def test_most_do_not(reply: str) -> None:
    assert setup(reply) == ""


def test_words_without_a_code_may_speak_of_us() -> None:
    assert speaks_of_us("Relay access denied")
    assert speaks_of_us("Message REJECTED as spam by policy")
    assert not speaks_of_us("Requested action not taken: mailbox unavailable")
    assert not speaks_of_us("no such user ada.blocker@readers.example")
