"""A feed that was published once answers for ever: led on, or empty in its place."""

from __future__ import annotations

from datetime import UTC, datetime

import feedparser

from newsletter.model import Chain, Library, Recipe
from newsletter.publish import feedcheck, kept, redirects
from newsletter.publish.catalogue import documents, feeds
from newsletter.publish.redirects import Redirect
from tests.builders import a_library, a_post, a_site

SITE = a_site()
ROOT = f"{SITE.url}/"
NOW = datetime(2022, 3, 1, tzinfo=UTC)
TRUCK, VAN = a_post("truck", topics=("Trucks",)), a_post("van", topics=("Vans",), day=datetime(2022, 2, 2, tzinfo=UTC))


def _own(library: Library) -> dict[str, Recipe]:
    return {str(d.path): Recipe(d.path, d.key, d.render) for d in documents(SITE, library, ())}


def _led(library: Library, known: dict[str, str]) -> tuple[kept.Kept, dict[str, bytes]]:
    """What these lines keep, and every feed document of the site."""
    own = _own(library)
    moved, problems = redirects.resolve(SITE, library, known)
    assert problems == []
    found = kept.kept(moved, SITE, library, own)
    whole = [*own.values(), *kept.recipes(found, SITE, own)]
    return found, {str(recipe.path): recipe.make() for recipe in whole}


def test_a_line_is_written_for_each_folder_that_lost_its_feeds() -> None:
    before = {"", "issues/", "topics/vans/", "topics/trucks/", "chains/van/", "authors/ada/", "takes/", "archive/1/"}
    known = {"/authors/ada/": "/authors/eve/"}

    assert kept.lines(before, {"", "issues/", "topics/trucks/"}, known) == {
        "/topics/vans/": "/posts/",
        "/chains/van/": "van",
        "/takes/": "/posts/",
    }


def test_a_topic_that_lost_its_last_post_keeps_an_empty_feed_of_the_same_id() -> None:
    (had,) = (feed for feed in feeds(SITE, a_library(VAN), ()) if feed.heading.folder == "topics/vans/")
    found, files = _led(a_library(TRUCK), {"/topics/vans/": "/posts/"})

    parsed = feedparser.parse(files["topics/vans/atom.xml"])
    assert (parsed.bozo, parsed.entries, parsed.feed.id) == (False, [], had.heading.id)
    assert parsed.feed.title == "Auto Trendy: vans"
    assert b"complete" not in files["topics/vans/rss.xml"]  # a reader must not throw away what it has
    assert found.moved == ()
    assert feedcheck.check(files, SITE, NOW) == []


def test_a_topic_that_was_renamed_is_led_on_with_its_feeds() -> None:
    found, files = _led(a_library(TRUCK), {"/topics/vans/": "/topics/trucks/"})

    assert Redirect("topics/vans/atom.xml", f"{ROOT}topics/trucks/atom.xml") in found.moved
    assert len(found.moved) == 3
    assert files["topics/vans/rss.xml"] == files["topics/trucks/rss.xml"]
    assert feedcheck.check(files, SITE, NOW) == []


def test_a_story_is_found_where_it_went_when_its_first_post_changed() -> None:
    chain = Chain((TRUCK.id, VAN.id))
    library = a_library(TRUCK, VAN, chains={TRUCK.id: chain, VAN.id: chain})
    found, files = _led(library, {"/chains/van/": "van", "/chains/old/": "old", "/posts/old/": "truck"})

    assert {one.target for one in found.moved} == {
        f"{ROOT}chains/truck/{name}" for name in ("rss.xml", "atom.xml", "feed.json")
    }
    assert {"chains/van/rss.xml", "chains/old/feed.json"} <= files.keys()
    assert feedcheck.check(files, SITE, NOW) == []


def test_a_story_of_one_post_alone_keeps_the_id_of_its_feed() -> None:
    chain = Chain((TRUCK.id, VAN.id))
    before = feeds(SITE, a_library(TRUCK, VAN, chains={TRUCK.id: chain, VAN.id: chain}), ())
    _, files = _led(a_library(TRUCK, VAN), {"/chains/truck/": "truck"})

    assert feedparser.parse(files["chains/truck/atom.xml"]).feed.id == before[-1].heading.id


def test_a_feed_that_stands_is_never_covered() -> None:
    own = _own(a_library(VAN))
    moved = [Redirect("topics/vans/", f"{ROOT}posts/"), Redirect("old/page/", f"{ROOT}posts/")]

    assert kept.kept(moved, SITE, a_library(VAN), own) == kept.Kept()


def test_the_feed_of_another_program_is_led_on_and_copied() -> None:
    lines = {"/feed.xml": "/rss.xml", "/blog/atom%C3%A9.atom": "/atom.xml", "/feed/": "/rss.xml", "/x.xml": "/posts/"}
    found, files = _led(a_library(TRUCK), {**lines, "/.x/feed.xml": "/rss.xml", "/x/../feed.xml": "/rss.xml"})

    assert [one.path for one in found.old] == ["blog/atom%C3%A9.atom", "feed.xml"]
    assert files["feed.xml"] == files["rss.xml"]
    assert files["blog/atomé.atom"] == files["atom.xml"]
    assert not {"feed/", "x.xml"} & files.keys()


def test_a_copy_that_is_no_longer_one_is_told() -> None:
    _, files = _led(a_library(TRUCK), {"/topics/vans/": "/topics/trucks/"})
    files["topics/vans/rss.xml"] = files["topics/vans/rss.xml"].replace(b"The text", b"Other text")

    assert {problem.code for problem in feedcheck.check(files, SITE, NOW)} >= {"F520", "F543"}
