"""Readers get the stories that they want, each once, whatever brought them one before; why one gets none is kept."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter import variants
from newsletter.model import (
    EACH_POST,
    MONTHLY,
    WEEKLY,
    Addressee,
    DeliveryState,
    Digest,
    Issue,
    IssueState,
    LetterKind,
    Outcome,
    Receipt,
    Segment,
    SegmentKind,
    Settlement,
)
from newsletter.ports import Ledger, Roster
from newsletter.store.database import Database
from newsletter.store.ledger import SqlLedger
from newsletter.store.letters import SqlLetters
from newsletter.store.roster import SqlRoster
from tests.contract.conftest import Fresh
from tests.contract.desk import ADA, FRIDAY, LINK, YES, Desk, a_digest, a_story, hashed

NO = Receipt(Outcome.REFUSED, 550, "nobody here")
WHO_KNOWS = Receipt(Outcome.UNKNOWN, None, "no answer")
ANSWERS = {DeliveryState.ACCEPTED: YES, DeliveryState.FAILED: NO, DeliveryState.UNCERTAIN: WHO_KNOWS}
TOPICS = {"batteries": ("cars", "power"), "alliance": ("cars",), "law": ("law",), "letters": ()}


@pytest.fixture
def desk(ledger: Ledger, roster: Roster) -> Desk:
    return Desk(ledger, roster)


def parts(*posts: str) -> tuple[Segment, ...]:
    """The stories of an issue, as a view makes them."""
    return tuple(
        Segment(f"story:{n}", SegmentKind.STORY, a_story(post).post_id, topics=TOPICS.get(post, ()))
        for n, post in enumerate(posts, 1)
    )


def start(desk: Desk, week: int, *posts: str, edition: str = WEEKLY, more: Sequence[Segment] = ()) -> Issue:
    """Make the issue of a week with these stories, and fix its audience."""

    def render(number: int) -> Digest:
        return replace(a_digest(number), segments=(*parts(*posts), *more))

    made = desk.open(week, *posts, edition=edition, render=render)
    assert made
    started = desk.ledger.start_send(edition, made.number, now=FRIDAY)
    assert started
    return started


def answer(desk: Desk, state: DeliveryState = DeliveryState.ACCEPTED) -> None:
    """All that waits is handed over and answered in one way."""
    for chunk in desk.ledger.due_chunks(FRIDAY):
        ids = desk.ledger.claim(chunk, limit=500, now=FRIDAY)
        desk.ledger.hand_over(chunk, settled=[], wanted=ids, now=FRIDAY)
        done = [Settlement(each, state, receipt=ANSWERS[state]) for each in ids]
        desk.ledger.hand_over(chunk, settled=done, wanted=[], now=FRIDAY)


def choose(desk: Desk, reader: int, *without: str, edition: str = WEEKLY, plain: bool = False) -> None:
    assert desk.roster.choose(reader, edition=edition, without=without, plain=plain, evidence=LINK, now=FRIDAY)


def row(desk: Desk, issue: Issue, reader: int) -> tuple[DeliveryState, str, tuple[str, ...]]:
    found = desk.ledger.delivery(issue.edition, issue.number, reader)
    assert found
    return found.state, found.reason, found.variant


WAITING, DROPPED = DeliveryState.WAITING, DeliveryState.DROPPED


def test_a_story_is_left_out_for_who_wants_none_of_its_topics(desk: Desk) -> None:
    ada, ben, cleo = desk.join(3)
    choose(desk, ada, "cars")
    choose(desk, ben, "cars", "power", "law", plain=True)
    issue = start(desk, 5, "batteries", "alliance", "law", "letters")
    assert row(desk, issue, ada) == (WAITING, "", ("story:2",))
    assert row(desk, issue, ben) == (WAITING, "", ("plain", "story:1", "story:2", "story:3"))
    assert row(desk, issue, cleo) == (WAITING, "", ())
    assert desk.ledger.variants(WEEKLY, 1) == {(): 1, ("plain", "story:1", "story:2", "story:3"): 1, ("story:2",): 1}


@pytest.mark.parametrize("state", ANSWERS)
def test_what_came_in_another_edition_does_not_come_again_unless_it_failed(desk: Desk, state: DeliveryState) -> None:
    [ada] = desk.join(1)
    choose(desk, ada, edition=EACH_POST)
    start(desk, 5, "batteries", edition=EACH_POST)
    answer(desk, state)
    choose(desk, ada)
    left = () if state is DeliveryState.FAILED else ("story:1",)
    assert row(desk, start(desk, 6, "batteries", "law"), ada) == (WAITING, "", left)


def test_what_is_on_its_way_in_another_edition_does_not_come_twice(desk: Desk) -> None:
    [ada] = desk.join(1)
    choose(desk, ada, edition=EACH_POST)
    start(desk, 5, "batteries", edition=EACH_POST)
    choose(desk, ada)
    issue = start(desk, 6, "batteries")
    assert row(desk, issue, ada) == (DROPPED, variants.HAD_ALL, ("story:1",))


def test_who_would_get_no_story_gets_nothing_and_the_count_still_adds_up(desk: Desk) -> None:
    ada, ben, cleo = desk.join(3)
    choose(desk, ada, "cars", "power")
    issue = start(desk, 5, "batteries", "alliance")
    assert row(desk, issue, ada) == (DROPPED, variants.NO_TOPIC, ("story:1", "story:2"))
    assert issue.audience == 3
    answer(desk)
    assert desk.states() == {ada: DROPPED, ben: DeliveryState.ACCEPTED, cleo: DeliveryState.ACCEPTED}
    assert desk.ledger.finish(WEEKLY, 1, now=FRIDAY).state is IssueState.SENT
    assert desk.ledger.variants(WEEKLY, 1) == {(): 2}


def test_who_had_one_story_and_wants_not_the_other_is_told_of_topics(desk: Desk) -> None:
    [ada] = desk.join(1)
    choose(desk, ada, "law", edition=EACH_POST)
    start(desk, 5, "batteries", edition=EACH_POST)
    answer(desk)
    choose(desk, ada, "law")
    assert row(desk, start(desk, 6, "batteries", "law"), ada)[:2] == (DROPPED, variants.NO_TOPIC)


def test_a_story_that_was_left_out_did_not_come(desk: Desk) -> None:
    ada, ben = desk.join(2)
    choose(desk, ada, "cars", "power")
    start(desk, 5, "batteries", "law")
    answer(desk)
    recap = Segment("recap:1", SegmentKind.RECAP, a_story("batteries").post_id)
    issue = start(desk, 6, "letters", more=[recap])
    assert row(desk, issue, ada)[2] == ("recap:1",)
    assert row(desk, issue, ben)[2] == ()
    assert desk.ledger.had(ada, [a_story("batteries").post_id, a_story("law").post_id]) == {a_story("law").post_id: 0}


def test_a_recap_goes_with_its_story(desk: Desk) -> None:
    [ada] = desk.join(1)
    choose(desk, ada, "cars", "power")
    recap = Segment("recap:1", SegmentKind.RECAP, a_story("before").post_id)
    assert row(desk, start(desk, 5, "batteries", "law", more=[recap]), ada)[2] == ("story:1",)


def test_what_a_letter_brings_does_not_come_again(desk: Desk, database: Database) -> None:
    ada, ben = desk.join(2)
    story = replace(a_story("batteries"), corrections=2)
    for reader in (ada, ben):
        assert desk.roster.write(reader, LetterKind.CATCH_UP, digest=a_digest(1), posts=[story], now=FRIDAY)
    letters = SqlLetters(database)
    [lost] = letters.of(ben)
    begun = letters.begin(lost, FRIDAY)
    assert begun
    letters.settle(begun[0], Settlement(ben, DeliveryState.FAILED, receipt=NO), FRIDAY)
    issue = start(desk, 5, "batteries", "law")
    assert row(desk, issue, ada)[2] == ("story:1",)
    assert row(desk, issue, ben)[2] == ()
    assert desk.ledger.had(ada, [story.post_id]) == {story.post_id: 2}


def test_a_copy_brings_what_was_in_it_and_an_issue_is_no_reason_against_itself(desk: Desk) -> None:
    desk.join(1)
    first = start(desk, 5, "batteries", "alliance", "law")
    answer(desk)
    [eve] = desk.join(1, prefix="late")
    choose(desk, eve, "law")
    segments = desk.ledger.digest(WEEKLY, first.number).segments
    variant = desk.ledger.variant(WEEKLY, first.number, segments, eve)
    assert variant == ("story:3",)
    copy = Addressee(eve, "late0@readers.example", FRIDAY, 1, variant=variant)
    desk.ledger.resent(desk.ledger.resend(WEEKLY, first.number, copy, hand=ADA), YES)
    assert desk.ledger.variant(WEEKLY, first.number, segments, eve) == variant
    choose(desk, eve, edition=MONTHLY)
    monthly = start(desk, 6, "batteries", "alliance", "law", "letters", edition=MONTHLY)
    assert row(desk, monthly, eve)[2] == ("story:1", "story:2")


@pytest.mark.parametrize(
    ("more", "left"), [(("law",), (WAITING, "", ("story:1",))), ((), (DROPPED, "had-all", ("story:1",)))]
)
def test_what_failed_goes_again_without_what_came_meanwhile(
    desk: Desk, more: tuple[str, ...], left: tuple[DeliveryState, str, tuple[str, ...]]
) -> None:
    [ada] = desk.join(1)
    first = start(desk, 5, "batteries", *more)
    for chunk in desk.ledger.due_chunks(FRIDAY):
        desk.ledger.claim(chunk, limit=5, now=FRIDAY)
        desk.ledger.hand_over(chunk, settled=[], wanted=[ada], now=FRIDAY)
        full = Receipt(Outcome.DEFERRED, 452, "mailbox full")
        done = Settlement(ada, DeliveryState.FAILED, receipt=full, reason="expired")
        desk.ledger.hand_over(chunk, settled=[done], wanted=[], now=FRIDAY)
    desk.ledger.finish(WEEKLY, 1, now=FRIDAY)
    choose(desk, ada, edition=MONTHLY)
    start(desk, 6, "batteries", edition=MONTHLY)
    answer(desk)
    assert desk.ledger.retry(WEEKLY, 1, hand=ADA) == 1
    assert row(desk, first, ada) == left


def test_who_would_be_mailed_and_who_not_is_known_before(desk: Desk) -> None:
    ada, ben = desk.join(2)
    choose(desk, ada, "law")
    [some] = desk.ledger.readers(WEEKLY, 1, parts("law"))
    assert [(one.subscriber_id, one.variant, why) for one, why in some] == [
        (ada, ("story:1",), variants.NO_TOPIC),
        (ben, (), ""),
    ]


# --- whatever happens ------------------------------------------------------------------------------

STEPS = ("join", "post", "post", "weekly", "monthly", "each", "each", "answer", "answer", "choose", "choose", "letter")
EDITIONS = (WEEKLY, MONTHLY, EACH_POST)


@dataclass
class Life:
    """Readers who change their minds, in three editions; and the model of what each was sent."""

    desk: Desk
    letters: SqlLetters
    chance: random.Random
    posts: list[str] = field(default_factory=list)
    wants: dict[int, tuple[str, ...]] = field(default_factory=dict)
    sent: list[tuple[int, str]] = field(default_factory=list)  # or may have been
    going: set[tuple[int, str]] = field(default_factory=set)  # on its way
    week: int = 5

    def join(self) -> None:
        [reader] = self.desk.join(1, prefix=f"r{self.chance.random()}-")
        self.wants[reader] = ()

    def post(self) -> None:
        self.posts.append(f"{self.chance.choice(list(TOPICS))}-{len(self.posts)}")

    def choose(self) -> None:
        reader = self.chance.choice(list(self.wants))
        without = tuple(self.chance.sample(["cars", "power", "law"], self.chance.randint(0, 3)))
        self.wants[reader] = without
        choose(self.desk, reader, *without, edition=self.chance.choice(EDITIONS), plain=self.chance.random() < 0.3)

    def weekly(self) -> None:
        self._issue(WEEKLY)

    def monthly(self) -> None:
        self._issue(MONTHLY)

    def each(self) -> None:
        self._issue(EACH_POST)

    def _issue(self, edition: str) -> None:
        carried = self.desk.ledger.carried(edition)
        fresh = [post for post in self.posts if a_story(post).post_id not in carried]
        if not fresh:
            return
        self.week += 1
        made = tuple(
            Segment(f"story:{n}", SegmentKind.STORY, a_story(post).post_id, topics=TOPICS[post.partition("-")[0]])
            for n, post in enumerate(fresh, 1)
        )
        one = self.desk.open(self.week, *fresh, edition=edition, render=lambda n: replace(a_digest(n), segments=made))
        assert one
        assert self.desk.ledger.start_send(edition, one.number, now=FRIDAY)
        for delivery in self.desk.ledger.deliveries(edition, one.number):
            reader = delivery.subscriber_id
            meant = {post for post in fresh if self._is_owed(reader, post)}
            got = {post for post, part in zip(fresh, made, strict=True) if part.key not in delivery.variant}
            assert got == meant
            assert (delivery.state is DROPPED) is not bool(meant)
            self.going |= {(reader, post) for post in got}

    def _is_owed(self, reader: int, post: str) -> bool:
        topics = TOPICS[post.partition("-")[0]]
        unwanted = bool(topics) and set(topics) <= set(self.wants[reader])
        return not unwanted and (reader, post) not in self.going and (reader, post) not in self.sent

    def letter(self) -> None:
        """A catch-up with what the reader was not sent."""
        reader = self.chance.choice(list(self.wants))
        had = self.desk.ledger.had(reader, [a_story(post).post_id for post in self.posts])
        missed = [post for post in self.posts if a_story(post).post_id not in had]
        assert missed == [p for p in self.posts if (reader, p) not in self.going and (reader, p) not in self.sent]
        stories = [a_story(post) for post in missed]
        before = len(self.letters.of(reader))
        written = self.desk.roster.write(reader, LetterKind.CATCH_UP, digest=a_digest(1), posts=stories, now=FRIDAY)
        if written and len(self.letters.of(reader)) > before:
            self.going |= {(reader, post) for post in missed}

    def answer(self) -> None:
        for chunk in self.desk.ledger.due_chunks(FRIDAY):
            ids = self.desk.ledger.claim(chunk, limit=self.chance.randint(1, 4), now=FRIDAY)
            given = self.desk.ledger.hand_over(chunk, settled=[], wanted=ids, now=FRIDAY)
            for reader, addressee in given.items():
                if addressee:
                    state = self.chance.choice(list(ANSWERS))
                    done = Settlement(reader, state, receipt=ANSWERS[state])
                    self.desk.ledger.hand_over(chunk, settled=[done], wanted=[], now=FRIDAY)
                    self._note(reader, self._came(chunk.edition, chunk.issue_number, addressee), state)
        for letter in self.letters.due(FRIDAY, 2):
            begun = self.letters.begin(letter, FRIDAY)
            assert begun
            state = self.chance.choice(list(ANSWERS))
            done = Settlement(letter.subscriber_id, state, receipt=ANSWERS[state])
            self.letters.settle(begun[0], done, FRIDAY)
            came = (post for post in self.posts if a_story(post).post_id in begun[0].posts)
            self._note(letter.subscriber_id, came, state)

    def _came(self, edition: str, number: int, addressee: Addressee) -> Iterator[str]:
        segments = self.desk.ledger.digest(edition, number).segments
        shown = {one.post_id for one in segments if one.key not in addressee.variant}
        return (post for post in self.posts if a_story(post).post_id in shown)

    def _note(self, reader: int, posts: Iterator[str], state: DeliveryState) -> None:
        for post in posts:
            self.going.discard((reader, post))
            if state is not DeliveryState.FAILED:
                self.sent.append((reader, post))


def test_no_story_comes_twice_none_comes_unwanted_and_none_is_lost(fresh: Fresh, fewer: int) -> None:
    @settings(max_examples=25 // fewer, deadline=None)
    @given(steps=st.lists(st.sampled_from(STEPS), max_size=24), seed=st.integers(0, 999))
    def lives(steps: list[str], seed: int) -> None:
        with fresh() as database:
            desk = Desk(SqlLedger(database), SqlRoster(database, hashed))
            life = Life(desk, SqlLetters(database), random.Random(seed))
            for step in ("join", "join", "post", "post", "weekly", "choose", *steps, "answer", "answer", "weekly"):
                getattr(life, step)()
            assert len(life.sent) == len(set(life.sent))

    lives()
