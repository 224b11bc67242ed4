"""What a reader writes becomes plain words; what the index answers becomes safe markup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.publish.query import LONGEST, MOST, Found, Query, clean, marked, match, nearest, respelt, said, words_of


@pytest.mark.parametrize(
    ("words", "phrases"),
    [
        ("", ()),
        ("hybrid hatch", ("hybrid", "hatch")),
        ('"solid state" battery', ("solid state", "battery")),
        ('say"solid  state"now', ("say", "solid state", "now")),
        ('"never closed', ("never closed",)),
        ('* - + ^ : ( ) NEAR( "" \'', ("NEAR(",)),
        ("C++ AT&T title:car", ("C++", "AT&T", "title:car")),
        ("🚗", ()),
        ("a\x00b\u2028c", ("a", "b", "c")),
        ("電池 été", ("電池", "été")),
    ],
)
def test_words_stand_alone_and_quoted_ones_together(words: str, phrases: tuple[str, ...]) -> None:
    assert Query(words).phrases == phrases


@given(st.text(max_size=3 * LONGEST))
def test_no_question_is_longer_than_what_is_read_of_it_and_none_is_more_than_words(words: str) -> None:
    phrases = Query(words).phrases
    asked = match(phrases)

    assert len(phrases) <= MOST
    assert len(asked) <= LONGEST + 4 * MOST
    assert asked.count('"') == 2 * len(phrases)
    assert all(any(c.isalnum() for c in phrase) and phrase.isprintable() for phrase in phrases)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_the_index_returns_is_escaped_whatever_a_post_holds(text: str) -> None:
    shown = marked(clean(text))
    assert "<" not in shown
    assert shown.unescape() == " ".join(clean(text).split())


def test_found_words_are_marked() -> None:
    assert marked("a \x02<b>\x03 & c") == "a <mark>&lt;b&gt;</mark> &amp; c"


def test_a_post_cannot_mark_words_itself() -> None:
    assert marked(clean("\x02bold\x03 \ud800")) == "bold ?"


def test_the_words_of_a_text_are_whole_and_apart_as_a_reader_sees_them() -> None:
    html = (
        '<p>A <em>hy</em>brid &amp; <a href="x" title="not > said">more</a>.</p><img src="y" alt="1 > 0">'
        "<ul><li>one</li><li>two</li></ul>"
    )
    assert said(html).split() == ["A", "hybrid", "&", "more.", "one", "two"]
    assert said("<pre><code>a &lt; b</code></pre>").split() == ["a", "<", "b"]


def test_words_are_spelt_as_the_vocabulary_spells_them() -> None:
    assert words_of(['"Élan', "solid-state", "ELAN"]) == ("elan", "solid", "state")


@pytest.mark.parametrize(
    ("word", "known"),
    [("hybird", "hybrid"), ("batery", "battery"), ("electrc", "electric"), ("zzz", None), ("", None)],
)
def test_the_nearest_word_is_meant_or_none(word: str, known: str | None) -> None:
    assert nearest(word, ["hybrid", "battery", "electric", "hydrogen"]) == known


def test_a_question_is_mended_word_by_word_and_keeps_its_quotes() -> None:
    assert respelt(["solid stat", "Batery"], {"stat": "state", "batery": "battery"}) == '"solid state" battery'


@pytest.mark.parametrize(("total", "pages"), [(0, 0), (1, 1), (20, 1), (21, 2), (1_000_000, 500)])
def test_an_answer_has_as_many_pages_as_it_needs(total: int, pages: int) -> None:
    assert Found(Query(), total, (), (), ()).pages == pages
