"""Text files compressed beforehand, for hosts that send what lies beside a file: `style.css.gz`, `style.css.br`.

The same bytes for the same content.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import PurePosixPath

import brotli

from newsletter.model import Recipe

_TEXT = frozenset({".html", ".css", ".xml", ".json", ".txt", ".opml", ".svg"})
_QUALITY = 5  # of brotli: above it, time grows faster than size falls


def beside(recipes: Iterable[Recipe]) -> Iterator[Recipe]:
    """How to make the compressed files of those that are text."""
    for recipe in recipes:
        if recipe.path.suffix in _TEXT:
            for ending, squeeze in _CODINGS.items():
                path = PurePosixPath(f"{recipe.path}{ending}")
                yield Recipe(path, f"{recipe.key}{ending}", partial(_made, recipe.make, squeeze))


def _made(make: Callable[[], bytes], squeeze: Callable[[bytes], bytes]) -> bytes:
    return squeeze(make())


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)  # no time inside


def _brotli(content: bytes) -> bytes:
    return bytes(brotli.compress(content, mode=brotli.MODE_TEXT, quality=_QUALITY))


_CODINGS: dict[str, Callable[[bytes], bytes]] = {".br": _brotli, ".gz": _gzip}
