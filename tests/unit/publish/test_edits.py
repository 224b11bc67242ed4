"""An edit that readers are told nothing of is asked about, once, and only where it may matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.errors import Problem
from newsletter.model import Post
from newsletter.publish import edits
from newsletter.publish.manifest import Manifest, parse
from tests.builders import a_post, a_site

SITE = a_site()
DAY = datetime(2022, 2, 1, 12, tzinfo=UTC)
LATER = DAY + timedelta(days=9)


def posts(count: int = 1) -> list[Post]:
    return [a_post(f"p{n}", day=DAY) for n in range(count)]


def edited(post: Post, **changes: object) -> Post:
    return replace(post, content_hash="sha256:another", **changes)  # type: ignore[arg-type]


def told(now: Sequence[Post], before: Mapping[str, str], at: datetime = LATER) -> list[Problem]:
    return edits.unsaid(now, edits.traces(now), before, SITE, at)


def test_an_edit_without_a_new_date_is_asked_about_with_the_day_of_today() -> None:
    (post,) = posts()
    (problem,) = told([edited(post)], edits.traces([post]))

    assert (problem.code, problem.level, problem.file) == ("F412", "warn", "posts/2022-02-01-p0.md")
    assert problem.message == "The text of p0 changed since it was published on 1 February 2022"
    assert "updated: 2022-02-10" in problem.fixes[0]


def test_of_a_post_that_was_updated_that_day_is_named() -> None:
    post = replace(posts()[0], updated=DAY + timedelta(days=3))

    assert "its last update on 4 February 2022" in told([edited(post)], edits.traces([post]))[0].message


def test_nothing_is_asked_twice_nor_of_what_is_the_same_or_new() -> None:
    (post,) = posts()
    new = edited(post)

    assert told([new], edits.traces([new])) == told([post], edits.traces([post])) == told([new], {}) == []


@pytest.mark.parametrize("updated", [DAY + timedelta(days=1), LATER])
def test_an_edit_that_says_so_is_not_asked_about(updated: datetime) -> None:
    (post,) = posts()

    assert told([edited(post, updated=updated)], edits.traces([post])) == []


def test_an_edit_on_the_day_of_its_date_is_not_asked_about_as_long_as_that_day_lasts_in_the_house() -> None:
    (post,) = posts()
    midnight = datetime(2022, 2, 1, 23, tzinfo=UTC)  # in Madrid

    assert told([edited(post)], edits.traces([post]), midnight - timedelta(minutes=1)) == []
    assert told([edited(post)], edits.traces([post]), midnight)


def test_many_edits_at_once_are_one_question() -> None:
    some, many = posts(10), posts(11)

    assert len(told([edited(post) for post in some], edits.traces(some))) == 10
    (problem,) = told([edited(post) for post in many], edits.traces(many))
    assert problem.message == "11 texts changed since they were published"


def test_a_publish_that_was_cut_short_has_asked_nothing() -> None:
    before, after = Manifest({}, {}, {"a": "old"}), Manifest({}, {}, {"a": "new", "b": "new"})

    assert before.joined(after).texts == {"a": "old"}


def test_a_record_of_before_there_were_traces_is_a_record() -> None:
    assert parse(b'{"version": 1, "files": {}, "posts": {"a": "b"}}') == Manifest({}, {"a": "b"})
