"""Feeds as a source of posts: RSS 2.0 and Atom (RFC 4287).

Promises what a feed tells of each of its items; most feeds tell of the newest few only.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape, unescape

from lxml import etree

from newsletter.content.importing import addresses, moments
from newsletter.content.importing.arrival import Arrival, Byline, Home, Piece
from newsletter.content.importing.xml import Document, Element, fields, line, name, words
from newsletter.content.lines import FORBIDDEN

_XHTML = ' xmlns="http://www.w3.org/1999/xhtml"'
_BASE = "{http://www.w3.org/XML/1998/namespace}base"


def rss(document: Document) -> Iterator[Piece]:
    """The items of an RSS 2.0 feed."""
    link = ""
    begun = False
    for part in document.parts(2):
        if name(part) == "link":
            link = link or words(part)
        elif name(part) == "item":
            if not begun:
                yield Home(link, "RSS feed")
            begun = True
            yield _item(part)
    if not begun:
        yield Home(link, "RSS feed")


def _item(part: Element) -> Arrival:
    given = fields(part)
    text = {key: words(child) for key, child in given.items()}
    whole, short = text.get("content:encoded", ""), text.get("description", "")
    guid = given.get("guid")
    permanent = words(guid) if guid is not None and guid.get("isPermaLink", "true") != "false" else ""
    permanent = permanent if permanent.startswith(("https://", "http://")) else ""
    link = text.get("link", "") or permanent
    return Arrival(
        id=text.get("guid", "") or link,
        title=unescape(text.get("title", "")),
        html=whole or short,
        published=moments.written(text.get("pubDate", "")) or moments.written(text.get("dc:date", "")),
        link=link,
        author=_rss_author(text),
        topics=tuple(dict.fromkeys(words(child) for child in part if name(child) == "category" and words(child))),
        excerpt=short if whole else "",
        line=line(part),
    )


def _rss_author(text: dict[str, str]) -> Byline | None:
    """dc:creator is a name; author is an address with the name in brackets (RSS 2.0)."""
    if text.get("dc:creator"):
        return Byline(text["dc:creator"])
    address, _, rest = text.get("author", "").partition("(")
    if not address:
        return None
    shown = rest.rstrip(") ").strip()
    return Byline(shown or address.strip(), email=address.strip() if "@" in address else "")


def atom(document: Document) -> Iterator[Piece]:
    """The entries of an Atom feed."""
    base = document.root.get(_BASE, "")
    link, author, begun = "", None, False
    for part in document.parts(1):
        kind = name(part).removeprefix("atom:")
        if kind == "link" and part.get("rel", "alternate") == "alternate":
            link = link or addresses.joined(base, part.get("href", ""))
        elif kind == "author":
            author = author or _person(part)
        elif kind == "entry":
            if not begun:
                yield Home(link or base, "Atom feed")
            begun = True
            yield _entry(part, addresses.joined(base or link, part.get(_BASE, "")), author)
    if not begun:
        yield Home(link or base, "Atom feed")


def _entry(part: Element, base: str, house: Byline | None) -> Arrival:
    given = {key.removeprefix("atom:"): child for key, child in fields(part).items()}
    short = _construct(given.get("summary"))
    whole = _construct(given.get("content"))
    published = moments.written(words(given.get("published"))) or moments.written(words(given.get("updated")))
    return Arrival(
        id=words(given.get("id")),
        title=_plain(given.get("title")),
        html=whole or short,
        published=published,
        link=_alternate(part, base),
        updated=moments.written(words(given.get("updated"))),
        author=_person(given["author"]) if "author" in given else house,
        topics=_terms(part),
        excerpt=short if whole else "",
        line=line(part),
    )


def _alternate(part: Element, base: str) -> str:
    links = (child for child in part if name(child) == "atom:link" and child.get("rel", "alternate") == "alternate")
    return next((addresses.joined(base, link.get("href", "")) for link in links), "")


def _terms(part: Element) -> tuple[str, ...]:
    found = (child.get("label") or child.get("term") or "" for child in part if name(child) == "atom:category")
    return tuple(dict.fromkeys(FORBIDDEN.sub("", term).strip() for term in found if term.strip()))


def _person(part: Element) -> Byline | None:
    told = {name(child).removeprefix("atom:"): words(child) for child in part}
    return Byline(told.get("name", ""), email=told.get("email", "")) if told.get("name") else None


def _construct(part: Element | None) -> str:
    """A text construct or content (RFC 4287, 3.1 and 4.1.3) as HTML."""
    if part is None:
        return ""
    kind = part.get("type", "text")
    if kind == "xhtml":
        inside = part[0] if len(part) else part
        return (inside.text or "") + "".join(_html(child) for child in inside)
    return words(part) if kind in {"html", "text/html"} else escape(words(part), quote=False)


def _html(child: Element) -> str:
    for element in child.iter(etree.Element):
        element.tag = etree.QName(element).localname
    etree.cleanup_namespaces(child)
    return etree.tostring(child, encoding="unicode", method="html").replace(_XHTML, "")


def _plain(part: Element | None) -> str:
    """A title as plain text."""
    if part is None:
        return ""
    text = words(part)
    if part.get("type") != "html" or ("<" not in text and "&" not in text):
        return text
    root = etree.fromstring(f"<div>{text}</div>", etree.HTMLParser(no_network=True))
    return " ".join("".join(map(str, root.itertext())).split()) if root is not None else text
