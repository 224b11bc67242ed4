"""A body as Markdown that reads back as the same text.

Promises that the words, links, pictures and headings which our own reader finds in the Markdown are those of
the HTML, in order, whitespace aside. What Markdown has no sign for is written in tags, block by block.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache

from bs4.element import Tag

from newsletter.content import markdown, outline, sanitise, tags, writing
from newsletter.content.importing.body import Body
from newsletter.content.importing.marks import Marks, as_html
from newsletter.content.outline import Outline
from newsletter.content.sanitise import Address
from newsletter.content.syntax import Mentions
from newsletter.tongue import spoken

_NAMED = re.compile(r"\[\^(\d{1,6})\]")
_Seen = tuple[str, list[tuple[str, str]], list[tuple[str, str]], list[tuple[int, str]]]


def written(body: Body, page: Address, day: date) -> str | None:
    """The Markdown of a body; None when no way was found to keep all of it."""
    blocks = [child for child in body.soup.children if isinstance(child, Tag)]
    scale = _Scale(page, day, len(body.notes))
    wanted = scale.seen("".join(map(str, (*blocks, *body.notes))))
    plain, *others = _hands()
    first = [_marked(block, plain) for block in blocks]
    if scale.holds(text := _joined(first, _notes(body, plain)), wanted):
        return text
    chosen = [_best(block, scale) for block in blocks]
    careful = _notes(body, others[-1])
    ways = ((chosen, _notes(body, plain)), (chosen, careful), ([as_html(block) for block in blocks], careful))
    return next((text for way in ways if scale.holds(text := _joined(*way), wanted)), None)


@cache
def _hands() -> tuple[Marks, ...]:
    """From the one whose Markdown is best to read to the one that leaves nothing to chance."""
    return Marks(), Marks(tags=True), Marks(tags=True, careful=True)


def _best(block: Tag, scale: _Scale) -> str:
    wanted = scale.seen(str(block))
    ways = (_marked(block, hand) for hand in _hands())
    return next((way for way in ways if scale.holds(way, wanted)), as_html(block))


def _notes(body: Body, hand: Marks) -> list[str]:
    return [_note(n, _marked(note, hand)) for n, note in enumerate(body.notes, 1)]


def _marked(block: Tag, marks: Marks) -> str:
    return str(marks.convert_soup(block)).strip("\n ")


def _joined(blocks: Iterable[str], notes: Sequence[str]) -> str:
    """Blocks with an empty line between; of two lists in a row the second would join the first."""
    parts: list[str] = []
    for block in filter(None, blocks):
        if parts and _is_list(parts[-1]) and _is_list(block):
            parts.append("<!-- -->")
        parts.append(block)
    return "\n\n".join([*parts, *notes])


def _is_list(block: str) -> bool:
    return block.startswith("- ") or block.split(". ", 1)[0].isdigit()


def _note(number: int, text: str) -> str:
    lines = text.split("\n")
    return "\n".join([f"[^{number}]: {lines[0]}", *(f"    {line}" if line else "" for line in lines[1:])])


class _Scale:
    """Reads Markdown and HTML as the house does, to compare what a reader would find."""

    def __init__(self, page: Address, day: date, notes: int) -> None:
        self._page = page
        self._day = day
        self._notes = notes

    def holds(self, text: str, wanted: _Seen) -> bool:
        if text.count("[") > markdown.BRACKETS:
            return False
        parts = markdown.read(text + self._notes_of(text), "", Mentions(lambda _name: None, self._day, spoken("en")))
        html = writing.html(parts.all, "")
        return tags.fault(html) is None and self.seen(html) == wanted

    def _notes_of(self, text: str) -> str:
        """An empty note for each that is named, since a block alone has none; the first of a name is what counts."""
        named = {int(number) for number in _NAMED.findall(text)}
        return "".join(f"\n\n[^{number}]:" for number in sorted(named) if 0 < number <= self._notes)

    def seen(self, html: str) -> _Seen:
        found: Outline = outline.read(sanitise.clean(html, self._page))
        return (
            "".join(found.text.split()),
            [(link.href, "".join(link.text.split())) for link in found.links],
            [(picture.src, "".join(picture.alt.split())) for picture in found.pictures],
            [(level, "".join(text.split())) for level, text in found.headings],
        )
