"""What the three feeds have in common: the same items, ids, order, dates, titles and bodies.

The words *entry* and *item* of RFC 4287 and JSON Feed live in the feed modules and nowhere else. Bodies are
whole articles that stand alone in an aggregator: the image, the text, the take as a quotation (readers strip
classes, so its label is in words) and "Earlier in this story" as the last paragraph. Text is cleaned of what
XML 1.0 cannot hold, so that no Post can break a feed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from newsletter import words
from newsletter.model import Library, Post, Site
from newsletter.publish.around import Around, around_all, newest_first
from newsletter.publish.paths import FEEDS, post_path

EXPLAINED = "This is a feed. Copy this page's address into a feed reader, and new posts come to you."

_BODY_BUDGET = 470_000  # octets of all bodies as XML writes them, so that a document stays under 512 kB
_NOTHING_YET = datetime(1970, 1, 1, tzinfo=UTC)  # RFC 4287 4.2.15 wants a date even of an empty feed
_NAMES = (
    "a abbr b big br center cite code del div em font h[1-6] hr i img ins kbd li mark ol p pre q s script small span "
    "strike strong style sub sup table td th title tr tt u ul var wbr"
)
_TAG = re.compile(rf"</?(?:{_NAMES.replace(' ', '|')})(?:\s[^<>=]*=[^<>]*|\s*/?)>", re.IGNORECASE)
_NOT_XML = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Item:
    """One Post as every feed format tells it."""

    id: str
    url: str
    title: str
    author: str
    reviewer: str  # empty when nobody reviewed it
    published: datetime
    day: str  # of publication on the site's clock, in words
    updated: datetime
    topics: tuple[str, ...]
    summary: str
    body: str  # HTML, every URL absolute
    image: str


@dataclass(frozen=True, slots=True)
class Syndication:
    """A feed before it has a format; `updated` is the newest change among its items."""

    id: str
    title: str
    tagline: str
    language: str
    home: str
    about: str  # the page that explains feeds to people
    updated: datetime
    items: tuple[Item, ...]


def syndicate(site: Site, library: Library, *, limit: int) -> Syndication:
    """The newest Posts, at most `limit` and at most what keeps a document under 512 kB; never less than one."""
    library = newest_first(library)
    around = around_all(library)
    items = tuple(_within_budget(_item(site, post, around[post.id]) for post in library.posts[:limit]))
    return Syndication(
        id=f"tag:{site.authority}:feed",
        title=plain(site.title),
        tagline=plain(site.tagline),
        language=site.language,
        home=site.address_of(""),
        about=site.address_of(FEEDS),
        updated=max((item.updated for item in items), default=_NOTHING_YET),
        items=items,
    )


def clean(text: str) -> str:
    """The text without characters that XML 1.0 forbids or that no reader can show (C0, C1, surrogates)."""
    return _NOT_XML.sub("", text)


def plain(text: str) -> str:
    """Clean text without HTML tags: many readers take a title or summary for HTML, and the W3C warns of it."""
    return " ".join(_TAG.sub("", clean(text)).split())


def body(site: Site, post: Post, around: Around) -> str:
    """The whole article as HTML for a reader that knows nothing of our pages."""
    return clean(
        "\n".join(part for part in (_image(post), post.html, _take(site, post), _earlier(site, around)) if part)
    )


def _item(site: Site, post: Post, around: Around) -> Item:
    return Item(
        id=post.id,
        url=site.address_of(post_path(post.slug)),
        title=plain(post.title) or clean(post.title),
        author=clean(post.author.name),
        reviewer=clean(post.reviewer.name) if post.reviewer else "",
        published=post.published.astimezone(UTC),
        day=words.long_date(post.published.astimezone(site.timezone)),
        updated=max(post.updated, post.published).astimezone(UTC),
        topics=tuple(clean(topic) for topic in post.topics),
        summary=plain(post.summary),
        body=body(site, post, around),
        image=post.image or "",
    )


def _within_budget(items: Iterable[Item]) -> Iterator[Item]:
    spent = 0
    for item in items:
        size = len(escape(item.body, quote=False).encode())
        if spent and spent + size > _BODY_BUDGET:
            return
        spent += size
        yield item


def _image(post: Post) -> str:
    return f'<p><img src="{escape(post.image)}" alt="{escape(post.image_alt)}"></p>' if post.image else ""


def _take(site: Site, post: Post) -> str:
    if post.take is None:
        return ""
    label = f"<strong>{escape(site.take_label, quote=False)}.</strong>"
    html = post.take.html.strip()
    opened = html.removeprefix("<p>")
    return f"<blockquote>{f'<p>{label} {opened}' if opened != html else f'<p>{label}</p>{html}'}</blockquote>"


def _earlier(site: Site, around: Around) -> str:
    """Up to three, as in the mail."""
    if not around.earlier:
        return ""
    told = (
        f'<a href="{escape(site.address_of(post_path(post.slug)))}">{escape(post.title, quote=False)}</a>'
        f" ({words.long_date(post.published.astimezone(site.timezone))})"
        for post in around.earlier[:3]
    )
    return f"<p>Earlier in this story: {', '.join(told)}.</p>"
