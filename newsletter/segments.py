"""The parts of a Digest that only some readers get: how they stand in a body, and how a body is cut for one reader.

A part stands between two lines of their own, `<!--segment recap:1-->` and `<!--end segment-->`, in HTML and text
alike; both go when the body is cut. Parts do not nest. No author can write such a line: HTML is escaped or cleaned of
comments, and a mark that stands anywhere else in a body is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection

END = "<!--end segment-->"

_LINE = re.compile(r"^[ \t]*<!--(?:segment ([a-z]+(?::[0-9]+)?)|end segment)-->[ \t]*\n", re.MULTILINE)
_REMNANT = re.compile(r"<!--\s*(?:segment|end segment)\b")


def begin(key: str) -> str:
    """The line that opens the part of this key."""
    return f"<!--segment {key}-->"


def is_mark(line: str) -> bool:
    """Whether a line without its end opens or closes a part."""
    return _LINE.fullmatch(f"{line}\n") is not None


def split(body: str) -> list[tuple[str, str]]:
    """(key, text) from top to bottom, whole lines each; the key is empty for what everybody gets.

    Raises ValueError, in words, for a mark that is damaged, stands within a line, or opens or closes nothing.
    """
    parts: list[tuple[str, str]] = []
    key, at = "", 0
    for mark in _LINE.finditer(body):
        if bool(mark[1]) == bool(key):
            raise ValueError(f"{mark[0].strip()} " + ("stands within another part" if key else "ends no part"))
        parts.append((key, body[at : mark.start()]))
        key, at = mark[1] or "", mark.end()
    if key:
        raise ValueError(f"{begin(key)} has no end")
    parts.append(("", body[at:]))
    for _, text in parts:
        if remnant := _REMNANT.search(text):
            line = text[remnant.start() :].partition("\n")[0]
            raise ValueError(f"{line[:60]!r} is not a mark on a line of its own")
    return [part for part in parts if part[1]]


def cut(body: str, variant: Collection[str]) -> str:
    """The body as a reader gets it whose variant names these keys. Raises ValueError like `split`."""
    return "".join(text for key, text in split(body) if not key or key in variant)


def keys(body: str) -> frozenset[str]:
    """The keys of all parts in a body. Raises ValueError like `split`."""
    return frozenset(key for key, _ in split(body) if key)
