"""What every store of notices promises: told once, owed to each, and nothing forgotten by a crash."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.model import WEBHOOK, Digest, Notice, NoticeCopy, NoticeKind, NoticeState, Segment, SegmentKind
from newsletter.ports import Notices
from newsletter.store.database import Database
from newsletter.store.notices import SqlNotices

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def notices(database: Database) -> Notices:
    return SqlNotices(database)


RECAP = Segment("recap:1", SegmentKind.RECAP, "tag:one")


def a_notice(key: str = "held:47", kind: NoticeKind = NoticeKind.HELD) -> Notice:
    return Notice(
        key=key,
        kind=kind,
        at=NOON,
        about="issue 47",
        subject="Issue 47 is held",
        what="Issue 47 is held.",
        why="Found 4 h after its slot.",
        otherwise="Nothing is sent.",
        lines=("- four", "+ three"),
        fixes=("newsletter issue send 47",),
        links=(("The issue", "https://auto-trendy.net/issues/47/"),),
        hold="2026-W48",
        mark="sha256:9f",
        digest=Digest("Subject", "Preheader", "<p>Ünï</p>", "Text\n", "sha256:9f", segments=(RECAP,)),
    )


def test_a_notice_comes_back_as_it_was_told_with_a_copy_for_each(notices: Notices) -> None:
    assert notices.tell(a_notice(), ["editor", WEBHOOK])
    assert list(notices.due(NOON)) == [NoticeCopy(a_notice(), WEBHOOK), NoticeCopy(a_notice(), "editor")]
    assert list(notices.about(NoticeKind.HELD, "issue 47")) == [a_notice()]
    assert [(told, len(copies)) for told, copies in notices.last(5)] == [(a_notice(), 2)]


def test_the_same_fact_is_told_once_whoever_notices_it(notices: Notices) -> None:
    told: list[bool] = []
    threads = [threading.Thread(target=lambda: told.append(notices.tell(a_notice(), ["editor"]))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [False, False, False, True]
    assert len(notices.due(NOON)) == 1


def test_a_copy_is_begun_by_one(notices: Notices) -> None:
    notices.tell(a_notice(), ["editor"])
    [copy] = notices.due(NOON)
    begun = notices.begin(copy)
    assert begun
    assert (begun.state, begun.attempts) == (NoticeState.SENDING, 1)
    assert notices.begin(copy) is None


def test_a_copy_that_a_crash_left_in_the_middle_is_due_again_with_its_attempt_counted(notices: Notices) -> None:
    notices.tell(a_notice(), ["editor"])
    notices.begin(notices.due(NOON)[0])
    [left] = notices.due(NOON)
    assert (left.state, left.attempts) == (NoticeState.SENDING, 1)


def test_what_waits_is_due_at_its_time_and_open_meanwhile(notices: Notices) -> None:
    notices.tell(a_notice(), ["editor"])
    [copy] = notices.due(NOON)
    notices.settle(replace(copy, next_at=NOON + timedelta(minutes=5), attempts=1, reply="451 later"))
    assert not notices.due(NOON)
    assert [one.reply for one in notices.due(NOON + timedelta(minutes=5))] == ["451 later"]
    assert [one.reply for one in notices.open(NOON, timedelta(days=7))] == ["451 later"]


def test_what_was_accepted_is_due_no_more_and_what_failed_is_shown_for_a_while(notices: Notices) -> None:
    notices.tell(a_notice(), ["editor", "operator"])
    ada, bob = notices.due(NOON)
    notices.settle(replace(ada, state=NoticeState.ACCEPTED, done_at=NOON))
    notices.settle(replace(bob, state=NoticeState.FAILED, done_at=NOON, reply="550 nobody here"))
    assert not notices.due(NOON)
    week = timedelta(days=7)
    assert [(one.to, one.reply) for one in notices.open(NOON, week)] == [("operator", "550 nobody here")]
    assert not notices.open(NOON + week, week)
