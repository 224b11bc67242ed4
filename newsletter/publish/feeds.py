"""RSS 2.0 and Atom 1.0 through feedgen, which is imported here and nowhere else.

feedgen 1.0 loses the relation of links, drops authors without an address, reads the clock for dates nobody
gave, and formats dates by switching the locale of the whole process. Its own extension mechanism mends that:
the hooks get the finished element and write what feedgen would get wrong. For people who open a feed in a
browser there is a style sheet, a sentence, and a real link and a byline an item, in the XHTML namespace that
feed readers skip (RSS 2.0 "Extending RSS", RFC 4287 6.4).
"""

from __future__ import annotations

from email.utils import format_datetime

from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from newsletter import words
from newsletter.model import Library, Site
from newsletter.publish.paths import ATOM_FEED, RSS_FEED
from newsletter.publish.syndication import EXPLAINED, Item, Syndication, syndicate

_XHTML = "http://www.w3.org/1999/xhtml"
_ATOM = "http://www.w3.org/2005/Atom"
_DC = "http://purl.org/dc/elements/1.1/"
_POLL_MINUTES = 60  # Miniflux waits for the largest of ttl, max-age and Expires: more would delay every post


def rss(site: Site, library: Library, *, limit: int = 50) -> bytes:
    """The feed as RSS 2.0; byte-identical for the same Posts. Dates are RFC 822 with four-digit years."""
    generator = _generator(syndicate(site, library, limit=limit), site.address_of(RSS_FEED), "application/rss+xml")
    return bytes(generator.rss_str(pretty=True))


def atom(site: Site, library: Library, *, limit: int = 50) -> bytes:
    """The feed as Atom 1.0 (RFC 4287); byte-identical for the same Posts."""
    generator = _generator(syndicate(site, library, limit=limit), site.address_of(ATOM_FEED), "application/atom+xml")
    return bytes(generator.atom_str(pretty=True))


def _generator(feed: Syndication, address: str, media_type: str) -> FeedGenerator:
    generator = FeedGenerator()
    generator.register_extension("pub", _FeedExtension, _ItemExtension)
    generator.pub.feed = feed
    generator.id(feed.id)
    generator.title(feed.title)
    generator.description(feed.tagline or feed.title)
    generator.language(feed.language)
    generator.author(name=feed.title, uri=feed.home)
    generator.generator("Newsletter")
    generator.ttl(_POLL_MINUTES)
    generator.link(href=address, rel="self", type=media_type)
    generator.link(href=feed.home, rel="alternate", type="text/html")  # last: RSS takes its <link> from here
    generator.updated(feed.updated)
    generator._FeedGenerator__rss_lastBuildDate = None  # the extension writes it, without touching the locale
    for item in feed.items:
        _add(generator, item)
    return generator


def _add(generator: FeedGenerator, item: Item) -> None:
    entry = generator.add_entry(order="append")
    entry.pub.item = item
    entry.id(item.id)  # never guid(): that would claim the id is an address
    entry.title(item.title)
    entry.link(href=item.url)  # for RSS; in Atom the extension replaces it
    entry.author(name=item.author)
    if item.reviewer:
        entry.contributor(name=item.reviewer)
    if item.summary:
        entry.summary(item.summary)
    entry.content(item.body or item.title, type="html")
    entry.category([{"term": topic} for topic in item.topics])
    entry.published(item.published)
    entry._FeedEntry__rss_pubDate = None  # as for lastBuildDate
    entry.updated(item.updated)


class _FeedExtension(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """What feedgen cannot say of a feed; `feed` is set right after registration."""

    feed: Syndication

    def extend_ns(self) -> dict[str, str]:
        return {"dc": _DC, "h": _XHTML}

    def extend_rss(self, root: etree._Element) -> etree._Element:
        channel = root[0]
        _add_text(channel, "lastBuildDate", format_datetime(self.feed.updated))
        self._explain(root, channel)
        return root

    def extend_atom(self, root: etree._Element) -> etree._Element:
        self._explain(root, root)
        return root

    def _explain(self, root: etree._Element, parent: etree._Element) -> None:
        root.addprevious(etree.ProcessingInstruction("xml-stylesheet", 'type="text/css" href="feeds/feed.css"'))
        header = etree.Element(f"{{{_XHTML}}}div")
        _add_text(header, f"{{{_XHTML}}}p", self.feed.title)
        sentence = _add_text(header, f"{{{_XHTML}}}p", f"{EXPLAINED} ")
        _add_text(sentence, f"{{{_XHTML}}}a", "What is a feed?").set("href", self.feed.about)
        parent.insert(0, header)


class _ItemExtension(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    """What feedgen cannot say of an item; `item` is set right after it was added."""

    item: Item

    def extend_rss(self, element: etree._Element) -> etree._Element:
        _add_text(element, f"{{{_DC}}}creator", self.item.author)
        if self.item.reviewer:
            _add_text(element, f"{{{_DC}}}contributor", self.item.reviewer)
        _add_text(element, "pubDate", format_datetime(self.item.published))
        _add_text(element, f"{{{_ATOM}}}updated", self.item.updated.isoformat())  # RSS has no word for it
        self._show(element)
        return element

    def extend_atom(self, element: etree._Element) -> etree._Element:
        # In memory feedgen's Atom elements have no namespace: theirs is a literal attribute of the root.
        for link in element.findall("link"):
            element.remove(link)
        etree.SubElement(element, "link", {"rel": "alternate", "type": "text/html", "href": self.item.url})
        self._show(element)
        return element

    def _show(self, element: etree._Element) -> None:
        link = etree.Element(f"{{{_XHTML}}}a", {"href": self.item.url})
        link.text = self.item.title
        byline = etree.Element(f"{{{_XHTML}}}p")
        byline.text = words.byline(self.item.author, self.item.reviewer, self.item.day)
        element.insert(0, link)
        element.insert(1, byline)


def _add_text(parent: etree._Element, tag: str, text: str) -> etree._Element:
    element = etree.SubElement(parent, tag)
    element.text = text
    return element
