"""Edge: the pictures that mails name, kept from when a mail is frozen.

A mail lies in readers' boxes for years and asks for its pictures each time it is opened, while posts get other
pictures and other slugs, and the published folder may be made anew. So they lie with the state, one folder a post,
and are published at the address that the mail knows. Those of a post that was withdrawn are not.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath

from newsletter.errors import Outside, Problem
from newsletter.model import File, Recipe


class MailedPictures:
    """`ports.MailedPictures` on one folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, post_id: str, files: Iterable[File]) -> None:
        """Keep pictures of a post; their names change with their bytes. Raises Outside (F425)."""
        with _disk(self._path):
            for file in files:
                place = self._path / _folder(post_id) / file.path
                if not place.exists():
                    _write(place, file.content)

    def recipes(self, *, without: Collection[str]) -> list[Recipe]:
        """Those of all posts but some (ids), in path order. Raises Outside (F425)."""
        hidden = {_folder(post_id) for post_id in without}
        with _disk(self._path):
            posts = sorted(self._path.iterdir()) if self._path.is_dir() else []
            found = {
                place.relative_to(post).as_posix(): place
                for post in posts
                if post.name not in hidden
                for place in post.rglob("[!.]*.*")
            }
        return [Recipe(PurePosixPath(path), f"mailed {path}", partial(_read, found[path])) for path in sorted(found)]


def _folder(post_id: str) -> str:
    return hashlib.sha256(post_id.encode()).hexdigest()[:20]


def _read(place: Path) -> bytes:
    with _disk(place):
        return place.read_bytes()


def _write(place: Path, content: bytes) -> None:
    """Whole, and there for good, or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=place.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(beside).replace(place)
    except OSError:
        Path(beside).unlink(missing_ok=True)
        raise


@contextmanager
def _disk(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"The pictures of mails could not be kept or read: {error.strerror or error}"
        why = "Without them a mail that was sent would show a hole when its post gets another picture."
        fixes = ("make room on the disk, or check who may write there",)
        raise Outside(Problem("F425", message, str(error.filename or place), why=why, fixes=fixes)) from error
