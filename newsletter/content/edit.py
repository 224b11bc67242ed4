"""Changes to the front matter of a post that a command makes for its writer.

Promises that nothing else in the text moves: other lines, comments, line ends and a byte order mark stay as they are,
and what is written reads back as what was meant.
"""

from __future__ import annotations

import re

from newsletter.content.new import quoted

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")


def with_key(text: str, key: str, value: str) -> str:
    """The text with `key: value` in its front matter, in place of what the key said before or at the end."""
    lines, first, last = _front(text)
    start, end = _place(lines, key, first, last)
    return "".join([*lines[:start], f"{key}: {quoted(value)}{_end_of(lines)}", *lines[end:]])


def without_key(text: str, key: str) -> str:
    """The text without a key and its value."""
    lines, first, last = _front(text)
    start, end = _place(lines, key, first, last)
    return "".join([*lines[:start], *lines[end:]])


def with_more(text: str, key: str, values: tuple[str, ...], value: str) -> str:
    """The text with one more value in the list of `key`, which holds `values` now: one line for each."""
    lines, first, last = _front(text)
    start, end = _place(lines, key, first, last)
    br = _end_of(lines)
    listed = [f"  - {quoted(one)}{br}" for one in (*values, value)]
    return "".join([*lines[:start], f"{key}:{br}", *listed, *lines[end:]])


def _front(text: str) -> tuple[list[str], int, int]:
    """All lines with their ends, and where those of the front matter begin and end."""
    lines = [line for line in _LINE.findall(text) if line]
    bar = (n for n, line in enumerate(lines) if n and line.rstrip() == "---")
    return lines, 1, next(bar, 1)


def _place(lines: list[str], key: str, first: int, last: int) -> tuple[int, int]:
    """The lines of a key: its own and those that go on with its value; an empty place at the end without it."""
    start = next((n for n in range(first, last) if re.match(rf"{re.escape(key)}\s*:", lines[n])), last)
    end = min(start + 1, last)
    while start < end < last and re.match(r"\s+\S|\s*-\s|\s*$", lines[end]):
        end += 1
    return start, max(start, end)


def _end_of(lines: list[str]) -> str:
    return lines[0][len(lines[0].rstrip("\r\n")) :] if lines else "\n"
