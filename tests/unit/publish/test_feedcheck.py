"""The validator finds nothing in what we publish, and each fault that is put into it, one by one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import Problem, stops
from newsletter.publish import feedcheck
from newsletter.publish.feedbody import judge
from tests.builders import a_library, a_post, a_site, feed_files
from tests.unit.publish.example import a_publication, everything, with_picture

SITE = a_site(hubs=("https://hub.example/",))
NOW = datetime(2022, 3, 1, tzinfo=UTC)
BOM = b"\xef\xbb\xbf"


@cache
def files() -> dict[str, bytes]:
    """A publication with a picture, and with archived pages."""
    library, issues = a_publication()
    library = with_picture(library, library.posts[0].slug)
    old = (a_post(f"old-{n:03}", day=datetime(2021, 1, 1, tzinfo=UTC) + timedelta(days=n)) for n in range(110))
    whole = a_library(*library.posts, *old, backlinks=library.backlinks, chains=library.chains)
    return {str(file.path): file.content for file in everything(SITE, whole, issues)}


@cache
def documents() -> dict[str, bytes]:
    return {path: content for path, content in files().items() if feedcheck.is_feed(path)}


def _problems(changed: dict[str, bytes]) -> list[Problem]:
    return feedcheck.check({**documents(), **changed}, SITE, NOW)


def _codes(changed: dict[str, bytes]) -> set[str]:
    return {problem.code for problem in _problems(changed)}


def _replaced(path: str, old: str, new: str) -> dict[str, bytes]:
    content = documents()[path].decode()
    assert old in content, f"{path} has no {old}"
    return {path: content.replace(old, new, 1).encode("utf-8", "surrogatepass")}


def _altered(path: str, change: Callable[[dict[str, Any]], object]) -> dict[str, bytes]:
    fields = json.loads(documents()[path])
    change(fields)
    return {path: json.dumps(fields).encode()}


def test_what_we_publish_breaks_no_rule() -> None:
    assert _problems({}) == []


def test_what_only_looks_like_a_tag_may_stand_in_a_title_and_a_summary() -> None:
    library = a_library(a_post(title="A Vec<T> of ours", summary="Between <than> and Vec<T>, 1 < 2 > 0."))
    files = feed_files(SITE, library, [])

    assert feedcheck.check({str(file.path): file.content for file in files}, SITE, NOW) == []


@pytest.mark.parametrize(
    ("code", "path", "old", "new"),
    [
        ("F502", "atom.xml", "<id>tag:autotrendy.example,2022:how-to-follow", "<id>how-to-follow"),
        ("F502", "rss.xml", "2022:a-correction</guid>", "2022:how-to-follow</guid>"),
        ("F503", "topics/makers/rss.xml", "2022:renault-nissan-mitsubishi-alliance<", "2022:renault<"),
        ("F503", "topics/makers/rss.xml", "<link>https://autotrendy.example/posts/ren", "<link>https://autotrendy.example/posts/x"),
        ("F504", "atom.xml", "<summary>How to follow", "<summary>Who follows"),
        ("F504", "feed.json", "A battery moves ions", "A battery moves eons"),
        ("F505", "atom.xml", "<updated>2022-02-08", "<updated>2022-02-09"),
        ("F505", "rss.xml", "<lastBuildDate>Tue, 08 Feb", "<lastBuildDate>Wed, 09 Feb"),
        ("F506", "rss.xml", "<pubDate>Tue, 08 Feb 2022", "<pubDate>Tue, 08 Feb 2005"),
        ("F507", "rss.xml", "<description>How to follow Auto Trendy:", "<description>&lt;b&gt;How&lt;/b&gt;"),
        ("F508", "rss.xml", 'href="https://autotrendy.example/posts/reading-the-label/"', 'href="/posts/x/"'),
        ("F509", "rss.xml", 'id="how-to-follow-what-changes"', 'id="reading-the-label-what-changes"'),
        ("F510", "rss.xml", "&lt;h2 ", "&lt;script&gt;x&lt;/script&gt;&lt;h2 "),
        ("F510", "rss.xml", "&lt;/h2&gt;", ""),
        ("F510", "rss.xml", ' alt="A parked car"', ""),
        ("F511", "rss.xml", "Leaks", "[[leaks]]"),
        ("F512", "rss.xml", "<title>How to follow", "<title>How to &lt;b&gt;follow"),
        ("F512", "rss.xml", "<title>How to follow", "<title>How &amp;amp; why to follow"),
        ("F513", "rss.xml", "<title>How to follow", "<title>How to\x80follow"),
        ("F514", "rss.xml", "<title>How to follow", "<title>How to \x01 follow"),
        ("F514", "rss.xml", "</channel>", ""),
        ("F514", "rss.xml", "encoding='UTF-8'?>", "encoding='UTF-8'?><!DOCTYPE rss>"),
        ("F514", "atom.xml", "encoding='UTF-8'", "encoding='ISO-8859-1'"),
        ("F514", "feed.json", '"items": [', '"items": ['[:-1]),
        ("F516", "rss.xml", "<pubDate>Tue, 08 Feb 2022", "<pubDate>Mon, 08 Feb 2022"),
        ("F516", "rss.xml", "<pubDate>Tue, 08 Feb 2022 09:30:00 +0000", "<pubDate>2022-02-08T09:30:00+00:00"),
        ("F516", "atom.xml", "<published>2022-02-08T09:30:00+00:00", "<published>2022-02-08T09:30:00"),
        ("F518", "atom.xml", ' xml:lang="en"', ""),
        ("F518", "rss.xml", "<language>en</language>", ""),
        ("F519", "rss.xml", "<dc:creator>News desk</dc:creator>", ""),
        ("F519", "rss.xml", "<dc:creator>News desk<", "<dc:creator>news@autotrendy.example<"),
        ("F520", "rss.xml", 'href="https://autotrendy.example/rss.xml"', 'href="https://elsewhere.example/rss.xml"'),
        ("F520", "rss.xml", "<link>https://autotrendy.example/</link>", "<link>https://autotrendy.example/rss.xml</link>"),
        ("F521", "rss.xml", 'isPermaLink="false"', ""),
        ("F522", "rss.xml", "<description>The Renault", "<content:encoded/><description>The Renault"),
        ("F523", "rss.xml", 'length="68" ', ""),
        ("F523", "atom.xml", 'rel="enclosure" type="image/png"', 'rel="enclosure"'),
        ("F524", "rss.xml", "<ttl>60", "<ttl>1440"),
        ("F524", "rss.xml", 'type="application/rss+xml"', 'type="text/xml"'),
        ("F525", "rss.xml", "<dc:creator>", "<dc:date>2022-01-01T00:00:00Z</dc:date><dc:creator>"),
        ("F526", "atom.xml", "<title>Auto Trendy</title>", ""),
        ("F527", "atom.xml", '<link rel="hub"', '<link type="text/html" href="https://x.example/"/><link rel="hub"'),
        ("F528", "atom.xml", '<content type="html">', "<content>"),
        ("F529", "atom.xml", '<link rel="hub"', '<link rel="friend" href="https://x.example/"/><link rel="hub"'),
        ("F532", "atom.xml", "archive/2/atom.xml", "archive/9/atom.xml"),
        ("F532", "archive/2/atom.xml", "archive/1/atom.xml", "archive/2/atom.xml"),
        ("F532", "archive/1/rss.xml", "<fh:archive/>", ""),
        ("F532", "archive/1/rss.xml", 'rel="current"', 'rel="related"'),
        ("F532", "rss.xml", "<item>", "<fh:complete/><item>"),
        ("F533", "topics/makers/feed.json", "https://hub.example/", "https://other.example/"),
        ("F542", "topics/makers/atom.xml", "<title>Auto Trendy: Makers", "<title>Auto Trendy: Batteries"),
        ("F542", "topics/makers/atom.xml", "feed/topics/makers</id>", "feed/topics/batteries</id>"),
        ("F543", "feeds.opml", 'type="rss" text="Auto Trendy"', 'text="Auto Trendy"'),
        ("F543", "feeds.opml", "topics/makers/rss.xml", "topics/breakers/rss.xml"),
        ("F545", "rss.xml", '<media:thumbnail url="https://autotrendy.example/', '<media:thumbnail url="/'),
        ("F546", "rss.xml", 'type="text/css"', 'type="text/xsl"'),
    ],
)  # fmt: skip
def test_a_fault_is_found(code: str, path: str, old: str, new: str) -> None:
    assert code in _codes(_replaced(path, old, new))


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("F501", lambda feed: feed["items"][0].update(id=feed["items"][0]["url"])),
        ("F504", lambda feed: feed["items"].pop()),
        ("F507", lambda feed: feed["items"][0].update(content_html="")),
        ("F515", lambda feed: feed["items"][0].update(date_published="2022-03-01T01:00:00+00:00")),
        ("F517", lambda feed: feed["items"][0].update(date_modified="2001-01-01T00:00:00+00:00")),
        ("F531", lambda feed: feed.update(version="https://jsonfeed.org/version/1")),
        ("F531", lambda feed: feed.update(author={"name": "x"})),
        ("F531", lambda feed: feed["items"][0].update(author={"name": "x"})),
        ("F531", lambda feed: feed["items"][0].update(id=7)),
        ("F531", lambda feed: feed.update(next_url=feed["feed_url"])),
        ("F532", lambda feed: feed.update(next_url="https://autotrendy.example/archive/9/feed.json")),
    ],
)
def test_a_fault_in_a_json_feed_is_found(code: str, change: Callable[[dict[str, Any]], object]) -> None:
    assert code in _codes(_altered("feed.json", change))


def test_more_than_fifty_posts_in_a_polled_document_are_found() -> None:
    more = [item for n in (1, 2) for item in json.loads(documents()[f"archive/{n}/feed.json"])["items"]]

    assert "F506" in _codes(_altered("feed.json", lambda feed: feed["items"].extend(more)))


def test_a_byte_order_mark_is_found() -> None:
    assert _codes({"rss.xml": BOM + documents()["rss.xml"]}) >= {"F514"}


def test_a_document_that_some_readers_refuse_is_told_without_stopping() -> None:
    padded = documents()["rss.xml"].replace(b"</rss>", b"<!--" + b"x" * 600_000 + b"--></rss>")

    found = _problems({"rss.xml": padded})
    assert [(problem.code, problem.level) for problem in found] == [("F506", "warn")]


def test_a_feed_that_is_not_listed_is_found() -> None:
    content = documents()["topics/makers/rss.xml"]
    extra = {"topics/more/rss.xml": content.replace(b"topics/makers", b"topics/more")}

    assert any(p.code == "F543" and "topics/more/rss.xml" in p.message for p in _problems(extra))


def test_a_problem_names_file_line_and_post() -> None:
    changed = _replaced("rss.xml", "&lt;h2 ", "&lt;script&gt;x&lt;/script&gt;&lt;h2 ")
    found = next(problem for problem in _problems(changed) if problem.code == "F510")

    line = next(n for n, text in enumerate(documents()["rss.xml"].splitlines(), 1) if b"<item>" in text)
    assert (found.place, found.level) == (f"rss.xml:{line}", "stop")
    assert found.why == "In https://autotrendy.example/posts/renault-nissan-mitsubishi-alliance/."


def test_what_all_formats_say_alike_is_told_once() -> None:
    library = a_library(a_post("x", html='<p><a href="/relative/">x</a></p>'))
    feeds = {str(file.path): file.content for file in feed_files(SITE, library, [])}

    found = [problem for problem in feedcheck.check(feeds, SITE, NOW) if problem.code == "F508"]
    assert len(found) == 1


def test_warnings_stop_no_publish() -> None:
    changed = _replaced("rss.xml", "<title>How to follow", "<title>How &amp;amp; why to follow")

    assert {p.code for p in stops(_problems(changed))} == {"F504"}  # that it differs; not that it is odd


def test_what_is_changed_can_be_looked_at_without_the_rest() -> None:
    some = {path: documents()[path] for path in ("rss.xml", "archive/2/rss.xml", "feeds.opml")}

    assert feedcheck.check(some, SITE, NOW, known=documents().keys(), files=files().keys()) == []


def test_before_writing_archived_pages_are_read_in_one_format() -> None:
    chosen = feedcheck.at_publish({**documents(), "index.html": b""})

    assert {path for path in chosen if path.startswith("archive/")} == {"archive/1/rss.xml", "archive/2/rss.xml"}
    assert {path for path in chosen if not path.startswith("archive/")} == {
        path for path in documents() if not path.startswith("archive/")
    }


@pytest.mark.parametrize(
    "body",
    [
        '<p><a href="https://x.example/?a=1&amp;b=2">x</a> <a href="mailto:a@x.example">y</a></p>',
        "<p>Write <code>[[slug]]</code> and <code>{{ name }}</code> and <code>**x**</code>.</p>",
        "<pre><code>::: take\nNone\n:::</code></pre>",
        '<p><img src="https://x.example/a.png" alt=""><br>None of it, 6 &lt; 8.</p>',
        '<img src="https://x.example/a.png" srcset="https://x.example/a,1.png 1x, https://x.example/b.png 2x" alt="">',
    ],
)
def test_a_sound_body_is_let_pass(body: str) -> None:
    assert judge(body).faults == ()


@pytest.mark.parametrize(
    ("code", "body"),
    [
        ("F508", '<a href="page.html">x</a>'),
        ("F508", '<a href="#fn1">x</a>'),
        ("F508", '<a href="//x.example/">x</a>'),
        ("F508", '<img alt="" src="https://x.example/a.png" srcset="https://x.example/a.png 1x, b.png 2x">'),
        ("F508", '<blockquote cite="../x/">x</blockquote>'),
        ("F508", '<video poster="/x.png"></video>'),
        ("F510", '<a href="java\tscript:alert(1)">x</a>'),
        ("F510", '<a href="&#106;avascript:alert(1)">x</a>'),
        ("F510", '<p onclick="x()">x</p>'),
        ("F510", '<p style="color:red">x</p>'),
        ("F510", "<iframe></iframe>"),
        ("F510", "<p><b>x</p></b>"),
        ("F510", "<p>x"),
        ("F510", "6 < 8"),
        ("F510", "<p>x<!-- y --></p>"),
        ("F511", "<p>See [^1].</p>"),
        ("F511", "<p>::: take</p>"),
        ("F511", "<p>{{ title }}</p>"),
        ("F511", "<p>**strong**</p>"),
        ("F511", "<p>None</p>"),
        ("F513", "<p>\x7f</p>"),
    ],
)
def test_a_body_that_readers_refuse_or_show_wrongly_is_found(code: str, body: str) -> None:
    assert code in {found for found, _ in judge(body).faults}


@given(st.binary(max_size=300))
def test_no_bytes_break_the_validator(content: bytes) -> None:
    for path in ("rss.xml", "atom.xml", "feed.json", "feeds.opml"):
        assert feedcheck.check({path: content}, SITE, NOW)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading_of_a_body(text: str) -> None:
    judge(text)
    judge(f"<p {text}>")
