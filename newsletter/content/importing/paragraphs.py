"""Where the paragraphs of a body are, as its readers saw them.

Promises that text and pictures stand in paragraphs and not between blocks, that no block stands inside of
emphasis or a link, and that each step takes the body in one go, however wide it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bs4.element import Comment, NavigableString, PageElement, Tag

from newsletter.content.importing.trees import every, holds

BLOCK_NAMES = "p h1 h2 h3 h4 h5 h6 ul ol dl blockquote pre table section div figure hr details video audio"
BLOCKS = frozenset(BLOCK_NAMES.split())

_BOXES = frozenset({"div", "section", "blockquote"})
_AROUND_NAMES, _IN_LINK_NAMES = (
    "b strong em i u s del ins mark small span sub sup cite q",
    "p div section h1 h2 h3 h4 h5 h6 figure figcaption",
)
_AROUND, _IN_LINKS = frozenset(_AROUND_NAMES.split()), frozenset(_IN_LINK_NAMES.split())
_SHOWN = frozenset({"img", "video", "audio"})
_ADDRESS = re.compile(r"https?://[!-;=?-~]{4,1000}")
_GAP = re.compile(r"\n[ \t]*\n\s*")
_LISTS = frozenset({"ul", "ol"})
_HOMES = {
    "li": _LISTS,
    "dt": frozenset({"dl", "div"}),
    "dd": frozenset({"dl", "div"}),
    "figcaption": frozenset({"figure"}),
    "summary": frozenset({"details"}),
}


def settle(soup: Tag, *, loose: bool) -> None:
    """Put everything into paragraphs; where the text is `loose`, an empty line begins one and each line counts."""
    _straighten(soup)
    for box in [soup, *every(soup, _BOXES)]:
        if box.name != "blockquote" or loose or any(_is_block(child) for child in box.children):
            _refill(box, list(_in_paragraphs(list(box.children), loose=loose)))
    for paragraph in every(soup, {"p"}):
        _split_at_gaps(paragraph)
    for paragraph in every(soup, {"p"}):
        _link_address(paragraph)


def _straighten(soup: Tag) -> None:
    """Rows without a list are blocks, figures hold pictures, and emphasis and links hold no blocks."""
    for stray in every(soup, _HOMES):
        if stray.parent is None or stray.parent.name not in _HOMES[stray.name]:
            stray.name = "div"
    for figure in every(soup, {"figure"}):
        if holds(figure, {"figure", "table"}) or not holds(figure, _SHOWN):
            _open_up(figure)
    for wrapper in every(soup, _AROUND):
        if holds(wrapper, BLOCKS):
            wrapper.unwrap()
    for link in every(soup, {"a"}):
        for block in every(link, _IN_LINKS):
            block.insert_after(Tag(name="br"))
            block.unwrap()


def _open_up(figure: Tag) -> None:
    """A gallery, a table or an embedded page: what is in it can stand by itself, and its caption below."""
    for caption in figure.find_all("figcaption", recursive=False):
        caption.name = "p"
    figure.name = "div"


def _link_address(paragraph: Tag) -> None:
    """An address that stands alone was shown as what is there; now it at least leads there."""
    said = paragraph.get_text().strip()
    if _ADDRESS.fullmatch(said) and not any(isinstance(child, Tag) for child in paragraph.children):
        link = Tag(name="a", attrs={"href": said})
        link.string = said
        _refill(paragraph, [link])


def _is_block(child: PageElement) -> bool:
    return isinstance(child, Tag) and child.name in BLOCKS


def _says(child: PageElement) -> bool:
    return isinstance(child, Tag) or bool(str(child).strip())


def _refill(box: Tag, children: Iterable[PageElement]) -> None:
    box.clear()
    box.extend(children)


def _in_paragraphs(children: list[PageElement], *, loose: bool) -> Iterable[PageElement]:
    """The blocks as they are, and what stands between them in paragraphs."""
    run: list[PageElement] = []
    for child in children:
        if _is_block(child):
            yield from _paragraphs(run, loose=loose)
            yield child
            run = []
        elif not isinstance(child, Comment):
            run.append(child)
    yield from _paragraphs(run, loose=loose)


def _paragraphs(run: list[PageElement], *, loose: bool) -> Iterable[Tag]:
    parts: list[list[PageElement]] = [[]]
    for one in run:
        if isinstance(one, NavigableString):
            first, *others = _GAP.split(str(one)) if loose else [str(one)]
            parts[-1] += _lines(first, loose=loose)
            parts += [_lines(other, loose=loose) for other in others]
        else:
            parts[-1].append(one)
    yield from (_paragraph(part) for part in parts if any(map(_says, part)))


def _paragraph(children: Iterable[PageElement]) -> Tag:
    paragraph = Tag(name="p")
    paragraph.extend(children)
    return paragraph


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
    for child in paragraph.children:
        is_break = isinstance(child, Tag) and child.name == "br"
        if not is_break and _says(child):
            parts += [[]] if breaks > 1 else []
            breaks = 0
        breaks += is_break
        if not is_break or breaks == 1:
            parts[-1].append(child)
    if len(parts) > 1:
        paragraph.insert_after(*[_paragraph(part) for part in parts[1:]])
        _refill(paragraph, parts[0])
