"""What became of a send, in figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from newsletter.cli.report import answer_lines
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


def test_a_long_reply_is_whole_for_a_program_and_its_beginning_stands_on_a_line() -> None:
    words = "5.7.1 blocked for reasons that take a hundred words and more to tell, as some servers do"
    [told] = told_alike([Answer(FAILED, "policy", 554, words, 1)])
    assert told.reply == words
    [line] = answer_lines([told], UTC)
    assert line.startswith("  failed  554 5.7.1 blocked for reasons")
    assert len(line) <= 80


def test_without_a_code_those_are_alike_that_begin_alike() -> None:
    said = "refused for reasons that our log knows better than we do, see its line "
    [told] = told_alike([Answer(FAILED, "policy", 554, f"{said}{number}", 1) for number in range(3)])
    assert told.readers == 3
