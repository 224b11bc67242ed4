"""What became of a send, in figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from newsletter.model import Answer, DeliveryState
from newsletter.usecases.report import told_alike

FAILED, WAITING = DeliveryState.FAILED, DeliveryState.WAITING
LATER = datetime(2026, 11, 27, 8, tzinfo=UTC)


def test_refusals_that_differ_only_in_whom_they_name_are_one_most_readers_first() -> None:
    told = told_alike(
        [
            Answer(FAILED, "policy", 554, "5.7.1 spam", 1),
            Answer(FAILED, "no-mailbox", 550, "5.1.1 <ada@a.example>: user unknown", 2),
            Answer(FAILED, "no-mailbox", 550, "5.1.1 ben@b.example is not a user here", 1),
            Answer(FAILED, "no-mailbox", 550, "no ada@a.example", 1),
            Answer(FAILED, "no-mailbox", 550, "no ben@b.example", 1),
        ]
    )
    assert [(one.reply, one.readers) for one in told] == [
        ("5.1.1 …: user unknown", 3),
        ("no …", 2),
        ("5.7.1 spam", 1),
    ]


def test_those_who_wait_are_tried_again_when_the_first_of_them_is() -> None:
    [told] = told_alike(
        [
            Answer(WAITING, "deferred", 451, "4.7.1 later", 5, LATER + timedelta(hours=1)),
            Answer(WAITING, "deferred", 451, "4.7.1 come back", 1, LATER),
        ]
    )
    assert (told.readers, told.next_at) == (6, LATER)


def test_a_long_reply_keeps_its_beginning() -> None:
    [told] = told_alike([Answer(FAILED, "policy", 554, "5.7.1 " + "blocked for reasons " * 9, 1)])
    assert told.reply.startswith("5.7.1 blocked for reasons")
    assert len(told.reply) <= 48
