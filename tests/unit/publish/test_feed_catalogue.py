"""Which feeds there are, what is in each, and that pages of the archive stay as they are."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from newsletter.errors import stops
from newsletter.model import Asset, Issue, IssueState, Judgement, Library, Picture, Post, Site, Take, Variant
from newsletter.publish import discovery, feedcheck
from newsletter.publish.around import around_all
from newsletter.publish.catalogue import documents, feeds
from newsletter.publish.feedread import read
from tests.builders import a_library, a_post, a_site, a_slot, an_issue, feed_files
from tests.unit.publish.example import PIXEL, a_publication, everything, with_picture

START = datetime(2021, 1, 1, tzinfo=UTC)
NOW = datetime(2023, 1, 1, tzinfo=UTC)


def _files(library: Library, issues: list[Issue] | None = None, site: Site | None = None) -> dict[str, bytes]:
    return {str(file.path): file.content for file in feed_files(site or a_site(), library, issues or [])}


def _ids(files: dict[str, bytes], path: str) -> list[str]:
    return [item.id for item in read(path, files[path]).items]


def _slugs(files: dict[str, bytes], path: str) -> list[str]:
    return [found.rpartition(":")[2] for found in _ids(files, path)]


def _many(count: int, **changes: Any) -> Library:
    return a_library(*(a_post(f"p{n:03}", day=START + timedelta(days=n), **changes) for n in range(count)))


def _edited(library: Library, which: str, /, **changes: Any) -> Library:
    posts = (replace(post, **changes) if post.slug == which else post for post in library.posts)
    return a_library(*posts, backlinks=library.backlinks, chains=library.chains)


def test_everything_issues_topics_authors_and_stories_have_feeds_in_three_formats() -> None:
    folders = ["", "issues/", "topics/batteries/", "topics/makers/", "authors/news-desk/", "chains/reading-the-label/"]
    files = _files(*a_publication())

    assert list(files) == [f"{f}{n}" for f in folders for n in ("rss.xml", "atom.xml", "feed.json")] + ["feeds.opml"]


def test_each_feed_holds_its_own_posts_newest_first() -> None:
    files = _files(*a_publication())

    assert len(_slugs(files, "topics/batteries/rss.xml")) == 7
    assert _slugs(files, "topics/makers/rss.xml") == ["renault-nissan-mitsubishi-alliance"]
    assert _slugs(files, "chains/reading-the-label/atom.xml") == [
        "renault-nissan-mitsubishi-alliance",
        "all-solid-state-batteries",
        "reading-the-label",
    ]
    assert _ids(files, "authors/news-desk/feed.json") == _ids(files, "rss.xml")


def test_a_post_is_the_same_in_every_feed() -> None:
    files = _files(*a_publication())
    told = [item for path in files if path.endswith("feed.json") for item in json.loads(files[path])["items"]]

    for item in told:
        assert [other for other in told if other["id"] == item["id"]].count(item) == sum(
            other["id"] == item["id"] for other in told
        )


def test_an_issue_is_an_item_with_its_stories() -> None:
    files = _files(*a_publication())
    items = json.loads(files["issues/feed.json"])["items"]

    assert [(item["id"], item["url"]) for item in items] == [
        (f"tag:autotrendy.example,2022:issue-{n}", f"https://autotrendy.example/issues/{n}/") for n in (2, 1)
    ]
    assert items[0]["title"] == "Issue 2: The Renault-Nissan-Mitsubishi Alliance, from start to future"
    assert items[0]["tags"] == ["Batteries", "Makers"]
    assert (
        '<h2><a href="https://autotrendy.example/posts/a-correction/">What we got wrong about labels</a></h2>'
        in items[0]["content_html"]
    )


def test_a_story_that_is_no_longer_public_has_no_link() -> None:
    library, issues = a_publication()
    without = a_library(*(post for post in library.posts if post.slug != "a-correction"))
    body = json.loads(_files(without, issues)["issues/feed.json"])["items"][0]["content_html"]

    assert "<h2>What we got wrong about labels</h2>" in body
    assert "a-correction" not in body


@pytest.mark.parametrize("state", [s for s in IssueState if not s.public and s is not IssueState.READY])
def test_an_issue_that_readers_must_not_see_is_in_no_feed(state: IssueState) -> None:
    post = a_post()

    assert _ids(_files(a_library(post), [an_issue(1, post, state=state)]), "issues/rss.xml") == []


def test_an_issue_sent_before_its_slot_is_not_dated_in_the_future() -> None:
    sent, slot = datetime(2022, 2, 9, 12, tzinfo=UTC), a_slot(due=datetime(2022, 2, 11, 7, tzinfo=UTC))
    issue = an_issue(1, a_post(), slot=slot, send_at=sent, started_at=sent + timedelta(seconds=4))

    item = json.loads(_files(a_library(a_post()), [issue])["issues/feed.json"])["items"][0]
    assert item["date_published"] == sent.isoformat()
    assert item["date_modified"] == sent.isoformat()


def test_empty_feeds_are_valid_and_have_no_items() -> None:
    files = _files(a_library())

    assert [path for path in files if path.endswith("rss.xml")] == ["rss.xml", "issues/rss.xml"]
    assert feedcheck.check(files, a_site(), NOW) == []
    for path in ("rss.xml", "issues/atom.xml"):
        parsed = feedparser.parse(files[path])
        assert not parsed.bozo
        assert parsed.entries == []


def test_topics_that_differ_in_capitals_are_one_feed_called_as_most_posts_spell_it() -> None:
    posts = [a_post(f"p{n}", topics=(topic,)) for n, topic in enumerate(("EV", "ev", "EV"))]
    found = [feed for feed in feeds(a_site(), a_library(*posts), []) if feed.kind == "topics"]

    assert [(feed.heading.title, feed.count) for feed in found] == [("Auto Trendy: EV", 3)]


def test_topics_that_differ_in_symbols_are_feeds_of_their_own() -> None:
    posts = [a_post(f"p{n}", topics=(topic,)) for n, topic in enumerate(("C", "C++", "C#"))]
    found = [feed.heading.folder for feed in feeds(a_site(), a_library(*posts), []) if feed.kind == "topics"]

    assert found == ["topics/c/", "topics/cplusplus/", "topics/csharp/"]


def test_ids_survive_another_slug_another_domain_and_an_edit() -> None:
    library, issues = a_publication()
    edited = _edited(library, "reading-the-label", slug="labels", title="Labels", html="<p>New.</p>")
    before = _files(library, issues)
    after = _files(edited, issues, a_site(url="https://elsewhere.example/blog"))

    assert _ids(before, "rss.xml") == _ids(after, "rss.xml")
    assert _ids(before, "issues/rss.xml") == _ids(after, "issues/rss.xml")
    for path, moved in (("atom.xml", "atom.xml"), ("chains/reading-the-label/atom.xml", "chains/labels/atom.xml")):
        assert read(path, before[path]).id == read(moved, after[moved]).id


def test_only_what_changed_is_dated_anew() -> None:
    library, issues = a_publication()
    later = datetime(2022, 6, 1, tzinfo=UTC)
    before, after = _files(library, issues), _files(_edited(library, "how-to-follow", updated=later), issues)
    old, new = (read("feed.json", files["feed.json"]).items for files in (before, after))
    changed = {(now.id, now.updated) for was, now in zip(old, new, strict=True) if was.updated != now.updated}

    assert changed == {("tag:autotrendy.example,2022:how-to-follow", later.isoformat())}
    assert read("atom.xml", after["atom.xml"]).updated == later.isoformat()


def test_a_site_without_a_dated_authority_still_has_ids_that_are_uris() -> None:
    library, issues = a_publication()
    site = a_site(authority="autotrendy.example")
    files = _files(library, issues, site)

    assert read("atom.xml", files["atom.xml"]).id.startswith("urn:uuid:")
    assert feedcheck.check(files, site, NOW) == []


def test_no_page_is_needed_while_everything_fits() -> None:
    files = _files(_many(50))

    assert not any(path.startswith("archive/") for path in files)
    assert read("rss.xml", files["rss.xml"]).complete
    assert read("atom.xml", files["atom.xml"]).complete
    assert "next_url" not in json.loads(files["feed.json"])


def test_pages_are_numbered_from_the_oldest() -> None:
    files = _files(_many(120))

    assert sorted(p for p in files if p.endswith("rss.xml") and "archive" in p) == [
        "archive/1/rss.xml",
        "archive/2/rss.xml",
    ]
    assert _slugs(files, "archive/1/rss.xml") == [f"p{n:03}" for n in reversed(range(50))]
    assert _slugs(files, "archive/2/atom.xml") == [f"p{n:03}" for n in reversed(range(50, 100))]
    assert not read("rss.xml", files["rss.xml"]).complete


@pytest.mark.parametrize("name", ["rss.xml", "atom.xml", "feed.json"])
@pytest.mark.parametrize("count", [51, 99, 100, 101, 230])
def test_every_post_is_reached_by_going_back_from_the_polled_document(name: str, count: int) -> None:
    library = _many(count)
    files = _files(library)
    path, reached = name, set[str]()
    while path:
        document = read(path, files[path])
        reached |= {item.id for item in document.items}
        earlier = document.linked("prev-archive")
        path = earlier[0].removeprefix("https://autotrendy.example/") if earlier else ""

    assert reached == {post.id for post in library.posts}


def test_posts_too_large_for_the_polled_document_are_on_a_page() -> None:
    library = _many(30, html="<p>&amp; ü</p>" * 4000)
    files = _files(library)
    polled = _ids(files, "rss.xml")

    assert 1 <= len(polled) < 30
    assert set(polled) | set(_ids(files, "archive/1/rss.xml")) == {post.id for post in library.posts}
    assert all(len(files[path]) < 512_000 for path in ("rss.xml", "atom.xml", "feed.json"))


def test_a_new_post_changes_no_page_that_was_there() -> None:
    before, after = _files(_many(149)), _files(_many(150))
    pages = {path for path in before if path.startswith("archive/")}

    assert len(pages) == 6
    assert all(before[path] == after[path] for path in pages)
    assert before["rss.xml"] != after["rss.xml"]


def test_an_edit_changes_the_one_page_that_the_post_is_on() -> None:
    library = _many(160)
    before, after = _files(library), _files(_edited(library, "p060", html="<p>New.</p>"))
    changed = {path for path in before if path.startswith("archive/") and before[path] != after[path]}

    assert changed == {"archive/2/rss.xml", "archive/2/atom.xml", "archive/2/feed.json"}


def test_pages_lead_back_and_to_the_current_feed_and_never_forward() -> None:
    files = _files(_many(120))
    second, polled = (read(path, files[path]) for path in ("archive/2/atom.xml", "atom.xml"))

    assert second.archived
    assert not polled.archived
    assert second.linked("prev-archive") == ["https://autotrendy.example/archive/1/atom.xml"]
    assert second.linked("current") == ["https://autotrendy.example/atom.xml"]
    assert second.linked("self") == ["https://autotrendy.example/archive/2/atom.xml"]
    assert second.linked("next-archive") == []
    assert [link.rel for link in polled.links if "archive" in link.rel or link.rel == "current"] == ["prev-archive"]
    assert second.id == polled.id
    assert json.loads(files["feed.json"])["next_url"] == "https://autotrendy.example/archive/2/feed.json"


def test_hubs_are_named_in_every_polled_document_and_in_no_page() -> None:
    hub = "https://hub.example/push?x=1"
    files = _files(_many(60), site=a_site(hubs=(hub,)))

    for path in files.keys() - {"feeds.opml"}:
        assert read(path, files[path]).linked("hub") == ([] if path.startswith("archive/") else [hub])


def test_the_picture_of_a_post_is_enclosed_with_length_and_type() -> None:
    library, issues = a_publication()
    slug = library.posts[0].slug
    files = _files(with_picture(library, slug), issues)
    url = f"https://autotrendy.example/posts/{slug}/car.png"

    for name in ("rss.xml", "atom.xml", "feed.json"):
        found = read(name, files[name]).items[0].enclosures
        assert [(e.href, e.type, e.length) for e in found] == [(url, "image/png", str(len(PIXEL)))]
    parsed = feedparser.parse(files["rss.xml"]).entries[0]
    assert parsed.media_content[0]["url"] == url
    assert parsed.media_content[0]["medium"] == "image"
    assert parsed.media_thumbnail == [{"url": url}]
    assert json.loads(files["feed.json"])["items"][0]["image"] == url
    assert feedcheck.check(files, a_site(), NOW) == []


def test_a_picture_in_several_widths_is_enclosed_in_the_one_that_is_shown() -> None:
    variants = tuple(Variant(f"car-{width}-ab.jpg", width, 9, b"x" * width) for width in (536, 1072, 1600))
    page = "https://autotrendy.example/posts/x/"
    post = a_post(
        "x", image=f"{page}car.webp", image_alt="A car", assets=(Asset("car.webp", b"w"),),
        pictures=(Picture("car.webp", variants),),
    )  # fmt: skip
    item = read("rss.xml", _files(a_library(post))["rss.xml"]).items[0]

    assert [(e.href, e.type, e.length) for e in item.enclosures] == [(f"{page}car-1072-ab.jpg", "image/jpeg", "1072")]
    assert f'<img src="{page}car-1072-ab.jpg" alt="A car"' in item.body


def test_a_picture_of_another_host_has_no_known_length() -> None:
    post = a_post("x", image="https://pictures.example/car.webp?w=9", image_alt="A car")
    files = _files(a_library(post))

    assert [e.length for e in read("rss.xml", files["rss.xml"]).items[0].enclosures] == ["0"]
    assert [e.length for e in read("atom.xml", files["atom.xml"]).items[0].enclosures] == [""]
    assert "size_in_bytes" not in json.loads(files["feed.json"])["items"][0]["attachments"][0]
    assert feedcheck.check(files, a_site(), NOW) == []


def test_the_list_of_feeds_names_each_once() -> None:
    files = _files(*a_publication())
    outlines = [dict(found.attrib) for found in etree.fromstring(files["feeds.opml"]).iter("outline")]
    listed = [found for found in outlines if "xmlUrl" in found]

    assert [found["xmlUrl"].removeprefix("https://autotrendy.example/") for found in listed] == [
        path for path in files if path.endswith("rss.xml")
    ]
    assert {found["type"] for found in listed} == {"rss"}
    assert all(found["text"] and found["htmlUrl"] for found in listed)
    assert [found["text"] for found in outlines if "xmlUrl" not in found] == ["Topics", "Authors", "Stories"]


def test_a_post_that_is_not_public_is_in_no_feed_and_makes_none() -> None:
    library, issues = a_publication()
    chain = next(iter(library.chains.values()))
    left = tuple(post for post in library.posts if post.id != chain.posts[-1])
    files = _files(replace(library, posts=left), issues)
    secret = "renault-nissan-mitsubishi-alliance"

    assert "topics/makers/rss.xml" not in files
    assert not any(secret in content.decode() for content in files.values())


def test_a_story_of_posts_that_are_not_public_has_no_feed() -> None:
    library, _ = a_publication()
    chain = next(iter(library.chains.values()))
    left = tuple(post for post in library.posts if post.id not in chain.posts)

    assert not any(path.startswith("chains/") for path in _files(replace(library, posts=left)))


def test_takes_held_to_account_have_a_feed_with_promise_and_verdict() -> None:
    promise = a_post("promise", take=Take("<p>Soon.</p>", "Soon.", date(2023, 1, 1)))
    verdict = a_post("verdict", day=datetime(2023, 1, 2, tzinfo=UTC), judgement=Judgement.WRONG, take=None)
    files = _files(a_library(promise, verdict, a_post("other")))

    assert _slugs(files, "takes/rss.xml") == _slugs(files, "takes/feed.json") == ["verdict", "promise"]
    assert "takes/rss.xml" not in _files(a_library(a_post("other")))


def test_each_feed_belongs_to_a_page() -> None:
    library, issues = a_publication()
    published = {str(file.path) for file in everything(a_site(), library, issues)}

    for feed in feeds(a_site(), library, issues):
        assert f"{feed.heading.home}index.html" in published


def test_a_page_names_the_feed_of_its_story_in_three_formats() -> None:
    library, _ = a_publication()
    around = around_all(library)
    files = _files(library)
    post = library.posts[0]
    named = discovery.of_story(a_site(), post, around[post.id])

    assert [found.type for found in named] == ["application/rss+xml", "application/atom+xml", "application/feed+json"]
    assert all(found.href.removeprefix("https://autotrendy.example/") in files for found in named)
    assert len({found.title for found in named}) == 3
    alone = next(post for post in library.posts if post.slug == "how-to-follow")
    assert discovery.of_story(a_site(), alone, around[alone.id]) == ()


def _keys(library: Library, issues: list[Issue], site: Site) -> dict[str, tuple[str, bytes]]:
    return {str(found.path): (found.key, found.render()) for found in documents(site, library, issues)}


CHANGES: dict[str, Any] = {
    "slug": "renamed",
    "title": "Another title",
    "summary": "Another summary.",
    "updated": datetime(2022, 7, 1, tzinfo=UTC),
    "published": datetime(2022, 2, 2, tzinfo=UTC),
    "topics": ("Makers",),
    "reviewer": None,
    "image": "https://pictures.example/a.png",
    "image_alt": "Words",
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("slug", ["reading-the-label", "all-solid-state-batteries", "how-to-follow"])
def test_documents_with_the_same_key_have_the_same_bytes(name: str, slug: str) -> None:
    library, issues = a_publication()
    before = _keys(library, issues, a_site())
    after = _keys(_edited(library, slug, **{name: CHANGES[name]}), issues, a_site())

    for path in before.keys() & after.keys():
        assert before[path][0] != after[path][0] or before[path][1] == after[path][1], path


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "T"},
        {"url": "https://x.example"},
        {"tagline": "T"},
        {"take_label": "T"},
        {"hubs": ("https://hub.example/",)},
        {"language": "es"},
    ],
)
def test_a_site_that_changes_makes_other_keys(changes: dict[str, Any]) -> None:
    library, issues = a_publication()
    before, after = _keys(library, issues, a_site()), _keys(library, issues, a_site(**changes))

    for path in before.keys() & after.keys():
        assert before[path][0] != after[path][0] or before[path][1] == after[path][1], path


def test_a_new_text_makes_another_key() -> None:
    library, issues = a_publication()
    edited = _edited(library, "how-to-follow", html="<p>New.</p>", content_hash="sha256:new")
    before, after = _keys(library, issues, a_site()), _keys(edited, issues, a_site())

    assert before["rss.xml"][0] != after["rss.xml"][0]
    assert before["chains/reading-the-label/rss.xml"] == after["chains/reading-the-label/rss.xml"]


@settings(deadline=None, max_examples=15)
@given(st.randoms(use_true_random=False))
def test_shuffled_posts_and_issues_give_equal_bytes(chance: random.Random) -> None:
    library, issues = a_publication()
    expected = _files(library, issues)
    posts, shuffled = list(library.posts), list(issues)
    chance.shuffle(posts)
    chance.shuffle(shuffled)

    assert _files(replace(library, posts=tuple(posts)), shuffled) == expected


WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)


@settings(deadline=None, max_examples=40)
@given(title=WORDS, topic=WORDS, name=WORDS)
def test_whatever_a_post_is_called_its_feeds_break_no_rule(title: str, topic: str, name: str) -> None:
    post: Post = a_post(title=f"T{title}", topics=(f"x{topic}",), summary=f"S {name}")
    files = _files(a_library(post))

    assert stops(feedcheck.check(files, a_site(), NOW)) == ()
