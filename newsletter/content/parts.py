"""Markdown taken apart by pulldown-cmark, as one flat list of parts in reading order.

Promises an end in time linear to the size of the text. What the parser takes for a sign and we do not
(`:word` as a definition, `~a~` as struck out) is text.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from pyromark import Markdown, Options
from pyromark.event import Event

_READER = Markdown(
    options=Options.ENABLE_TABLES
    | Options.ENABLE_STRIKETHROUGH
    | Options.ENABLE_FOOTNOTES
    | Options.ENABLE_DEFINITION_LIST
)
_GUARD = "\x02"  # no post holds it: see lines.FORBIDDEN
_EMPTY_LINE = " \t \t \n"  # nor this, unless to vex
_OPEN, _CLOSE = f"<!--{_GUARD}", f"{_GUARD}-->"
_INDENT = r"^([ \t]*(?:(?:>|[-+*]|\d{1,9}[.)])[ \t]*)*)"
_COLON = re.compile(rf"{_INDENT}(?=:(?![ \t]+\S))", re.MULTILINE)
_FENCE = re.compile(rf"{_INDENT}((:{{3,}})[ \t]*(take(?: [^\n]*)?)?[ \t]*)$", re.MULTILINE)


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

    def is_fence(self, part: Part) -> bool:
        """Whether an HTML block is what stands for a line of `:::`."""
        return part.kind == "+HtmlBlock" and self.raw.startswith(_OPEN.encode(), part.start)


def parse(text: str) -> Parts:
    """The parts of `text`. A line that opens or closes a `::: take` is an HTML block of its own."""
    guarded = _guarded(text)
    is_guarded = _GUARD in guarded
    raw = guarded.encode()
    found: list[Part] = []
    for event, place in _READER.events_with_range(guarded, merge_text="[[" not in guarded):
        kind, data = _flat(event)
        start = place["start"]
        if kind[1:] == "Strikethrough" and not raw.startswith(b"~~", start):
            kind, data = "Text", "~"
        elif is_guarded and isinstance(data, str):
            data = _bare(data)
        found.append(Part(kind, data, start, place["end"]))
    return Parts(found, raw)


def _flat(event: Event) -> tuple[str, Any]:
    if isinstance(event, str):
        return event, None
    ((kind, data),) = event.items()
    if kind not in {"Start", "End"}:
        return kind, data
    sign = "+" if kind == "Start" else "-"
    if isinstance(data, str):
        return sign + data, None
    ((name, inner),) = data.items()  # type: ignore[attr-defined]
    return sign + name, inner


def _guarded(text: str) -> str:
    """A line of `:::` becomes a comment, which may stand wherever a block may; a `:` before a word is no sign."""
    text = text.replace(_GUARD, "") + "\n"
    return _COLON.sub(rf"\1{_GUARD}", _FENCE.sub(_Fences(), text) if ":::" in text else text)


class _Fences:
    """Marks the lines that open a take, and for each one that closes it."""

    def __init__(self) -> None:
        self._open: list[int] = []  # colons of the takes that are open

    def __call__(self, line: re.Match[str]) -> str:
        indent, fence, colons, opens = line.groups()
        if opens:
            self._open.append(len(colons))
            return f"{indent}{_OPEN}{fence}{_CLOSE}"
        if not self._open or self._open[-1] > len(colons):
            return line.group()
        self._open.pop()
        end_of_html = "" if indent.strip("> ") or indent[:1] == " " else f"{indent}{_EMPTY_LINE}"
        return f"{end_of_html}{indent}{_OPEN}{fence}{_CLOSE}"


def _bare(text: str) -> str:
    for mark in (_EMPTY_LINE, _OPEN, _CLOSE, _GUARD):
        text = text.replace(mark, "")
    return text
