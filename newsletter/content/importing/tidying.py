"""What of a body would only stand in the way of reading it as Markdown.

Promises that no word, link or picture goes: only wrappers, empty tags, breaks at the edge of a block, and ids.
"""

from __future__ import annotations

from collections.abc import Sequence

from bs4.element import Tag

from newsletter.content.importing.paragraphs import BLOCKS
from newsletter.content.importing.trees import every, holds, tags

_SHOWS = frozenset({"img", "video", "audio", "hr", "table", "sup"})
_EMPTIABLE = frozenset({"p", "em", "strong", "b", "i", "a", "figure", "figcaption"})
_WRAPPERS = frozenset({"picture", "span", "div", "section"})


def tidy(soup: Tag, *, keep: Sequence[Tag]) -> None:
    """Simplify the body in place; the wrappers in `keep` stay."""
    _without_wrappers(soup, {id(one) for one in keep})
    for one in every(soup, {"li", "td", "th"}):
        _trim_breaks(one)
    for one in reversed(every(soup, _EMPTIABLE)):
        _trim_breaks(one)
        _drop_empty(one)
    for numbered in every(soup, {"ol"}):
        _number(numbered)
    for one in tags(soup):
        one.attrs.pop("id", None)
    soup.smooth()


def _without_wrappers(soup: Tag, keep: set[int]) -> None:
    for one in every(soup, _WRAPPERS):
        if id(one) not in keep:
            one.unwrap()
    for source in every(soup, {"source"}):
        if source.find_parent(["video", "audio"]) is None:
            source.unwrap()
    for cell in every(soup, {"td", "th"}):
        inside = [child for child in cell.children if isinstance(child, Tag)]
        if len(inside) == 1 and inside[0].name == "p":
            inside[0].unwrap()


def _trim_breaks(one: Tag) -> None:
    for children in (one.contents, one.contents[::-1]):
        for child in list(children):
            if isinstance(child, Tag) and child.name == "br":
                child.decompose()
            elif isinstance(child, Tag) or str(child).strip():
                break


def _drop_empty(one: Tag) -> None:
    """A space in empty emphasis still parts two words."""
    if one.get_text().strip() or holds(one, _SHOWS):
        return
    if one.get_text() and one.name not in BLOCKS:
        one.unwrap()
    else:
        one.decompose()


def _number(numbered: Tag) -> None:
    start = str(numbered.get("start") or "1")
    count = int(start) if start.isascii() and start.isdigit() and len(start) < 9 else 1
    for row in numbered.find_all("li", recursive=False):
        row.attrs = {"value": str(count)}
        count += 1
