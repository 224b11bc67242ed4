"""Which program wrote a file, told by what is in it.

Promises the right reader whatever the file is called, and a way out for what is none of the formats (P301).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import tzinfo
from typing import BinaryIO

from newsletter.content.importing import ghost, syndicated, wxr
from newsletter.content.importing.arrival import Piece
from newsletter.content.importing.xml import Document, name
from newsletter.errors import Problem, SourceErrors

_PACKED = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf")
_PAGE = re.compile(rb"\s*(?:<!doctype html|<html)", re.IGNORECASE)
_OFFERED = re.compile(rb"<link\b[^>]*application/(?:rss|atom)\+xml[^>]*>", re.IGNORECASE)
_HREF = re.compile(rb"""\bhref\s*=\s*["']?([^"'\s>]{1,500})""", re.IGNORECASE)


def read(stream: BinaryIO, file: str, zone: tzinfo) -> Iterator[Piece]:
    """All that the file holds, from its beginning. Raises SourceErrors (P301–P304)."""
    stream.seek(0)
    start = stream.read(200_000)
    stream.seek(0)
    if start.startswith(_PACKED):
        raise SourceErrors(_unknown(file, "The file is packed", "unpack it, and give the file that was in it"))
    opening = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if opening[:1] in {b"{", b"["}:
        return ghost.read(stream, file, zone)
    if _PAGE.match(opening):
        raise SourceErrors(_page(file, start))
    if not start.strip():
        raise SourceErrors(_unknown(file, "The file is empty", "export it once more"))
    return _xml(Document(stream, file), file, zone)


def _xml(document: Document, file: str, zone: tzinfo) -> Iterator[Piece]:
    kind = name(document.root)
    if kind == "atom:feed":
        return syndicated.atom(document)
    if kind == "rss":
        wordpress = any(str(uri).startswith("http://wordpress.org/export/") for uri in document.root.nsmap.values())
        return wxr.read(document, zone) if wordpress else syndicated.rss(document)
    fixes = "WordPress: Tools, Export; Squarespace: Settings, Export; Ghost: Settings, Export; or an RSS or Atom feed"
    raise SourceErrors(_unknown(file, f"The file is XML, but no export that is known: <{kind[:60]}>", fixes))


def _page(file: str, start: bytes) -> Problem:
    offers = [_HREF.search(link.group()) for link in _OFFERED.finditer(start)]
    found = [offer.group(1).decode("utf-8", "replace") for offer in offers if offer]
    fix = f"give the address of its feed: {found[0]}" if found else "give the address of the site's feed"
    return _unknown(file, "This is a web page, not an export or a feed", fix)


def _unknown(file: str, message: str, fix: str) -> Problem:
    return Problem("P301", message, file, fixes=(fix,))
