"""Who is told what: recaps for newcomers to a story, errata for those who have the wrong version."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from jinja2 import ChoiceLoader, DictLoader, Environment

from newsletter import variants
from newsletter.errors import ConfigError
from newsletter.issues import digest as digests
from newsletter.issues.page import parse, text_of
from newsletter.issues.segments import Erratum, earlier_part, errata, to_look_at
from newsletter.model import Chain, Correction, Digest, Issue, Post, Segment, SegmentKind, Story
from newsletter.tongue import spoken
from tests.builders import a_library, a_post, an_issue
from tests.unit.issues.scene import ALLIANCE, BATTERIES, FOLLOW, a_digest, a_view, first_issue, templates

WRONG = "The range is 512 km, not 612."
CORRECTED = replace(BATTERIES, corrections=(Correction(date(2022, 2, 5), WRONG),))
SENT = datetime(2022, 2, 4, 7, tzinfo=UTC)


def carrying(post: Post, corrections: int = 0, **changes: Any) -> Issue:
    story = Story(post.id, post.content_hash, post.slug, post.title, corrections)
    return an_issue(1, **({"stories": (story,), "started_at": SENT} | changes))


def seen_by(digest: Digest, variant: Collection[str]) -> Digest:
    return variants.seen_by(digest, variant, spoken("en"))


def with_erratum() -> Digest:
    return a_digest(ALLIANCE, FOLLOW, errata=[Erratum(CORRECTED, 1, first_issue())])


def test_a_story_has_a_recap_of_the_nearest_earlier_part_that_was_mailed() -> None:
    posts = [a_post(f"part-{n}", day=datetime(2022, 2, n, tzinfo=UTC)) for n in range(1, 5)]
    chain = Chain(tuple(post.id for post in posts))
    library = a_library(*posts, chains=dict.fromkeys(chain.posts, chain))
    last, mailed = posts[3], {posts[0].id: 1, posts[1].id: 2}
    assert earlier_part(library, last, {last.id}, mailed) == posts[1]
    assert earlier_part(library, last, {last.id}, {}) is None
    assert earlier_part(library, last, {last.id, posts[2].id}, mailed) is None
    assert earlier_part(library, a_post("alone"), set(), mailed) is None


def test_a_newcomer_reads_two_lines_about_what_came_before_and_nobody_else_does() -> None:
    digest = a_digest()
    assert Segment("recap:1", SegmentKind.RECAP, BATTERIES.id) in digest.segments
    told = "New to this story? All-solid-state batteries, and who will wait for them: What all solid state"
    newcomer, others = seen_by(digest, ("recap:1",)), seen_by(digest, ())
    assert told in text_of(parse(newcomer.html))
    assert told in " ".join(newcomer.text.split())
    assert "New to this story?" not in others.html + others.text


def test_no_mark_is_left_and_no_variant_has_two_blank_lines_in_a_row() -> None:
    digest = with_erratum()
    every = variants.optional(digest)
    assert every == ("erratum:1", "recap:1")
    for variant in (every, (), *((key,) for key in every)):
        seen = seen_by(digest, variant)
        assert "segment" not in seen.html + seen.text
        assert "\n\n\n" not in seen.text


def test_an_erratum_says_where_it_was_wrong_and_what_is_right() -> None:
    told = "Last week we got something wrong in All-solid-state batteries, and who will wait for them. " + WRONG
    seen = seen_by(with_erratum(), ("erratum:1",))
    assert told in text_of(parse(seen.html))
    assert WRONG in " ".join(seen.text.split())
    assert "https://autotrendy.example/posts/all-solid-state-batteries/" in seen.text
    assert "Correction" not in seen_by(with_erratum(), ("recap:1",)).html


def test_what_was_wrong_longer_ago_names_the_issue() -> None:
    long_ago = replace(first_issue(), number=7)
    digest = a_digest(ALLIANCE, errata=[Erratum(CORRECTED, 1, long_ago)])
    assert "In issue 7 we got something wrong in" in digest.html


def test_a_correction_is_pending_until_an_issue_has_told_it() -> None:
    library = a_library(CORRECTED)
    assert errata(library, [carrying(BATTERIES)], {}) == (Erratum(CORRECTED, 1, carrying(BATTERIES)),)
    assert errata(library, [carrying(BATTERIES)], {CORRECTED.id: 1}) == ()
    assert errata(library, [carrying(BATTERIES, corrections=1)], {}) == ()


def test_a_second_correction_is_told_without_the_first() -> None:
    twice = replace(BATTERIES, corrections=(*CORRECTED.corrections, Correction(date(2022, 2, 9), "Nor is it 512.")))
    [one] = errata(a_library(twice), [carrying(BATTERIES)], {BATTERIES.id: 1})
    assert (one.number, one.correction.text) == (2, "Nor is it 512.")


def test_nothing_is_pending_of_what_nobody_was_sent_or_nobody_approved() -> None:
    assert errata(a_library(CORRECTED), [], {}) == ()
    assert errata(a_library(CORRECTED), [carrying(BATTERIES, started_at=None)], {}) == ()
    assert errata(a_library(CORRECTED, approved=frozenset()), [carrying(BATTERIES)], {}) == ()


def test_a_title_that_looks_like_a_mark_stops_the_issue() -> None:
    with pytest.raises(ConfigError) as refused:
        a_digest(replace(FOLLOW, title="<!--segment recap:1-->"))
    assert refused.value.problems[0].code == "I213"
    safe = a_digest(replace(FOLLOW, take=None, image_alt="<!--segment recap:1-->"))
    assert variants.optional(safe) == ()


def test_a_segment_that_the_templates_leave_out_is_carried_by_nobody() -> None:
    without_recaps = without("email/blocks/recap.html", "email/blocks/recap.txt")
    assert variants.optional(digests.render(a_view(), without_recaps)) == ()
    with pytest.raises(ConfigError, match="I213"):
        digests.render(a_view(), without("email/blocks/recap.txt"))


def without(*blocks: str) -> Environment:
    """The built-in templates of a site that has emptied some."""
    built_in = templates().loader
    assert built_in
    return templates().overlay(loader=ChoiceLoader([DictLoader(dict.fromkeys(blocks, "")), built_in]))


def test_the_checks_see_the_longest_mail_the_usual_one_and_each_story_alone() -> None:
    alone = [("recap:1", "story:2"), ("story:1",)]
    assert to_look_at(with_erratum()) == [("erratum:1", "recap:1"), (), *alone]
    assert to_look_at(a_digest(FOLLOW)) == [()]
