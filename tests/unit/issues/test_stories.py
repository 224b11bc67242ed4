from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from newsletter.errors import Problem
from newsletter.issues import stories
from newsletter.model import Person, Post
from tests.builders import NEWS_DESK, a_post, a_site, an_issue

DAY = date(2022, 2, 11)
SECOND = Person("second-desk", "Second desk")


def look(*posts: Post, **changes: Any) -> list[Problem]:
    approved = changes.pop("approved", {post.id for post in posts})
    return stories.check(posts, changes.pop("site", a_site()), day=DAY, approved=approved, **changes)


def test_stories_that_were_read_by_somebody_else_this_week_have_no_problem() -> None:
    assert look(a_post("a"), a_post("b")) == []


def test_a_text_that_nobody_approved_stops_the_issue_and_names_the_file() -> None:
    approved, changed = a_post("a"), a_post("b")
    (problem,) = look(approved, changed, approved={approved.id})
    assert (problem.code, problem.level, problem.file) == ("I335", "stop", str(changed.path))


@pytest.mark.parametrize("reviewer", [None, NEWS_DESK])
def test_a_story_without_a_second_pair_of_eyes_stops_the_issue(reviewer: Person | None) -> None:
    post = replace(a_post("a"), reviewer=reviewer)
    assert [(p.code, p.level) for p in look(post)] == [("I336", "stop")]
    assert look(post, site=a_site(review=False)) == []


@pytest.mark.parametrize(("days", "found"), [(21, False), (22, True)])
def test_a_story_older_than_three_weeks_is_asked_about(days: int, found: bool) -> None:
    post = a_post("a", day=datetime(2022, 2, 11, 9, tzinfo=UTC) - timedelta(days=days))
    assert [p.code for p in look(post)] == (["I325"] if found else [])


def test_the_lead_of_the_last_issue_does_not_lead_again() -> None:
    lead = a_post("recall-watch", title="Recall watch")
    again = a_post("recall-watch-2", title="Recall Watch")
    assert [p.code for p in look(again, a_post("b"), last=an_issue(1, lead))] == ["I326"]
    assert look(a_post("b"), again, last=an_issue(1, lead)) == []


def test_one_author_alone_is_asked_about_from_three_stories() -> None:
    posts = [a_post(slug) for slug in "abc"]
    assert [p.code for p in look(*posts)] == ["I327"]
    assert look(*posts[:2]) == []
    assert look(*posts[:2], replace(posts[2], author=SECOND)) == []
    assert look(*posts, site=a_site(people={NEWS_DESK.key: NEWS_DESK}, review=False)) == []
