"""A reader's own choice of stories: the mail that was made once says of them what one made for them alone would say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import ChoiceLoader, DictLoader, FileSystemLoader

from newsletter import variants
from newsletter.errors import ConfigError
from newsletter.issues import digest as digests
from newsletter.issues.fit import Cut, less
from newsletter.issues.segments import Erratum
from newsletter.issues.view import DigestView, left_to
from newsletter.model import Brief, Correction, Digest, Take
from newsletter.program import default_folder
from newsletter.tongue import spoken
from tests.builders import a_library, a_post, a_site
from tests.unit.issues.scene import ALLIANCE, BATTERIES, FOLLOW, LIBRARY, a_view, first_issue, templates

CORRECTED = replace(BATTERIES, corrections=(Correction(date(2022, 2, 5), "The range is 512 km, not 612."),))
MANY = tuple(
    a_post(
        f"p{n}",
        title=f"Story & <number> {n} “x” of a title that is so long that it wraps over the end of its line",
        topics=(("Batteries", "Cars", "Law & order")[n % 3],),
        words=200 + 100 * n,
        take=None if n % 2 else Take("<p>Yes.</p>", "Yes."),
    )
    for n in range(11)
)


def the_view(stories: int, language: str = "en", **changes: Any) -> DigestView:
    library = a_library(*LIBRARY.posts, *MANY, chains=LIBRARY.chains)
    told = [Erratum(CORRECTED, 1, first_issue())]
    facts: dict[str, Any] = {"library": library, "site": a_site(language=language), "errata": told}
    return a_view(*(ALLIANCE, *MANY)[:stories], **(facts | changes))


VIEWS = {
    "one": the_view(1),
    "two": the_view(2),
    "four": the_view(4),
    "twelve, by topic": the_view(12),
    "twelve, of one topic": the_view(12, brief=Brief(pins=tuple(post.slug for post in MANY))),
    "whole texts": the_view(5, site=a_site(full_text=True)),
    "a tail": less(the_view(12), Cut(0, 20, contents=False, shown=7)),
    "from right to left": the_view(5, "ar"),
    "in French": the_view(12, "fr"),
}
MADE = {name: digests.render(view, templates(view.language)) for name, view in VIEWS.items()}


@settings(max_examples=40)
@given(st.data(), st.sampled_from(sorted(VIEWS)))
def test_any_variant_of_a_mail_is_the_mail_of_its_stories_alone(data: st.DataObject, name: str) -> None:
    view, digest = VIEWS[name], MADE[name]
    every = [one.key for one in digest.segments]
    variant = data.draw(st.sets(st.sampled_from(every)))
    if variants.is_empty(digest.segments, variant):
        return
    alone = digests.render(left_to(view, variant, digest.segments), templates(view.language))
    tongue = spoken(view.language)
    seen, meant = variants.seen_by(digest, variant, tongue), variants.whole(alone, tongue)
    assert (seen.subject, seen.preheader) == (meant.subject, meant.preheader)
    assert paragraphs(seen.text) == paragraphs(meant.text)
    assert lines(seen.html) == lines(meant.html)


def paragraphs(text: str) -> list[list[str]]:
    """The words of each: a line of the contents that was tenth and is ninth now has room for a letter more."""
    return [part.split() for part in text.split("\n\n")]


def lines(html: str) -> list[str]:
    """Without those that are empty, of which there is one around a block that has nothing to say."""
    return [line for line in html.splitlines() if line]


@pytest.mark.parametrize("name", VIEWS)
def test_a_mail_names_no_story_that_is_left_out(name: str) -> None:
    view, digest = VIEWS[name], MADE[name]
    for gone in view.stories:
        if len(view.stories) > 1:
            seen = seen_by(digest, {gone.segment.key})
            assert gone.url not in seen.html + seen.text
            assert gone.title not in f"{seen.html} {seen.subject} {seen.preheader}"


def seen_by(digest: Digest, variant: set[str]) -> Digest:
    return variants.seen_by(digest, variant, spoken("en"))


def test_what_is_said_of_the_stories_is_true_for_who_gets_less() -> None:
    usual, less = seen_by(MADE["four"], set()), seen_by(MADE["four"], {"story:1", "story:3"})
    assert "· 4 stories ·" in usual.text
    assert "· 2 stories ·" in less.text
    assert usual.subject == ALLIANCE.title
    assert less.subject == "Story & <number> 0 “x” of a title that is so long that it wraps over the end…"
    assert less.preheader.startswith("What p0 mean for the cars of the next decade.")
    assert "<title>Auto Trendy #2: Story &amp; &lt;number&gt; 0" in less.html
    assert ("In this issue" in usual.text, "In this issue" in less.text) == (True, False)


def test_words_of_an_editor_are_for_who_gets_the_whole_issue() -> None:
    brief = Brief(subject="Four things that broke this week", preheader="And one of them was ours, as it turned out.")
    digest = digests.render(the_view(4, brief=brief), templates())
    assert seen_by(digest, {"erratum:1"}).subject == brief.subject
    less = seen_by(digest, {"story:4"})
    assert less.subject == ALLIANCE.title
    assert less.preheader.startswith("Ten brands, about 420,000 people and one bill for batteries")
    assert brief.preheader not in less.html


def test_the_numbers_of_subjects_stay() -> None:
    digest = digests.render(the_view(2, site=a_site(numbered=True)), templates())
    assert seen_by(digest, {"story:1"}).subject.startswith("#2 · Story & <number> 0")


def test_a_heading_goes_with_the_last_story_below_it() -> None:
    view, digest = VIEWS["twelve, by topic"], MADE["twelve, by topic"]
    section = next(one for one in view.sections if one.heading == "Cars")
    keys = [story.segment.key for story in section.stories]
    assert "Cars\n====" in seen_by(digest, set(keys[1:])).text
    left = seen_by(digest, set(keys))
    assert "Cars\n====" not in left.text
    assert ">Cars</h2>" not in left.html


def test_a_story_says_which_topics_it_is_of_as_readers_choose_them() -> None:
    law = replace(FOLLOW, topics=("Law & order", "LAW & order"))
    stories = a_view(ALLIANCE, law, topic_key=str.lower).segments[:2]
    assert [one.topics for one in stories] == [("batteries",), ("law & order",)]


BEGIN, END = "{{ story.begin | safe }}\n", "{{ story.end | safe }}\n"


@pytest.mark.parametrize(
    ("block", "torn", "says"),
    [
        ("story.html", ["</td></tr>"], "story:1 begins in one element"),
        ("contents.html", [BEGIN], "ends no part"),
        ("contents.html", [BEGIN, END], "is linked to outside of its story"),
        (
            "contents.txt",
            [BEGIN.replace(" | safe", ""), END.replace(" | safe", "")],
            "is linked to outside of its story",
        ),
    ],
)
def test_a_block_that_would_leave_a_broken_mail_to_some_reader_stops_the_issue(
    block: str, torn: list[str], says: str
) -> None:
    source = (default_folder() / "email" / "blocks" / block).read_text()
    for text in torn:
        assert text in source
        source = source.replace(text, "")
    own = DictLoader({f"email/blocks/{block}": source})
    environment = templates().overlay(loader=ChoiceLoader([own, FileSystemLoader(default_folder())]))
    with pytest.raises(ConfigError, match=says):
        digests.render(VIEWS["four"], environment)
