"""Links between posts: found, refused where they would mislead, and seen from both ends."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.library import Loaded, load
from newsletter.model import Approval, Link, LinkKind, Source
from tests.builders import a_site
from tests.unit.content.sources import NOW, a_source, codes, links, loaded

OLD = a_source("old", day="2022-02-01", topics="[Cars]")


def of(slug: str, result: Loaded) -> list[tuple[str, str]]:
    return links(next(post for post in result.posts if post.slug == slug))


def test_links_of_every_kind_are_found_by_slug_by_file_name_and_by_id() -> None:
    new = a_source(
        "new",
        "See [[old]].",
        day="2022-02-08",
        continues="old",
        corrects="2022-02-01-old",
        see_also="['tag:autotrendy.example,2022-02-01:old']",
    )
    assert of("new", loaded(OLD, new)) == [("continues", "old"), ("corrects", "old"), ("see-also", "old")]


def test_previous_auto_is_the_newest_earlier_post_that_shares_a_topic() -> None:
    posts = (
        OLD,
        a_source("mid", day="2022-02-03", topics="[cars, Law]"),
        a_source("other", day="2022-02-04", topics="[Law]"),
        a_source("draft", day="2022-02-05", topics="[Cars]", draft="true"),
        a_source("later", day="2022-02-09", topics="[Cars]"),
        a_source("alone", day="2022-02-09", topics="[Tax]", previous="auto"),
    )
    result = loaded(*posts, a_source("new", day="2022-02-08", topics="[Cars]", previous="auto"))
    assert codes(result) == []
    assert of("new", result) == [("previous", "mid")]
    assert of("alone", result) == []


def test_previous_auto_of_a_post_to_come_counts_those_that_come_before_it() -> None:
    soon, later = (a_source(f"p{day}", day=f"2022-03-0{day}", topics="[Cars]", previous="auto") for day in (1, 5))
    assert of("p5", loaded(OLD, soon, later)) == [("previous", "p1")]


def test_previous_takes_a_list_or_none() -> None:
    two = a_source("two", day="2022-02-02")
    assert of("new", loaded(OLD, two, a_source("new", day="2022-02-08", previous="[old, two]"))) == [
        ("previous", "old"),
        ("previous", "two"),
    ]
    assert of("new", loaded(OLD, a_source("new", day="2022-02-08", topics="[Cars]", previous="none"))) == []


def test_an_unknown_slug_is_refused_with_the_nearest() -> None:
    result = loaded(OLD, a_source("new", "See [[odl]].", day="2022-02-08", continues="ol"))
    assert [(p.code, p.line, p.column, p.fixes) for p in result.problems] == [
        ("P105", 6, 12, ("did you mean old?",)),
        ("P105", 9, 7, ("did you mean old?",)),
    ]


@pytest.mark.parametrize(
    ("target", "review", "state"),
    [
        (a_source("old", day="2022-02-01", draft="true"), False, "a draft"),
        (a_source("old", day="2022-02-01"), True, "not approved"),
    ],
)
def test_a_public_post_never_leads_to_an_unpublished_one(target: Source, review: bool, state: str) -> None:
    approval = Approval("tag:autotrendy.example,2022-02-08:new", "any", "review-desk", NOW)
    result = loaded(target, a_source("new", day="2022-02-08", continues="old"), review=review, approvals=[approval])
    stop = next(p for p in result.problems if p.level == "stop")
    assert (stop.code, stop.line) == ("P104", 6)
    assert state in stop.message


def test_a_post_in_review_is_only_told_when_its_target_is_a_draft() -> None:
    new = a_source("new", day="2022-02-08", continues="old")
    assert loaded(OLD, new, review=True).problems == ()
    result = loaded(a_source("old", draft="true"), new, review=True)
    assert codes(result) == []
    assert codes(result, "warn") == ["P104"]


@pytest.mark.parametrize("front", [{"continues": "late"}, {"see_also": "late"}, {"corrects": "late"}])
def test_a_link_to_a_later_post_is_refused(front: dict[str, str]) -> None:
    late = a_source("late", day="2022-02-08")
    assert codes(loaded(late, a_source("early", day="2022-02-01", **front))) == ["P111"]


def test_text_that_was_updated_may_mention_what_came_in_between() -> None:
    late = a_source("late", day="2022-02-08")
    early = a_source("early", "See [[late]].", day="2022-02-01", updated="2022-02-09")
    assert codes(loaded(late, early)) == []
    assert codes(loaded(late, a_source("early", "See [[late]].", day="2022-02-01"))) == ["P111"]


def test_a_post_does_not_link_to_itself() -> None:
    assert codes(loaded(a_source("a", "[[a]]"))) == ["P111"]


def test_posts_of_one_moment_make_no_circle() -> None:
    ring = [a_source(name, previous=to) for name, to in (("a", "b"), ("b", "c"), ("c", "a"))]
    result = loaded(*ring)
    assert codes(result) == ["P111"]
    assert "circle" in result.problems[0].message


def test_a_chain_runs_from_old_to_new_through_both_kinds_of_link() -> None:
    result = loaded(
        OLD,
        a_source("b", day="2022-02-02", continues="old"),
        a_source("c", day="2022-02-03", previous="b"),
        a_source("apart", day="2022-02-04", see_also="old"),
    )
    names = {p.slug: p.id for p in result.posts}
    chains = result.library.chains
    assert chains[names["old"]].posts == (names["old"], names["b"], names["c"])
    assert chains[names["c"]] is chains[names["old"]]
    assert names["apart"] not in chains


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(list(LinkKind)[:4])), max_size=12), st.randoms())
def test_backlinks_are_the_inverse_of_links_in_any_order(
    edges: list[tuple[int, LinkKind]], chance: random.Random
) -> None:
    fronts: dict[int, dict[str, list[str]]] = {n: {} for n in range(10)}
    for source, kind in edges:
        if source:
            key = kind.value.replace("-", "_")
            fronts[source].setdefault(key, []).append(f"p{source // 2}" if source > 1 else "p0")
    start = date(2022, 1, 1)
    sources = [
        a_source(f"p{n}", day=f"{start + timedelta(n)}", **{k: f"[{', '.join(v)}]" for k, v in front.items()})
        for n, front in fronts.items()
    ]
    result = loaded(*sources)
    forward = {link for post in result.library.posts for link in post.links}
    backward = {link for found in result.library.backlinks.values() for link in found}
    assert forward == backward
    assert all(link.target == target for target, found in result.library.backlinks.items() for link in found)
    chance.shuffle(sources)
    assert loaded(*sources) == result


def test_backlinks_hold_public_posts_only() -> None:
    result = loaded(OLD, a_source("new", day="2022-03-01", continues="old"))
    assert result.library.backlinks == {}
    later = loaded(OLD, a_source("new", day="2022-03-01", continues="old"), now=datetime(2022, 3, 2, tzinfo=UTC))
    old, new = later.library.posts[1].id, later.library.posts[0].id
    assert later.library.backlinks == {old: (Link(LinkKind.CONTINUES, new, old),)}


def test_of_two_posts_of_one_day_the_one_that_continues_the_other_comes_later() -> None:
    first, second, third = (
        a_source("zulu", day="2022-02-03"),
        a_source("alpha", day="2022-02-03", continues="zulu"),
        a_source("mike", day="2022-02-03", continues="alpha"),
    )
    library = loaded(third, first, second).library
    slugs = {post.id: post.slug for post in library.posts}
    (chain,) = set(library.chains.values())
    assert [slugs[post_id] for post_id in chain.posts] == ["zulu", "alpha", "mike"]


def test_a_post_is_found_by_what_it_was_called() -> None:
    names = {"once": "then", "then": "old", "away": "https://example.org/", "round": "about", "about": "round"}
    new = a_source("new", "See [[once]] and [[then]].", day="2022-02-08", continues="once")
    lost = a_source("lost", "See [[away]] and [[round]].", day="2022-02-08")
    result = load([OLD, new, lost], a_site(review=False), approvals=(), now=NOW, formerly=lambda: names)

    assert of("new", result) == [("continues", "old")]
    assert 'href="https://autotrendy.example/posts/old/"' in next(p for p in result.posts if p.slug == "new").html
    assert codes(result) == ["P105", "P105"]


def test_what_is_called_so_today_comes_before_what_was() -> None:
    new = a_source("new", "See [[old]].", day="2022-02-08")
    result = load([OLD, new], a_site(review=False), approvals=(), now=NOW, formerly=lambda: {"old": "new"})

    assert of("new", result) == [("mentions", "old")]
