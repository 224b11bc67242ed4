"""A published feed document, read back into one shape whatever its format, so that rules can be asked of it.

Nothing is repaired: a document that is not well formed raises Unreadable, and a field that is absent is empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from lxml import etree

from newsletter.publish.paths import ARCHIVE, ATOM_FEED, JSON_FEED, RSS_FEED

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
DC = "{http://purl.org/dc/elements/1.1/}"
HISTORY = "{http://purl.org/syndication/history/1.0}"
MEDIA = "{http://search.yahoo.com/mrss/}"
SOURCE = "{http://source.scripting.com/}"

Json = dict[str, Any]


class Unreadable(Exception):
    """The document is not what its name says; the first argument is why."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link with its relation."""

    rel: str
    href: str
    type: str = ""
    length: str = ""


@dataclass(frozen=True, slots=True)
class ToldItem:
    """An item as a document tells it; dates as they are written."""

    id: str
    url: str
    title: str
    summary: str
    body: str
    authors: tuple[str, ...]
    topics: tuple[str, ...]
    published: str
    updated: str
    enclosures: tuple[Link, ...]
    line: int = 0
    element: etree._Element | None = field(default=None, compare=False)
    fields: Json = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Told:
    """A document as it is told."""

    path: str
    size: int
    id: str
    title: str
    home: str
    language: str
    updated: str
    links: tuple[Link, ...]
    items: tuple[ToldItem, ...]
    archived: bool = False
    complete: bool = False
    root: etree._Element | None = field(default=None, compare=False)
    fields: Json = field(default_factory=dict, compare=False)

    @property
    def format(self) -> str:
        """`rss.xml`, `atom.xml` or `feed.json`."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        return self.path.removesuffix(self.format)

    @property
    def is_page(self) -> bool:
        """Whether it is an archived page, by where it lies."""
        return self.path.startswith(ARCHIVE)

    def linked(self, rel: str) -> list[str]:
        return [link.href for link in self.links if link.rel == rel]


def read(path: str, content: bytes) -> Told:
    """The document at this path; its file name says which format it has. Raises Unreadable."""
    readers = {RSS_FEED: _rss, ATOM_FEED: _atom, JSON_FEED: _json}
    return readers[path.rpartition("/")[2]](path, content)


def xml(content: bytes) -> etree._Element:
    """The root of an XML document. Raises Unreadable."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(content, parser=parser)
    except etree.XMLSyntaxError as fault:
        raise Unreadable(f"line {fault.lineno}: {fault.msg}") from None


def _rss(path: str, content: bytes) -> Told:
    root = xml(content)
    channel = root.find("channel")
    if root.tag != "rss" or channel is None:
        raise Unreadable("it is no RSS")
    return Told(
        path=path,
        size=len(content),
        id="",
        title=_text(channel, "title"),
        home=_text(channel, "link"),
        language=_text(channel, "language"),
        updated=_text(channel, "lastBuildDate"),
        links=tuple(_links(channel)),
        items=tuple(_rss_item(element) for element in channel.iterchildren("item")),
        archived=channel.find(f"{HISTORY}archive") is not None,
        complete=channel.find(f"{HISTORY}complete") is not None,
        root=root,
    )


def _rss_item(element: etree._Element) -> ToldItem:
    parts = _Parts(element)
    return ToldItem(
        id=parts.text("guid"),
        url=parts.text("link"),
        title=parts.text("title"),
        summary=parts.text("description"),
        body=parts.text(f"{CONTENT}encoded"),
        authors=parts.texts(f"{DC}creator"),
        topics=parts.texts("category"),
        published=parts.text("pubDate"),
        updated=parts.text(f"{ATOM}updated"),
        enclosures=tuple(
            Link("enclosure", found.get("url", ""), found.get("type", ""), found.get("length", ""))
            for found in parts.all("enclosure")
        ),
        line=_line(element),
        element=element,
    )


class _Parts:
    """The children of an element by their tags, looked at once."""

    def __init__(self, element: etree._Element) -> None:
        self._by_tag: dict[str, list[etree._Element]] = {}
        for child in element.iterchildren(etree.Element):
            self._by_tag.setdefault(str(child.tag), []).append(child)

    def all(self, tag: str) -> list[etree._Element]:
        return self._by_tag.get(tag, [])

    def texts(self, tag: str) -> tuple[str, ...]:
        return tuple(child.text or "" for child in self.all(tag))

    def text(self, tag: str) -> str:
        return next(iter(self.texts(tag)), "")


def _atom(path: str, content: bytes) -> Told:
    root = xml(content)
    if root.tag != f"{ATOM}feed":
        raise Unreadable("it is no Atom")
    links = tuple(_links(root))
    return Told(
        path=path,
        size=len(content),
        id=_text(root, f"{ATOM}id"),
        title=_text(root, f"{ATOM}title"),
        home=next((link.href for link in links if link.rel == "alternate"), ""),
        language=root.get("{http://www.w3.org/XML/1998/namespace}lang", ""),
        updated=_text(root, f"{ATOM}updated"),
        links=links,
        items=tuple(_atom_item(element) for element in root.iterchildren(f"{ATOM}entry")),
        archived=root.find(f"{HISTORY}archive") is not None,
        complete=root.find(f"{HISTORY}complete") is not None,
        root=root,
    )


def _atom_item(element: etree._Element) -> ToldItem:
    parts, links = _Parts(element), list(_links(element))
    return ToldItem(
        id=parts.text(f"{ATOM}id"),
        url=next((link.href for link in links if link.rel == "alternate"), ""),
        title=parts.text(f"{ATOM}title"),
        summary=parts.text(f"{ATOM}summary"),
        body=parts.text(f"{ATOM}content"),
        authors=tuple(author.findtext(f"{ATOM}name") or "" for author in parts.all(f"{ATOM}author")),
        topics=tuple(found.get("term", "") for found in parts.all(f"{ATOM}category")),
        published=parts.text(f"{ATOM}published"),
        updated=parts.text(f"{ATOM}updated"),
        enclosures=tuple(link for link in links if link.rel == "enclosure"),
        line=_line(element),
        element=element,
    )


def _links(element: etree._Element) -> Iterator[Link]:
    for found in element.iterchildren(f"{ATOM}link"):
        length = found.get("length", "")
        yield Link(found.get("rel", "alternate"), found.get("href", ""), found.get("type", ""), length)


def _line(element: etree._Element) -> int:
    return cast("int | None", element.sourceline) or 0


def _text(element: etree._Element, path: str) -> str:
    return element.findtext(path) or ""


def _json(path: str, content: bytes) -> Told:
    try:
        fields = json.loads(content)
    except ValueError as fault:
        raise Unreadable(str(fault)) from None
    if not isinstance(fields, dict) or not isinstance(fields.get("items"), list):
        raise Unreadable("it is no JSON Feed")
    hubs = [Link("hub", _word(hub.get("url"))) for hub in _objects(fields.get("hubs"))]
    earlier = [Link("prev-archive", _word(fields["next_url"]))] if "next_url" in fields else []
    return Told(
        path=path,
        size=len(content),
        id="",
        title=_word(fields.get("title")),
        home=_word(fields.get("home_page_url")),
        language=_word(fields.get("language")),
        updated="",
        links=(Link("self", _word(fields.get("feed_url"))), *hubs, *earlier),
        items=tuple(map(_json_item, _objects(fields["items"]))),
        fields=fields,
    )


def _json_item(fields: Json) -> ToldItem:
    return ToldItem(
        id=_word(fields.get("id")),
        url=_word(fields.get("url")),
        title=_word(fields.get("title")),
        summary=_word(fields.get("summary")),
        body=_word(fields.get("content_html")),
        authors=tuple(_word(author.get("name")) for author in _objects(fields.get("authors"))),
        topics=tuple(map(_word, fields.get("tags") or ())),
        published=_word(fields.get("date_published")),
        updated=_word(fields.get("date_modified")),
        enclosures=tuple(
            Link("enclosure", _word(a.get("url")), _word(a.get("mime_type")), _word(a.get("size_in_bytes")))
            for a in _objects(fields.get("attachments"))
        ),
        fields=fields,
    )


def _objects(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _word(value: object) -> str:
    return "" if value is None else str(value)
