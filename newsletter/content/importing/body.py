"""The HTML of a body as strangers wrote it, made fit to be written as Markdown.

Promises HTML with nothing but tags that a post of ours may have, absolute addresses in the form in which
Markdown would give them back, paragraphs where readers saw them, and an account of what was left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote, urljoin, urlsplit

import nh3
from bs4 import BeautifulSoup, Comment
from bs4.element import NavigableString, PageElement, Tag
from markdown_it.common.normalize_url import normalizeLink

from newsletter.content.importing import footnotes, shortcodes
from newsletter.content.lines import FORBIDDEN
from newsletter.content.sanitise import TAGS

LIMIT = 1_000_000
"""Characters of one body."""

_DEEPEST = 50
_OPEN = re.compile(r"<(/?)([a-z][a-z0-9]*)\b", re.IGNORECASE)
_ALONE_NAMES = (  # void, or closed by what follows
    "area base br col embed hr img input link meta param source track wbr "
    "p li dt dd tr td th thead tbody tfoot option colgroup"
)
_ALONE = frozenset(_ALONE_NAMES.split())
_KEPT = set(TAGS) | {"h1", "picture"}
_TOLD = ("script", "style", "iframe", "object", "embed", "form", "svg", "canvas", "math", "noscript", "button", "input")
_GONE = re.compile(rf"<({'|'.join(_TOLD)})\b([^>]{{0,2000}})", re.IGNORECASE)
_SRC = re.compile(r"""\b(?:src|data)\s*=\s*["']?([^"'\s>]{1,300})""", re.IGNORECASE)
_ATTRIBUTES = {
    "*": {"id"},
    "a": {"href"},
    "img": {"src", "alt", "title"},
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
_CODE = re.compile(r"(?:language|lang|brush:)[-\s]?([A-Za-z0-9+#_-]{1,30})")
_BLOCK_NAMES = "p h1 h2 h3 h4 h5 h6 ul ol dl blockquote pre table section div figure hr details video audio"
BLOCKS = frozenset(_BLOCK_NAMES.split())
_LISTS = frozenset({"ul", "ol"})
_HOMES = {
    "li": _LISTS,
    "dt": frozenset({"dl", "div"}),
    "dd": frozenset({"dl", "div"}),
    "figcaption": frozenset({"figure"}),
    "summary": frozenset({"details"}),
}
_GAP = re.compile(r"\n[ \t]*\n\s*")
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
    """The body is nested deeper than any text is."""


def read(html: str, around: Surroundings, *, notes: bool = True) -> Body:
    """The body of `html`. Raises TooDeepError. With `notes=False`, footnotes stay an ordinary list."""
    told: Counter[str] = Counter()
    html = FORBIDDEN.sub("", html.replace("\r\n", "\n").replace("\r", "\n"))
    if around.loose:
        html = shortcodes.spelled_out(html, told)
    _refuse_depth(html)
    for gone in _GONE.finditer(html):
        source = _SRC.search(gone.group(2))
        told[f"<{gone.group(1).lower()}>{f' of {source.group(1)[:80]}' if source else ''} was left out"] += 1
    soup = _parsed(_allowed(html, around.base))
    body = Body(soup, told=told)
    _settle_headings(soup)
    _settle_strays(soup)
    _settle_paragraphs(soup, loose=around.loose)
    body.notes = footnotes.lift(soup) if notes else []
    soup.extend(body.notes)  # what is done to the text is done to them
    _settle_links(body, around)
    _settle_pictures(body, around)
    _tidy(soup)
    for note in body.notes:
        note.extract()
    return body


def text(html: str) -> str:
    """HTML, or what looks like it, as plain words on one line."""
    if len(html) > LIMIT:
        return ""
    plain = nh3.clean(html, tags=set(), attributes={})
    return " ".join(_parsed(FORBIDDEN.sub("", plain)).get_text().split())


def _refuse_depth(html: str) -> None:
    """Before any parser sees it: deep nesting costs parsers the square of the depth."""
    depth = 0
    for closing, name in _OPEN.findall(html):
        if name.lower() not in _ALONE:
            depth = max(0, depth - 1) if closing else depth + 1
        if depth > 4 * _DEEPEST:  # unclosed tags of old pages count, too
            raise TooDeepError
    if len(html) > LIMIT:
        raise TooDeepError


def _parsed(html: str) -> Tag:
    soup = BeautifulSoup(f"<div>{html}</div>", "html.parser", multi_valued_attributes=None).div
    assert soup is not None  # noqa: S101  it has just been written
    return soup


def _allowed(html: str, base: str) -> str:
    def attribute(_tag: str, name: str, value: str) -> str | None:
        if name in {"href", "src", "poster"}:
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
        whole = normalizeLink(urljoin(base, value))
    except ValueError:
        return None
    return whole if whole.lower().startswith(("http://", "https://", "mailto:")) else None


def _settle_headings(soup: Tag) -> None:
    """The top heading becomes h2, as in every post."""
    headings = soup.find_all(re.compile(r"^h[1-6]$"))
    highest = min((int(heading.name[1]) for heading in headings), default=2)
    for heading in headings:
        heading.name = f"h{min(6, int(heading.name[1]) - highest + 2)}"


def _settle_strays(soup: Tag) -> None:
    """Rows without their list and captions without their figure become plain blocks."""
    for stray in soup.find_all(list(_HOMES)):
        if stray.parent is None or stray.parent.name not in _HOMES[stray.name]:
            stray.name = "div"


def _settle_paragraphs(soup: Tag, *, loose: bool) -> None:
    for box in [soup, *soup.find_all(["div", "section", "blockquote"])]:
        _wrap_loose(box, loose=loose)
    for paragraph in soup.find_all("p"):
        _split_at_gaps(paragraph)


def _wrap_loose(box: Tag, *, loose: bool) -> None:
    """Text and inline tags that stand between blocks become paragraphs; an empty line begins another."""
    if box.name != "div" and not any(isinstance(c, Tag) and c.name in BLOCKS for c in box.children) and not loose:
        return
    run: list[PageElement] = []
    for child in [*box.children, None]:
        if child is None or (isinstance(child, Tag) and child.name in BLOCKS):
            _into_paragraphs(run, box, child, loose=loose)
            run = []
        elif not isinstance(child, Comment):
            run.append(child)


def _into_paragraphs(run: list[PageElement], box: Tag, before: PageElement | None, *, loose: bool) -> None:
    if not any(isinstance(one, Tag) or str(one).strip() for one in run):
        return
    paragraphs: list[list[PageElement]] = [[]]
    for one in run:
        one.extract()
        if not isinstance(one, NavigableString):
            paragraphs[-1].append(one)
            continue
        first, *others = _GAP.split(str(one)) if loose else [str(one)]
        paragraphs[-1] += _lines(first, loose=loose)
        paragraphs += [_lines(other, loose=loose) for other in others]
    for pieces in paragraphs:
        if any(isinstance(one, Tag) or str(one).strip() for one in pieces):
            paragraph = Tag(name="p")
            paragraph.extend(pieces)
            box.append(paragraph) if before is None else before.insert_before(paragraph)


def _lines(words: str, *, loose: bool) -> list[PageElement]:
    """Where lines count, each end of a line is one for readers."""
    if not loose:
        return [NavigableString(words)]
    found: list[PageElement] = []
    for n, line in enumerate(words.split("\n")):
        found += [Tag(name="br"), NavigableString(line)] if n else [NavigableString(line)]
    return found


def _split_at_gaps(paragraph: Tag) -> None:
    """Two line breaks in a row were meant as a new paragraph."""
    parts: list[list[PageElement]] = [[]]
    breaks = 0
    for child in list(paragraph.children):
        if isinstance(child, Tag) and child.name == "br":
            breaks += 1
            if breaks == 1:
                parts[-1].append(child)
        elif str(child).strip():
            if breaks > 1:
                parts.append([])
            breaks = 0
            parts[-1].append(child)
        else:
            parts[-1].append(child)
    last = paragraph
    for part in parts[1:]:
        other = Tag(name="p")
        other.extend([piece.extract() for piece in part])
        last.insert_after(other)
        last = other


def _settle_links(body: Body, around: Surroundings) -> None:
    for link in body.soup.find_all("a"):
        href = str(link.get("href") or "")
        shown = link.find("img")
        if not href or href.startswith("#"):
            link.unwrap()
        elif shown is not None and _SHOWN.search(urlsplit(href).path) and not link.get_text().strip():
            link.unwrap()  # a picture that only leads to its larger self
        elif (now := around.link(href)) is None:
            body.told["a link to a page of the old site that did not move was undone"] += 1
            link.unwrap()
        elif not link.get_text().strip() and shown is None:
            link.decompose()
        else:
            link.attrs = {"href": now}


def _settle_pictures(body: Body, around: Surroundings) -> None:
    for picture in body.soup.find_all("img"):
        src = str(picture.get("src") or "")
        if not src:
            picture.decompose()
            continue
        words = str(picture.get("alt") or "").strip() or around.shows(src)
        picture.attrs = {"src": around.picture(src), "alt": " ".join((words or _other_words(picture)).split())}
        body.pictures.append(src)


def _other_words(picture: Tag) -> str:
    """What else tells what a picture shows: its caption, or a title that is no file's name."""
    figure = picture.find_parent("figure")
    caption = figure.find("figcaption") if figure else None
    if caption is not None and (said := caption.get_text().strip()):
        return said
    title = str(picture.get("title") or "").strip()
    name = unquote(urlsplit(str(picture.get("src"))).path.rpartition("/")[2]).partition(".")[0]
    return "" if _FILE_WORDS.fullmatch(title) or title == name else title


def _tidy(soup: Tag) -> None:
    """What would only stand in the way: wrappers, empty tags, breaks at the edge of a block, ids."""
    for one in soup.find_all(["picture", "source"]):
        if one.name == "picture" or one.find_parent(["video", "audio"]) is None:
            one.unwrap()
    for one in soup.find_all("span"):
        one.unwrap()
    for one in soup.find_all(["li", "td", "th"]):
        _trim_breaks(one)
    for one in reversed(soup.find_all(["p", "em", "strong", "b", "i", "a", "div", "figure", "figcaption"])):
        _trim_breaks(one)
        if not one.get_text().strip() and one.find(["img", "video", "audio", "hr", "table", "sup"]) is None:
            one.unwrap() if one.get_text() and one.name not in BLOCKS else one.decompose()
    for numbered in soup.find_all("ol"):
        _number(numbered)
    for one in soup.find_all(id=True):
        del one["id"]
    soup.smooth()


def _trim_breaks(one: Tag) -> None:
    for children in (one.contents, one.contents[::-1]):
        for child in list(children):
            if isinstance(child, Tag) and child.name == "br":
                child.decompose()
            elif isinstance(child, Tag) or str(child).strip():
                break


def _number(numbered: Tag) -> None:
    start = str(numbered.get("start") or "1")
    count = int(start) if start.isascii() and start.isdigit() and len(start) < 9 else 1
    for row in numbered.find_all("li", recursive=False):
        row.attrs = {"value": str(count)}
        count += 1
