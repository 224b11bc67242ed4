"""JSON Feed 1.1 (jsonfeed.org/version/1.1), from the same model as RSS and Atom.

What the format has no word for, the reviewer, is in the `_newsletter` extension.
"""

from __future__ import annotations

import json

from newsletter.model import Library, Site
from newsletter.publish.paths import JSON_FEED
from newsletter.publish.syndication import EXPLAINED, Item, Syndication, syndicate


def json_feed(site: Site, library: Library, *, limit: int = 50) -> bytes:
    """The feed as UTF-8 JSON; byte-identical for the same Posts."""
    feed = syndicate(site, library, limit=limit)
    document = _without_blanks(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed.title,
            "home_page_url": feed.home,
            "feed_url": site.address_of(JSON_FEED),
            "description": feed.tagline,
            "user_comment": f"{EXPLAINED} What is a feed? {feed.about}",
            "language": feed.language,
            "authors": [{"name": feed.title, "url": feed.home}],
        }
    )
    document["items"] = [_item(item, feed) for item in feed.items]
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _item(item: Item, feed: Syndication) -> dict[str, object]:
    extension = {"about": feed.about, "reviewer": {"name": item.reviewer}} if item.reviewer else None
    return _without_blanks(
        {
            "id": item.id,
            "url": item.url,
            "title": item.title,
            "content_html": item.body,
            "summary": item.summary,
            "image": item.image,
            "date_published": item.published.isoformat(),
            "date_modified": item.updated.isoformat(),
            "authors": [{"name": item.author}],
            "tags": list(item.topics),
            "_newsletter": extension,
        }
    )


def _without_blanks(fields: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in fields.items() if value}
