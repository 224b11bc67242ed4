"""What docs/feeds.md promises and no other test asks: of one document each, by the plain words in it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache

import pytest
from lxml import etree

from newsletter.model import Asset
from newsletter.publish import feedcheck
from newsletter.publish.catalogue import feeds, shared_ids
from newsletter.publish.feedread import ATOM, CONTENT, DC, SOURCE
from tests.builders import a_library, a_post, a_site, feed_files
from tests.unit.publish.example import a_publication, everything, with_picture

SITE = a_site()
ROOT = f"{SITE.url}/"


@cache
def published() -> dict[str, bytes]:
    """Every file of a publication with a picture, a take held to account and archived pages."""
    library, issues = a_publication()
    library = with_picture(library, library.posts[0].slug)
    old = (a_post(f"old-{n:03}", day=datetime(2021, 1, 1, tzinfo=UTC) + timedelta(days=n)) for n in range(110))
    whole = a_library(*library.posts, *old, backlinks=library.backlinks, chains=library.chains)
    return {str(file.path): file.content for file in everything(SITE, whole, issues)}


def _feeds(name: str) -> dict[str, bytes]:
    return {path: content for path, content in published().items() if path.rpartition("/")[2] == name}


def test_xml_is_utf_8_says_so_and_has_neither_mark_nor_doctype() -> None:
    for content in (*_feeds("rss.xml").values(), *_feeds("atom.xml").values(), *_feeds("feeds.opml").values()):
        assert content.startswith(
            (b"<?xml version='1.0' encoding='UTF-8'?>", b'<?xml version="1.0" encoding="UTF-8"?>')
        )
        assert b"<!DOCTYPE" not in content
        content.decode()


def test_every_format_names_the_language() -> None:
    for content in _feeds("rss.xml").values():
        assert etree.fromstring(content).findtext("channel/language") == "en"
    for content in _feeds("atom.xml").values():
        assert etree.fromstring(content).get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
    for content in _feeds("feed.json").values():
        assert json.loads(content)["language"] == "en"


def test_bodies_of_a_language_from_the_right_say_so_to_readers_that_know_of_none() -> None:
    library, issues = a_publication()
    files = {str(f.path): f.content for f in feed_files(a_site(language="ar"), library, issues)}
    for item in json.loads(files["feed.json"])["items"]:
        assert item["content_html"].startswith('<div dir="rtl">')
        assert item["content_html"].endswith("</div>")


def test_rss_is_polled_hourly_and_built_when_its_newest_item_changed() -> None:
    for path, content in _feeds("rss.xml").items():
        channel = etree.fromstring(content)[0]
        built = parsedate_to_datetime(channel.findtext("lastBuildDate") or "")

        assert channel.findtext("ttl") == "60"
        assert [built] == [max(_published(channel), default=datetime(1970, 1, 1, tzinfo=UTC))], path


def _published(channel: etree._Element) -> list[datetime]:
    return [parsedate_to_datetime(found.text or "") for found in channel.iter("pubDate")]


def test_rss_has_one_date_an_item_and_no_markdown_to_show_instead() -> None:
    for content in _feeds("rss.xml").values():
        for item in etree.fromstring(content).iter("item"):
            assert len(item.findall("pubDate")) == 1
            assert item.find(f"{DC}date") is None
            assert item.find(f"{SOURCE}markdown") is None


def test_rss_dates_have_the_right_weekday_a_year_of_four_digits_and_a_numeric_zone() -> None:
    for content in _feeds("rss.xml").values():
        for text in re.findall(r"<(?:pubDate|lastBuildDate)>([^<]*)<", content.decode()):
            assert re.fullmatch(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000", text)
            assert parsedate_to_datetime(text).strftime("%a") == text[:3]


def test_the_content_of_atom_is_html_that_was_escaped_once() -> None:
    for path, content in _feeds("atom.xml").items():
        rss = etree.fromstring(published()[path.replace("atom.xml", "rss.xml")])
        bodies = [element.text for element in rss.iter(f"{CONTENT}encoded")]
        found = list(etree.fromstring(content).iter(f"{ATOM}content"))

        assert [element.text for element in found] == bodies
        assert {element.get("type") for element in found} <= {"html"}
        assert not any(len(element) for element in found)
    assert b"<![CDATA[" not in b"".join(_feeds("atom.xml").values())


def test_a_site_with_pictures_and_rights_names_them_in_every_feed_and_page() -> None:
    site = a_site(rights="© 2026 <b>Auto</b> Trendy", icon=Asset("icon.png", b"i"), logo=Asset("logo.png", b"l"))
    files = {str(file.path): file.content for file in everything(site, *a_publication())}
    channel, atom = etree.fromstring(files["topics/makers/rss.xml"])[0], etree.fromstring(files["atom.xml"])
    told = json.loads(files["issues/feed.json"])

    assert (files["icon.png"], files["logo.png"]) == (b"i", b"l")
    assert channel.findtext("copyright") == atom.findtext(f"{ATOM}rights") == "© 2026 Auto Trendy"
    assert [channel.findtext(f"image/{name}") for name in ("url", "title", "link")] == [
        f"{ROOT}icon.png",
        "Auto Trendy: Makers",
        f"{ROOT}topics/makers/",
    ]
    assert [atom.findtext(f"{ATOM}{name}") for name in ("icon", "logo")] == [f"{ROOT}icon.png", f"{ROOT}logo.png"]
    assert (told["icon"], told["favicon"]) == (f"{ROOT}icon.png", f"{ROOT}icon.png")
    assert b'<link rel="icon" type="image/png" href="../../icon.png">' in files["topics/makers/index.html"]
    assert feedcheck.check(feedcheck.at_publish(files), site, datetime(2022, 3, 1, tzinfo=UTC)) == []


def test_a_site_without_pictures_and_rights_names_none() -> None:
    for path, content in published().items():
        assert not re.search(rb'copyright>|<rights|<icon|<logo|<image>|"favicon"|rel="icon"', content), path


def test_posts_of_the_same_moment_stand_in_the_order_of_their_ids() -> None:
    library = a_library(*(a_post(f"p-{letter}") for letter in "cabd"))
    rss = next(file.content for file in feed_files(SITE, library, []) if str(file.path) == "rss.xml")

    guids = [guid.text or "" for guid in etree.fromstring(rss).iter("guid")]
    assert [guid[-1] for guid in guids] == ["d", "c", "b", "a"]


def test_every_page_names_feeds_that_are_there_each_by_a_title_of_its_own() -> None:
    for path, content in published().items():
        if path.endswith(".html"):
            links = re.findall(rb'<link rel="alternate" type="([^"]+)" title="([^"]+)" href="([^"]+)"', content)

            assert len({title for _, title, _ in links}) == len(links) >= 3, path
            assert all(href.decode().removeprefix(ROOT) in published() for _, _, href in links), path


@pytest.mark.parametrize("name", ["rss.xml", "atom.xml", "feed.json"])
def test_feeds_differ_in_title_and_address(name: str) -> None:
    polled = {path: content for path, content in _feeds(name).items() if not path.startswith("archive/")}
    titles = {re.search(rb'<title>([^<]*)|"title": "([^"]*)', content) for content in polled.values()}

    assert len({found.group() for found in titles if found}) == len(polled)
    assert all(f"{ROOT}{path}".encode() in content for path, content in polled.items())


@pytest.mark.parametrize("name", ["feed", "feed/topics/batteries", "issue-1"])
def test_an_id_of_a_feed_or_an_issue_is_never_that_of_a_post(name: str) -> None:
    library, issues = a_publication()
    post = a_post("late", id=f"tag:autotrendy.example,2022:{name}")
    (problem,) = shared_ids(SITE, feeds(SITE, a_library(*library.posts, post), issues))

    assert (problem.code, problem.file) == ("F503", "posts/2022-02-01-late.md")
    assert shared_ids(SITE, feeds(SITE, library, issues)) == []
