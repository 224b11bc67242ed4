"""The HTML of a body as strangers wrote it, made fit to be written as Markdown.

Promises HTML with nothing but tags that a post of ours may have, absolute addresses in the form in which
Markdown would give them back, paragraphs where readers saw them, and an account of what was left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urljoin

import nh3
from bs4 import BeautifulSoup
from bs4.element import Tag

from newsletter.content import writing
from newsletter.content.importing import addresses, footnotes, paragraphs, shortcodes, tidying
from newsletter.content.importing.trees import every
from newsletter.content.lines import FORBIDDEN
from newsletter.content.sanitise import TAGS

LIMIT = 1_000_000
"""Characters of one body."""

_DEEPEST = 200  # unclosed tags of old pages count, too
_MOST = 20_000  # tags and empty lines
_OPEN = re.compile(r"<(/?)([a-z][a-z0-9]*)\b", re.IGNORECASE)
_ALONE_NAMES = (  # void, or closed by what follows
    "area base br col embed hr img input link meta param source track wbr "
    "p li dt dd tr td th thead tbody tfoot option colgroup"
)
_ALONE = frozenset(_ALONE_NAMES.split())
_KEPT = set(TAGS) | {"h1", "picture"}
_TOLD = ("script", "style", "iframe", "object", "embed", "form", "svg", "canvas", "math", "button", "select")
_EMPTIED = frozenset({*_TOLD, "textarea", "template", "title", "noembed", "noframes", "xmp"}) - {"form"}
_GONE = re.compile(rf"<({'|'.join(_TOLD)})\b([^>]{{0,2000}})", re.IGNORECASE)
_SHOWN_WITHOUT_SCRIPT = re.compile(r"</?noscript\b[^>]{0,500}>", re.IGNORECASE)
_SRC = re.compile(r"""\b(?:src|data)\s*=\s*["']?([^"'\s>]{1,300})""", re.IGNORECASE)
_LATE = ("data-src", "data-lazy-src", "data-original")  # what a script would put into src
_ATTRIBUTES = {
    "*": {"id"},
    "a": {"href"},
    "img": {"src", "alt", "title", *_LATE},
    "source": {"src"},
    "video": {"src", "poster", "controls"},
    "audio": {"src", "controls"},
    "ol": {"start"},
    "li": {"value"},
    "th": {"colspan", "rowspan", "scope"},
    "td": {"colspan", "rowspan"},
    "abbr": {"title"},
    "time": {"datetime"},
    "pre": {"class"},
    "code": {"class"},
}
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_CODE = re.compile(r"(?:language|lang|brush:)[-\s]?([A-Za-z0-9+#_-]{1,30})")
_SHOWN = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)$", re.IGNORECASE)
_FILE_WORDS = re.compile(r"\S+|(?:img|dsc|image|screenshot)[-_ ]?\d*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a body is read against."""

    base: str  # address of the post, for relative addresses
    loose: bool  # see Arrival
    shows: Callable[[str], str]  # what a picture shows, as far as the export knows
    link: Callable[[str], str | None]  # where a link leads now; None when to nothing any more
    picture: Callable[[str], str]  # where a picture stands now


@dataclass(slots=True)
class Body:
    """A body ready to be written: its blocks in order, then the notes."""

    soup: Tag
    notes: list[Tag] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)  # what was left out or changed -> how often
    pictures: list[str] = field(default_factory=list)  # where they were


class TooDeepError(ValueError):
    """The body is longer, or nested deeper, than any text is."""


def read(html: str, around: Surroundings, *, notes: bool = True) -> Body:
    """The body of `html`. Raises TooDeepError. With `notes=False`, footnotes stay an ordinary list."""
    told: Counter[str] = Counter()
    html = FORBIDDEN.sub("", html.replace("\r\n", "\n").replace("\r", "\n"))
    if around.loose:
        html = shortcodes.spelled_out(html, told)
    html = _SHOWN_WITHOUT_SCRIPT.sub("", html)
    _refuse_size(html)
    for gone in _GONE.finditer(html):
        source = _SRC.search(gone.group(2))
        told[f"<{gone.group(1).lower()}>{f' of {source.group(1)[:80]}' if source else ''} was left out"] += 1
    soup = _parsed(_allowed(html, around.base))
    body = Body(soup, told=told)
    _settle_headings(soup)
    paragraphs.settle(soup, loose=around.loose)
    body.notes = footnotes.lift(soup) if notes else []
    soup.extend(body.notes)  # what is done to the text is done to them
    _settle_links(body, around)
    _settle_pictures(body, around)
    tidying.tidy(soup, keep=body.notes)
    for note in body.notes:
        note.extract()
    return body


def text(html: str) -> str:
    """HTML, or what looks like it, as plain words on one line."""
    if len(html) > LIMIT:
        return ""
    plain = nh3.clean(html, tags=set(), attributes={})
    return " ".join(_parsed(FORBIDDEN.sub("", plain)).get_text().split())


def _refuse_size(html: str) -> None:
    """Before any parser sees it: the work of parsers grows with the square of depth and width."""
    depth, tags = 0, _OPEN.findall(html)
    if len(html) > LIMIT or len(tags) + html.count("\n\n") > _MOST:
        raise TooDeepError
    for closing, name in tags:
        if name.lower() not in _ALONE:
            depth = max(0, depth - 1) if closing else depth + 1
        if depth > _DEEPEST:
            raise TooDeepError


def _parsed(html: str) -> Tag:
    soup = BeautifulSoup(f"<div>{html}</div>", "html.parser", multi_valued_attributes=None).div
    assert soup is not None  # noqa: S101  it has just been written
    return soup


def _allowed(html: str, base: str) -> str:
    def attribute(_tag: str, name: str, value: str) -> str | None:
        if name in {"href", "src", "poster", *_LATE}:
            return _absolute(value, base)
        if name == "class":
            found = _CODE.search(value)
            return f"language-{found.group(1)}" if found else None
        return value

    return nh3.clean(
        html,
        tags=_KEPT,
        attributes=_ATTRIBUTES,
        attribute_filter=attribute,
        clean_content_tags=set(_EMPTIED),
        generic_attribute_prefixes=None,
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
        strip_comments=True,
    )


def _absolute(value: str, base: str) -> str | None:
    value = "".join(value.split())
    if value.startswith("#"):
        return value
    try:
        whole = writing.address(urljoin(base, value))
    except ValueError:
        return None
    return whole if whole.lower().startswith(("http://", "https://", "mailto:")) else None


def _settle_headings(soup: Tag) -> None:
    """The top heading becomes h2, as in every post."""
    headings = every(soup, _HEADINGS)
    highest = min((int(heading.name[1]) for heading in headings), default=2)
    for heading in headings:
        heading.name = f"h{min(6, int(heading.name[1]) - highest + 2)}"


def _settle_links(body: Body, around: Surroundings) -> None:
    for link in every(body.soup, {"a"}):
        href = str(link.get("href") or "")
        shown = link.find("img")
        if not href or href.startswith("#"):
            link.unwrap()
        elif shown is not None and _SHOWN.search(addresses.path(href)) and not link.get_text().strip():
            link.unwrap()  # a picture that only leads to its larger self
        elif (now := around.link(href)) is None:
            body.told["a link to a page of the old site that did not move was undone"] += 1
            link.unwrap()
        elif not link.get_text().strip() and shown is None:
            link.decompose()
        else:
            link.attrs = {"href": now}


def _settle_pictures(body: Body, around: Surroundings) -> None:
    for picture in every(body.soup, {"img"}):
        src = next((str(picture[name]) for name in (*_LATE, "src") if picture.get(name)), "")
        if src and body.pictures[-1:] == [src] and any(picture.get(name) for name in _LATE):
            picture.decompose()  # the one before it was for readers without a script
            continue
        if not src:
            body.told["a picture without an address was left out"] += 1
            picture.decompose()
            continue
        if _is_ornament(picture):
            body.told["a picture that only adorns a link was left out"] += 1
            picture.decompose()
            continue
        words = str(picture.get("alt") or "").strip() or around.shows(src)
        picture.attrs = {"src": around.picture(src), "alt": " ".join((words or _other_words(picture)).split())}
        body.pictures.append(src)


def _is_ornament(picture: Tag) -> bool:
    """Said to show nothing, in a link that has words of its own."""
    link = picture.find_parent("a")
    return picture.get("alt") == "" and link is not None and bool(link.get_text().strip())


def _other_words(picture: Tag) -> str:
    """What else tells what a picture shows: its caption, or a title that is no file's name."""
    figure = picture.find_parent("figure")
    caption = figure.find("figcaption") if figure else None
    if caption is not None and (said := caption.get_text().strip()):
        return said
    title = str(picture.get("title") or "").strip()
    name = addresses.path(str(picture.get("src"))).rpartition("/")[2].partition(".")[0]
    return "" if _FILE_WORDS.fullmatch(title) or title == name else title
