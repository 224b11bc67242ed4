"""What a reader asks of the archive, and what the index answers: values, and the language between the two.

Promises that no words of a reader are ever an operator of FTS5, and that what the index marks reaches a page escaped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from html import unescape

from markupsafe import Markup, escape

LONGEST, MOST = 200, 12
"""Characters and phrases of a question that are read; the rest is not looked for."""

PER_PAGE = 20
LAST_PAGE = 500

OPEN, CLOSE = "\x02", "\x03"
"""Around a found word in what the index returns: characters that no Post holds."""

_PART = re.compile(r'"([^"]*)"?|([^\s"]+)')
_REST = r"(?:\s[^<>\"]*(?:\"[^\"]*\"[^<>\"]*)*)?/?>"
_WITHIN = re.compile(
    rf"</?(?:a|abbr|b|cite|code|del|em|i|ins|kbd|mark|q|s|samp|small|span|strong|sub|sup|time|u|var|wbr){_REST}"
)
_TAG = re.compile(rf"</?[a-z0-9]+{_REST}")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Query:
    """A question: words, and where to look; what is empty or 0 does not restrict."""

    words: str = ""
    topic: str = ""  # `topic_slug`
    year: int = 0
    newest: bool = False  # first; else the best
    page: int = 1

    @property
    def phrases(self) -> tuple[str, ...]:
        """The words one by one, quoted ones together, without what only looks like a word."""
        plain = "".join(c if c.isprintable() else " " for c in self.words[:LONGEST])
        parts = (" ".join((quoted or bare).split()) for quoted, bare in _PART.findall(plain))
        return tuple([part for part in parts if _WORD.search(part)][:MOST])

    @property
    def restricted(self) -> bool:
        return bool(self.topic or self.year)


@dataclass(frozen=True, slots=True)
class Hit:
    """A Post that answers; found words are marked."""

    path: str
    title: Markup
    published: date
    snippet: Markup
    of_take: bool  # the snippet is the house's opinion


@dataclass(frozen=True, slots=True)
class Choice:
    """A topic or year that there are Posts of."""

    value: str
    name: str
    posts: int


@dataclass(frozen=True, slots=True)
class Found:
    """The answer: one page of it."""

    query: Query
    total: int
    hits: tuple[Hit, ...]
    topics: tuple[Choice, ...]  # all there are, by name
    years: tuple[Choice, ...]  # newest first
    elsewhere: int = 0  # how many there are without the topic and the year
    meant: str = ""  # other words that do find something
    meant_total: int = 0

    @property
    def pages(self) -> int:
        return min(LAST_PAGE, -(-self.total // PER_PAGE))


def match(phrases: Iterable[str], *, prefix: bool = False) -> str:
    """The phrases as an FTS5 expression that wants all of them; with `prefix`, words may go on."""
    return " ".join(f'"{phrase}"{" *" if prefix else ""}' for phrase in phrases)


def marked(text: str) -> Markup:
    """What the index returned, escaped, its marks as `<mark>`."""
    words = str(escape(" ".join(text.split())))
    return Markup(words.replace(OPEN, "<mark>").replace(CLOSE, "</mark>"))  # noqa: S704  # escaped just now


def clean(text: str) -> str:
    """The text as the index takes it: no marks of ours, nothing that is not UTF-8."""
    return text.replace(OPEN, "").replace(CLOSE, "").replace("\0", "").encode(errors="replace").decode()


def said(html: str) -> str:
    """The words of sanitised HTML, for the index: a tenth of the time that reading it with care takes."""
    return unescape(_TAG.sub(" ", _WITHIN.sub("", html)))


def words_of(phrases: Iterable[str]) -> tuple[str, ...]:
    """The words in phrases as the vocabulary spells them: small, without accents, each once."""
    return tuple(dict.fromkeys(_folded(word) for phrase in phrases for word in _WORD.findall(phrase)))


def nearest(word: str, vocabulary: Iterable[str]) -> str | None:
    """The word of the vocabulary that was probably meant; None when there is none like it."""
    alike = [known for known in vocabulary if abs(len(known) - len(word)) <= 2]
    return next(iter(get_close_matches(word, alike, n=1, cutoff=0.72)), None)


def respelt(phrases: Iterable[str], spelling: Mapping[str, str]) -> str:
    """The question with other words in it, as a reader would type it."""
    mended = (_WORD.sub(lambda m: spelling.get(_folded(m[0]), m[0]), phrase) for phrase in phrases)
    return " ".join(f'"{phrase}"' if " " in phrase else phrase for phrase in mended)


def _folded(word: str) -> str:
    apart = unicodedata.normalize("NFKD", word.lower())
    return "".join(c for c in apart if not unicodedata.combining(c))
