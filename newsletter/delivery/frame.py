"""The body of a Digest for one variant, encoded once: bytes that all its readers get, and between them the few lines
that hold a reader's own words.

What varies is a text with named blanks, `%(joined)s`, that one formatting fills. Every Sentinel has two names, since
its words are escaped in HTML.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from newsletter import segments, variants
from newsletter.delivery import mime
from newsletter.delivery.pieces import LARGE
from newsletter.errors import NewsletterError
from newsletter.model import Digest, Sentinel, Tally
from newsletter.tongue import spoken

BOUNDARY = "boundary"
"""The name of the blank for what stands between the parts of a message."""

_BOUNDARY = f"%({BOUNDARY})s"
_SENTINEL = re.compile("|".join(re.escape(sentinel) for sentinel in Sentinel))
_MASK, _DOT = "…", "·"
_REMNANT = re.compile(r"__UNSUBSCRIBE|__PREFERENCES|__READER|__DIGEST|//x\.invalid")
_ESCAPED = ".html"


@dataclass(frozen=True, slots=True)
class Blank:
    """Lines ended by "\\n" with blanks in them, and how they are encoded when those are filled."""

    text: str
    encoding: str


Piece = bytes | tuple[Blank, ...]
"""What all readers get, or what is made out to each."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What all readers with one variant get: subject, fields of the head that tell of the body, and the body."""

    subject: str
    fields: tuple[str, ...]  # with a blank for the BOUNDARY, if the message has parts
    pieces: tuple[Piece, ...]

    def has(self, name: str) -> bool:
        """Whether the body has a blank of this name."""
        blanks = (blank for piece in self.pieces if isinstance(piece, tuple) for blank in piece)
        return any(f"%({name})s" in blank.text for blank in blanks)


def filled(blanks: tuple[Blank, ...], words: Mapping[str, str]) -> bytes:
    """A piece for one reader."""
    return b"".join([mime.encode(blank.text % words, blank.encoding) for blank in blanks])


def verbatim(text: str) -> str:
    """A text in which nothing is taken for a blank."""
    return text.replace("%", "%%")


def escaped(sentinel: Sentinel) -> str:
    """The name of the blank for its words in HTML."""
    return sentinel.name + _ESCAPED


def cut(digest: Digest, variant: tuple[str, ...], language: str) -> Cut:
    """A Digest as readers with this variant get it.

    Raises NewsletterError (S403) when a Sentinel was damaged on the way, or a mark of a segment.
    """
    said = variants.told(digest, variant, spoken(language))
    text = _frame(digest, "plain", variant, variants.in_text(said.tallies))
    if variants.PLAIN in variant:
        return Cut(said.subject, text.fields, tuple(_in_few(text.pieces)))
    html = _frame(digest, "html", variant, variants.in_html(said.tallies))
    both = (
        _between(f"--{_BOUNDARY}", *text.fields, ""),
        *text.pieces,
        _between("", f"--{_BOUNDARY}", *html.fields, ""),
        *html.pieces,
        _between("", f"--{_BOUNDARY}--"),
    )
    fields = (f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"',)
    return Cut(said.subject, fields, tuple(_in_few(both)))


def _between(*lines: str) -> Blank:
    return Blank("".join(f"{line}\n" for line in lines), "7bit")


@dataclass(frozen=True, slots=True)
class _Frame:
    """One body part of one variant, encoded once."""

    fields: tuple[str, str]
    pieces: tuple[bytes | Blank, ...]


def _frame(digest: Digest, subtype: str, variant: Collection[str], tallies: Mapping[Tally, str]) -> _Frame:
    """What a variant is shown of a body: pieces that are encoded already, and few lines that were not."""
    encoding, pieces = _pieces(digest, subtype)
    fields = (f"Content-Type: text/{subtype}; charset=utf-8", f"Content-Transfer-Encoding: {encoding}")
    fill, is_shown = segments.filling(tallies), segments.showing(variant)
    shown = (piece for within, piece in pieces if is_shown(within))
    told = (piece if isinstance(piece, bytes) else fill(piece) for piece in shown)
    suffix = _ESCAPED if subtype == "html" else ""
    return _Frame(fields, tuple(_ready(piece, encoding, suffix) for piece in told))


def _ready(piece: bytes | str, encoding: str, suffix: str) -> bytes | Blank:
    """A piece for one variant: bytes, unless a reader's own words are in it."""
    if isinstance(piece, bytes):
        return piece
    if not _SENTINEL.search(piece):
        return mime.encode(piece, encoding)
    text = _SENTINEL.sub(lambda found: f"%({Sentinel(found[0]).name}{suffix})s", verbatim(piece))
    return Blank(text, encoding)


def _in_few(pieces: Iterable[bytes | Blank]) -> Iterator[Piece]:
    """The same in as few as may be: what is short and stands beside a blank is made out with it."""
    for is_large, group in groupby(_joined(pieces), key=_is_large):
        if is_large:
            yield from (piece for piece in group if isinstance(piece, bytes))
        else:
            yield tuple(_runs_of(group))


def _is_large(piece: bytes | Blank) -> bool:
    return isinstance(piece, bytes) and len(piece) >= LARGE


def _joined(pieces: Iterable[bytes | Blank]) -> Iterator[bytes | Blank]:
    """Each run of bytes as one."""
    for _, group in groupby(pieces, key=type):
        run = list(group)
        encoded = [piece for piece in run if isinstance(piece, bytes)]
        yield from [b"".join(encoded)] if encoded else run


def _runs_of(pieces: Iterable[bytes | Blank]) -> Iterator[Blank]:
    """Each run of blanks with one encoding as one; bytes are encoded already."""
    blanks = (piece if isinstance(piece, Blank) else Blank(_as_text(piece), "7bit") for piece in pieces)
    for encoding, group in groupby(blanks, key=lambda blank: blank.encoding):
        yield Blank("".join(blank.text for blank in group), encoding)


def _as_text(encoded: bytes) -> str:
    return verbatim(encoded.decode("ascii").replace("\r\n", "\n"))


@lru_cache(maxsize=8)
def _pieces(digest: Digest, subtype: str) -> tuple[str, tuple[tuple[tuple[str, ...], bytes | str], ...]]:
    """A body for all its variants: how it is encoded, and its pieces with the keys of the segments around them. What is
    the same for every reader is bytes; lines with a Sentinel or a Tally are not.
    """
    body = mime.one_line_end(digest.html if subtype == "html" else digest.text)
    if damaged := _REMNANT.search(segments.filling(dict.fromkeys(Tally, ""))(_SENTINEL.sub("", body))):
        raise _left_over(damaged[0])
    try:
        parts = segments.split(body)
    except ValueError as error:
        raise _left_over(f"a mark of a segment: {error}") from error
    encoding = mime.encoding_of(_at_its_widest(digest, body))
    return encoding, tuple((within, piece) for within, part in parts for piece in _runs(part, encoding))


def _at_its_widest(digest: Digest, body: str) -> str:
    """A body with everything beyond ASCII that may come to stand in it."""
    own = body.replace(Sentinel.ADDRESS, _MASK).replace(Tally.STORIES, _DOT)
    said = (one.preheader + one.title for one in digest.segments) if Tally.PREHEADER in body else ()
    return own if all(map(str.isascii, (digest.preheader, *said))) else own + _MASK


def _runs(part: str, encoding: str) -> Iterator[bytes | str]:
    """Runs of lines that are the same for every reader, as bytes, and runs of those that are not."""
    for own, group in groupby(re.findall(r"[^\n]*\n", part), key=_is_own):
        lines = "".join(group)
        yield lines if own else mime.encode(lines, encoding)


def _is_own(line: str) -> bool:
    return segments.has_tally(line) or _SENTINEL.search(line) is not None


def _left_over(what: str) -> NewsletterError:
    return mime.refuse("S403", f"{what} is left over in the digest", "A reader would see it as it stands.")
