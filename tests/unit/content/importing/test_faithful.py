"""HTML that moves in reads the same afterwards."""

from __future__ import annotations

import re
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.content import outline, sanitise
from newsletter.content.importing import body, faithful
from newsletter.content.sanitise import Address
from tests.builders import a_site
from tests.unit.content.importing.parts import DAY, around, markdown_of, read, shown
from tests.unit.content.sources import post_of


def squeezed(text: str) -> str:
    return "".join(text.split())


# --- any HTML ---------------------------------------------------------------------------------------

SIGNS = st.sampled_from(list("*_`~[]()<>&!#|:\\-+=.$^1a \n")) | st.characters(codec="utf-8", exclude_categories=["C"])
WORDS = st.text(SIGNS, max_size=12).map(lambda text: escape(text, quote=False))


def tag(*names: str, inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda name, text: f"<{name}>{text}</{name}>", st.sampled_from(names), inside)


LINKS = st.builds(
    lambda href, text: f'<a href="{href}">{text}</a>',
    st.sampled_from(["https://a.example/x_(y)", "/b?c=d&amp;e=*f*", "mailto:ada@a.example", "https://ü.example/ß"]),
    WORDS,
)
PICTURES = st.builds(lambda alt: f'<img src="/p.jpg" alt="{escape(alt)}">', st.text(SIGNS, max_size=8))
INLINE = st.recursive(
    WORDS | LINKS | PICTURES | st.just("<br>"),
    lambda more: (
        tag("em", "strong", "b", "i", "code", "del", "sub", "sup", "kbd", "span", "u", inside=more)
        | st.lists(more, max_size=3).map("".join)
    ),
    max_leaves=6,
)
CODE = st.text(SIGNS, max_size=30).map(lambda text: f'<pre><code class="language-x">{escape(text)}</code></pre>')
TABLES = st.lists(st.lists(INLINE, min_size=2, max_size=2), min_size=1, max_size=3).map(
    lambda rows: (
        "<table>"
        + "".join(
            "<tr>" + "".join(f"<{'td' if n else 'th'}>{cell}</{'td' if n else 'th'}>" for cell in row) + "</tr>"
            for n, row in enumerate(rows)
        )
        + "</table>"
    )
)
BLOCKS = st.recursive(
    tag("p", "h1", "h2", "h3", "h4", inside=INLINE) | CODE | TABLES | st.just("<hr>") | INLINE,
    lambda more: (
        tag("blockquote", "div", "ul", "ol", inside=tag("p", "li", inside=more | INLINE))
        | st.lists(more, max_size=3).map("".join)
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(BLOCKS, st.booleans())
def test_the_text_of_the_markdown_is_the_text_of_the_html(html: str, loose: bool) -> None:
    before = body.read(html, around(loose=loose))
    page = Address.of("first", a_site())
    expected = squeezed(outline.read(sanitise.clean("".join(map(str, before.soup.children)), page)).text)
    text = faithful.written(before, Address.of("first", a_site()), DAY)
    assert text is not None
    assert squeezed(post_of_any(text)) == expected


def post_of_any(text: str) -> str:
    """The plain text that the whole of our reader makes of a post with this body, whatever it warns of."""
    from tests.unit.content.sources import a_source, loaded

    result = loaded(a_source(body=text, draft="true"))
    assert [p for p in result.problems if p.level == "stop"] == []
    return outline.read(result.posts[0].html).text


@settings(max_examples=60, deadline=None)
@given(st.text(SIGNS, max_size=60))
def test_plain_words_stay_as_they_are_whatever_signs_they_hold(words: str) -> None:
    before = body.read(f"<p>{escape(words)}</p>", around())
    text = faithful.written(before, Address.of("first", a_site()), DAY)
    assert text is not None
    assert squeezed(post_of_any(text)) == squeezed(words)


# --- what Markdown has signs for --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>A <strong>bold</strong> and <em>soft</em> word.</p>", "A **bold** and *soft* word."),
        ("<h1>Top</h1><p>x</p><h2>Sub</h2>", "## Top\n\nx\n\n### Sub"),
        ("<ul><li>one<ul><li>two</li></ul></li></ul>", "- one\n  - two"),
        ('<ol start="3"><li>a</li><li>b</li></ol>', "3. a\n4. b"),
        ("<blockquote><p>said</p></blockquote>", "> said"),
        ('<p><a href="/a">b</a></p>', "[b](https://garage.example/a)"),
        ('<p><img src="a.jpg" alt="A car"></p>', "![A car](https://garage.example/2019/05/hatch/a.jpg)"),
        ("<p>one<br>two<br></p>", "one\\\ntwo"),
        ("<p>one<br><br>two</p>", "one\n\ntwo"),
        ("<p>H<sub>2</sub>O, <del>no</del></p>", "H<sub>2</sub>O, ~~no~~"),
        ("<p>snake_case and 2 * 3</p>", "snake_case and 2 \\* 3"),
        ("<dl><dt>Hatch</dt><dd>A car</dd></dl>", "Hatch\n:   A car"),
        ("<p>one</p><hr><p>two</p>", "one\n\n---\n\ntwo"),
    ],
)
def test_html_becomes_the_markdown_that_a_writer_would_have_written(html: str, text: str) -> None:
    assert markdown_of(html) == text


def test_code_keeps_every_line_its_language_and_its_own_fences() -> None:
    text = markdown_of('<pre><code class="lang-python">if x:\n\n\n    y = "```"\n</code></pre>')
    assert text == '````python\nif x:\n\n\n    y = "```"\n````'
    assert "language-python" in post_of(text).html


def test_a_table_of_cells_is_a_table_and_one_with_spans_stays_html() -> None:
    plain = "<table><tr><th>a</th><th>b|c</th></tr><tr><td>1</td><td><b>2</b></td></tr></table>"
    assert markdown_of(plain) == "| a | b\\|c |\n| --- | --- |\n| 1 | **2** |"
    spanned = '<table><tr><th colspan="2">a</th></tr><tr><td>1</td><td>2</td></tr></table>'
    assert 'colspan="2"' in shown(spanned).html


def test_emphasis_that_signs_cannot_say_is_written_in_tags_and_nothing_else_is() -> None:
    text = markdown_of('<p>a<strong>"b"</strong>c</p><p>An <em>easy</em> one</p>')
    assert text == 'a<strong>"b"</strong>c\n\nAn *easy* one'


def test_two_lists_in_a_row_stay_two() -> None:
    assert shown("<ul><li>a</li></ul><ul><li>b</li></ul>").html.count("<ul>") == 2


def test_a_picture_with_a_caption_stays_a_figure() -> None:
    html = '<figure><img src="a.jpg"><figcaption>At 1,900 m</figcaption></figure>'
    post = shown(html)
    assert "<figcaption>At 1,900 m</figcaption>" in post.html
    assert 'alt="At 1,900 m"' in post.html


# --- footnotes --------------------------------------------------------------------------------------

CLASSIC = (
    '<p>Snow<sup id="fnref1"><a href="#fn1">1</a></sup> and ice<a id="r2" href="#fn2">[2]</a>.</p>'
    '<hr><ol><li id="fn1">Wet. <a href="#fnref1">↩</a></li>'
    '<li id="fn2"><p>Black.</p><p>And <b>hard</b>. <a href="#r2">back</a></p></li></ol>'
)


def test_notes_that_link_back_become_footnotes() -> None:
    text = markdown_of(CLASSIC)
    assert "Snow[^1] and ice[^2]." in text
    assert "[^1]: Wet." in text
    assert "[^2]: Black.\n\n    And **hard**." in text
    assert shown(CLASSIC).html.count("footnote-backref") == 2


def test_a_note_may_be_mentioned_twice_and_one_is_no_note_without_a_way_back() -> None:
    twice = (
        '<p>a<sup id="r1"><a href="#n1">1</a></sup> b<sup id="r2"><a href="#n1">1</a></sup></p>'
        '<ol><li id="n1">Note <a href="#r1">↩</a></li></ol>'
    )
    assert markdown_of(twice) == "a[^1] b[^1]\n\n[^1]: Note"
    assert markdown_of('<p>See <a href="#x">below</a>.</p><p id="x">Here.</p>') == "See below.\n\nHere."


# --- what does not come along -----------------------------------------------------------------------


def test_scripts_and_frames_are_left_out_and_told_with_their_address() -> None:
    html = '<p>a</p><script>alert(1)</script><iframe src="https://video.example/embed/7"></iframe><p>b</p>'
    found = body.read(html, around())
    assert markdown_of(html) == "a\n\nb"
    assert set(found.told) == {
        "<script> was left out",
        "<iframe> of https://video.example/embed/7 was left out",
    }


@pytest.mark.parametrize(
    "html",
    [
        '<p>a<a href="javascript:alert(1)">b</a>c</p>',
        '<p>a<a href="  java\nscript:alert(1)">b</a>c</p>',
        '<p>a<a href="data:text/html,x">b</a>c</p>',
        '<p onclick="x()">a<b onmouseover="y()" style="z">b</b>c</p>',
        '<p>abc<img src="javascript:x()"></p>',
        "<p>a<svg><script>x</script></svg>bc</p>",
    ],
)
def test_nothing_that_runs_comes_along(html: str) -> None:
    text = markdown_of(html)
    assert not re.search(r"javascript|data:|script|onclick|onmouse|style", text)
    assert outline.read(post_of(text).html).text == "abc"


def test_a_body_nested_a_hundred_thousand_deep_is_refused_at_once() -> None:
    for opening in ("<div>", "<b>", "<blockquote>", "<ul><li>"):
        with pytest.raises(body.TooDeepError):
            body.read(opening * 100_000, around())


def test_unclosed_paragraphs_and_rows_of_old_pages_are_no_depth() -> None:
    assert body.read("<p>a" * 500, around()).soup.find_all("p")


@pytest.mark.parametrize(
    "piece",
    [
        "<br>",
        "x<hr>",
        "<p>a</p>",
        "<b>a</b> ",
        "a\n\n",
        "<li>a",
        "<a href='/'>a</a>",
        "[",
        "*a ",
        "<img src=a>",
        "<div>a</div>",
    ],
)
def test_a_body_as_wide_as_can_be_ends_in_markdown_or_a_refusal(piece: str) -> None:
    """Each would hang for minutes if any step took the square of its width."""
    for html in (piece * 2_000, piece * (900_000 // len(piece))):
        try:
            found = body.read(html, around(loose=True))
        except body.TooDeepError:
            continue
        faithful.written(found, Address.of("first", a_site()), DAY)


def test_wrappers_of_page_builders_and_of_pasted_texts_leave_no_trace() -> None:
    squares = "<div class='row'><div class='col'><div><p>a</p><ul><li><div>b</div></li></ul></div></div></div>"
    assert markdown_of(squares) == "a\n\n- b"
    assert markdown_of("<b id='docs-guid'><p>a</p><p>b</p></b><div>c</div>") == "a\n\nb\n\nc"
    assert markdown_of("<table><tr><th><p>a</p></th></tr><tr><td><p>b</p></td></tr></table>") == "| a |\n| --- |\n| b |"


def test_a_card_that_is_a_link_stays_one_with_all_its_words() -> None:
    card = '<figure><a href="https://b.example/"><div>Title</div><div>Words</div></a></figure>'
    assert [(a.href, "".join(a.text.split())) for a in outline.read(shown(card).html).links] == [
        ("https://b.example/", "TitleWords")
    ]


def test_what_only_adorns_a_link_is_left_out_and_told() -> None:
    html = '<p><a href="/b/"><img src="/icon.png" alt=""> Title</a></p>'
    assert markdown_of(html) == "[Title](https://garage.example/b/)"
    assert dict(read(html).told) == {"a picture that only adorns a link was left out": 1}


def test_a_gallery_a_table_with_a_caption_and_an_embedded_page_stand_by_themselves() -> None:
    gallery = (
        '<figure><figure><img src="/1.jpg" alt="One"></figure>'
        '<figure><img src="/2.jpg" alt="Two"></figure><figcaption>Both</figcaption></figure>'
    )
    assert markdown_of(gallery) == (
        "![One](https://garage.example/1.jpg)\n\n![Two](https://garage.example/2.jpg)\n\nBoth"
    )
    table = "<figure><table><tr><th>a</th></tr><tr><td>1</td></tr></table><figcaption>Cap</figcaption></figure>"
    assert markdown_of(table) == "| a |\n| --- |\n| 1 |\n\nCap"
    assert markdown_of("<figure><div>\nhttps://video.example/7?a=b&amp;c\n</div></figure>") == (
        "<https://video.example/7?a=b&c>"
    )


def test_a_picture_that_a_script_would_load_is_found() -> None:
    lazy = (
        '<img src="data:image/gif;base64,R0" data-src="/a.jpg" alt="A"><noscript><img src="/b.jpg" alt="B"></noscript>'
    )
    assert "![A](https://garage.example/a.jpg)" in markdown_of(lazy)
    assert "![B](https://garage.example/b.jpg)" in markdown_of(lazy)
    assert dict(read("<p>x<img alt='x'></p>").told) == {"a picture without an address was left out": 1}


def test_what_stands_inside_of_a_frame_or_a_script_is_not_text() -> None:
    html = "<p>a</p><iframe src='/x'>no frames</iframe><textarea>t</textarea><script>s</script><style>p{}</style>"
    assert markdown_of(html) == "a"


# --- WordPress ----------------------------------------------------------------------------------------


def test_lines_without_tags_are_paragraphs_where_wordpress_shows_them_so() -> None:
    assert markdown_of("One <b>bold</b>\nline.\n\nTwo.\n<blockquote>Three</blockquote>Four", loose=True) == (
        "One **bold**\\\nline.\n\nTwo.\n\n> Three\n\nFour"
    )
    assert markdown_of("<p>One\nline.</p>\nTwo\nlines") == "One\nline.\n\nTwo\nlines"


def test_shortcodes_become_what_they_showed_or_are_told() -> None:
    html = (
        '[caption id="x" width="300"]<a href="/full.jpg"><img src="/s.jpg"></a> Snow[/caption]\n\n'
        "[embed]https://video.example/7[/embed]\n\n"
        '[gallery ids="1,2"] and [sic] stays'
    )
    text = markdown_of(html, loose=True)
    assert "<figcaption>Snow</figcaption>" in text
    assert "<https://video.example/7>" in text
    assert text.endswith("and \\[sic\\] stays")
    assert dict(body.read(html, around(loose=True)).told) == {
        "[gallery], which only WordPress can fill, was left out": 1
    }


def test_a_picture_is_named_by_its_alt_then_the_export_then_its_caption_then_its_title() -> None:
    def alt(html: str, shows: str = "") -> str:
        found = body.read(html, around(shows=lambda _url: shows))
        picture = found.soup.find("img")
        assert picture is not None
        return str(picture["alt"])

    figure = '<figure><img src="a.jpg" {}><figcaption>caption</figcaption></figure>'
    assert alt(figure.format('alt="own" title="A title"'), "export") == "own"
    assert alt(figure.format('title="A title"'), "export") == "export"
    assert alt(figure.format('title="A title"')) == "caption"
    assert alt('<img src="a.jpg" title="A title">') == "A title"
    assert alt('<img src="img-7.jpg" title="img-7">') == ""


def test_code_in_square_brackets_is_code_with_its_language() -> None:
    html = '[sourcecode language="python"]\nprint(a < b)\n\nif a &lt; b: x\n[/sourcecode]\n\n[code]**x**[/code]'
    text = markdown_of(html, loose=True)
    assert text == "```python\nprint(a < b)\n\nif a < b: x\n```\n\n```\n**x**\n```"


def test_a_picture_that_is_there_for_readers_without_a_script_too_comes_once() -> None:
    html = '<noscript><img src="/a.jpg" alt="A"></noscript><img data-src="/a.jpg" alt="A"><p><img src="/a.jpg"></p>'
    assert markdown_of(html).count("![") == 2
