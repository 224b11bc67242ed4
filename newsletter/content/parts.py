"""Markdown taken apart by pulldown-cmark, as one flat list of parts in reading order.

Promises an end in time linear to the size of the text, however deep it is nested. What the parser takes for a
sign and we do not (`:word` as a definition, `~a~` as struck out) is text.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from pyromark import Options, events_with_range

_OPTIONS = (
    Options.ENABLE_TABLES | Options.ENABLE_STRIKETHROUGH | Options.ENABLE_FOOTNOTES | Options.ENABLE_DEFINITION_LIST
)
_SIGNS = {"Start": "+", "End": "-"}
_GUARD = "\x02"  # no post holds it: see lines.FORBIDDEN
_EMPTY_LINE = " \t \t "  # nor this, unless to vex
_OPEN, _CLOSE = f"<!--{_GUARD}", f"{_GUARD}-->"
_MARK = _OPEN.encode()
_INDENT = r"(\n[ \t]*(?:(?:>|[-+*]|\d{1,9}[.)])[ \t]*)*)"
_COLON = re.compile(rf"{_INDENT}(?=:(?![ \t]+\S))")
_FENCE = re.compile(rf"{_INDENT}((:{{3,}})(?:[ \t]*(take(?: [^\n]*)?))?[ \t]*)(?=\n)")


class Part(NamedTuple):
    """One step: `+Name` opens, `-Name` closes, any other kind stands alone; octets `start` to `end` of the text."""

    kind: str
    data: Any = None
    start: int = 0
    end: int = 0


class Parts(NamedTuple):
    """A text as its parts, and the octets that they point into."""

    all: list[Part]
    raw: bytes

    def text(self, part: Part) -> str:
        return _bare(self.raw[part.start : part.end].decode(errors="replace"))

    def line(self, part: Part) -> int:
        """The line on which a part begins, counted from 1."""
        return 1 + self.raw.count(b"\n", 0, part.start) - self.raw.count(_EMPTY_LINE.encode(), 0, part.start)

    def has_fences(self) -> bool:
        return _MARK in self.raw

    def is_fence(self, part: Part) -> bool:
        """Whether an HTML block is what stands for a line of `:::`."""
        return part.kind == "+HtmlBlock" and self.raw.startswith(_MARK, part.start)


def parse(text: str) -> Parts:
    """The parts of `text`. A line that opens or closes a `::: take` is an HTML block of its own."""
    guarded = _guarded(text)
    is_guarded = _GUARD in guarded
    raw = guarded.encode()
    found: list[Part] = []
    steps: Iterator[tuple[Any, Any]] = events_with_range(guarded, options=_OPTIONS, merge_text="[[" not in guarded)
    data: Any
    for event, place in steps:
        kind, data = (event, None) if isinstance(event, str) else event.popitem()
        start = place["start"]
        if sign := _SIGNS.get(kind):
            name, data = (data, None) if isinstance(data, str) else data.popitem()
            kind = sign + name
            if name == "Strikethrough" and not raw.startswith(b"~~", start):
                kind, data = "Text", "~"
        elif is_guarded and data:
            data = _bare(data)
        found.append(Part(kind, data, start, place["end"]))
    return Parts(found, raw)


def _guarded(text: str) -> str:
    """A line of `:::` becomes a comment, which may stand wherever a block may; a `:` before a word is no sign."""
    text = f"\n{text.replace(_GUARD, '')}\n"
    if ":::" in text:
        text = _FENCE.sub(_Fences(), text)
    return _COLON.sub(rf"\1{_GUARD}", text)[1:]


class _Fences:
    """Marks the lines that open a take, and from the first one on those that may close it."""

    def __init__(self) -> None:
        self._fewest = sys.maxsize  # colons of a take so far

    def __call__(self, line: re.Match[str]) -> str:
        indent, fence, colons, opens = line.groups()
        if opens:
            self._fewest = min(self._fewest, len(colons))
            return f"{indent}{_OPEN}{fence}{_CLOSE}"
        if len(colons) < self._fewest:
            return line.group()
        end_of_html = "" if indent.strip("\n> ") or indent[1:2] == " " else f"{indent}{_EMPTY_LINE}"
        return f"{end_of_html}{indent}{_OPEN}{fence}{_CLOSE}"


def _bare(text: str) -> str:
    for mark in (f"{_EMPTY_LINE}\n", _OPEN, _CLOSE, _GUARD):
        text = text.replace(mark, "")
    return text
