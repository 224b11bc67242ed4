"""Three feeds, one content: what each format must say, and that all say the same."""

from __future__ import annotations

import json
import locale
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from newsletter.model import Library, Site
from newsletter.publish.catalogue import documents
from newsletter.publish.syndication import clean
from tests.builders import a_library, a_post, a_site
from tests.unit.publish.example import a_publication, with_picture

NAMES = {
    "a": "http://www.w3.org/2005/Atom",
    "dc": "http://purl.org/dc/elements/1.1/",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "h": "http://www.w3.org/1999/xhtml",
}
Format = Callable[[Site, Library], bytes]


def rss(site: Site, library: Library) -> bytes:
    return _document("rss.xml", site, library)


def atom(site: Site, library: Library) -> bytes:
    return _document("atom.xml", site, library)


def json_feed(site: Site, library: Library) -> bytes:
    return _document("feed.json", site, library)


def _document(name: str, site: Site, library: Library) -> bytes:
    found = (document for document in documents(site, library, ()) if str(document.path) == name)
    return next(found).render()


ALL: list[Format] = [rss, atom, json_feed]
XML: list[Format] = [rss, atom]


def _rss(library: Library, site: Site | None = None) -> etree._Element:
    return etree.fromstring(rss(site or a_site(), library))


def _atom(library: Library, site: Site | None = None) -> etree._Element:
    return etree.fromstring(atom(site or a_site(), library))


def _json(library: Library, site: Site | None = None) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json_feed(site or a_site(), library))
    return document


def _texts(element: etree._Element, path: str) -> list[str]:
    return [found.text or "" for found in element.iterfind(path, NAMES)]


def test_all_formats_hold_the_same_posts_in_the_same_order() -> None:
    library, _ = a_publication()
    ids = [post.id for post in library.posts]

    assert _texts(_rss(library), "channel/item/guid") == ids
    assert _texts(_atom(library), "a:entry/a:id") == ids
    assert [item["id"] for item in _json(library)["items"]] == ids


def test_all_formats_have_the_same_titles_bodies_and_summaries() -> None:
    library, _ = a_publication()
    rss, atom, items = _rss(library), _atom(library), _json(library)["items"]

    for rss_path, atom_path, key in (
        ("title", "a:title", "title"),
        ("link", None, "url"),
        ("description", "a:summary", "summary"),
        ("content:encoded", "a:content", "content_html"),
    ):
        expected = [item[key] for item in items]
        assert _texts(rss, f"channel/item/{rss_path}") == expected
        assert atom_path is None or _texts(atom, f"a:entry/{atom_path}") == expected


def test_all_formats_have_the_same_dates() -> None:
    post = a_post(updated=datetime(2022, 2, 3, 4, 5, 6, tzinfo=UTC))
    library = a_library(post)
    item = _json(library)["items"][0]

    assert parsedate_to_datetime(_texts(_rss(library), "channel/item/pubDate")[0]) == post.published
    assert _texts(_rss(library), "channel/item/a:updated") == [item["date_modified"]]
    assert _texts(_atom(library), "a:entry/a:published") == [item["date_published"]]
    assert _texts(_atom(library), "a:entry/a:updated") == [item["date_modified"]]
    assert datetime.fromisoformat(item["date_published"]) == post.published
    assert datetime.fromisoformat(item["date_modified"]) == post.updated


@pytest.mark.parametrize("render", XML)
def test_a_feed_reader_finds_everything_it_shows(render: Format) -> None:
    library, _ = a_publication()
    parsed = feedparser.parse(render(a_site(), library))
    newest, post = parsed.entries[0], library.posts[0]

    assert not parsed.bozo
    assert parsed.feed.title == "Auto Trendy"
    assert parsed.feed.link == "https://autotrendy.example/"
    assert newest.id == post.id
    assert newest.link == f"https://autotrendy.example/posts/{post.slug}/"
    assert newest.title == post.title
    assert newest.author == "News desk"
    assert [person["name"] for person in newest.contributors] == ["Review desk"]
    assert [tag["term"] for tag in newest.tags] == ["Batteries", "Makers"]
    assert newest.published_parsed[:3] == (2022, 2, 8)
    assert "A battery moves ions" in newest.content[0].value


def test_an_id_never_claims_to_be_an_address() -> None:
    library, _ = a_publication()

    assert {guid.get("isPermaLink") for guid in _rss(library).iter("guid")} == {"false"}


def test_an_id_stays_when_slug_and_domain_change() -> None:
    moved = a_library(a_post(slug="renamed", id="tag:autotrendy.example,2022:old"))
    site = a_site(url="https://elsewhere.example/blog")

    assert _texts(_rss(moved, site), "channel/item/guid") == ["tag:autotrendy.example,2022:old"]
    assert _texts(_rss(moved, site), "channel/item/link") == ["https://elsewhere.example/blog/posts/renamed/"]


@pytest.mark.parametrize("render", ALL)
def test_the_take_is_a_quotation_that_says_whose_it_is(render: Format) -> None:
    text = render(a_site(take_label="Our <view>"), a_library(a_post())).decode()
    unescaped = (
        text
        if render is json_feed
        else etree.tostring(etree.fromstring(text.encode()), method="text", encoding="unicode")
    )

    assert "<blockquote><p><strong>Our &lt;view&gt;.</strong> We would wait.</p></blockquote>" in unescaped


def test_a_take_of_other_blocks_keeps_its_label() -> None:
    take = a_post().take
    assert take is not None
    listed = a_post(take=replace(take, html="<ul><li>Wait.</li></ul>"))

    assert (
        "<blockquote><p><strong>Auto Trendy's take.</strong></p><ul><li>Wait.</li></ul></blockquote>"
        in _json(a_library(listed))["items"][0]["content_html"]
    )


def test_the_last_paragraph_tells_what_came_earlier() -> None:
    library, _ = a_publication()
    newest = _json(library)["items"][0]["content_html"]

    assert newest.endswith(
        '<p>Earlier in this story: <a href="https://autotrendy.example/posts/all-solid-state-batteries/">'
        "All-solid-state batteries: what a solid changes</a> (1 February 2022), "
        '<a href="https://autotrendy.example/posts/reading-the-label/">Reading the label on a battery</a>'
        " (1 February 2022).</p>"
    )
    assert "Earlier in this story" not in _json(library)["items"][-1]["content_html"]


def test_author_and_reviewer_are_in_every_format() -> None:
    library = a_library(a_post())
    item = _json(library)["items"][0]

    assert _texts(_rss(library), "channel/item/dc:creator") == ["News desk"]
    assert _texts(_rss(library), "channel/item/dc:contributor") == ["Review desk"]
    assert _texts(_atom(library), "a:entry/a:author/a:name") == ["News desk"]
    assert _texts(_atom(library), "a:entry/a:contributor/a:name") == ["Review desk"]
    assert item["authors"] == [{"name": "News desk"}]
    assert item["_newsletter"]["reviewer"] == {"name": "Review desk"}


@pytest.mark.parametrize("render", ALL)
def test_nobody_is_named_as_reviewer_where_nobody_reviewed(render: Format) -> None:
    text = render(a_site(review=False), a_library(a_post(reviewer=None))).decode()

    assert "contributor" not in text
    assert "reviewer" not in text


def test_an_address_of_a_person_is_never_given_away() -> None:
    library, _ = a_publication()

    for render in ALL:
        assert b"@autotrendy.example" not in render(a_site(), library)


def test_rss_has_its_summary_before_its_content() -> None:
    item = _rss(a_library(a_post())).find("channel/item")
    assert item is not None
    tags = [etree.QName(child).localname for child in item]

    assert tags.index("description") < tags.index("encoded")


def test_links_of_atom_keep_their_relation() -> None:
    atom = _atom(a_library(a_post()))
    links = [dict(found.attrib) for found in atom.iterfind("a:entry/a:link", NAMES)]
    own = [(found.get("rel"), found.get("href")) for found in atom.iterfind("a:link", NAMES)]

    assert links == [
        {
            "rel": "alternate",
            "type": "text/html",
            "href": "https://autotrendy.example/posts/all-solid-state-batteries/",
        }
    ]
    assert own == [("self", "https://autotrendy.example/atom.xml"), ("alternate", "https://autotrendy.example/")]


def test_each_feed_knows_its_own_address_and_the_home_page() -> None:
    library, _ = a_publication()
    site = a_site(url="https://host.example/blog")
    document = _json(library, site)
    own = _rss(library, site).find("channel/a:link", NAMES)

    assert own is not None
    assert (own.get("rel"), own.get("href")) == ("self", "https://host.example/blog/rss.xml")
    assert _texts(_rss(library, site), "channel/link") == ["https://host.example/blog/"]
    assert document["feed_url"] == "https://host.example/blog/feed.json"
    assert document["home_page_url"] == "https://host.example/blog/"


def test_the_json_feed_follows_version_1_1() -> None:
    library, _ = a_publication()
    document = _json(with_picture(library, library.posts[0].slug))
    feed_keys = {"version", "title", "home_page_url", "feed_url", "description", "user_comment", "language", "authors"}
    item_keys = {
        "id", "url", "title", "content_html", "summary", "image", "date_published", "date_modified", "authors", "tags",
        "attachments",
    }  # fmt: skip

    assert document["version"] == "https://jsonfeed.org/version/1.1"
    assert document.keys() == feed_keys | {"items"}
    assert document["items"][0].keys() == item_keys | {"_newsletter"}
    assert all(isinstance(item["id"], str) and item["content_html"] for item in document["items"])


def test_the_feed_is_as_old_as_its_newest_change() -> None:
    corrected = datetime(2022, 3, 1, tzinfo=UTC)
    library = a_library(a_post("old", updated=corrected), a_post("new", day=datetime(2022, 2, 8, tzinfo=UTC)))

    assert _texts(_atom(library), "a:updated") == [corrected.isoformat()]
    assert parsedate_to_datetime(_texts(_rss(library), "channel/lastBuildDate")[0]) == corrected


@pytest.mark.parametrize("render", XML)
def test_a_feed_opened_in_a_browser_explains_itself(render: Format) -> None:
    document = etree.fromstring(render(a_site(), a_library(a_post())))
    instruction = document.getprevious()
    parent = document if render is atom else document[0]
    header = parent[0]

    assert instruction is not None
    assert instruction.text == 'type="text/css" href="feeds/feed.css"'
    assert header.tag == "{http://www.w3.org/1999/xhtml}div"
    assert "This is a feed." in etree.tostring(header, method="text", encoding="unicode")
    assert [found.get("href") for found in header.iter("{*}a")] == ["https://autotrendy.example/feeds/"]


def test_a_title_is_text_without_tags_in_every_format() -> None:
    title = 'Why <b>V6</b> & "V8" aren\'t </title> enough'
    library = a_library(a_post(title=title))

    shown = 'Why V6 & "V8" aren\'t enough'
    assert _texts(_rss(library), "channel/item/title") == [shown]
    assert _texts(_atom(library), "a:entry/a:title") == [shown]
    assert _json(library)["items"][0]["title"] == shown


@pytest.mark.parametrize("title", ["Vec<T> and 1 < 2 > 0", "<Weekly>", "<b>", "a<b and c>d"])
def test_what_only_looks_like_a_tag_stays_in_a_title(title: str) -> None:
    assert _json(a_library(a_post(title=title)))["items"][0]["title"] == title


@pytest.mark.parametrize("render", ALL)
def test_an_empty_publication_has_valid_empty_feeds(render: Format) -> None:
    content = render(a_site(tagline=""), a_library())

    assert content == render(a_site(tagline=""), a_library())
    if render is not json_feed:
        assert not feedparser.parse(content).bozo


def test_only_the_newest_are_told() -> None:
    start = datetime(2022, 1, 1, tzinfo=UTC)
    library = a_library(*(a_post(f"p{n:02}", day=start + timedelta(days=n)) for n in range(60)))

    assert len(_json(library)["items"]) == 50
    assert [item["id"][-3:] for item in _json(library)["items"]][:2] == ["p59", "p58"]


def test_a_feed_stays_under_512_kilobytes() -> None:
    start = datetime(2022, 1, 1, tzinfo=UTC)
    library = a_library(
        *(a_post(f"p{n:02}", day=start + timedelta(days=n), html="<p>&amp; ü</p>" * 4000) for n in range(30))
    )

    for render in ALL:
        assert len(render(a_site(), library)) < 512_000
    assert 1 <= len(_json(library)["items"]) < 30


def test_no_locale_is_asked_and_none_is_switched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> str:
        raise AssertionError("the locale belongs to the whole process")

    library, _ = a_publication()
    monkeypatch.setattr(locale, "setlocale", refuse)

    assert "Tue, 08 Feb 2022 09:30:00 +0000" in rss(a_site(), library).decode()


@settings(deadline=None, max_examples=20)
@given(st.randoms(use_true_random=False))
def test_shuffled_posts_give_equal_bytes(chance: random.Random) -> None:
    library, _ = a_publication()
    posts = list(library.posts)
    chance.shuffle(posts)
    shuffled = replace(library, posts=tuple(posts))

    for render in ALL:
        assert render(a_site(), shuffled) == render(a_site(), library)


@settings(deadline=None, max_examples=50)
@given(st.text())
def test_any_text_survives_in_xml(text: str) -> None:
    post = a_post(title=f"T{text}", summary=text, topics=(f"x{text}",), html=f"<p>{clean(text)}</p>".replace("\r", ""))
    library = a_library(post)

    assert _texts(_rss(library), "channel/item/guid") == [post.id]
    assert _texts(_atom(library), "a:entry/a:id") == [post.id]
    assert [item["id"] for item in _json(library)["items"]] == [post.id]


@settings(deadline=None)
@given(st.text(st.characters(categories=("Cc", "Cs", "Cn"))))
def test_what_xml_cannot_hold_is_left_out(text: str) -> None:
    etree.Element("x").text = clean(text)
