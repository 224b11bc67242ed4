"""What a reader meets in a piece of HTML: words, links, pictures, headings.

Promises to read only what the sanitiser let through, so that checks see the page as a browser will,
whether a tag came from Markdown or was written by hand. The sanitiser writes every `<` and `>` that is no tag
as a reference, every attribute in double quotes and every name in small letters; that is what makes the reading quick.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import unescape

_BLOCK_NAMES = (
    "p h2 h3 h4 h5 h6 ul ol li dl dt dd blockquote pre table tr section div figure figcaption details summary br hr"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_CELLS = frozenset({"td", "th"})
_UNSAID = frozenset({"footnote-ref", "footnote-backref"})  # marks, not words
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)([^<>]*)>")
_ATTRIBUTE = re.compile(r' ([a-z-]+)(?:="([^"]*)")?')
_HEADINGS = frozenset({"h2", "h3", "h4", "h5", "h6"})


@dataclass(frozen=True, slots=True)
class Anchor:
    href: str
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    src: str
    alt: str


@dataclass(frozen=True, slots=True)
class Outline:
    """Links, pictures, headings in reading order; `text` one line a block, `prose` the same without code."""

    links: tuple[Anchor, ...]
    pictures: tuple[Picture, ...]
    headings: tuple[tuple[int, str], ...]
    text: str
    prose: str


@lru_cache(maxsize=8)  # rendering a post and checking it ask for the same one
def read(html: str) -> Outline:
    """The outline of sanitised HTML."""
    reading, end = _Reading(), 0
    for tag in _TAG.finditer(html):
        if tag.start() > end:
            reading.say(unescape(html[end : tag.start()]))
        closing, name, rest = tag.groups()
        if closing:
            reading.close(name)
        else:
            reading.open(name, rest)
        end = tag.end()
    reading.say(unescape(html[end:]))
    return Outline(
        tuple(reading.links),
        tuple(reading.pictures),
        tuple(reading.headings),
        _tidy(reading.said),
        _tidy(reading.prose),
    )


def joined(outlines: Sequence[Outline]) -> Outline:
    """The outline of pieces that stand one after the other."""
    return Outline(
        tuple(link for one in outlines for link in one.links),
        tuple(picture for one in outlines for picture in one.pictures),
        tuple(heading for one in outlines for heading in one.headings),
        "\n".join(filter(None, (one.text for one in outlines))),
        "\n".join(filter(None, (one.prose for one in outlines))),
    )


def _tidy(parts: list[str]) -> str:
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)


class _Reading:
    def __init__(self) -> None:
        self.links: list[Anchor] = []
        self.pictures: list[Picture] = []
        self.headings: list[tuple[int, str]] = []
        self.said: list[str] = []
        self.prose: list[str] = []
        self._unsaid = ""  # the tag in which nothing is said
        self._code = 0
        self._href: tuple[str, int] | None = None
        self._heading = 0

    def open(self, tag: str, rest: str) -> None:
        given = {name: unescape(value) for name, value in _ATTRIBUTE.findall(rest)} if rest else {}
        if given.get("class") in _UNSAID and not self._unsaid:
            self._unsaid = tag
        self._break(tag)
        self._code += tag == "code"
        if tag == "a" and not self._unsaid:
            self._href = (given.get("href", ""), len(self.said))
        elif tag == "img":
            self.pictures.append(Picture(given.get("src", ""), given.get("alt", "")))
            self.say(given.get("alt", ""))
        elif tag in _HEADINGS:
            self._heading = len(self.said)

    def close(self, tag: str) -> None:
        if tag == self._unsaid:
            self._unsaid = ""
            return
        self._code -= tag == "code"
        if tag == "a" and self._href:
            href, start = self._href
            self.links.append(Anchor(href, _tidy(self.said[start:])))
            self._href = None
        elif tag in _HEADINGS:
            self.headings.append((int(tag[1]), _tidy(self.said[self._heading :])))
        self._break(tag)

    def say(self, words: str) -> None:
        if self._unsaid:
            return
        self.said.append(words)
        if not self._code:
            self.prose.append(words)

    def _break(self, tag: str) -> None:
        if mark := "\n" if tag in _BLOCKS else " " if tag in _CELLS else "":
            self.said.append(mark)
            self.prose.append(mark)
