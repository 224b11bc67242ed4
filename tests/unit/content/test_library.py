"""Which posts are public, what an approval is bound to, and that the order of sources means nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from newsletter.model import Approval, Source
from tests.unit.content.sources import NOW, a_source, codes, loaded, post_of


def approval_of(source: Source) -> Approval:
    (post,) = loaded(source).posts
    return Approval(post.id, post.content_hash, "review-desk", NOW)


def test_a_post_is_public_once_its_time_has_come() -> None:
    embargo = a_source(date="2022-02-11 08:01")
    assert loaded(embargo).library.posts == ()
    assert len(loaded(embargo).posts) == 1
    assert len(loaded(embargo, now=datetime(2022, 2, 11, 7, 1, tzinfo=UTC)).library.posts) == 1


def test_a_draft_is_never_public_but_its_id_is_known() -> None:
    library = loaded(a_source(draft="true")).library
    assert library.posts == ()
    assert library.known_ids == {"tag:autotrendy.example,2022-02-01:first"}


def test_with_review_a_post_is_public_once_any_version_was_approved() -> None:
    approval = approval_of(a_source())
    never = loaded(
        a_source(), a_source("begun", draft="true"), a_source("to-come", day="2099-01-01"), review=True
    ).library
    assert never.posts == ()
    assert [post.slug for post in never.in_review] == [loaded(a_source()).posts[0].slug]
    fresh = loaded(a_source(), review=True, approvals=[approval]).library
    assert fresh.approved == {fresh.posts[0].id}
    edited = loaded(a_source(body="Some other text."), review=True, approvals=[approval]).library
    assert len(edited.posts) == 1
    assert edited.approved == frozenset()
    assert edited.in_review == ()


def test_without_review_all_that_is_public_counts_as_approved() -> None:
    library = loaded(a_source("a"), a_source("b", day="2022-03-01")).library
    assert library.approved == {library.posts[0].id}


@pytest.mark.parametrize(
    "changed",
    [
        a_source(title="Another"),
        a_source(author="review-desk", reviewer="news-desk"),
        a_source(date="2022-02-02"),
        a_source(topics="[Cars]"),
        a_source(summary="Short."),
        a_source(body="Some  text."),
        a_source(body="Some text.\n\n::: take\nNo.\n:::"),
        a_source(previous="auto"),
        a_source(image="https://x.example/a.jpg", image_alt="A car"),
    ],
)
def test_any_change_that_a_reader_would_see_changes_the_hash(changed: Source) -> None:
    assert loaded(changed).posts[0].content_hash != post_of("Some text.").content_hash


def test_the_hash_covers_the_picture_itself() -> None:
    source = a_source(image="a.jpg", image_alt="A car")
    one, two = (loaded(replace(source, assets={"a.jpg": b})).posts[0] for b in (b"1", b"2"))
    assert one.image == "https://autotrendy.example/posts/first/a.jpg"
    assert [asset.name for asset in one.assets] == ["a.jpg"]
    assert one.content_hash != two.content_hash


def test_the_hash_does_not_know_other_posts_line_ends_or_a_byte_order_mark() -> None:
    before = loaded(a_source(topics="[Cars]", previous="auto")).posts[0]
    after = loaded(a_source(topics="[Cars]", previous="auto"), a_source("older", day="2022-01-01", topics="[Cars]"))
    assert after.posts[0].links != before.links
    assert after.posts[0].content_hash == before.content_hash
    windows = a_source()
    windows = replace(windows, text="\ufeff" + windows.text.replace("\n", "\r\n"))
    assert loaded(windows).posts == loaded(a_source()).posts


def test_a_post_with_broken_front_matter_is_reported_and_absent_and_links_to_it_are_not_called_unknown() -> None:
    result = loaded(a_source("broken", day="2022-02-01", title=""), a_source("good", "[[broken]]", day="2022-02-02"))
    assert codes(result) == ["P102"]
    assert [post.slug for post in result.posts] == ["good"]
    assert len(result.library.known_ids) == 2


def test_a_draft_may_be_unfinished() -> None:
    result = loaded(a_source(body="TK ![](none.jpg) [[nothing]]", draft="true"))
    assert codes(result) == []
    assert set(codes(result, "warn")) == {"P118", "P112", "P113", "P105"}


def test_problems_come_in_the_order_of_files_and_lines() -> None:
    result = loaded(*(a_source(name, "TK\n\n[[x]]", autor="x") for name in "cab"))
    places = [(p.file, p.line) for p in result.problems]
    assert places == sorted(places)
    assert len(places) == 9
