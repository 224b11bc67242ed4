"""What stands in a post comes out as the HTML that its writer means."""

from __future__ import annotations

import pytest

from newsletter.content import writing
from tests.unit.content.sources import a_source, codes, links, loaded, post_of

PAGE = "https://autotrendy.example/posts/first/"


@pytest.mark.parametrize(
    ("body", "html"),
    [
        ("a *b* **c** ~~d~~ `e<f`", "<p>a <em>b</em> <strong>c</strong> <s>d</s> <code>e&lt;f</code></p>"),
        ("a  \nb\\\nc\nd", "<p>a<br>\nb<br>\nc\nd</p>"),
        ("10~20 (~5~) :smile:\n:-)", "<p>10~20 (~5~) :smile:\n:-)</p>"),
        ("> a\n>\n> > b", "<blockquote>\n<p>a</p>\n<blockquote>\n<p>b</p>\n</blockquote>\n</blockquote>"),
        ("- a\n  - b\n- c", "<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul>\n</li>\n<li>c</li>\n</ul>"),
        ("- a\n\n- b", "<ul>\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ul>"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("a\n\n***\n\nb", "<p>a</p>\n<hr>\n<p>b</p>"),
        ("```py x\na <b>\n\n: c\n```", '<pre><code class="language-py">a &lt;b&gt;\n\n: c\n</code></pre>'),
        ("    a\n    :b", "<pre><code>a\n:b\n</code></pre>"),
        ("Term\n: What it *is*\n: or was", "<dl>\n<dt>Term</dt>\n<dd>What it <em>is</em></dd>\n<dd>or was</dd>\n</dl>"),
        ("![a *b* `c` ![d](/e)](/f)", '<p><img src="https://autotrendy.example/f" alt="a b c d"></p>'),
        ("<me@x.example>", '<p><a href="mailto:me@x.example">me@x.example</a></p>'),
        ('[a](/b "c & d")', '<p><a href="https://autotrendy.example/b" title="c &amp; d">a</a></p>'),
        ("[a][B]\n\n[b]: http://x.example/", '<p><a href="http://x.example/">a</a></p>'),
        ("| a |\n|---|", '<table>\n<thead>\n<tr>\n<th scope="col">a</th>\n</tr>\n</thead>\n</table>'),
        ("a <!-- no --> <b>c</b>", "<p>a  <b>c</b></p>"),
    ],
)
def test_each_sign_has_its_html(body: str, html: str) -> None:
    assert post_of(body).html.strip() == html


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://x.example/a?b=c&d#e", "https://x.example/a?b=c&d#e"),
        ("/a b/ü", "/a%20b/%C3%BC"),
        ("/100%/%C3%BC%", "/100%25/%C3%BC%25"),
        ('/"<[x]>', "/%22%3C%5Bx%5D%3E"),
        ("https://bücher.example:80/ü", "https://xn--bcher-kva.example:80/%C3%BC"),
        ("//ü@bücher.example", "//%C3%BC@xn--bcher-kva.example"),
        ("mailto:a@bücher.example?subject=ü", "mailto:a@xn--bcher-kva.example?subject=%C3%BC"),
        ("http://[::1]/ü", "http://[::1]/%C3%BC"),
        ("bücher.example", "b%C3%BCcher.example"),
    ],
)
def test_an_address_is_written_in_the_characters_of_addresses(url: str, written: str) -> None:
    assert writing.address(url) == written


def test_notes_are_numbered_as_they_are_named_and_those_that_nobody_names_are_left_out() -> None:
    html = post_of("A[^z], b[^a], c[^Z].\n\n[^a]: Of a.\n\n[^none]: Of none.\n\n[^z]: Of z.\n\n    More.").html
    z, a = html.index("Of z."), html.index("Of a.")
    assert z < a
    assert "Of none" not in html
    assert 'id="fnref-first-1:1">[1]</a>' in html
    back = f'<a href="{PAGE}#fnref-first-1" class="footnote-backref">'
    again = f'<a href="{PAGE}#fnref-first-1:1" class="footnote-backref">'
    assert f"<p>More.&nbsp;{back}↩︎</a>&nbsp;{again}↩︎</a></p>\n</li>" in html


def test_of_two_notes_under_one_name_the_first_counts() -> None:
    html = post_of("A[^1].\n\n[^1]: First.\n\n[^1]: Second.").html
    assert "First." in html
    assert "Second." not in html


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("[[older]]", "{a}Post older</a>"),
        ("**[[older|*that*]]**", "<strong>{a}*that*</a></strong>"),
        (r"\[[older]] `[[older]]`", "[[older]] <code>[[older]]</code>"),
        (r"\\[[older]]", r"\{a}Post older</a>"),
        ("*a [[older|b*c]]", "<em>a [[older|b</em>c]]"),
        ("[a [[older]] b](/x)", '<a href="https://autotrendy.example/x">a Post older b</a>'),
        ("[[1]](/x)", '<a href="https://autotrendy.example/x">[1]</a>'),
        ("[[older]]\n\n[older]: /x", "{a}Post older</a>"),
    ],
)
def test_a_wiki_link_is_read_as_markdown_reads_its_links(written: str, seen: str) -> None:
    result = loaded(a_source("older"), a_source("newer", written, day="2022-02-08"))
    anchor = '<a href="https://autotrendy.example/posts/older/">'
    assert result.posts[0].html.strip() == f"<p>{seen.format(a=anchor)}</p>"


def test_a_wiki_link_in_a_heading_and_in_a_cell_is_one() -> None:
    older = a_source("older")
    post = loaded(older, a_source("x", "# To [[older]]\n\n| a |\n|---|\n| [[older]] |", day="2022-02-08")).posts[0]
    link = '<a href="https://autotrendy.example/posts/older/">Post older</a>'
    assert f'<h2 id="x-to-older">To {link}</h2>' in post.html
    assert f"<td>{link}</td>" in post.html
    assert links(post) == [("mentions", "older")]


@pytest.mark.parametrize(
    ("body", "html", "take"),
    [
        ("::: take\n<p>a</p>\n:::\nb", "<p>b</p>", "<p>a</p>"),
        (
            "::: take\na\n\n```\n:::\n::: take\n:::\n```\n:::\nb",
            "<p>b</p>",
            "<p>a</p>\n<pre><code>:::\n::: take\n:::\n</code></pre>",
        ),
        (":::: take\n- a\n:::\n::::\nb", "<p>b</p>", "<ul>\n<li>a\n:::</li>\n</ul>"),
        ("> ::: take\n> a\n> :::\n> b", "<blockquote>\n<p>b</p>\n</blockquote>", "<p>a</p>"),
        ("- c\n\n  ::: take\n  a\n  :::", "<ul>\n<li>\n<p>c</p>\n</li>\n</ul>", "<p>a</p>"),
        ("a text\n::: take\nb\n:::\nc", "<p>a text</p>\n<p>c</p>", "<p>b</p>"),
        ("> [!TAKE]\n> Term\n> : what", "", "<dl>\n<dt>Term</dt>\n<dd>what</dd>\n</dl>"),
        ("- > [!TAKE]\n  > a\n- b", "<ul>\n<li></li>\n<li>b</li>\n</ul>", "<p>a</p>"),
    ],
)
def test_a_take_is_what_stands_between_its_marks(body: str, html: str, take: str) -> None:
    post = post_of(body)
    assert post.take
    assert (post.html.strip(), post.take.html) == (html, take)


def test_code_that_shows_a_take_is_no_take() -> None:
    post = post_of("```\n::: take\na\n:::\n```\n\n    ::: take\n    :::")
    assert post.take is None
    shown = "<pre><code>::: take\na\n:::\n</code></pre>\n<pre><code>::: take\n:::\n</code></pre>"
    assert post.html.strip() == shown
    assert post_of("::: tip\nb\n:::").html.strip() == "<p>::: tip\nb\n:::</p>"


def test_what_is_wrong_with_a_take_is_told_with_its_line() -> None:
    body = "::: take\n<p>a</p>\n:::\n\n::: take\nb\n:::\n\n> c\n>\n> ::: take\n> d"
    problems = loaded(a_source(body=body)).problems
    assert [(p.code, p.line) for p in problems] == [("P114", 12), ("P114", 18), ("P119", 18)]


def test_nesting_too_deep_is_told_with_its_line() -> None:
    problems = loaded(a_source(body="Text.\n\n" + "> " * 80 + "x")).problems
    assert [(p.code, p.line) for p in problems] == [("P116", 10)]
    assert codes(loaded(a_source(body="> " * 19 + "x"))) == []
