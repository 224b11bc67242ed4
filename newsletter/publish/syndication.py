"""What the three formats of a feed have in common: the same items, ids, order, dates, titles and bodies.

The words *entry* and *item* of RFC 4287 and JSON Feed live in the feed modules and nowhere else. Text is
cleaned of what XML 1.0 cannot hold, so that no Post can break a feed; `items` makes the items.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from newsletter.model import Site
from newsletter.publish.paths import FEEDS
from newsletter.tongue import tongue_of

LIMIT = 50  # items of a polled document, and of an archived page
_BODY_BUDGET = 470_000  # octets of all bodies as XML writes them, so that a document stays under 512 kB
_NOTHING_YET = datetime(1970, 1, 1, tzinfo=UTC)  # RFC 4287 4.2.15 wants a date even of an empty feed
_NAMES = (
    "a abbr b big br center cite code del div em font h[1-6] hr i img ins kbd li mark ol p pre q s script small span "
    "strike strong style sub sup table td th title tr tt u ul var wbr"
)
TAG = re.compile(rf"</?(?:{_NAMES.replace(' ', '|')})(?:\s[^<>=]*=[^<>]*|\s*/?)>", re.IGNORECASE)
_NOT_XML = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Media:
    """A picture that belongs to an item."""

    url: str
    type: str
    length: int  # octets; 0 when it lies on another host
    alt: str


@dataclass(frozen=True, slots=True)
class Item:
    """One Post or Issue as every feed format tells it."""

    id: str
    url: str
    title: str
    author: str
    reviewer: str  # empty when nobody reviewed it
    published: datetime
    byline: str  # for people: by whom, and the day on the site's clock
    updated: datetime
    topics: tuple[str, ...]
    summary: str
    body: str  # HTML, every URL absolute
    media: Media | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """What a feed is called, and where it and the page that it belongs to lie below the web root."""

    id: str
    title: str
    tagline: str
    folder: str = ""
    home: str = ""


@dataclass(frozen=True, slots=True)
class Syndication:
    """One document of a feed before it has a format; `updated` is the newest change among its items.

    Addresses of feeds stand without the file name, which is the format's. An archived page (RFC 5005 4) has a
    `current`; `earlier` leads from a polled document to the newest page, and from each page to the one before.
    """

    id: str
    title: str
    tagline: str
    language: str
    author: str
    author_url: str
    home: str
    about: str  # the page that explains feeds to people
    explained: str  # what a feed is, to people who open one in a browser
    question: str  # what the way to that page is called
    base: str
    depth: int  # folders between the document and the web root
    updated: datetime
    items: tuple[Item, ...]
    hubs: tuple[str, ...] = ()
    whole: bool = False  # these items are all there are (RFC 5005 2)
    current: str = ""
    earlier: str = ""
    rights: str = ""
    icon: str = ""  # addresses of pictures: square, and twice as wide as high
    logo: str = ""


def syndicate(
    site: Site,
    heading: Heading,
    items: Sequence[Item],
    *,
    whole: bool = True,
    place: str | None = None,
    earlier: str = "",
) -> Syndication:
    """One document of these items, newest first. `place` is the folder of an archived page, `earlier` the one before.

    `whole` says that there are no other items anywhere.
    """
    folder, say = heading.folder if place is None else place, tongue_of(site).say
    return Syndication(
        id=heading.id,
        title=plain(heading.title),
        tagline=plain(heading.tagline),
        language=site.language,
        author=clean(site.title),
        author_url=site.address_of(""),
        home=site.address_of(heading.home),
        about=site.address_of(FEEDS),
        explained=say("This is a feed. Copy this page's address into a feed reader, and new posts come to you."),
        question=say("What is a feed?"),
        base=site.address_of(folder),
        depth=folder.count("/"),
        updated=max((item.updated for item in items), default=_NOTHING_YET),
        items=tuple(items),
        hubs=site.hubs if place is None else (),
        whole=whole,
        current="" if place is None else site.address_of(heading.folder),
        earlier=site.address_of(earlier) if earlier else "",
        rights=plain(site.rights),
        icon=site.address_of(site.icon.name) if site.icon else "",
        logo=site.address_of(site.logo.name) if site.logo else "",
    )


def within_budget(items: Iterable[Item]) -> Iterator[Item]:
    """The first items, as many as keep a document under 512 kB; never less than one."""
    spent = 0
    for item in items:
        size = len(item.body.encode()) + 4 * item.body.count("&") + 3 * (item.body.count("<") + item.body.count(">"))
        if spent and spent + size > _BODY_BUDGET:
            return
        spent += size
        yield item


def clean(text: str) -> str:
    """The text without characters that XML 1.0 forbids or that no reader can show (C0, C1, surrogates)."""
    return _NOT_XML.sub("", text)


def plain(text: str) -> str:
    """Clean text without HTML tags: many readers take a title or summary for HTML, and the W3C warns of it."""
    return " ".join(TAG.sub("", clean(text)).split())


def minted(site: Site, name: str) -> str:
    """The lasting id of what is no Post: a tag: URI (RFC 4151), or a URN where the authority has no date."""
    if "," in site.authority:
        return f"tag:{site.authority}:{name}"
    return uuid.uuid5(uuid.NAMESPACE_DNS, f"{site.authority}/{name}").urn
