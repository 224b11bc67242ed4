"""OPML 2.0 (opml.org/spec2.opml): one file that takes every feed of the site into a feed reader.

Each feed stands in it once, as RSS, which every reader reads: three formats of one feed would be subscribed to
three times. Topics, authors and stories are folders.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from lxml import etree

from newsletter.model import Site
from newsletter.publish.paths import RSS_FEED
from newsletter.publish.syndication import Heading, clean
from newsletter.tongue import tongue_of


def feed_list(site: Site, feeds: Iterable[tuple[str, Heading]]) -> bytes:
    """The list of feeds, given as (kind, heading) in their order; byte-identical for the same feeds."""
    tongue = tongue_of(site)
    folders = {"topics": tongue.say("Topics"), "authors": tongue.say("Authors"), "chains": tongue.say("Stories")}
    root = etree.Element("opml", version="2.0")
    title = tongue.titled(site.title, tongue.say("all feeds"))
    etree.SubElement(etree.SubElement(root, "head"), "title").text = clean(title)
    body = etree.SubElement(root, "body")
    for kind, group in groupby(feeds, lambda pair: pair[0]):
        name = folders.get(kind)
        parent = etree.SubElement(body, "outline", text=name) if name else body
        for _, heading in group:
            _outline(parent, site, heading)
    return bytes(etree.tostring(root, pretty_print=True, encoding="UTF-8", xml_declaration=True))


def _outline(parent: etree._Element, site: Site, heading: Heading) -> None:
    etree.SubElement(
        parent,
        "outline",
        type="rss",
        text=clean(heading.title),
        title=clean(heading.title),
        description=clean(heading.tagline),
        xmlUrl=site.address_of(f"{heading.folder}{RSS_FEED}"),
        htmlUrl=site.address_of(heading.home),
    )
