"""A whole post in a mail: as HTML that every mail program shows, and as text."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content import markdown
from newsletter.content.lines import Lines
from newsletter.content.outline import read
from newsletter.issues.body import mail_html
from newsletter.issues.page import elements, parse, strings
from newsletter.issues.prose import prose
from tests.builders import a_post, a_site
from tests.unit.issues.scene import FOLLOW, a_digest

URL = "https://autotrendy.example/posts/x/"


def mailed(html: str, level: int = 2) -> str:
    return mail_html(html, level=level, url=URL, title="The post")


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>One &lt;p&gt; &amp; {{ two }}</p>", "<p>One &lt;p&gt; &amp; {{ two }}</p>"),
        ("bare &lt;words&gt;", "bare &lt;words&gt;"),
        ('<p id="x" class="y" title="t" lang="fr">a</p>', '<p lang="fr">a</p>'),
        ("<figure><figcaption>a</figcaption></figure>", '<div><div class="caption meta soft">a</div></div>'),
        ('<img src="https://x.example/a.png" alt="A" width="900" height="4" srcset="b 2w">',
         '<img class="image tint ink" src="https://x.example/a.png" alt="A" width="536">'),
        ('<img src="https://x.example/a.png" alt="A" width="9" height="9">',
         '<img src="https://x.example/a.png" alt="A" width="9">'),
        ('<picture><source srcset="x"><img src="https://x.example/a.png" alt="A" width="9"></picture>',
         '<img src="https://x.example/a.png" alt="A" width="9">'),
        ('<p>a<video src="https://x.example/v"></video>b</p>', f'<p>a<a href="{URL}">The post</a>b</p>'),
        ('<sup class="footnote-ref"><a href="#fn" id="r">[1]</a></sup>', "<sup>[1]</sup>"),
        ('<p>note <a class="footnote-backref" href="#r">↩</a> end</p>', "<p>note  end</p>"),
        ("<details><summary>a</summary>b</details>", '<div><div class="opening">a</div>b</div>'),
        ('<table><tr><td class="align-right big" colspan="2">1</td></tr></table> a',
         '<div class="wide" tabindex="0">'
         '<table class="data"><tr><td class="align-right" colspan="2">1</td></tr></table></div> a'),
        ('<pre><code class="language-x">a\n  b</code></pre>',
         '<pre class="code tint ink" dir="ltr"><code>a\n  b</code></pre>'),
    ],
)  # fmt: skip
def test_each_element_becomes_what_mail_programs_show(html: str, expected: str) -> None:
    assert mailed(html) == expected


@pytest.mark.parametrize(
    ("level", "before", "after"),
    [(2, "234", "345"), (3, "234", "456"), (3, "2345", "4566"), (2, "4", "3"), (2, "242", "343")],
)
def test_headings_go_below_that_of_the_story_and_skip_none(level: int, before: str, after: str) -> None:
    html = mailed("".join(f"<h{n}>a</h{n}>" for n in before), level)
    assert "".join(re.findall(r"<h(\d)", html)) == after


def test_the_text_part_says_it_in_plain_words() -> None:
    html = (
        '<p>A <a href="https://x.example/a">link</a>, <a href="https://x.example/a">again</a> and '
        '<a href="https://y.example/">https://y.example/</a>.<sup>[1]</sup><br>Next.</p><h3>Part</h3>'
        "<ul><li>one<ul><li>in it</li></ul></li><li>two</li></ul><ol start='3'><li><p>a</p><p>b</p></li></ol>"
        "<blockquote><p>q</p><p>r</p></blockquote><pre><code>{{ x }}\n\n  y\n</code></pre><hr>"
        '<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td><em>2</em></td></tr></table><p><img alt="A car"></p>'
    )
    assert prose(html) == (
        "A link [1], again [1] and https://y.example/.^1\nNext.\n\nPart\n~~~~\n\n- one\n  - in it\n- two\n\n"
        "3. a\n\n   b\n\n> q\n>\n> r\n\n    {{ x }}\n\n      y\n\n* * *\n\nA | B\n1 | 2\n\n[A car]\n\n"
        "[1] https://x.example/a"
    )


PIECES = [
    "words",
    "- item",
    "  - deeper",
    "1. first",
    "> quote",
    "    code",
    "**b** *i*",
    "~~s~~ H<sub>2</sub>O",
    "---",
]
MARKS = re.compile(r"^[\s>]*(?:- |\d\. )?(?:- )?|^ *\* \* \*$", re.MULTILINE)


@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_no_word_is_lost_in_either_part(pieces: list[str]) -> None:
    html = rendered("\n\n".join(pieces))
    words = "".join(read(html).text.split())
    assert "".join(read(mailed(html)).text.split()) == words
    assert "".join(MARKS.sub("", prose(mailed(html))).split()) == words


def rendered(text: str) -> str:
    lines = Lines("posts/x.md", tuple(text.splitlines()))
    return markdown.render(lines, 0, slug="x", day=date(2022, 2, 1), site=a_site(), find=lambda name: None)[0].html


def test_a_mail_with_whole_posts_has_them_in_both_parts_and_no_summary_twice() -> None:
    post = a_post(html="<h2>Part</h2><p>All of <code>{{ it }}</code>.</p>", take=None)
    made = a_digest(post, FOLLOW, site=a_site(full_text=True))
    assert strings(parse(made.html), "//h3/text()") == ["Part"]
    assert "{{ it }}" in made.html
    assert "\nPart\n~~~~\n\nAll of {{ it }}.\n" in made.text
    assert made.html.count("On the web: ") == 2
    assert "Read more" not in made.html
    own = a_post(html=f"<p>{FOLLOW.summary}</p>", summary=FOLLOW.summary, repeats_itself=True)
    assert a_digest(own, site=a_site(full_text=True)).html.count(f"{FOLLOW.summary}</p>") == 1


def test_a_picture_that_the_text_shows_is_not_shown_above_it() -> None:
    source = "https://autotrendy.example/posts/x/a.jpg"
    post = a_post(image=source, image_alt="A", html=f'<p><img src="{source}" alt="A" width="1072"></p>')
    page = parse(a_digest(post, site=a_site(full_text=True)).html)
    assert len(elements(page, "//img")) == 1
