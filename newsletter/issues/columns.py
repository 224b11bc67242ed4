"""Plain text on 72 columns: titles underlined, each URL whole, at most one blank line in a row."""

from __future__ import annotations

import re
import textwrap
import unicodedata

from newsletter import segments, words

COLUMNS = 72
_UNSEEN = frozenset({"Mn", "Me", "Cf"})  # general categories: marks, joiners, isolates
_BLANKS = re.compile(r"[^\S\xa0\u202f]+")


def wrap(text: str, indent: str = "", first: str | None = None) -> str:
    """The paragraphs of `text` at 72 columns behind `indent`; a long word or URL is never broken.

    No-break spaces keep what they join on one line, and come out as plain ones.
    """
    paragraphs = (paragraph for paragraph in text.split("\n\n") if paragraph.strip())
    wrapped = (
        textwrap.fill(
            _BLANKS.sub(" ", paragraph.strip()),
            COLUMNS,
            initial_indent=indent if first is None or position else first,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for position, paragraph in enumerate(paragraphs)
    )
    return words.with_spaces("\n\n".join(wrapped))


def underlined(text: str, mark: str = "-") -> str:
    """The wrapped text over a line as wide as its widest line."""
    body = wrap(text)
    return f"{body}\n{mark * max(_width(line) for line in body.splitlines() or [''])}"


def rule(mark: str = "-") -> str:
    return mark * COLUMNS


def tidy(text: str) -> str:
    """No blanks at line ends, at most one blank line in a row, one line feed at the end.

    The marks of segments do not count as lines, since no reader gets them.
    """
    lines: list[str] = []
    after_words = False
    for line in (line.rstrip() for line in text.strip().splitlines()):
        if line or after_words:
            lines.append(line)
        if not segments.is_mark(line):
            after_words = bool(line)
    return "\n".join(lines) + "\n"


def _width(line: str) -> int:
    """Columns on a fixed-width screen: wide characters take two, marks and isolates none."""
    return sum(
        0 if unicodedata.category(char) in _UNSEEN else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in line
    )
