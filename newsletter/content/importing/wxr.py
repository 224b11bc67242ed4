"""WXR, the export of WordPress, which Squarespace writes, too.

Promises every `<item>` of the file: posts as Arrivals, attachments with what they show, the rest by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, tzinfo
from html import unescape

from newsletter.content.importing import moments
from newsletter.content.importing.arrival import Arrival, Attachment, Byline, Home, Other, Piece
from newsletter.content.importing.xml import Document, Element, fields, line, name, words

_HELD = {
    "draft": "it was a draft",
    "pending": "it waited for review",
    "private": "it was private",
}
_KINDS = {"page": "a page, not a post", "attachment": "a file, not a post", "revision": "an earlier version of a post"}
_TOPICS = frozenset({"category", "post_tag", "tag"})


def read(document: Document, zone: tzinfo) -> Iterator[Piece]:
    """What the file holds; a local date whose UTC twin is missing is meant in `zone`."""
    people: dict[str, Byline] = {}
    channel: dict[str, str] = {}
    begun = False
    for part in document.parts(2):
        kind = name(part)
        if kind == "item":
            if not begun:
                yield _home(channel)
            begun = True
            yield from _item(part, people, zone)
        elif kind == "wp:author":
            byline = _author(part)
            people[byline.key] = byline
        else:
            channel.setdefault(kind, words(part))
    if not begun:
        yield _home(channel)


def _home(channel: dict[str, str]) -> Home:
    squarespace = "squarespace" in channel.get("generator", "").lower()
    program = "Squarespace export" if squarespace else "WordPress export"
    return Home(channel.get("wp:base_blog_url") or channel.get("link", ""), program)


def _author(part: Element) -> Byline:
    told = {name(child).removeprefix("wp:author_"): words(child) for child in part}
    full = f"{told.get('first_name', '')} {told.get('last_name', '')}".strip()
    login = told.get("login", "")
    return Byline(told.get("display_name") or full or login, login, told.get("email", ""))


def _item(part: Element, people: dict[str, Byline], zone: tzinfo) -> Iterator[Piece]:
    given = fields(part)
    text = {key: words(child) for key, child in given.items() if not len(child)}
    kind, status = text.get("wp:post_type", "post"), text.get("wp:status", "publish")
    title = text.get("title", "")
    meta = {words(m["wp:meta_key"]): words(m.get("wp:meta_value")) for m in _meta(part)}
    if kind == "attachment":
        shows = meta.get("_wp_attachment_image_alt") or text.get("excerpt:encoded", "")
        yield Attachment(text.get("wp:post_id", ""), text.get("wp:attachment_url") or text.get("guid", ""), shows)
    if kind != "post":
        yield Other(kind, title, _KINDS.get(kind, f"of the kind {kind[:40]}, not a post"))
    elif status in {"trash", "auto-draft", "inherit"}:
        yield Other(status, title, "it was in the bin" if status == "trash" else "it was never saved")
    else:
        yield _post(part, text, meta, people, zone)


def _meta(part: Element) -> Iterator[dict[str, Element]]:
    for child in part:
        if name(child) == "wp:postmeta" and "wp:meta_key" in (found := fields(child)):
            yield found


def _post(
    part: Element, text: dict[str, str], meta: dict[str, str], people: dict[str, Byline], zone: tzinfo
) -> Arrival:
    creator = text.get("dc:creator", "")
    html = text.get("content:encoded", "")
    return Arrival(
        id=text.get("guid", ""),
        title=unescape(text.get("title", "")),
        html=html + _footnotes(html, meta.get("footnotes", "")),
        published=_moment(text, "wp:post_date", zone) or moments.written(text.get("pubDate", "")),
        link=text.get("link", ""),
        slug=text.get("wp:post_name", ""),
        updated=_moment(text, "wp:post_modified", zone),
        author=people.get(creator, Byline(creator, creator)) if creator else None,
        topics=_topics(part),
        excerpt=text.get("excerpt:encoded", ""),
        held=_held(text),
        attachment=meta.get("_thumbnail_id", ""),
        loose="<!-- wp:" not in html,
        line=line(part),
    )


def _moment(text: dict[str, str], key: str, zone: tzinfo) -> datetime | None:
    """The UTC date, if it was filled in (`0000-00-00` for drafts), else the local one."""
    return moments.written(text.get(f"{key}_gmt", "")) or moments.written(text.get(key, ""), zone)


def _held(text: dict[str, str]) -> str:
    if text.get("wp:post_password"):
        return "it had a password"
    status = text.get("wp:status", "publish")
    return "" if status in {"publish", "future"} else _HELD.get(status, f"its state was {status[:40]}")


def _topics(part: Element) -> tuple[str, ...]:
    found = [
        unescape(words(child)) for child in part if name(child) == "category" and child.get("domain", "tag") in _TOPICS
    ]
    return tuple(dict.fromkeys(topic for topic in found if topic and topic != "Uncategorized"))


def _footnotes(html: str, kept: str) -> str:
    """Notes that WordPress 6.3 keeps apart from the text, as the list that it would show."""
    if not kept or "data-fn=" not in html:
        return ""
    try:
        notes = json.loads(kept)
        rows = [f'<li id="{note["id"]}">{note["content"]} <a href="#{note["id"]}-link">↩</a></li>' for note in notes]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return f"\n<ol>{''.join(rows)}</ol>"
