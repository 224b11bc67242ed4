"""The repository's own posts: the example that everybody copies must be without a fault."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from newsletter.content.library import Loaded, load
from newsletter.content.source import Folder
from newsletter.model import Approval
from tests.builders import a_site

ROOT = Path(__file__).parents[3]
SECOND_SLOT = datetime(2022, 2, 11, 7, tzinfo=UTC)


def the_library() -> Loaded:
    sources, site = Folder(ROOT).read(), a_site()
    drafts = load(sources, site, approvals=(), now=SECOND_SLOT)
    approvals = [Approval(post.id, post.content_hash, "review-desk", SECOND_SLOT) for post in drafts.posts]
    return load(sources, site, approvals=approvals, now=SECOND_SLOT)


def test_all_posts_are_public_and_without_a_problem() -> None:
    result = the_library()
    assert result.problems == ()
    assert len(result.library.posts) == 6
    assert result.library.approved == {post.id for post in result.posts}


def test_each_post_has_what_makes_it_an_example() -> None:
    for post in the_library().posts:
        assert 300 <= post.words <= 700
        assert post.author.key == "news-desk"
        assert post.reviewer
        assert post.reviewer.key == "review-desk"
        assert "<h2" in post.html
        assert "<table" in post.html or 'class="footnote-ref"' in post.html
        assert 20 <= len(post.summary.split()) <= 60


def test_the_alliance_continues_last_weeks_batteries() -> None:
    result = the_library()
    alliance = next(post for post in result.posts if "alliance" in post.slug)
    batteries = next(post for post in result.posts if post.slug == "all-solid-state-batteries")
    said = f'Read more about batteries in <a href="https://autotrendy.example/posts/{batteries.slug}/">last week</a>\'s'
    assert said in alliance.html
    assert result.library.chains[alliance.id].posts == (batteries.id, alliance.id)


def test_each_week_leads_with_its_story_and_the_first_slot_leaves_older_posts_out() -> None:
    posts = the_library().library.posts
    before = datetime(2022, 1, 28, 7, tzinfo=UTC)
    first = datetime(2022, 2, 4, 7, tzinfo=UTC)
    weeks = [
        [p.slug for p in posts if start < p.published <= end] for start, end in ((before, first), (first, SECOND_SLOT))
    ]
    assert [week[0] for week in weeks] == ["all-solid-state-batteries", "renault-nissan-mitsubishi-alliance"]
    assert [len(week) for week in weeks] == [2, 2]
    assert [p.slug for p in posts if p.published < before]
