"""Edge: the folder of posts on disk.

Promises to read regular files below `posts/` and nothing outside of the site's folder, in path order.
Octets that are not UTF-8 come through as lone surrogates and files over the limit cut just above it, so
that the pure half tells of them with a line, beside everything else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from newsletter.errors import Outside, Problem, Refused, SourceErrors
from newsletter.model import Source

_READ = 2 * 1024 * 1024 + 1  # octets; one more than a post may have
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif"})
_PICTURE_LIMIT = 20 * 1024 * 1024


class Folder:
    """`posts/` of the site whose folder is `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._posts = self._root / "posts"

    def read(self) -> Sequence[Source]:
        """All posts, in path order; none when there is no folder.

        Raises SourceErrors (P129, all at once) for a post that is no regular file or a link out of the folder,
        and Outside (P130) when the disk refuses.
        """
        try:
            return self._read()
        except OSError as error:
            path = self._relative(Path(error.filename or self._posts))
            fixes = ("make it readable for the user that runs newsletter",)
            raise Outside(Problem("P130", f"Cannot be read: {error.strerror}", str(path), fixes=fixes)) from error

    def write_new(self, path: PurePosixPath, text: str) -> None:
        """Write a post that does not exist yet, at `path` relative to the site; raises Refused (P131) if it does."""
        target = self._root.joinpath(path)
        if not target.resolve().is_relative_to(self._posts):
            raise Refused(Problem("P131", "A post is written below posts/ only", str(path)))
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with target.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except FileExistsError as error:
            fixes = ("give the new post another title or --date",)
            message = "A post of that name exists; nothing was changed"
            raise Refused(Problem("P131", message, str(path), fixes=fixes)) from error

    def _read(self) -> Sequence[Source]:
        paths = sorted(self._walk(), key=self._relative)
        foreign = [path for path in paths if not self._is_own(path)]
        if foreign:
            raise SourceErrors([self._refusal(path) for path in foreign])
        pictures: dict[Path, Mapping[str, Path]] = {}
        sources = []
        for path in paths:
            if path.parent not in pictures:
                pictures[path.parent] = self._pictures(path.parent)
            sources.append(self._source(path, pictures[path.parent]))
        return sources

    def _walk(self) -> Iterator[Path]:
        for folder, folders, files in os.walk(self._posts, onerror=_reraise):
            folders[:] = [name for name in folders if not name.startswith(".")]
            yield from (Path(folder, name) for name in files if name.endswith(".md") and not name.startswith("."))

    def _is_own(self, path: Path) -> bool:
        real = path.resolve()
        return real.is_file() and real.is_relative_to(self._root)

    def _refusal(self, path: Path) -> Problem:
        message = "The post is a link that leaves the site, or not a file"
        return Problem("P129", message, str(self._relative(path)), fixes=("copy the file into posts/",))

    def _pictures(self, folder: Path) -> Mapping[str, Path]:
        files = (path for path in folder.iterdir() if path.suffix.lower() in _PICTURES)
        return {path.name: path for path in sorted(files) if not path.name.startswith(".") and self._is_own(path)}

    def _source(self, path: Path, pictures: Mapping[str, Path]) -> Source:
        with path.open("rb") as file:
            text = file.read(_READ).decode("utf-8", "surrogateescape")
        named = {name: at for name, at in pictures.items() if name in text or quote(name) in text}
        return Source(self._relative(path), text, {name: _picture(at) for name, at in named.items()})

    def _relative(self, path: Path) -> PurePosixPath:
        inside = path.is_relative_to(self._root)
        return PurePosixPath((path.relative_to(self._root) if inside else path).as_posix())


def _picture(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_PICTURE_LIMIT)


def _reraise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
