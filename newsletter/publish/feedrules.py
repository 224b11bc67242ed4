"""The rules for one feed document. Each is a function that yields what breaks it; `RULES` lists them.

A fault is (code, message, item or None). The codes' last two digits number the rules, as `feedcheck` lists them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache

from newsletter.model import Site
from newsletter.publish.feedbody import hidden, judge
from newsletter.publish.feedread import ATOM, CONTENT, DC, MEDIA, SOURCE, Json, Link, Told, ToldItem
from newsletter.publish.paths import ATOM_FEED, JSON_FEED, RSS_FEED
from newsletter.publish.syndication import LIMIT, TAG

Fault = tuple[str, str, ToldItem | None]

LARGE, HUGE = 512_000, 1_000_000  # octets
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_EMAIL = re.compile(r"\S@\S+\.\S")
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|#\d+|#x[0-9a-fA-F]+);")
_RFC_822 = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)? (?:[+-]\d{4}|GMT)"
)
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_RELATIONS = frozenset(
    {"alternate", "current", "enclosure", "hub", "license", "next-archive", "payment", "prev-archive"}
    | {"related", "replies", "self", "via"}
)
_TYPES = {RSS_FEED: "application/rss+xml", ATOM_FEED: "application/atom+xml"}
_VERSION = "https://jsonfeed.org/version/1.1"
_KEYS = frozenset(
    {"version", "title", "home_page_url", "feed_url", "description", "user_comment", "next_url", "icon", "favicon"}
    | {"authors", "language", "expired", "hubs", "items"}
)
_ITEM_KEYS = frozenset(
    {"id", "url", "external_url", "title", "content_html", "content_text", "summary", "image", "banner_image"}
    | {"date_published", "date_modified", "authors", "tags", "language", "attachments"}
)


@lru_cache(maxsize=1024)
def moment(text: str) -> datetime | None:
    """A date of either notation, to the second; None when it is neither."""
    try:
        if _RFC_3339.fullmatch(text):
            return datetime.fromisoformat(text).replace(microsecond=0)
        if _RFC_822.fullmatch(text):
            return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        pass
    return None


def _ids(told: Told, _site: Site, _now: datetime) -> Iterator[Fault]:
    seen: set[str] = set()
    for item in told.items:
        if not _URI.fullmatch(item.id):
            yield "F502", f"An id is not an absolute URI: {item.id[:80] or 'there is none'}", item
        elif item.id == item.url:
            yield "F501", f"An id is the address, so that a move makes the post a new one: {item.id}", item
        if item.id in seen:
            yield "F502", f"An id stands twice: {item.id}", item
        seen.add(item.id)


def _order(told: Told, _site: Site, _now: datetime) -> Iterator[Fault]:
    dates = [when for item in told.items if (when := moment(item.published))]
    if dates != sorted(dates, reverse=True):
        yield "F506", "The newest is not first", None
    if len(told.items) > LIMIT:
        yield "F506", f"There are {len(told.items)} posts in one document, more than {LIMIT}", None


def _updated(told: Told, _site: Site, _now: datetime) -> Iterator[Fault]:
    newest = max((when for item in told.items if (when := moment(item.updated))), default=None)
    if told.format != JSON_FEED and newest and moment(told.updated) != newest:
        yield "F505", f"The feed says {told.updated}, and its newest change is of {newest.isoformat()}", None


def _texts(told: Told, _site: Site, _now: datetime) -> Iterator[Fault]:
    for item in told.items:
        if not item.body.strip():
            yield "F507", "There is no content", item
        if TAG.search(item.summary):
            yield "F507", f"The summary has tags: {item.summary[:60]}", item
        if not item.title.strip() or TAG.search(item.title):
            yield "F512", f"The title is not plain text: {item.title[:80]}", item
        elif _ENTITY.search(item.title):
            yield "F512", f"The title is escaped twice: {item.title[:80]}", item
        yield from ((code, message, item) for code, message in hidden(f"{item.title}\n{item.summary}"))


def _bodies(told: Told, _site: Site, _now: datetime) -> Iterator[Fault]:
    owners: dict[str, str] = {}
    for item in told.items:
        judged = judge(item.body)
        yield from ((code, message, item) for code, message in judged.faults)
        for name in judged.ids:
            if name in owners:
                yield "F509", f"The id {name} stands twice among the posts of one page", item
            owners[name] = item.id


def _dates(told: Told, _site: Site, now: datetime) -> Iterator[Fault]:
    for item in told.items:
        published, updated = moment(item.published), moment(item.updated)
        for text, rfc_822 in ((item.published, told.format == RSS_FEED), (item.updated, False)):
            if not _well_written(text, rfc_822=rfc_822):
                yield "F516", f"A date is written wrongly: {text or 'there is none'}", item
        if published and published > now + timedelta(minutes=5):
            yield "F515", f"It is dated in the future: {item.published}", item
        if published and updated and updated < published:
            yield "F517", f"It was changed ({item.updated}) before it came out ({item.published})", item


def _well_written(text: str, *, rfc_822: bool) -> bool:
    """RSS has RFC 822 dates, with the right weekday; all else has those of RFC 3339."""
    if moment(text) is None:
        return False
    if not rfc_822:
        return bool(_RFC_3339.fullmatch(text))
    return bool(_RFC_822.fullmatch(text)) and text.startswith(_DAYS[parsedate_to_datetime(text).weekday()])


def _people(told: Told, _site: Site, _now: datetime) -> Iterator[Fault]:
    if not told.language:
        yield "F518", "No language is named", None
    shared = told.root is not None and told.root.find(f"{ATOM}author/{ATOM}name") is not None
    for item in told.items:
        if not any(item.authors) and not shared:
            yield "F519", "No author is named", item
        if any(_EMAIL.search(author) for author in item.authors):
            yield "F519", "An author's address is given away", item


def _addresses(told: Told, site: Site, _now: datetime) -> Iterator[Fault]:
    own = site.address_of(told.path)
    if (given := told.linked("self")) != [own]:
        yield "F520", f"The address of the feed itself is not {own}, once: {', '.join(given) or 'there is none'}", None
    if not told.home.startswith(("http://", "https://")) or told.home in given:
        yield "F520", f"The home page is not the address of a page: {told.home or 'there is none'}", None
    for hub in site.hubs if not told.is_page else ():
        if hub not in told.linked("hub"):
            yield "F533", f"The hub {hub} is not named", None


def _media(told: Told, _site: Site, _now: datetime) -> Iterator[Fault]:
    for item in told.items:
        if told.format == RSS_FEED and len(item.enclosures) > 1:
            yield "F523", "RSS takes one enclosure", item
        for link in item.enclosures:
            if wrong := _enclosure(link, needs_length=told.format == RSS_FEED):
                yield "F523", f"The enclosure {link.href} {wrong}", item
        found = item.element.iter(f"{MEDIA}content", f"{MEDIA}thumbnail") if item.element is not None else ()
        for url in (one.get("url", "") for one in found):
            if not url.startswith(("http://", "https://")):
                yield "F545", f"The address of a picture is not absolute: {url}", item


def _enclosure(link: Link, *, needs_length: bool) -> str:
    if not link.href.startswith(("http://", "https://")):
        return "is not an absolute address"
    if not re.fullmatch(r"[\w.+-]+/[\w.+-]+", link.type):
        return "has no media type"
    return "has no length in octets" if (needs_length or link.length) and not link.length.isdigit() else ""


def _rss(told: Told, _site: Site, _now: datetime) -> Iterator[Fault]:
    channel = told.root.find("channel") if told.root is not None and told.format == RSS_FEED else None
    if channel is None:
        return
    own = [link.type for link in told.links if link.rel == "self"]
    if own != [_TYPES[RSS_FEED]]:
        yield "F524", "The link to itself does not say application/rss+xml", None
    ttl = channel.findtext("ttl")
    if ttl is not None and not (ttl.isdigit() and int(ttl) <= 60):
        yield "F524", f"ttl is not a number of minutes up to 60: {ttl}", None
    image = channel.find("image")
    if image is not None and (image.findtext("title"), image.findtext("link")) != (told.title, told.home):
        yield "F524", "The image does not repeat the title and the link of its channel", None
    for item in told.items:
        yield from _rss_item(item)


def _rss_item(item: ToldItem) -> Iterator[Fault]:
    element = item.element
    if element is None:
        return
    guid = element.find("guid")
    if guid is None or (guid.get("isPermaLink") != "false" and item.id != item.url):
        yield "F521", "The guid claims to be an address: isPermaLink is not false", item
    tags = [child.tag for child in element]
    if "description" in tags and f"{CONTENT}encoded" in tags[: tags.index("description")]:
        yield "F522", "The summary stands behind the content", item
    if (dated := element.findtext(f"{DC}date")) is not None and moment(dated) != moment(item.published):
        yield "F525", f"dc:date is another date than pubDate: {dated}", item
    if element.find(f"{SOURCE}markdown") is not None:
        yield "F525", "source:markdown is shown instead of the content", item


def _atom(told: Told, _site: Site, _now: datetime) -> Iterator[Fault]:
    if told.root is None or told.format != ATOM_FEED:
        return
    if not _URI.fullmatch(told.id):
        yield "F526", f"The id of the feed is not an absolute URI: {told.id or 'there is none'}", None
    for element, item in ((told.root, None), *((item.element, item) for item in told.items)):
        if element is None:
            continue
        for name in ("id", "title", "updated"):
            if (count := len(element.findall(f"{ATOM}{name}"))) != 1:
                yield "F526", f"There must be one {name}, and there are {count}", item
        links = [(found.get("rel", "alternate"), found) for found in element.iterchildren(f"{ATOM}link")]
        alternates = [(found.get("type"), found.get("hreflang")) for rel, found in links if rel == "alternate"]
        if len(set(alternates)) < len(alternates):
            yield "F527", "Two alternate links have the same type and language", item
        for rel in {rel for rel, _ in links} - _RELATIONS:
            yield "F529", f"{rel} is not a relation that links have", item
        content = element.find(f"{ATOM}content")
        if content is not None and content.get("type") != "html":
            yield "F528", f"The content is not of type html: {content.get('type')}", item


def _json(told: Told, _site: Site, _now: datetime) -> Iterator[Fault]:
    if told.format != JSON_FEED:
        return
    if told.fields.get("version") != _VERSION:
        yield "F531", f"The version is not {_VERSION}", None
    if not told.title:
        yield "F531", "The feed has no title", None
    if told.fields.get("next_url") in ("", told.fields.get("feed_url")):
        yield "F531", "next_url leads nowhere", None
    yield from ((*fault, None) for fault in _unknown(told.fields, _KEYS))
    for item in told.items:
        if not isinstance(item.fields.get("id"), str):
            yield "F531", "An id is not a string", item
        yield from ((*fault, item) for fault in _unknown(item.fields, _ITEM_KEYS))


def _unknown(fields: Json, known: frozenset[str]) -> Iterator[tuple[str, str]]:
    for name in sorted(fields.keys() - known):
        if not name.startswith("_"):
            yield "F531", f"JSON Feed has no key {name}; an extension begins with _"


def _no_script(told: Told, _site: Site, _now: datetime) -> Iterator[Fault]:
    sheet = told.root.getprevious() if told.root is not None else None
    while sheet is not None:
        if "xsl" in (sheet.text or ""):
            yield "F546", "The feed asks for XSLT, which browsers no longer run", None
        sheet = sheet.getprevious()


RULES: tuple[Callable[[Told, Site, datetime], Iterator[Fault]], ...] = (
    _ids,
    _updated,
    _order,
    _texts,
    _bodies,
    _dates,
    _people,
    _addresses,
    _media,
    _rss,
    _atom,
    _json,
    _no_script,
)
