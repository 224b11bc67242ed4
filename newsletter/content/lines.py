"""A source as numbered lines, and the way to point at a place in it.

Promises lines without BOM, carriage returns or characters that XML 1.0 forbids; what had to be
removed is told as a Problem (P115), and a source over the limit as P116.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from newsletter.errors import Problem
from newsletter.model import Source

POST_LIMIT = 2 * 1024 * 1024
"""Octets of one post."""

# XML 1.0 "Char" (2.2), and the C1 block that feed validators refuse. Lone surrogates are what
# `source` makes of octets that are not UTF-8.
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

_EXCERPT = 160


class Spot(NamedTuple):
    """A place in a source: 1-based line and column, and how many characters to underline."""

    line: int = 0
    column: int = 0
    width: int = 0


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of one source, counted from 1 as editors do."""

    file: str
    lines: tuple[str, ...]

    def problem(
        self,
        code: str,
        message: str,
        spot: Spot = Spot(),  # noqa: B008 - an immutable value
        *,
        why: str = "",
        fixes: tuple[str, ...] = (),
        level: str = "stop",
    ) -> Problem:
        """A Problem in this source, with the line it speaks of."""
        excerpt = self.lines[spot.line - 1][:_EXCERPT] if 0 < spot.line <= len(self.lines) else ""
        return Problem(
            code, message, self.file, spot.line, spot.column, spot.width, excerpt, why=why, fixes=fixes, level=level
        )

    def find(self, needle: str, after: int = 0) -> Spot:
        """Where `needle` first stands below line `after`; an empty Spot when it does not."""
        for number, line in enumerate(self.lines[after:], after + 1):
            column = line.find(needle) if needle else -1
            if column >= 0:
                return Spot(number, column + 1, len(needle))
        return Spot()


def read(source: Source) -> tuple[Lines, list[Problem]]:
    """The lines of `source` made clean, and what was wrong with its characters or size."""
    file = str(source.path)
    if len(source.text) > POST_LIMIT:
        message = f"The post is over {POST_LIMIT // 1024 // 1024} MB"
        why = "No reader and no mail program takes a page of that size."
        return Lines(file, ("",)), [Problem("P116", message, file, why=why, fixes=("split the post",))]
    text = source.text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    found = FORBIDDEN.search(text)
    if not found:
        return Lines(file, tuple(text.split("\n"))), []
    problem = _bad_character(Lines(file, tuple(text.split("\n"))), found, text)
    return Lines(file, tuple(FORBIDDEN.sub("", text).split("\n"))), [problem]


def _bad_character(lines: Lines, found: re.Match[str], text: str) -> Problem:
    before = text[: found.start()]
    spot = Spot(before.count("\n") + 1, found.start() - before.rfind("\n"), 1)
    others = len(FORBIDDEN.findall(text)) - 1
    also = f", and {others:,} more like it" if others else ""
    problem = lines.problem(
        "P115",
        f"{_name(found.group())} cannot stand in a post{also}",
        spot,
        why="Feeds are XML, which forbids it: readers would refuse the whole feed.",
        fixes=("save the file as UTF-8 and delete the character",),
    )
    return _printable(problem)


def _name(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"The octet 0x{code - 0xDC00:02X}, which is not UTF-8,"
    return f"The character U+{code:04X}"


def _printable(problem: Problem) -> Problem:
    excerpt = FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", problem.excerpt)
    return Problem(
        problem.code,
        problem.message,
        problem.file,
        problem.line,
        problem.column,
        problem.width,
        excerpt,
        why=problem.why,
        fixes=problem.fixes,
    )
