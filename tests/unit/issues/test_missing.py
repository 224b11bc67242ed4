"""What a reader was not sent, from values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from newsletter.issues.missing import MOST, grouped, may_be_missing, missing
from newsletter.model import Chain, Library, Post, Subscriber, SubscriberStatus
from tests.builders import a_library, a_post

START = datetime(2026, 11, 27, 7, tzinfo=UTC)
WEEK = timedelta(weeks=1)
READER = Subscriber(1, "ada@readers.example", SubscriberStatus.ACTIVE, "weekly", START, owed_from=START)


def posts(*slugs: str, topics: tuple[str, ...] = ()) -> list[Post]:
    """Each a day after the one before."""
    return [a_post(slug, id=slug, topics=topics, published=START + timedelta(days=n)) for n, slug in enumerate(slugs)]


def library(*those: Post, chain: tuple[str, ...] = (), **changes: object) -> Library:
    made = a_library(*reversed(those), approved=frozenset(one.id for one in those))
    return replace(made, chains=dict.fromkeys(chain, Chain(chain)), **changes)  # type: ignore[arg-type]


def past(*issues: tuple[int, list[Post]]) -> dict[str, datetime | None]:
    """Issues that went out a week after each other, from 1; 0 for one that has not."""
    return {post.id: START + (number - 1) * WEEK if number else None for number, those in issues for post in those}


def slugs(found: tuple[Post, ...]) -> list[str]:
    return [one.slug for one in found]


def test_stories_of_issues_since_they_are_owed_and_not_of_those_before() -> None:
    a, b, c = posts("a", "b", "c")
    edition = past((1, [a]), (2, [b]), (3, [c]))
    late = replace(READER, owed_from=START + WEEK)
    shelf = library(a, b, c)
    assert slugs(missing(READER, shelf, edition, (), str)) == ["a", "b", "c"]
    assert slugs(missing(late, shelf, edition, ("b",), str)) == ["c"]
    assert may_be_missing(late, shelf, edition) == {"b", "c"}
    assert missing(replace(READER, owed_from=None), shelf, edition, (), str) == ()


def test_earlier_parts_are_for_those_who_had_none_of_them() -> None:
    a, b, c, d = posts("a", "b", "c", "d")
    edition = past((1, [a]), (2, [b, d]), (3, [c]))
    shelf = library(a, b, c, d, chain=("a", "b", "c"))
    newcomer = replace(READER, owed_from=START + 3 * WEEK)
    assert slugs(missing(newcomer, shelf, edition, (), str)) == ["a", "b", "c"]
    assert missing(newcomer, shelf, edition, ("b",), str) == ()
    assert slugs(missing(newcomer, shelf, edition, ("c",), str)) == ["a", "b"]


def test_a_story_that_has_only_begun_is_not_one_to_catch_up_with() -> None:
    a, b = posts("a", "b")
    shelf = library(a, b, chain=("a", "b"))
    assert missing(replace(READER, owed_from=START + 9 * WEEK), shelf, past((1, [a])), (), str) == ()


def test_what_nobody_may_get_now_is_left_out() -> None:
    a, b, c = posts("a", "b", "c")
    edition = past((1, [a, b, c]))
    shelf = replace(library(a, b), approved=frozenset({"a"}))
    assert slugs(missing(READER, shelf, edition, (), str)) == ["a"]


def test_what_is_in_an_issue_that_has_not_gone_out_is_to_come() -> None:
    a, b = posts("a", "b")
    edition = past((1, [b]), (0, [a]))
    newcomer = replace(READER, owed_from=START + WEEK)
    assert slugs(missing(newcomer, library(a, b, chain=("a", "b")), edition, (), str)) == ["b"]


def test_a_reader_misses_no_story_of_whose_topics_they_want_none() -> None:
    those = [*posts("a", topics=("Racing",)), *posts("b", topics=("Racing", "Batteries")), *posts("c")]
    keys: Mapping[str, str] = {"Racing": "racing", "Batteries": "batteries"}
    chooser = replace(READER, without=("racing",))
    assert sorted(slugs(missing(chooser, library(*those), past((1, those)), (), keys.__getitem__))) == ["b", "c"]


def test_of_very_many_the_newest_are_brought() -> None:
    those = posts(*(f"p{n:03}" for n in range(MOST + 5)))
    found = missing(READER, library(*those), past((1, those)), (), str)
    assert slugs(found) == [f"p{n:03}" for n in range(5, MOST + 5)]


def test_stories_of_several_parts_come_first_each_from_its_beginning() -> None:
    a, b, c, d = posts("a", "b", "c", "d")
    shelf = library(a, b, c, d, chain=("b", "d"))
    assert [slugs(group) for group in grouped(shelf, (a, b, c, d))] == [["b", "d"], ["a"], ["c"]]
