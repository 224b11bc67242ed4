"""Edge: the folder beside the published one that holds what hosts are told (`publish.snippets`).

It lies with the state, so that nobody is served it by mistake. A file is written beside and moved into place, and only
when its bytes differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from newsletter.errors import Outside, Problem

_MADE = frozenset({"addresses.json", "nginx.conf", "Caddyfile"})


class Hosting:
    """`ports.Hosting` on one folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, files: Mapping[str, bytes]) -> None:
        """Make the folder hold these files, and none that an earlier publish made. Raises Outside (F424)."""
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                self._put(self._path / name, content)
            for name in _MADE - files.keys():
                (self._path / name).unlink(missing_ok=True)
        except OSError as error:
            message = f"What hosts are told could not be written: {error.strerror or error}"
            why = "The pages are published; only old addresses may not lead on yet."
            fixes = ("make room on the disk, or check who may write there, and publish again",)
            raise Outside(Problem("F424", message, file=str(self._path), why=why, fixes=fixes)) from error

    @staticmethod
    def _put(place: Path, content: bytes) -> None:
        if place.is_file() and place.read_bytes() == content:
            return
        beside = place.with_name(f".{place.name}.new")
        beside.write_bytes(content)
        beside.replace(place)
