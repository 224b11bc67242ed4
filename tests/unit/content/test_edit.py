"""Changing one key of the front matter leaves all else as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter.content import edit, frontmatter, lines
from newsletter.content.frontmatter import FrontMatter
from tests.unit.content.sources import raw

TEXT = "---\ntitle: A  # the title\ndraft: true\ntopics:\n  - Cars\n  - Vans\nslug: a\n---\n\nupdated: in the text\n"
WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=60).map(
    lambda text: " ".join(text.split())
)


def front(text: str) -> FrontMatter:
    clean, _ = lines.read(raw(text))
    found, problems = frontmatter.parse(clean)
    assert problems == []
    return found


def said(text: str, key: str) -> list[str]:
    return [word.text for word in front(text).values.get(key, ())]


def test_a_new_key_stands_at_the_end_of_the_front_matter() -> None:
    assert edit.with_key(TEXT, "updated", "2026-11-25") == TEXT.replace("slug: a\n", "slug: a\nupdated: 2026-11-25\n")


def test_a_key_that_is_there_says_something_else_and_nothing_else_moves() -> None:
    assert edit.with_key(TEXT, "title", "B") == TEXT.replace("title: A  # the title", "title: B")
    assert edit.with_key(TEXT, "topics", "Buses") == TEXT.replace("topics:\n  - Cars\n  - Vans\n", "topics: Buses\n")


def test_a_key_goes_with_its_list() -> None:
    assert edit.without_key(TEXT, "draft") == TEXT.replace("draft: true\n", "")
    assert edit.without_key(TEXT, "topics") == TEXT.replace("topics:\n  - Cars\n  - Vans\n", "")
    assert edit.without_key(TEXT, "image") == TEXT


def test_a_list_grows_at_its_end() -> None:
    grown = edit.with_more(TEXT, "topics", ("Cars", "Vans"), "Buses: old")
    assert said(grown, "topics") == ["Cars", "Vans", "Buses: old"]


def test_line_ends_and_the_mark_at_the_beginning_stay() -> None:
    windows = "\ufeff" + TEXT.replace("\n", "\r\n")
    assert edit.with_key(windows, "updated", "2026-11-25") == "\ufeff" + TEXT.replace(
        "slug: a\n", "slug: a\nupdated: 2026-11-25\n"
    ).replace("\n", "\r\n")


@given(WORDS.filter(bool))
def test_what_is_written_reads_back_as_it_was_meant(value: str) -> None:
    text = edit.with_more(edit.with_key(TEXT, "summary", value), "corrections", (value,), value)
    if value not in {"~"}:
        assert said(text, "summary") == [value]
        assert said(text, "corrections") == [value, value]
    assert text.endswith("---\n\nupdated: in the text\n")
