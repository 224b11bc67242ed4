"""JSON Feed 1.1 (jsonfeed.org/version/1.1), from the same model as RSS and Atom.

What the format has no word for, the reviewer, is in the `_newsletter` extension.
"""

from __future__ import annotations

import json

from newsletter.publish.paths import JSON_FEED
from newsletter.publish.syndication import Item, Media, Syndication


def json_feed(feed: Syndication) -> bytes:
    """The document as UTF-8 JSON; byte-identical for the same items. `next_url` leads to the archived pages."""
    document = _without_blanks(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed.title,
            "home_page_url": feed.home,
            "feed_url": f"{feed.base}{JSON_FEED}",
            "description": feed.tagline,
            "user_comment": f"{feed.explained} {feed.question} {feed.about}",
            "icon": feed.icon,
            "favicon": feed.icon,
            "language": feed.language,
            "authors": [{"name": feed.author, "url": feed.author_url}],
            "hubs": [{"type": "WebSub", "url": hub} for hub in feed.hubs],
            "next_url": f"{feed.earlier}{JSON_FEED}" if feed.earlier else "",
        }
    )
    items = ",\n".join(json.dumps(_item(item, feed), ensure_ascii=False) for item in feed.items)
    head = json.dumps(document, ensure_ascii=False).removesuffix("}")  # not `indent`, which is json's slow encoder
    return f'{head},\n"items": [\n{items}\n]}}\n'.encode()


def _item(item: Item, feed: Syndication) -> dict[str, object]:
    extension = {"about": feed.about, "reviewer": {"name": item.reviewer}} if item.reviewer else None
    return _without_blanks(
        {
            "id": item.id,
            "url": item.url,
            "title": item.title,
            "content_html": item.body,
            "summary": item.summary,
            "image": item.media.url if item.media else "",
            "date_published": item.published.isoformat(),
            "date_modified": item.updated.isoformat(),
            "authors": [{"name": item.author}],
            "tags": list(item.topics),
            "attachments": [_attachment(item.media)] if item.media else [],
            "_newsletter": extension,
        }
    )


def _attachment(media: Media) -> dict[str, object]:
    return _without_blanks(
        {"url": media.url, "mime_type": media.type, "title": media.alt, "size_in_bytes": media.length}
    )


def _without_blanks(fields: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in fields.items() if value}
