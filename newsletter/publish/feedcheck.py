"""Our own validator of what we publish: every rule of a good feed that a program can test.

The last two digits of a code are the number of its rule. Of one document (`feedrules`, `feedbody`):

    02 ids are absolute URIs, none twice                      20 one link to itself, where it is; a home page
    05 the feed is as old as its newest change                21 a guid never claims to be an address
    06 newest first, at most 50, under 512 kB                 22 the summary stands before the content
    07 there is content; the summary is plain text            23 enclosures have address, type and length
    08 addresses in content are absolute                      24 what RSS says of itself: type, ttl, image
    09 ids in content are unique in a document                25 one date; no source:markdown
    10 nothing runs, tags are balanced, pictures have alt     26 Atom: one id, title, updated
    11 no Markdown is left over (a warning)                   27 no two alternate links alike
    12 titles are plain text, escaped once                    28 content is of type html
    13 no character that XML or readers refuse                29 relations are known ones
    14 UTF-8, well formed, no BOM, no DOCTYPE                 31 JSON Feed 1.1, known keys only
    15 nothing is dated in the future                         33 the hubs are named
    16 dates are RFC 822 (RSS) or RFC 3339, with a zone       45 addresses of pictures are absolute
    17 nothing changed before it came out                     46 no XSLT
    18 a language is named      19 so is each author, without an address

Between documents: 03 a post has one id and one address everywhere; 04 the formats say the same; 32 archived pages
make one way back (RFC 5005); 42 feeds differ in id and title; 43 the list of feeds is complete and leads to feeds.
01 warns of an id that is the address; that ids survive is kept by F410, 41 and links by F401 (here, too); 30 and 44
are the site's to say, 34–40 the web server's. docs/feeds.md says of each rule by which test it is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from newsletter.errors import Problem
from newsletter.model import Site
from newsletter.publish import checks
from newsletter.publish.feedbody import judge
from newsletter.publish.feedread import Told, ToldItem, Unreadable, read, xml
from newsletter.publish.feedrules import HUGE, LARGE, RULES, moment
from newsletter.publish.paths import ARCHIVE, ATOM_FEED, FEED_LIST, JSON_FEED, RSS_FEED

_FEEDS = (RSS_FEED, ATOM_FEED, JSON_FEED)
_WARNINGS = frozenset({"F501", "F509", "F511", "F512", "F542"})  # no reader breaks on them


def is_feed(path: str) -> bool:
    """Whether a file is looked at here: a feed document or the list of feeds, by its name."""
    return path.rpartition("/")[2] in _FEEDS or path == FEED_LIST


def at_publish(documents: Mapping[str, bytes]) -> dict[str, bytes]:
    """Those to look at before they are written: of archived pages one format, which has the others' words."""
    return {
        path: content
        for path, content in documents.items()
        if is_feed(path) and (not path.startswith(ARCHIVE) or path.endswith(RSS_FEED))
    }


def check(
    documents: Mapping[str, bytes],
    site: Site,
    now: datetime,
    *,
    known: Collection[str] | None = None,
    files: AbstractSet[str] | None = None,
) -> list[Problem]:
    """Every rule that a document breaks, told once for what several of them say alike.

    `known` are the paths of all feed documents that there are, when these are only some of them; `files` are those of
    all files of the site: where given, what the documents link to must be among them.
    """
    paths = frozenset(known if known is not None else documents)
    register = _Register({}, {}, {}, {}, [], set())
    problems: list[Problem] = []
    for _, group in groupby(sorted(documents, key=_folder), _folder):
        told: list[Told] = []
        problems += _read({path: documents[path] for path in group}, told)
        problems += _folder_problems(told, documents, site, now, register)
        problems += leading_nowhere(told, site, files) if files is not None else ()
    problems += _archive(register.places, paths)
    if FEED_LIST in documents:
        problems += _list(documents[FEED_LIST], site, paths, register.unlisted)
    return _once(problems)


@dataclass(frozen=True, slots=True)
class _Register:
    """What is remembered of documents that were looked at: they are as large as the site."""

    urls: dict[str, str]  # by id
    ids: dict[str, str]  # by address
    titles: dict[tuple[str, str], str]  # path by format and title
    feeds: dict[str, str]  # path by id of the feed
    places: list[_Place]
    unlisted: set[str]  # paths of what only stands for feeds that went


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    is_page: bool
    is_xml: bool
    archived: bool
    complete: bool
    earlier: str
    current: str


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _read(documents: Mapping[str, bytes], told: list[Told]) -> Iterator[Problem]:
    """What keeps the formats of one feed from being read; those that can be join `told`."""
    for path, content in documents.items():
        yield from _bytes(path, content)
        if path != FEED_LIST:
            try:
                told.append(read(path, content))
            except Unreadable as fault:
                yield _problem("F514", f"The document cannot be read: {fault}", path)


def leading_nowhere(told: Sequence[Told], site: Site, files: AbstractSet[str]) -> Iterator[Problem]:
    """F401 and F403, as `checks` tells them of pages: of the feed, its items and what is in their HTML."""
    found = dict.fromkeys(address for one in told for address in _addresses(one))
    path = told[0].path if told else ""
    yield from (p for address in found if (p := checks.leading_nowhere(checks.Found(path, 0, address), files, site)))


def _addresses(told: Told) -> Iterator[str]:
    yield from (told.home, *(link.href for link in told.links))
    for item in told.items:
        yield from (item.url, *(link.href for link in item.enclosures), *judge(item.body).addresses)


def _folder_problems(
    told: Sequence[Told], documents: Mapping[str, bytes], site: Site, now: datetime, register: _Register
) -> Iterator[Problem]:
    """Those of the formats of one feed."""
    copies = {one.path for one in told if _is_copy(one, documents, site)}
    register.unlisted.update(copies, (one.path for one in told if not one.items))
    told = [one for one in told if one.path not in copies]
    for one in told:
        yield from _document(one, site, now)
        yield from _identities(one, register)
        yield from _distinct(one, register)
        earlier, current = (_local(one.linked(rel), site) for rel in ("prev-archive", "current"))
        is_xml = one.format != JSON_FEED
        register.places.append(_Place(one.path, one.is_page, is_xml, one.archived, one.complete, earlier, current))
    yield from _formats(told)


def _is_copy(told: Told, documents: Mapping[str, bytes], site: Site) -> bool:
    """Whether it stands where its feed once was, and is what that is where it is now."""
    there = _local(told.linked("self"), site)
    return there != told.path and documents.get(there) == documents[told.path]


def _once(problems: Iterable[Problem]) -> list[Problem]:
    first: dict[tuple[str, str, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.code, problem.message, problem.why), problem)
    return list(first.values())


def _bytes(path: str, content: bytes) -> Iterator[Problem]:
    if content.startswith(b"\xef\xbb\xbf"):
        yield _problem("F514", "The document begins with a byte order mark", path)
    if not path.endswith(".json"):
        head = content[:200].lower()
        if b"<!doctype" in content[:1000].lower():
            yield _problem("F514", "The document has a DOCTYPE", path)
        if not (head.startswith(b"<?xml") and b"utf-8" in head):
            yield _problem("F514", "The document does not say that it is UTF-8", path)
    try:
        content.decode()
    except UnicodeDecodeError:
        yield _problem("F514", "The document is not UTF-8", path)
    if len(content) > LARGE and not path.startswith(ARCHIVE):
        size = f"The document has {len(content):,} octets"
        limit = "some readers refuse it" if len(content) > HUGE else f"{LARGE:,} are enough"
        yield _problem("F506", f"{size}; {limit}", path, level="warn")


def _document(told: Told, site: Site, now: datetime) -> Iterator[Problem]:
    for rule in RULES:
        for code, message, item in rule(told, site, now):
            yield _problem(code, message, told.path, item)


def _identities(told: Told, register: _Register) -> Iterator[Problem]:
    """A post has the same id and address in whatever feed it is."""
    for item in told.items:
        url, known = register.urls.setdefault(item.id, item.url), register.ids.setdefault(item.url, item.id)
        if url != item.url:
            yield _problem("F503", f"The id {item.id} has two addresses: {url}", told.path, item)
        if known != item.id:
            yield _problem("F503", f"The address {item.url} has two ids: {known}", told.path, item)


def _formats(told: Sequence[Told]) -> Iterator[Problem]:
    """What RSS, Atom and JSON say of the same feed."""
    for other in told[1:]:
        first = told[0]
        if [item.id for item in first.items] != [item.id for item in other.items]:
            yield _problem("F504", f"{first.format} holds other posts, or in another order", other.path)
            continue
        for item, same in zip(first.items, other.items, strict=True):
            if differs := [name for name, pair in _compared(item, same) if pair[0] != pair[1]]:
                yield _problem("F504", f"{first.format} says another {', '.join(differs)}", other.path, same)


def _compared(one: ToldItem, other: ToldItem) -> Iterator[tuple[str, tuple[object, object]]]:
    for name in ("url", "title", "summary", "body", "authors", "topics"):
        yield name, (getattr(one, name), getattr(other, name))
    yield "published", (moment(one.published), moment(other.published))
    yield "updated", (moment(one.updated), moment(other.updated))
    yield "enclosure", ([link.href for link in one.enclosures], [link.href for link in other.enclosures])


def _distinct(told: Told, register: _Register) -> Iterator[Problem]:
    """Feeds that are not pages of one another have names and ids of their own."""
    if told.is_page:
        return
    if (path := register.titles.setdefault((told.format, told.title), told.path)) != told.path:
        yield _problem("F542", f"{path} has the same title: {told.title}", told.path)
    if told.id and (path := register.feeds.setdefault(told.id, told.path)) != told.path:
        yield _problem("F542", f"{path} has the same id: {told.id}", told.path)


def _archive(places: Sequence[_Place], known: Collection[str]) -> Iterator[Problem]:
    """Each page leads to the one before, none in a circle, and all that is announced is there."""
    before = {place.path: place.earlier for place in places}
    for place in places:
        if place.earlier and place.earlier not in known:
            yield _problem("F532", f"The archived page {place.earlier} is not there", place.path)
        if place.complete and (place.earlier or place.archived):
            yield _problem("F532", "It says that it is complete, and there are archived pages", place.path)
        if place.is_xml and place.archived != place.is_page:
            yield _problem("F532", "Archived pages, and only they, are marked as such", place.path)
        if place.is_xml and place.is_page and place.current not in known:
            yield _problem("F532", "It does not lead to the current feed", place.path)
        if circle := _circle(place.path, before):
            yield _problem("F532", f"The archived pages run in a circle: {' → '.join(circle)}", place.path)


def _circle(start: str, before: Mapping[str, str]) -> list[str]:
    """The way back from a document as far as it comes to one that it has left; empty when it ends."""
    way = [start]
    while step := before.get(way[-1]):
        if step in way:
            return [*way, step]
        way.append(step)
    return []


def _local(addresses: list[str], site: Site) -> str:
    return addresses[0].removeprefix(f"{site.url}/") if addresses else ""


def _list(content: bytes, site: Site, known: Collection[str], unlisted: Collection[str]) -> Iterator[Problem]:
    try:
        root = xml(content)
    except Unreadable as fault:
        yield _problem("F514", f"The document cannot be read: {fault}", FEED_LIST)
        return
    if (root.tag, root.get("version")) != ("opml", "2.0"):
        yield _problem("F543", "The list of feeds is not OPML 2.0", FEED_LIST)
    listed = set()
    for outline in root.iter("outline"):
        if len(outline) and outline.get("text") and not outline.get("xmlUrl"):
            continue  # a folder
        address = outline.get("xmlUrl", "")
        listed.add(address.removeprefix(f"{site.url}/"))
        if outline.get("type") != "rss" or not (outline.get("text") and outline.get("htmlUrl") and address):
            yield _problem("F543", f"A line lacks type, text, xmlUrl or htmlUrl: {address}", FEED_LIST)
    feeds = {path for path in known if path.endswith(RSS_FEED) and not path.startswith(ARCHIVE)}
    for path in sorted(listed - feeds):
        yield _problem("F543", f"A line leads to no feed: {path}", FEED_LIST)
    for path in sorted(feeds - listed - set(unlisted)):
        yield _problem("F543", f"A feed is not listed: {path}", FEED_LIST)


def _problem(code: str, message: str, path: str, item: ToldItem | None = None, *, level: str = "") -> Problem:
    """`message` names the fault; the post that it is about is named by its address."""
    return Problem(
        code,
        message,
        file=path,
        line=item.line if item else 0,
        why=f"In {item.url or item.id or item.title}." if item else "",
        fixes=("correct what it names in the posts, and publish", "report it: where no post is wrong, the program is"),
        level=level or ("warn" if code in _WARNINGS else "stop"),
    )
