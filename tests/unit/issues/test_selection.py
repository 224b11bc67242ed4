from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.issues.selection import Empty, Make, Nothing, Selection, Verdict, choose, decide, due, start
from newsletter.model import IssueState, Post, SlotOutcome, SlotRecord
from tests.builders import a_cadence, a_library, a_post

NOW = datetime(2026, 11, 27, 7, 0, 5, tzinfo=UTC)  # Friday 08:00:05 in Madrid
STARTED = datetime(2026, 11, 3, 12, tzinfo=UTC)


def post(slug: str, day: int = 24, **changes: object) -> Post:
    return a_post(slug, day=datetime(2026, 11, day, tzinfo=UTC), **changes)


def selection(*posts: Post, approved: bool = True, carried: dict[str, int] | None = None) -> Selection:
    library = a_library(*posts) if approved else a_library(*posts, approved=frozenset())
    return choose(library, carried or {}, start=None, now=NOW)


def record(key: str, outcome: SlotOutcome = SlotOutcome.ISSUED) -> SlotRecord:
    return SlotRecord(key, NOW, outcome, "")


def reasons(chosen: Selection) -> dict[str, tuple[str, str]]:
    return {c.post.slug: (c.verdict.value, c.reason) for c in (*chosen.stories, *chosen.left)}


# --- which slots are due


def test_every_slot_since_the_start_without_an_outcome_is_due() -> None:
    found = due(a_cadence(), [record("2026-W46", SlotOutcome.EMPTY)], STARTED, NOW)
    assert [slot.key for slot in found] == ["2026-W45", "2026-W47", "2026-W48"]


def test_nothing_is_due_before_the_first_slot_after_the_start() -> None:
    assert due(a_cadence(), [], STARTED, datetime(2026, 11, 6, 6, 59, tzinfo=UTC)) == []


def test_a_slot_is_due_at_its_very_second() -> None:
    assert [s.key for s in due(a_cadence(), [], STARTED, datetime(2026, 11, 6, 7, tzinfo=UTC))] == ["2026-W45"]


def test_the_configured_first_slot_rules_over_the_day_of_the_start() -> None:
    later = a_cadence(first_slot=date(2026, 11, 20))
    assert [slot.key for slot in due(later, [], STARTED, NOW)] == ["2026-W47", "2026-W48"]
    earlier = a_cadence(first_slot=date(2026, 10, 30))
    assert due(earlier, [], STARTED, NOW)[0].key == "2026-W44"


# --- which posts are in


def test_a_post_is_in_because_no_issue_has_carried_it() -> None:
    chosen = selection(post("new"), post("old", 17), carried={post("old").id: 46})
    assert reasons(chosen) == {"new": ("in", "lead: newest"), "old": ("out", "already in issue 46")}
    assert chosen.last_issue == 46


def test_a_back_dated_post_is_not_lost() -> None:
    chosen = selection(post("new"), post("back-dated", 2), carried={})
    assert [choice.post.slug for choice in chosen.stories] == ["new", "back-dated"]


def test_a_post_changed_since_its_approval_waits() -> None:
    assert reasons(selection(post("edited"), approved=False)) == {"edited": ("wait", "changed since approval")}


def test_a_post_dated_later_than_now_waits() -> None:
    assert reasons(selection(post("tomorrow", 28))) == {"tomorrow": ("wait", "its date is still to come")}


def test_the_archive_of_an_old_blog_stays_out() -> None:
    cadence = a_cadence(first_slot=date(2026, 11, 27))
    library = a_library(post("fresh", 21), post("ancient", 10))
    chosen = choose(library, {}, start=start(cadence, STARTED), now=NOW)
    assert reasons(chosen) == {"fresh": ("in", "lead: newest"), "ancient": ("out", "before the start")}


def test_the_start_is_the_whole_day_one_week_before_the_first_slot_on_the_wall_clock() -> None:
    assert start(a_cadence(), datetime(2027, 3, 30, tzinfo=UTC)) == datetime(2027, 3, 25, 23, tzinfo=UTC)


def test_the_lead_is_the_newest_with_an_image_and_the_rest_stays_newest_first() -> None:
    chosen = selection(post("a", 20), post("b", 22, image="https://x.example/b.jpg"), post("c", 24))
    assert [choice.post.slug for choice in chosen.stories] == ["b", "c", "a"]
    assert chosen.stories[0].reason == "lead: newest with an image"


@given(st.permutations(range(6)), st.sets(st.integers(0, 5)), st.sets(st.integers(0, 5)))
def test_every_post_is_judged_once_and_in_no_order_but_its_own(
    order: list[int], approved: set[int], carried: set[int]
) -> None:
    posts = [post(f"p{n}", 10 + n) for n in range(6)]
    library = a_library(*posts, approved=frozenset(posts[n].id for n in approved))
    shuffled = a_library(*posts, posts=tuple(posts[n] for n in order), approved=library.approved)
    numbers = {posts[n].id: 9 for n in carried}
    chosen = choose(library, numbers, start=None, now=NOW)
    assert chosen == choose(shuffled, numbers, start=None, now=NOW)
    assert sorted(reasons(chosen)) == sorted(p.slug for p in posts)
    assert {c.post.id for c in chosen.stories} == {posts[n].id for n in approved - carried}
    assert all(c.verdict is Verdict.IN for c in chosen.stories)


# --- what the slot becomes


def test_without_a_due_slot_the_next_one_is_named() -> None:
    decided = decide(a_cadence(), [], selection(post("new")), NOW)
    assert decided == Nothing(next=due(a_cadence(), [], STARTED, NOW + timedelta(days=7))[-1])


def test_the_last_due_slot_is_used_and_the_earlier_ones_are_coalesced_into_it() -> None:
    slots_due = due(a_cadence(), [], STARTED, NOW)
    decided = decide(a_cadence(), slots_due, selection(post("new"), post("old", 3)), NOW)
    assert isinstance(decided, Make)
    assert (decided.slot.key, [s.key for s in decided.coalesced]) == ("2026-W48", ["2026-W45", "2026-W46", "2026-W47"])
    assert (decided.state, decided.reason) == (IssueState.READY, "")
    assert [story.slug for story in decided.stories] == ["new", "old"]


@pytest.mark.parametrize(
    ("late", "state", "reason"),
    [
        (timedelta(hours=2), IssueState.READY, ""),
        (timedelta(hours=4), IssueState.HELD, "found 4 h after the slot (limit 2 h)"),
        (timedelta(days=3, hours=5, minutes=9), IssueState.HELD, "found 3 days 5 h after the slot (limit 2 h)"),
    ],
)
def test_a_slot_found_later_than_the_limit_is_held(late: timedelta, state: IssueState, reason: str) -> None:
    slots_due = due(a_cadence(), [], STARTED, NOW)
    decided = decide(a_cadence(), slots_due, selection(post("new")), slots_due[-1].due + late)
    assert isinstance(decided, Make)
    assert (decided.state, decided.reason) == (state, reason)


def test_an_empty_slot_says_since_when_nothing_is_new() -> None:
    slots_due = due(a_cadence(), [], STARTED, NOW)
    decided = decide(a_cadence(), slots_due, selection(post("old"), carried={post("old").id: 46}), NOW)
    assert isinstance(decided, Empty)
    assert (decided.reason, decided.outcome) == ("nothing new since issue 46", SlotOutcome.EMPTY)
    assert len(decided.coalesced) == 3


def test_a_slot_whose_stories_all_wait_for_approval_is_held() -> None:
    slots_due = due(a_cadence(), [], STARTED, NOW)
    waiting = selection(post("a"), post("b"), post("tomorrow", 28), approved=False)
    decided = decide(a_cadence(), slots_due, waiting, NOW)
    assert isinstance(decided, Empty)
    assert (decided.reason, decided.outcome) == ("2 stories wait for approval", SlotOutcome.HELD)


def test_the_first_empty_slot_of_all_has_no_issue_to_name() -> None:
    decided = decide(a_cadence(), due(a_cadence(), [], STARTED, NOW), selection(), NOW)
    assert isinstance(decided, Empty)
    assert decided.reason == "nothing new"


def test_a_post_that_was_never_approved_waits_and_holds_an_otherwise_empty_slot() -> None:
    library = a_library(post("in-review"), posts=(), approved=frozenset(), in_review=(post("in-review"),))
    chosen = choose(library, {}, start=None, now=NOW)
    assert reasons(chosen) == {"in-review": ("wait", "in review")}
    ended = decide(a_cadence(), due(a_cadence(), [], STARTED, NOW), chosen, NOW)
    assert isinstance(ended, Empty)
    assert (ended.outcome, ended.reason) == (SlotOutcome.HELD, "1 story waits for approval")


def test_from_eight_stories_up_those_of_one_topic_come_together() -> None:
    topics = ("Vans", "Roads") * 4
    days = [datetime(2022, 2, day, tzinfo=UTC) for day in range(8, 0, -1)]
    posts = [a_post(f"p{n}", day=day, topics=(topic,)) for n, (day, topic) in enumerate(zip(days, topics, strict=True))]
    chosen = choose(a_library(*posts), {}, start=None, now=datetime(2022, 3, 1, tzinfo=UTC))
    assert [choice.post.slug for choice in chosen.stories] == ["p0", "p1", "p3", "p5", "p7", "p2", "p4", "p6"]
