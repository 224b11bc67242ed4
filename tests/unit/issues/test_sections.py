"""What stands under which heading."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter.issues.page import elements, parse, text_of
from newsletter.issues.sections import in_order, sections
from newsletter.model import Post
from tests.builders import a_post
from tests.unit.issues.scene import a_digest


def about(*topics: str) -> list[Post]:
    """One post for each word: its topics, apart by a comma."""
    return [a_post(f"p{n}", topics=tuple(filter(None, told.split(",")))) for n, told in enumerate(topics)]


def told(posts: list[Post], pins: tuple[str, ...] = ()) -> list[tuple[str, list[str]]]:
    return [(section.topic, [post.slug for post in section.stories]) for section in sections(posts, pins)]


def test_fewer_than_eight_stories_have_no_headings() -> None:
    assert told(about(*["Vans"] * 7)) == [("", ["p0", "p1", "p2", "p3", "p4", "p5", "p6"])]


def test_eight_stories_stand_under_the_topics_that_they_share_with_the_lead_before_them() -> None:
    posts = about("Vans", "Vans", "Roads", "Vans", "Roads", "Tyres", "", "Vans")
    assert told(posts) == [("", ["p0"]), ("Vans", ["p1", "p3", "p7"]), ("Roads", ["p2", "p4"]), ("", ["p5", "p6"])]


def test_a_story_of_several_topics_goes_to_the_one_with_most_company() -> None:
    posts = about("X", "Rare,Vans", "Vans", "Vans", "Roads", "Roads", "Rare,Roads", "Vans")
    assert told(posts)[1:] == [("Vans", ["p1", "p2", "p3", "p7"]), ("Roads", ["p4", "p5", "p6"])]


def test_what_is_pinned_keeps_its_place_after_the_lead() -> None:
    posts = about("Vans", "Roads", "Vans", "Roads", "Vans", "Roads", "Vans", "Roads")
    assert told(posts, ("p1",))[0] == ("", ["p0", "p1"])


def test_stories_that_share_nothing_have_no_headings() -> None:
    assert len(told(about("a", "b", "c", "d", "e", "f", "g", "h"))) == 1


TOPICS = st.lists(st.sampled_from(["", "A", "B", "A,B", "C", "B,C"]), min_size=1, max_size=20)


@given(TOPICS, st.sets(st.integers(0, 5)))
def test_no_story_is_lost_and_what_was_divided_is_divided_the_same_again(topics: list[str], pinned: set[int]) -> None:
    posts, pins = about(*topics), tuple(f"p{n}" for n in pinned)
    once = in_order(posts, pins)
    assert sorted(post.slug for post in once) == sorted(post.slug for post in posts)
    assert once[0] == posts[0]
    assert sections(once, pins) == sections(posts, pins)


def test_topics_are_headings_of_the_mail_and_stories_stand_one_level_below() -> None:
    posts = about("", "Vans", "Roads", "Vans", "Roads", "Tyres", "", "Vans")
    made = a_digest(*posts)
    headings = [(h.tag, text_of(h)) for h in elements(parse(made.html), "//h1|//h2|//h3|//h4")]
    assert headings[2:7] == [("h2", "P0"), ("h3", "Auto Trendy's take"), ("h2", "Vans"), ("h3", "P1"), ("h3", "P3")]
    assert [text for tag, text in headings if tag == "h2"][1:] == ["P0", "Vans", "Roads", "More stories"]
    assert "\nVans\n====\n" in made.text
    assert "\nMore stories\n============\n" in made.text
