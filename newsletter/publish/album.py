"""Edge: what pictures became, remembered on disk, so that each is encoded once in its life.

Promises the same answers as `pictures.encode`: a page of the album that is missing, damaged or from another version
of the libraries is made anew, and a disk that refuses costs time and nothing else. Several processes may share it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from newsletter.model import Variant
from newsletter.publish import pictures


class Album:
    """Encodes pictures; remembers them in a folder that may be thrown away at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def encode(self, name: str, content: bytes) -> Sequence[Variant]:
        """As `pictures.encode`; raises what it raises, which is not remembered."""
        page = self._path / hashlib.sha256(f"{name}\0{pictures.key(content)}".encode()).hexdigest()
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            return _read(page.read_bytes())
        variants = pictures.encode(name, content)
        with contextlib.suppress(OSError):
            _write(page, variants)
        return variants


def _read(content: bytes) -> Sequence[Variant]:
    """Raises ValueError when the bytes are not those that were written: each name holds their hash."""
    head, _, rest = content.partition(b"\n")
    variants = []
    for name, width, height, size in json.loads(head):
        variants.append(Variant(name, width, height, rest[:size]))
        rest = rest[size:]
    if not variants or not all(_is_whole(variant) for variant in variants):
        raise ValueError("damaged")
    return tuple(variants)


def _is_whole(variant: Variant) -> bool:
    return hashlib.sha256(variant.content).hexdigest()[:8] == variant.name.rpartition("-")[2].partition(".")[0]


def _write(page: Path, variants: Sequence[Variant]) -> None:
    head = json.dumps([[one.name, one.width, one.height, len(one.content)] for one in variants]).encode()
    page.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=page.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(b"\n".join((head, b"".join(one.content for one in variants))))
        Path(beside).replace(page)
    except OSError:
        Path(beside).unlink(missing_ok=True)
        raise
