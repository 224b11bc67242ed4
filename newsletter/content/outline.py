"""What a reader meets in a piece of HTML: words, links, pictures, headings.

Promises to read only what the sanitiser let through, so that checks see the page as a browser will,
whether a tag came from Markdown or was written by hand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_BLOCK_NAMES = (
    "p h2 h3 h4 h5 h6 ul ol li dl dt dd blockquote pre table tr section div figure figcaption details summary br hr"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_CELLS = frozenset({"td", "th"})
_UNSAID = frozenset({"footnote-ref", "footnote-backref"})  # marks, not words
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")


@dataclass(frozen=True, slots=True)
class Anchor:
    href: str
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    src: str
    alt: str


@dataclass(slots=True)
class Outline:
    """Links, pictures, headings in reading order; `text` one line a block, `prose` the same without code."""

    links: list[Anchor] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    text: str = ""
    prose: str = ""


def read(html: str) -> Outline:
    """The outline of sanitised HTML."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    parser.outline.text = _tidy(parser.said)
    parser.outline.prose = _tidy(parser.prose)
    return parser.outline


def plain(html: str) -> str:
    """The words of sanitised HTML, one line a block."""
    return read(html).text


def _tidy(parts: list[str]) -> str:
    return _LINES.sub("\n", _SPACES.sub(" ", "".join(parts))).strip()


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.outline = Outline()
        self.said: list[str] = []
        self.prose: list[str] = []
        self._unsaid = ""  # the tag in which nothing is said
        self._code = 0
        self._href: tuple[str, int] | None = None
        self._heading = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if given.get("class") in _UNSAID and not self._unsaid:
            self._unsaid = tag
        self._break(tag)
        self._code += tag == "code"
        if tag == "a" and not self._unsaid:
            self._href = (given.get("href", ""), len(self.said))
        elif tag == "img":
            self.outline.pictures.append(Picture(given.get("src", ""), given.get("alt", "")))
            self._say(given.get("alt", ""))
        elif tag in {"h2", "h3", "h4", "h5", "h6"}:
            self._heading = len(self.said)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._unsaid:
            self._unsaid = ""
            return
        self._code -= tag == "code"
        if tag == "a" and self._href:
            href, start = self._href
            self.outline.links.append(Anchor(href, _tidy(self.said[start:])))
            self._href = None
        elif tag in {"h2", "h3", "h4", "h5", "h6"}:
            self.outline.headings.append((int(tag[1]), _tidy(self.said[self._heading :])))
        self._break(tag)

    def handle_data(self, data: str) -> None:
        self._say(data)

    def _break(self, tag: str) -> None:
        mark = "\n" if tag in _BLOCKS else " " if tag in _CELLS else ""
        self.said.append(mark)
        self.prose.append(mark)

    def _say(self, words: str) -> None:
        if self._unsaid:
            return
        self.said.append(words)
        if not self._code:
            self.prose.append(words)
