"""The take in a post: `::: take` up to `:::`, or a quotation that begins with `[!TAKE]`.

Promises both as the same pair of parts, `+Take` and `-Take`, wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from newsletter.content.parts import Part, Parts

_MARKER = re.compile(rb"\[!take\b([^\]\n]*)\][ \t]*(?:\n|$)", re.IGNORECASE)
_MARKED = frozenset({"Paragraph", "DefinitionList", "DefinitionListTitle"})  # what may begin with one
_END = Part("-Take")


class Opening(NamedTuple):
    """How a take opens (the data of a `+Take`)."""

    option: str
    closed: bool = True


class _Open(NamedTuple):
    """A `:::` without its end as yet: where its part is, how deep it stands, and how many colons it has."""

    place: int
    depth: int
    colons: int


def find(parts: Parts) -> Parts:
    """`parts` with `::: take` and `> [!TAKE]` as the same pair, `+Take` and `-Take`."""
    if _MARKER.search(parts.raw):
        parts = parts._replace(all=list(_quoted(parts)))
    return parts._replace(all=_fenced(parts)) if parts.has_fences() else parts


def _quoted(parts: Parts) -> Iterator[Part]:
    """Quotations that begin with the marker are takes; the marker goes, and its paragraph if nothing is left."""
    quotes: list[str] = []
    marked = 0  # where a marker ends, until what it stands in does
    for index, part in enumerate(parts.all):
        if part.kind == "+BlockQuote":
            match = _marker(parts, index + 1)
            quotes.append("Take" if match else "BlockQuote")
            marked = match.end() if match else 0
            yield part._replace(kind=f"+{quotes[-1]}", data=match and Opening(match[1].decode().strip()))
        elif part.kind == "-BlockQuote":
            yield part._replace(kind=f"-{quotes.pop()}")
        elif part.start >= marked or (part.kind[1:] in _MARKED and part.end > marked):
            yield part
        if part.kind in {"-Paragraph", "-DefinitionListTitle"}:
            marked = 0


def _marker(parts: Parts, index: int) -> re.Match[bytes] | None:
    first = parts.all[index]
    return _MARKER.match(parts.raw, first.start, first.end) if first.kind[1:] in _MARKED else None


def _fenced(parts: Parts) -> list[Part]:
    """Lines of `:::` as takes; one that is not closed ends with what it stands in."""
    done: list[Part] = []
    opened: list[_Open] = []
    depth = 0
    walk = iter(parts.all)
    for part in walk:
        if parts.is_fence(part):
            _fence(part, _line(walk), depth, opened, done)
            continue
        depth += {"+": 1, "-": -1}.get(part.kind[0], 0)
        while opened and depth < opened[-1].depth:
            opened.pop()
            done.append(_END)
        done.append(part)
    return done + [_END] * len(opened)


def _line(walk: Iterator[Part]) -> str:
    return "".join(part.data for part in takewhile(lambda part: part.kind != "-HtmlBlock", walk)).strip()


def _fence(part: Part, line: str, depth: int, opened: list[_Open], done: list[Part]) -> None:
    """Add to `opened` and `done` what a line of `:::` means: it opens a take, closes one, or is text."""
    words = line.lstrip(":")
    colons = len(line) - len(words)
    if words:
        opened.append(_Open(len(done), depth, colons))
        done.append(Part("+Take", Opening(words.strip()[len("take") :].strip(), closed=False), part.start))
    elif opened and opened[-1].depth == depth and opened[-1].colons <= colons:
        place = opened.pop().place
        done[place] = done[place]._replace(data=done[place].data._replace(closed=True))
        done.append(_END)
    else:
        done += [Part("+Paragraph"), Part("Text", line), Part("-Paragraph")]
