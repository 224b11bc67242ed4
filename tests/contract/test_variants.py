"""Who gets which segment: fixed with the audience, from what the ledger says was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from newsletter.model import (
    WEEKLY,
    Addressee,
    Attempt,
    DeliveryState,
    Digest,
    Outcome,
    Receipt,
    Segment,
    SegmentKind,
    Settlement,
    Story,
)
from newsletter.ports import Ledger, Roster
from tests.contract.desk import ADA, FRIDAY, YES, Desk, a_digest, a_story, accepted

BATTERIES = a_story("batteries")
RECAP = Segment("recap:1", SegmentKind.RECAP, BATTERIES.post_id)
ERRATUM = Segment("erratum:1", SegmentKind.ERRATUM, BATTERIES.post_id, 1)
UNCERTAIN = Receipt(Outcome.UNKNOWN, None, "no answer")


@pytest.fixture
def desk(ledger: Ledger, roster: Roster) -> Desk:
    return Desk(ledger, roster)


def carry(desk: Desk, week: int, story: Story, *segments: Segment) -> int:
    """Open and start the issue of a week; its number."""

    def render(number: int) -> Digest:
        return replace(a_digest(number), segments=segments)

    made = desk.open(week, stories=[story], render=render)
    assert made
    assert desk.ledger.start_send(WEEKLY, made.number, now=FRIDAY)
    return made.number


def settle(desk: Desk, settled: Sequence[Settlement]) -> None:
    """All that waits is handed over, and these are settled."""
    [chunk] = desk.ledger.due_chunks(FRIDAY)
    ids = desk.ledger.claim(chunk, limit=500, now=FRIDAY)
    desk.ledger.hand_over(chunk, settled=[], wanted=ids, now=FRIDAY)
    desk.ledger.hand_over(chunk, settled=settled, wanted=[], now=FRIDAY)


def variants(desk: Desk, number: int) -> dict[int, tuple[str, ...]]:
    return {one.subscriber_id: one.variant for one in desk.ledger.deliveries(WEEKLY, number)}


def test_a_segment_is_for_who_was_or_was_not_sent_the_post(desk: Desk) -> None:
    ada, ben, cleo = desk.join(3)
    first = carry(desk, 5, BATTERIES)
    failed = Settlement(cleo, DeliveryState.FAILED, receipt=Receipt(Outcome.REFUSED, 550, "nobody here"))
    settle(desk, [accepted(ada), Settlement(ben, DeliveryState.UNCERTAIN, receipt=UNCERTAIN), failed])
    desk.ledger.finish(WEEKLY, first, now=FRIDAY)
    [dora] = desk.join(1, prefix="new")
    second = carry(desk, 6, a_story("alliance"), ERRATUM, RECAP)
    wrong, new = ("erratum:1",), ("recap:1",)
    assert variants(desk, second) == {ada: wrong, ben: wrong, cleo: new, dora: new}


def test_who_was_sent_the_corrected_text_is_told_of_no_correction(desk: Desk) -> None:
    [ada] = desk.join(1)
    carry(desk, 5, replace(BATTERIES, corrections=1))
    settle(desk, [accepted(ada)])
    again = replace(ERRATUM, key="erratum:2", correction=2)
    assert variants(desk, carry(desk, 6, a_story("alliance"), ERRATUM, again)) == {ada: ("erratum:2",)}


def test_the_variant_comes_with_the_addressee(desk: Desk) -> None:
    [ada] = desk.join(1)
    carry(desk, 5, a_story("alliance"), RECAP)
    [chunk] = desk.ledger.due_chunks(FRIDAY)
    desk.ledger.claim(chunk, limit=1, now=FRIDAY)
    [addressee] = desk.ledger.hand_over(chunk, settled=[], wanted=[ada], now=FRIDAY).values()
    assert addressee
    assert addressee.variant == ("recap:1",)


def test_a_digest_remembers_its_segments_and_its_stories_their_corrections(desk: Desk) -> None:
    carry(desk, 5, replace(BATTERIES, corrections=2), ERRATUM, RECAP)
    assert desk.ledger.digest(WEEKLY, 1).segments == (ERRATUM, RECAP)
    issue = desk.ledger.issue(WEEKLY, 1)
    assert issue
    assert [story.corrections for story in issue.stories] == [2]


def test_a_correction_is_told_until_its_issue_is_cancelled_in_time(desk: Desk) -> None:
    [ada] = desk.join(1)
    assert desk.ledger.told(WEEKLY) == {}
    carry(desk, 5, a_story("alliance"), RECAP, ERRATUM)
    assert desk.ledger.told(WEEKLY) == {BATTERIES.post_id: 1}
    desk.ledger.cancel(WEEKLY, 1, reason="no", hand=ADA)
    assert desk.ledger.told(WEEKLY) == {}
    carry(desk, 6, a_story("charging"), ERRATUM)
    settle(desk, [accepted(ada)])
    desk.ledger.cancel(WEEKLY, 2, reason="too late", hand=ADA)
    assert desk.ledger.told(WEEKLY) == {BATTERIES.post_id: 1}


def test_an_issue_on_the_web_only_has_told_no_reader(desk: Desk) -> None:
    desk.open(5, stories=[a_story("alliance")], render=lambda n: replace(a_digest(n), segments=(ERRATUM,)))
    assert desk.ledger.told(WEEKLY) == {BATTERIES.post_id: 1}
    assert desk.ledger.web_only(WEEKLY, 1, reason="", hand=ADA)
    assert desk.ledger.told(WEEKLY) == {}


def test_a_copy_that_was_sent_again_is_kept_with_its_answer(desk: Desk) -> None:
    [ada, ben] = desk.join(2)
    carry(desk, 5, BATTERIES)
    begun = desk.ledger.resend(WEEKLY, 1, Addressee(ada, "ada@readers.example", FRIDAY, 1), hand=ADA)
    assert [one.outcome for one in desk.ledger.copies(WEEKLY, 1)] == ["unknown"]
    desk.ledger.resent(begun, YES)
    assert desk.ledger.copies(WEEKLY, 1, ada) == [Attempt(FRIDAY, 1, "accepted", 250, "2.0.0 Ok: queued")]
    assert desk.ledger.copies(WEEKLY, 1, ben) == []
