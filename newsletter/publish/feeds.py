"""RSS 2.0 and Atom 1.0 through feedgen, which is imported here and nowhere else.

feedgen 1.0 loses the relation of links, drops authors without an address, reads the clock for dates nobody
gave, and formats dates by switching the locale of the whole process. Its own extension mechanism mends that:
the hooks get the finished element and write what feedgen would get wrong. For people who open a feed in a
browser there is a style sheet, a sentence, and a real link and a byline an item, in the XHTML namespace that
feed readers skip (RSS 2.0 "Extending RSS", RFC 4287 6.4).
"""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import format_datetime

from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from newsletter.publish.paths import ATOM_FEED, RSS_FEED
from newsletter.publish.syndication import Item, Media, Syndication

_XHTML = "http://www.w3.org/1999/xhtml"
_ATOM = "http://www.w3.org/2005/Atom"
_DC = "http://purl.org/dc/elements/1.1/"
_HISTORY = "http://purl.org/syndication/history/1.0"
_MEDIA = "http://search.yahoo.com/mrss/"
_NAMES = {"dc": _DC, "fh": _HISTORY, "h": _XHTML, "media": _MEDIA}
_POLL_MINUTES = 60  # Miniflux waits for the largest of ttl, max-age and Expires: more would delay every post


def rss(feed: Syndication) -> bytes:
    """The document as RSS 2.0; byte-identical for the same items. Dates are RFC 822 with four-digit years."""
    return bytes(_generator(feed, RSS_FEED, "application/rss+xml").rss_str(pretty=True))


def atom(feed: Syndication) -> bytes:
    """The document as Atom 1.0 (RFC 4287); byte-identical for the same items."""
    return bytes(_generator(feed, ATOM_FEED, "application/atom+xml").atom_str(pretty=True))


def _generator(feed: Syndication, name: str, media_type: str) -> FeedGenerator:
    generator = FeedGenerator()
    generator.register_extension("pub", _FeedExtension, _ItemExtension)
    generator.pub.feed, generator.pub.name = feed, name
    generator.id(feed.id)
    generator.title(feed.title)
    generator.description(feed.tagline or feed.title)
    generator.language(feed.language)
    generator.author(name=feed.author, uri=feed.author_url)
    generator.generator("Newsletter")
    generator.ttl(_POLL_MINUTES)
    generator.rights(feed.rights or None)
    generator.icon(feed.icon or None)
    if name == RSS_FEED and (picture := feed.icon or feed.logo):  # RSS has one; feedgen takes it for Atom's logo, too
        generator.image(picture, title=feed.title, link=feed.home)
    elif name == ATOM_FEED and feed.logo:
        generator.logo(feed.logo)
    generator.link(href=f"{feed.base}{name}", rel="self", type=media_type)
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
    entry.content(item.body, type="html")
    entry.category([{"term": topic} for topic in item.topics])
    entry.published(item.published)
    entry._FeedEntry__rss_pubDate = None  # as for lastBuildDate
    entry.updated(item.updated)


class _FeedExtension(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """What feedgen cannot say of a feed; `feed` and the file's `name` are set right after registration."""

    feed: Syndication
    name: str

    def extend_ns(self) -> dict[str, str]:
        return _NAMES

    def extend_rss(self, root: etree._Element) -> etree._Element:
        channel = root[0]
        _add_text(channel, "lastBuildDate", format_datetime(self.feed.updated))
        self._place(channel, f"{{{_ATOM}}}link")
        self._explain(root, channel)
        return root

    def extend_atom(self, root: etree._Element) -> etree._Element:
        self._place(root, "link")  # in memory feedgen's Atom elements have no namespace: theirs is an attribute
        self._explain(root, root)
        return root

    def _place(self, parent: etree._Element, link: str) -> None:
        """Where the document stands among others: its hubs (WebSub 4) and its archive (RFC 5005)."""
        for relation, address in self._relations():
            etree.SubElement(parent, link, {"rel": relation, "href": address})
        if self.feed.current:
            etree.SubElement(parent, f"{{{_HISTORY}}}archive")
        elif self.feed.whole:
            etree.SubElement(parent, f"{{{_HISTORY}}}complete")

    def _relations(self) -> Iterator[tuple[str, str]]:
        yield from (("hub", hub) for hub in self.feed.hubs)
        if self.feed.current:
            yield "current", f"{self.feed.current}{self.name}"
        if self.feed.earlier:
            yield "prev-archive", f"{self.feed.earlier}{self.name}"

    def _explain(self, root: etree._Element, parent: etree._Element) -> None:
        sheet = f"{'../' * self.feed.depth}feeds/feed.css"
        root.addprevious(etree.ProcessingInstruction("xml-stylesheet", f'type="text/css" href="{sheet}"'))
        header = etree.Element(f"{{{_XHTML}}}div")
        _add_text(header, f"{{{_XHTML}}}p", self.feed.title)
        sentence = _add_text(header, f"{{{_XHTML}}}p", f"{self.feed.explained} ")
        _add_text(sentence, f"{{{_XHTML}}}a", self.feed.question).set("href", self.feed.about)
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
        if media := self.item.media:
            etree.SubElement(element, "enclosure", {"url": media.url, "length": str(media.length), "type": media.type})
            _picture(element, media)
        self._show(element)
        return element

    def extend_atom(self, element: etree._Element) -> etree._Element:
        for link in element.findall("link"):
            element.remove(link)
        etree.SubElement(element, "link", {"rel": "alternate", "type": "text/html", "href": self.item.url})
        if media := self.item.media:
            # RFC 4287 4.2.7.6: a length is a hint, so that an unknown one is left out
            length = {"length": str(media.length)} if media.length else {}
            etree.SubElement(element, "link", {"rel": "enclosure", "type": media.type, **length, "href": media.url})
            _picture(element, media)
        self._show(element)
        return element

    def _show(self, element: etree._Element) -> None:
        link = etree.Element(f"{{{_XHTML}}}a", {"href": self.item.url})
        link.text = self.item.title
        byline = etree.Element(f"{{{_XHTML}}}p")
        byline.text = self.item.byline
        element.insert(0, link)
        element.insert(1, byline)


def _picture(element: etree._Element, media: Media) -> None:
    """As Media RSS 1.5.1, which readers take for the picture of a list."""
    size = {"fileSize": str(media.length)} if media.length else {}
    attributes = {"url": media.url, "medium": "image", "type": media.type, **size}
    content = etree.SubElement(element, f"{{{_MEDIA}}}content", attributes)
    if media.alt:
        _add_text(content, f"{{{_MEDIA}}}description", media.alt).set("type", "plain")
    etree.SubElement(element, f"{{{_MEDIA}}}thumbnail", {"url": media.url})


def _add_text(parent: etree._Element, tag: str, text: str) -> etree._Element:
    element = etree.SubElement(parent, tag)
    element.text = text
    return element
