"""Where old addresses lead and which are gone, as the last publish told hosts; read again when the file changes.

A missing or damaged file holds none: then pages answer for themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Moves:
    """Paths below the web root, percent-encoded; targets too, or whole addresses elsewhere."""

    moved: Mapping[str, str] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()

    def location(self, path: str) -> str | None:
        """What a request for a decoded path is told; relative, so that it is right below any prefix."""
        target = self.moved.get(_encoded(path))
        if target is None or target.startswith(("https://", "http://")):
            return target
        return f"{'../' * (path.count('/') - 1) or './'}{target}"

    def is_gone(self, path: str) -> bool:
        return _encoded(path) in self.gone


class MovesFile:
    """Answers the Moves of a file as it is now."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._moves = Moves()

    def now(self) -> Moves:
        """One `stat` a request, and no more while the file stays as it is."""
        if self._path is None:
            return self._moves
        try:
            found = self._path.stat()
        except OSError:
            return Moves()
        stamp = found.st_ino, found.st_mtime_ns, found.st_size
        if stamp != self._stamp:
            self._moves, self._stamp = _read(self._path), stamp
        return self._moves


def _read(path: Path) -> Moves:
    try:
        document = json.loads(path.read_bytes())
        moved = {str(old): str(new) for old, new in document["moved"].items()}
        return Moves(moved, frozenset(map(str, document["gone"])))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return Moves()


def _encoded(path: str) -> str:
    """As `publish.redirects` writes it."""
    return quote(path.removeprefix("/"), safe="/:@!$&'()*+,;=~", errors="replace")
