"""Small exports and feeds, written for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC
from io import BytesIO
from typing import Any

from newsletter.content.importing import recognise
from newsletter.content.importing.arrival import Arrival, Piece

OLD = "https://www.garage.example"

_WXR = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:wp="http://wordpress.org/export/1.2/"><channel>
<title>Garage</title><link>{old}</link><generator>{generator}</generator>
<wp:base_blog_url>{old}</wp:base_blog_url>
<wp:author><wp:author_login>amarin</wp:author_login><wp:author_email>ada@garage.example</wp:author_email>
<wp:author_display_name><![CDATA[Ada Marín]]></wp:author_display_name></wp:author>
{items}
</channel></rss>
"""


def wxr(*items: str, generator: str = "https://wordpress.org/?v=6.5") -> bytes:
    return _WXR.format(old=OLD, generator=generator, items="\n".join(items)).encode()


def a_wxr_post(slug: str = "winter-hatch", html: str = "<p>Snow.</p>", more: str = "", **changes: str) -> str:
    """A published post; a field given as "" is left out."""
    given = {
        "title": f"About {slug}",
        "link": f"{OLD}/2019/05/{slug}/",
        "dc:creator": "amarin",
        "guid": f"{OLD}/?p={slug}",
        "excerpt:encoded": "",
        "wp:post_date": "2019-05-03 10:30:00",
        "wp:post_date_gmt": "2019-05-03 08:30:00",
        "wp:post_name": slug,
        "wp:status": "publish",
        "wp:post_type": "post",
    } | {key.replace("__", ":"): value for key, value in changes.items()}
    rows = "".join(f"<{key}><![CDATA[{value}]]></{key}>\n" for key, value in given.items() if value)
    return f"<item>{rows}<content:encoded><![CDATA[{html}]]></content:encoded>{more}</item>"


def an_attachment(number: str, url: str, shows: str) -> str:
    meta = (
        "<wp:postmeta><wp:meta_key>_wp_attachment_image_alt</wp:meta_key>"
        f"<wp:meta_value><![CDATA[{shows}]]></wp:meta_value></wp:postmeta>"
    )
    return (
        f"<item><title>x</title><wp:post_id>{number}</wp:post_id><wp:post_type>attachment</wp:post_type>"
        f"<wp:attachment_url>{url}</wp:attachment_url>{meta}</item>"
    )


def lead(number: str) -> str:
    return f"<wp:postmeta><wp:meta_key>_thumbnail_id</wp:meta_key><wp:meta_value>{number}</wp:meta_value></wp:postmeta>"


def ghost(*posts: dict[str, Any], **tables: Sequence[dict[str, Any]]) -> bytes:
    data: dict[str, Any] = {"posts": list(posts)} | tables
    return json.dumps({"db": [{"meta": {"version": "5.80.0"}, "data": data}]}).encode()


def a_ghost_post(slug: str = "winter-hatch", **changes: Any) -> dict[str, Any]:
    return {
        "id": f"id-{slug}",
        "uuid": "7f5a1a44-7d4c-4f4e-9d0e-0d3b9c0f1a11",
        "title": f"About {slug}",
        "slug": slug,
        "html": "<p>Snow.</p>",
        "type": "post",
        "status": "published",
        "visibility": "public",
        "published_at": "2019-05-03T08:30:00.000Z",
        "updated_at": "2019-05-04T08:30:00.000Z",
    } | changes


def rss(*items: str, link: str = OLD) -> bytes:
    return (
        '<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        f"<title>Garage</title><link>{link}</link>{''.join(items)}</channel></rss>"
    ).encode()


def pieces(content: bytes) -> list[Piece]:
    return list(recognise.read(BytesIO(content), "export", UTC))


def arrivals(content: bytes) -> list[Arrival]:
    return [piece for piece in pieces(content) if isinstance(piece, Arrival)]
