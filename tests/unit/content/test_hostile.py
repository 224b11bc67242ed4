"""Input made to break things ends in a Problem or in a correct post, and in time linear to its size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.lines import FORBIDDEN
from tests.unit.content.sources import a_source, codes, loaded, raw

HEAD = "---\ntitle: a\ndate: 2022-02-01\n---\n"

# Each of these takes minutes where something is quadratic, and a moment where it is not.
BOMBS = {
    "brackets": (HEAD + "[" * 100_000, "P116"),
    "wiki": (HEAD + "[[" * 50_000, "P116"),
    "quotes": (HEAD + ">" * 20_000, "P116"),
    "numbers": (HEAD + "1. " * 20_000, "P116"),
    "notes": (HEAD + "[^1]" * 9_000 + "\n\n" + "".join(f"[^{n}]: x\n\n" for n in range(9_000)), "P116"),
    "tags": (HEAD + "<div>" * 20_000, "P116"),
    "formatting": (HEAD + "".join(f"<b title={n}>x<p>" for n in range(4000)), "P119"),
    "foster": (HEAD + "<table>" + "<i></i>" * 20_000 + "</table>", "P119"),
    "aliases": ("---\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n---\n", "P101"),
    "flow": ("---\na: " + "[" * 60_000 + "\n---\n", "P101"),
    "keys": ("---\n" + "? " * 20_000 + "\n---\n", "P101"),
    "size": (HEAD + "a" * 2_200_000, "P116"),
    "nul": (HEAD + "\0" * 100_000, "P115"),
    "takes": (HEAD + "::: take\nx\n:::\n" * 2_000, "P114"),
    "pictures": (HEAD + "".join(f"![](x{n}.jpg)\n\n" for n in range(2000)), "P112"),
}
HARMLESS = {
    "lists": "- " * 20_000,
    "pictures": "![" * 4_000 + "a" + "](https://x.example/)" * 4_000,
    "mentions": "[[" * 4_900 + "a" * 2_000 + "]]",
    "names": "[^1]" * 4_000 + "\n\n" + "".join(f"[^{n}]: x\n\n" for n in range(4_000)),
    "headings": "# a\n\n" * 10_000,
    "cells": "|" + "a|" * 300 + "\n|" + "-|" * 300 + "\n" + "|1\n" * 300,
    "colons": ":::" + " " * 60_000 + "x" + "\n:" * 20_000,
    "openings": "::: take\nx\n" + ":::\n" * 20_000,
    "emphasis": "*a _b " * 10_000,
    "braces": "{{ " * 30_000,
    "comments": "<div>\n\n</div>\n\n" + "<!-- " * 20_000,
    "attributes": "<div " + "x " * 30_000,
    "sentences": "::: take\n" + "." * 30_000 + '"' * 30_000 + "x\n:::",
    "marks": "[^" * 4_000 + "a" * 60_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_a_problem(bomb: str) -> None:
    text, code = BOMBS[bomb]
    assert code in codes(loaded(raw(text)))


@pytest.mark.parametrize("kind", HARMLESS)
def test_odd_text_is_only_text(kind: str) -> None:
    assert set(codes(loaded(raw(HEAD + HARMLESS[kind])))) <= {"P118"}


def test_an_octet_that_is_not_utf_8_is_told_with_its_place() -> None:
    text = a_source(body="Caf\xe9").text.encode("latin-1").decode("utf-8", "surrogateescape")
    problem = next(p for p in loaded(raw(text)).problems if p.level == "stop")
    assert (problem.code, problem.line, problem.column) == ("P115", 8, 4)
    assert "0xE9" in problem.message
    problem.excerpt.encode()


@pytest.mark.parametrize("character", ["\0", "\x0b", "\x1b", "\x7f", "\x85", "\ufffe", "\uffff"])
def test_a_character_that_xml_forbids_is_refused_and_gone(character: str) -> None:
    result = loaded(a_source(body=f"a{character}b", title=f"t{character}u"))
    assert codes(result) == ["P115"]
    assert all(not FORBIDDEN.search(post.html + post.title) for post in result.posts)


def test_a_control_character_written_as_an_escape_is_refused_too() -> None:
    assert codes(loaded(a_source(title='"a\\x01b"'))) == ["P115"]
    (post,) = loaded(a_source(body="a&#1;b <b title='&#1;'>c</b>")).posts
    assert not FORBIDDEN.search(post.html)


@pytest.mark.parametrize(
    "text", ["", "---", "---\n", "---\n---", "---\n---\n", "\ufeff", "\r\r", "...", "---\n...\n---"]
)
def test_next_to_nothing_is_a_problem_and_no_traceback(text: str) -> None:
    assert "P101" in codes(loaded(raw(text)))


@given(st.text(max_size=300))
def test_no_text_is_a_traceback(text: str) -> None:
    loaded(raw(text))
    loaded(raw(f"---\n{text}\n---\n{text}"))
    loaded(a_source(body=text, title=text.replace("\n", " ")))


def test_emoji_and_bidirectional_text_are_kept() -> None:
    text = "👩\u200d🔧 שלום \u2067abc\u2069 ❤\ufe0f"
    assert text in loaded(a_source(body=text)).posts[0].html
