"""The Link header of feeds: a subscriber finds the hub without reading the document."""

from __future__ import annotations

import pytest

from newsletter.web.links import link_header
from tests.builders import a_site

HUBS = ("https://hub.example/", "https://other.example/push?x=1")


@pytest.mark.parametrize("path", ["rss.xml", "atom.xml", "feed.json", "topics/batteries/rss.xml"])
def test_a_feed_names_its_hubs_and_itself_once(path: str) -> None:
    assert link_header(a_site(hubs=HUBS, url="https://host.example/blog"), path) == (
        '<https://hub.example/>; rel="hub", <https://other.example/push?x=1>; rel="hub", '
        f'<https://host.example/blog/{path}>; rel="self"'
    )


@pytest.mark.parametrize("path", ["index.html", "posts/x/index.html", "archive/1/rss.xml", "feeds.opml"])
def test_what_is_not_polled_names_none(path: str) -> None:
    assert link_header(a_site(hubs=HUBS), path) == ""


def test_a_site_without_hubs_names_none() -> None:
    assert link_header(a_site(), "rss.xml") == ""
