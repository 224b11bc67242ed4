"""Front matter is read as it was written, and what is wrong is told with its place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content import names
from newsletter.model import Person
from tests.builders import NEWS_DESK
from tests.unit.content.sources import a_source, codes, loaded, post_of, raw


@pytest.mark.parametrize("title", ["No", "12:30", "2022-02-01", "null", "1e3", "0x10", "yes"])
def test_a_title_that_yaml_would_guess_at_stays_text(title: str) -> None:
    assert post_of("x", title=title).title == title


def test_all_problems_of_all_posts_come_together_with_their_lines() -> None:
    result = loaded(
        a_source("one", title="", autor="x", day="2022-02-01"),
        a_source("two", date="yesterday", author="new-desk"),
        raw("no front matter", "three"),
        review=True,
    )
    found = {(p.code, p.file.rpartition("/")[2], p.line) for p in result.problems if p.level == "stop"}
    assert found == {
        ("P102", "2022-02-01-one.md", 1),
        ("P103", "2022-02-01-one.md", 5),
        ("P106", "2022-02-01-two.md", 3),
        ("P108", "2022-02-01-two.md", 5),
        ("P101", "three.md", 1),
    }


def test_a_problem_underlines_the_word_and_names_what_was_meant() -> None:
    (problem,) = loaded(a_source(author="news-dsk")).problems
    assert (problem.line, problem.column, problem.width) == (3, 9, 8)
    assert problem.excerpt == "author: news-dsk"
    assert problem.fixes[0] == "author: news-desk"


def test_an_unknown_key_is_refused_with_the_nearest_match() -> None:
    (problem,) = loaded(a_source(sumary="x")).problems
    assert (problem.code, problem.fixes) == ("P103", ("summary: …",))


@pytest.mark.parametrize(
    "front",
    [
        "title: &a x",
        "title: [a, [b]]",
        "title: {a: b}",
        "title: !!python/object:os.system x",
        "title: a\ntitle: b",
        "title: 'open",
        "title: a: b",
        "- a\n- b",
        "just words",
        "",
    ],
)
def test_front_matter_that_is_more_than_texts_and_lists_is_refused(front: str) -> None:
    assert "P101" in codes(loaded(raw(f"---\n{front}\n---\nx")))


def test_front_matter_over_64_kb_is_refused() -> None:
    assert "P116" in codes(loaded(raw(f"---\ntitle: {'a' * 65_536}\n---\nx")))


def test_tags_and_categories_are_read_as_topics_once_each() -> None:
    assert post_of("x", topics="[Cars, Batteries]", tags="cars, Trains", categories="Law").topics == (
        "Cars",
        "Batteries",
        "Trains",
        "Law",
    )


def test_an_author_may_be_named_by_key_or_by_name() -> None:
    assert post_of("x", author="News desk").author is NEWS_DESK
    assert loaded(a_source(author="Ann Field"), people={}).posts[0].author == Person("ann-field", "Ann Field")


def test_author_and_reviewer_must_differ_where_the_site_reviews() -> None:
    same = a_source(reviewer="News desk")
    assert codes(loaded(same, review=True)) == ["P107"]
    assert codes(loaded(same)) == []


def test_a_site_of_one_person_asks_for_no_names() -> None:
    result = loaded(a_source(author="", reviewer=""), people={})
    assert codes(result) == []
    assert result.posts[0].author.name == "Auto Trendy"
    assert codes(loaded(a_source(author="", reviewer=""), review=True)) == ["P102", "P102"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2022-02-01", datetime(2022, 1, 31, 23, tzinfo=UTC)),
        ("2022-07-01 08:30", datetime(2022, 7, 1, 6, 30, tzinfo=UTC)),
        ("2022-02-01T08:30:05Z", datetime(2022, 2, 1, 8, 30, 5, tzinfo=UTC)),
        ("2022-02-01T08:30-05:00", datetime(2022, 2, 1, 13, 30, tzinfo=UTC)),
        ("2022-03-27 02:30", datetime(2022, 3, 27, 1, 30, tzinfo=UTC)),  # does not exist: becomes 03:30
        ("2022-10-30 02:30", datetime(2022, 10, 30, 0, 30, tzinfo=UTC)),  # comes twice: the first
    ],
)
def test_a_date_without_zone_is_on_the_sites_clock(written: str, meant: datetime) -> None:
    assert loaded(a_source(date=written)).posts[0].published == meant


@pytest.mark.parametrize("date", ["1 Feb 2022", "2022-2-1", "2022-02-30", "0001-01-01", "20220201", "2022-W05-2"])
def test_what_is_no_date_is_refused(date: str) -> None:
    assert codes(loaded(a_source(date=date))) == ["P108"]


def test_updated_moves_on_its_own_and_never_before_date() -> None:
    assert post_of("x", updated="2022-02-05").updated == datetime(2022, 2, 4, 23, tzinfo=UTC)
    assert codes(loaded(a_source(updated="2022-01-01"))) == ["P108"]


def test_an_id_survives_a_change_of_slug_title_and_text() -> None:
    before = post_of("x")
    after = loaded(
        raw(a_source(body="y", title="New").text.replace("title", "slug: other\ntitle"), before.path.stem)
    ).posts[0]
    assert before.id == after.id == "tag:autotrendy.example,2022-02-01:first"
    assert (before.slug, after.slug) == ("first", "other")


@pytest.mark.parametrize(
    "post_id", ["urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "tag:a.example,2022:x", "https://a.example/1"]
)
def test_an_id_in_front_matter_wins(post_id: str) -> None:
    assert post_of("x", id=post_id).id == post_id


@pytest.mark.parametrize("post_id", ["first", "tag:a.example:x", "tag:,2022:x", "urn:a b", "tag:a.example,22:x"])
def test_an_id_that_is_no_uri_is_refused(post_id: str) -> None:
    assert codes(loaded(a_source(id=post_id))) == ["P117"]


@pytest.mark.parametrize("slug", ["../x", "Upper", "a b", "con", "a--b", ".hidden", "a/b", "%2e%2e"])
def test_a_slug_that_is_no_safe_folder_is_refused(slug: str) -> None:
    text = a_source().text.replace("title:", f"slug: '{slug}'\ntitle:")
    assert codes(loaded(raw(text))) == ["P117"]


@given(st.text())
def test_any_words_make_a_slug_that_is_one(words: str) -> None:
    assert names.is_slug(names.slug_of(words))


def test_twins_are_refused_naming_each_other() -> None:
    result = loaded(
        raw(a_source("one", id="tag:a.example,2022:x").text, "one"),
        raw(a_source("two", id="tag:a.example,2022:x").text.replace("title", "slug: one\ntitle"), "two"),
    )
    assert sorted(codes(result)) == ["P109", "P110"]
    assert all("posts/one.md" in problem.message for problem in result.problems)
