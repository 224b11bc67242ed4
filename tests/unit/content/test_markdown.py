"""Markdown becomes what a reader may safely see: absolute, labelled with the slug, nothing of the source left."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content import dates
from newsletter.content.lines import FORBIDDEN
from newsletter.content.markdown import shortened
from newsletter.model import Source
from newsletter.tongue import spoken
from tests.unit.content.sources import a_source, codes, links, loaded, post_of

PAGE = "https://autotrendy.example/posts/first/"


def html_of(body: str) -> str:
    result = loaded(Source(a_source().path, a_source(body=body).text, {"hatch.jpg": b"jpeg"}))
    return result.posts[0].html


@pytest.mark.parametrize(
    ("body", "url"),
    [
        ("[a](hatch.jpg)", f'href="{PAGE}hatch.jpg"'),
        ("[a](./hatch.jpg)", f'href="{PAGE}hatch.jpg"'),
        ("![a](hatch.jpg)", f'src="{PAGE}hatch.jpg"'),
        ("[a](/about/)", 'href="https://autotrendy.example/about/"'),
        ("[a](#why)", f'href="{PAGE}#first-why"'),
        ("[a](//x.example/y)", 'href="https://x.example/y"'),
        ("[a](mailto:a@x.example)", 'href="mailto:a@x.example"'),
        ("<q cite='/x'>a</q>", 'cite="https://autotrendy.example/x"'),
        ("<video poster='hatch.jpg'></video>", f'poster="{PAGE}hatch.jpg"'),
        ("<img alt='a' srcset='hatch.jpg 1x, /b.jpg 2x'>", f'{PAGE}hatch.jpg 1x, https://autotrendy.example/b.jpg 2x"'),
    ],
)
def test_every_url_is_absolute(body: str, url: str) -> None:
    assert url in html_of(body)


def test_a_site_below_a_path_keeps_it() -> None:
    (post,) = loaded(a_source(body="[a](/x/) [b](#c)"), url="https://a.example/blog").posts
    assert 'href="https://a.example/blog/x/"' in post.html
    assert 'href="https://a.example/blog/posts/first/#first-c"' in post.html


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1) alt=a>",
        "<a href='java\nscript:alert(1)'>x</a>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<form action=/x><input name=alert></form>",
        "<style>@import 'javascript:alert(1)'</style>",
        "<svg><script>alert(1)</script></svg>",
        "<math><mi xlink:href='javascript:alert(1)'></mi></math>",
        "<p style='background:url(javascript:alert(1))'>x</p>",
        "<a href='vbscript:alert(1)'>x</a>",
        "<img alt=a srcset='javascript:alert(1) 1x'>",
        "<video poster='javascript:alert(1)'></video>",
        "<object data='javascript:alert(1)'></object>",
        "<base href='javascript:alert(1)'>",
        '<p title="&quot; onmouseover=alert(1)">x</p>',
    ],
)
def test_nothing_that_runs_leaves(body: str) -> None:
    html = html_of(f"{body}\n\nText.").lower()
    for tag in ("<script", "<iframe", "<form", "<input", "<style", "<svg", "<math", "<object", "<base"):
        assert tag not in html
    assert " on" not in html.replace('" onmouseover', "").replace("&quot; onmouseover", "")
    assert "javascript:" not in html
    assert "vbscript:" not in html
    assert "style=" not in html


def test_a_tag_that_is_left_out_is_told() -> None:
    result = loaded(a_source(body="Text.\n\n<iframe src='https://x.example'></iframe>"))
    assert [(p.code, p.level, p.line) for p in result.problems] == [("P126", "warn", 10)]


@pytest.mark.parametrize(
    "body", ["<div>\n\ntext", "text <b>bold", "</div>", "a <div>b</div>", "<table><i></i></table>"]
)
def test_html_that_parsers_would_have_to_repair_is_refused(body: str) -> None:
    assert codes(loaded(a_source(body=body))) == ["P119"]


def test_html_around_markdown_is_kept() -> None:
    html = html_of("<details>\n<summary>More</summary>\n\nSome *text*.\n\n</details>")
    assert "<details>\n<summary>More</summary>\n<p>Some <em>text</em>.</p>\n</details>" in html


def test_the_top_heading_is_h2_whatever_level_it_was_written_at() -> None:
    assert "<h2" in html_of("# A\n\n## B") and "<h3" in html_of("# A\n\n## B")  # noqa: PT018
    assert "<h1" not in html_of("# A")
    assert "<h2" in html_of("## A\n\n### B")


def test_headings_and_footnotes_carry_the_slug_and_are_unique() -> None:
    html = html_of("## Why\n\nA.[^1]\n\n## Why\n\n[^1]: Note.")
    assert 'id="first-why"' in html
    assert 'id="first-why-2"' in html
    assert f'<a href="{PAGE}#fn-first-1" id="fnref-first-1">' in html
    assert f'href="{PAGE}#fnref-first-1"' in html


def test_columns_keep_their_alignment_as_a_class() -> None:
    html = html_of("| a | b |\n|--:|:-:|\n| 1 | 2 |")
    assert '<th class="align-right" scope="col">a</th>' in html
    assert '<td class="align-center">2</td>' in html


@pytest.mark.parametrize(
    "body",
    [
        "Text.\n\n::: take\nWe would *wait*.\n:::\n\nMore.",
        "Text.\n\n> [!TAKE]\n> We would *wait*.\n\nMore.",
        "Text.\n\n> [!take check=2023-02-01]\n>\n> We would *wait*.\n\nMore.",
        "Text.\n\n::: take check=2023-02-01\nWe would *wait*.\n:::\n\nMore.",
    ],
)
def test_the_take_is_lifted_out_of_the_body(body: str) -> None:
    post = post_of(body)
    assert post.take
    assert post.take.html == "<p>We would <em>wait</em>.</p>"
    assert post.take.text == "We would wait."
    assert post.html.split() == ["<p>Text.</p>", "<p>More.</p>"]
    assert post.words == 2


@pytest.mark.parametrize(
    ("front", "repeats"), [({}, True), ({"summary": "The wheels turn"}, True), ({"summary": "What it means."}, False)]
)
def test_a_post_knows_that_its_summary_is_the_beginning_of_its_text(front: dict[str, str], repeats: bool) -> None:
    assert post_of("The wheels turn when the engine does.", **front).repeats_itself is repeats


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("::: take\na\n:::\n\n::: take\nb\n:::", "P114"),
        ("::: take\nnever closed\n\nmore", "P119"),
        ("::: take check=soon\na\n:::", "P119"),
        ("::: take check=2023-02-30\na\n:::", "P119"),
        ("> [!TAKE x]\n> a", "P119"),
        ("::: take\n:::", "P119"),
    ],
)
def test_a_take_that_cannot_be_meant_is_refused(body: str, code: str) -> None:
    assert codes(loaded(a_source(body=f"Text.\n\n{body}\n"))) == [code]


def test_a_wiki_link_has_the_title_the_text_or_the_week() -> None:
    older = a_source("older", day="2022-02-01")
    body = "[[older]], [[older|that]], [[older|when]]'s; `[[older]]` and <a href='/x'>a [[older]] b</a>."
    post = loaded(older, a_source("newer", body, day="2022-02-08")).posts[0]
    link = '<a href="https://autotrendy.example/posts/older/">'
    assert f"{link}Post older</a>, {link}that</a>, {link}last week</a>'s" in post.html
    assert "<code>[[older]]</code>" in post.html
    assert "a Post older b</a>" in post.html
    assert links(post) == [("mentions", "older")]


def test_a_note_named_twice_keeps_its_number_and_its_way_back_stays_on_its_line() -> None:
    html = loaded(a_source("x", "One[^n], two[^n].\n\n[^n]: The note.")).posts[0].html
    assert html.count(">[1]</a></sup>") == 2
    assert "The note.&nbsp;<a " in html


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ("2022-02-08", "today"),
        ("2022-02-07", "this week"),
        ("2022-02-06", "last week"),
        ("2022-02-01", "last week"),
        ("2022-01-31", "last week"),
        ("2022-01-30", "two weeks ago"),
        ("2022-01-11", "four weeks ago"),
        ("2022-01-09", "9 January 2022"),
        ("2022-02-09", "9 February 2022"),
    ],
)
def test_when_counts_calendar_weeks(then: str, words: str) -> None:
    assert dates.when(date.fromisoformat(then), date(2022, 2, 8), spoken("en")) == words


@given(st.dates(min_value=date(1900, 1, 1)))
def test_seven_days_before_is_always_last_week(day: date) -> None:
    assert dates.when(day - timedelta(7), day, spoken("en")) == "last week"


def test_the_summary_is_the_first_paragraph_cut_at_sixty_words() -> None:
    body = f"## Head\n\n> A quote.\n\n{'word ' * 61}*end*.[^1]\n\n[^1]: Note."
    assert post_of(body).summary == " ".join(["word"] * 60) + "…"
    assert post_of("Short *one*.[^1]\n\n[^1]: Note.").summary == "Short one."
    assert post_of("Text.", summary="Mine.").summary == "Mine."


@given(st.text(alphabet=st.characters(codec="utf-8")), st.integers(1, 9))
def test_a_shortened_text_never_has_more_words(text: str, limit: int) -> None:
    assert len(shortened(text, limit).split()) <= limit


@given(st.text(alphabet=st.sampled_from("ab *_`[]()<>!#|\n\t:-~^&;\"'{}\\/=1."), max_size=200))
def test_whatever_is_written_comes_out_well_formed_and_absolute_or_with_a_problem(body: str) -> None:
    result = loaded(a_source(body=body))
    for post in result.posts:
        assert not FORBIDDEN.search(post.html)
        assert 'href="/' not in post.html
        assert 'href="#' not in post.html
        assert "::: take" not in post.html or "<code" in post.html or result.problems
