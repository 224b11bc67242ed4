"""Whatever readers, issues, cancels and corrections do: each reader is told what concerns them, and once.

A plain model beside the ledger remembers who was sent what; the ledger must have chosen the same.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.issues import segments
from newsletter.model import (
    WEEKLY,
    Chain,
    Correction,
    DeliveryState,
    Digest,
    IssueState,
    Outcome,
    Post,
    Receipt,
    Segment,
    SegmentKind,
    Settlement,
    Story,
)
from newsletter.store.ledger import SqlLedger
from newsletter.store.roster import SqlRoster
from tests.builders import a_library, a_post, a_site
from tests.contract.conftest import Fresh
from tests.contract.desk import ADA, FRIDAY, LINK, YES, Desk, hashed

STEPS = ("join", "join", "post", "post", "correct", "correct", "issue", "issue", "answer", "answer", "cancel", "leave")
NO, WHO_KNOWS = Receipt(Outcome.REFUSED, 550, "nobody here"), Receipt(Outcome.UNKNOWN, None, "no answer")
ANSWERS = {DeliveryState.ACCEPTED: YES, DeliveryState.FAILED: NO, DeliveryState.UNCERTAIN: WHO_KNOWS}


@dataclass
class Saga:
    """Posts of one saga, and the model of who was sent which of them, with how many corrections in it."""

    desk: Desk
    chance: random.Random
    posts: list[Post] = field(default_factory=list)
    sent: defaultdict[int, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))  # reader -> posts
    told: Counter[tuple[int, tuple[str, int]]] = field(default_factory=Counter)
    week: int = 5

    def step(self, name: str) -> None:
        getattr(self, name)()

    def join(self) -> None:
        self.desk.join(1, prefix=f"r{self.chance.random()}-")

    def leave(self) -> None:
        if readers := [*self.desk.roster.all("active")]:
            self.desk.roster.leave(self.chance.choice(readers).id, evidence=LINK, now=FRIDAY)

    def post(self) -> None:
        n = len(self.posts)
        self.posts.append(a_post(f"part-{n}", day=datetime(2022, 1, 1, tzinfo=UTC) + timedelta(days=n)))

    def correct(self) -> None:
        if self.posts:
            n = self.chance.randrange(len(self.posts))
            more = Correction(date(2022, 2, 1), f"Wrong {len(self.posts[n].corrections)}")
            self.posts[n] = replace(self.posts[n], corrections=(*self.posts[n].corrections, more))

    def issue(self) -> None:
        ledger, carried = self.desk.ledger, self.desk.ledger.carried(WEEKLY)
        fresh = [post for post in self.posts if post.id not in carried]
        if not fresh or any(one.state is IssueState.SENDING for one in ledger.issues(WEEKLY)):
            return
        made = self._segments(fresh)
        stories = [Story(p.id, p.content_hash, p.slug, p.title, len(p.corrections)) for p in fresh]
        self.week += 1
        one = self.desk.open(
            self.week, stories=stories, render=lambda n: Digest(f"Subject {n}", "", "", "", f"{n}", segments=made)
        )
        assert one
        assert ledger.start_send(WEEKLY, one.number, now=FRIDAY)
        for row in ledger.deliveries(WEEKLY, one.number):
            assert set(row.variant) == self._concerned(row.subscriber_id, made)

    def _segments(self, fresh: list[Post]) -> tuple[Segment, ...]:
        """As `view` makes them."""
        chain, site = Chain(tuple(post.id for post in self.posts)), a_site()
        library = a_library(*self.posts, chains=dict.fromkeys(chain.posts, chain))
        ledger = self.desk.ledger
        recaps = segments.recaps(site, library, fresh, ledger.carried(WEEKLY)).values()
        pending = segments.errata(library, ledger.issues(WEEKLY), ledger.told(WEEKLY))
        errata = [segments.erratum(site, n, one, "") for n, one in enumerate(pending, 1)]
        return tuple(one.segment for one in (*recaps, *errata))

    def _concerned(self, reader: int, made: tuple[Segment, ...]) -> set[str]:
        """What the model says."""
        had = self.sent[reader]
        recaps = {one.key for one in made if one.kind is SegmentKind.RECAP and one.post_id not in had}
        errata = {
            one.key for one in made if one.kind is SegmentKind.ERRATUM and had.get(one.post_id, 99) < one.correction
        }
        return recaps | errata

    def answer(self) -> None:
        """Some readers are handed over, each with an answer."""
        for chunk in self.desk.ledger.due_chunks(FRIDAY):
            ids = self.desk.ledger.claim(chunk, limit=self.chance.randint(1, 4), now=FRIDAY)
            given = self.desk.ledger.hand_over(chunk, settled=[], wanted=ids, now=FRIDAY)
            settled = []
            for reader in (each for each, addressee in given.items() if addressee):
                state = self.chance.choice(list(ANSWERS))
                settled.append(Settlement(reader, state, receipt=ANSWERS[state]))
                if state is not DeliveryState.FAILED:
                    self._note(chunk.issue_number, reader)
            self.desk.ledger.hand_over(chunk, settled=settled, wanted=[], now=FRIDAY)
            self.desk.ledger.finish(WEEKLY, chunk.issue_number, now=FRIDAY)

    def _note(self, number: int, reader: int) -> None:
        one, row = self.desk.ledger.issue(WEEKLY, number), self.desk.ledger.delivery(WEEKLY, number, reader)
        assert one
        assert row
        self.sent[reader] |= {story.post_id: story.corrections for story in one.stories}
        by_key = {each.key: each for each in self.desk.ledger.digest(WEEKLY, number).segments}
        self.told.update((reader, (by_key[key].post_id, by_key[key].correction)) for key in row.variant)

    def cancel(self) -> None:
        going = [one for one in self.desk.ledger.issues(WEEKLY) if one.state is IssueState.SENDING]
        if going:
            self.desk.ledger.cancel(WEEKLY, going[-1].number, reason="", hand=ADA)


def test_recaps_go_to_who_lacks_the_earlier_part_and_no_correction_is_told_twice(fresh: Fresh, fewer: int) -> None:
    @settings(max_examples=25 // fewer, deadline=None)
    @given(steps=st.lists(st.sampled_from(STEPS), max_size=24), seed=st.integers(0, 999))
    def saga_of(steps: list[str], seed: int) -> None:
        with fresh() as database:
            saga = Saga(Desk(SqlLedger(database), SqlRoster(database, hashed)), random.Random(seed))
            for step in ("join", "join", "post", "issue", "answer", "correct", "post", *steps):
                saga.step(step)
            errata = {key: count for key, count in saga.told.items() if key[1][1]}
            assert all(count == 1 for count in errata.values()), errata

    saga_of()
