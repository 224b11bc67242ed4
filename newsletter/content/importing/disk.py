"""Edge: the files that an import reads, and the ones that it makes.

Promises that only a regular file of at most 50 MB is read, that nothing outside of the folder beside it is
copied, and that all new files appear or none does; a file that is there is never replaced. What a killed run had
begun to bring in, the next one brings in to its end.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import tempfile
import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO, Self

from newsletter.content.importing import pictures, redirects
from newsletter.errors import Outside, Problem, Refused, UsageError
from newsletter.ports import Client

LIMIT = 50_000_000
"""Octets of one export."""

_PICTURE_LIMIT = 20_000_000
_PREFIX, _COMPLETE = ".moving-in-", ".moved-in"


def stream(where: str, client: Client) -> BinaryIO:
    """The export at a path, or the feed at an address, which `client` gets. Raises as `opened` and `Client.get`."""
    return io.BytesIO(client.get(where).content) if is_address(where) else opened(Path(where))


def is_address(where: str) -> bool:
    return where.lower().startswith(("http://", "https://"))


def opened(path: Path) -> BinaryIO:
    """The export, from its beginning. Raises UsageError (P305) when there is no such file or it is too large."""
    try:
        export = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")  # no pipe may hold us
    except OSError as error:
        raise UsageError(_unreadable(path, error.strerror or str(error))) from error
    found = os.fstat(export.fileno())
    if stat.S_ISREG(found.st_mode) and found.st_size <= LIMIT:
        return export
    export.close()
    reason = f"it is over {LIMIT // 1_000_000} MB" if stat.S_ISREG(found.st_mode) else "it is not a file"
    raise UsageError(_unreadable(path, reason))


def _unreadable(path: Path, reason: str) -> Problem:
    fixes = ("export a part of the posts at a time",) if "over" in reason else ("name an export, or a feed's address",)
    return Problem("P305", f"The export cannot be read: {reason}", str(path), fixes=fixes)


class Beside:
    """The folder of uploads that lies beside an export; nothing lies beside an address."""

    def __init__(self, where: str) -> None:
        self._folder = None if is_address(where) else Path(where).resolve().parent

    def find(self, url: str) -> bytes | None:
        """The picture that stood at `url`, if a copy lies here. None for what is no file of this folder."""
        if self._folder is None:
            return None
        for relative in pictures.places(url):
            path = self._folder / relative
            try:
                if path.is_file() and path.resolve().is_relative_to(self._folder):
                    with path.open("rb") as stream:
                        return stream.read(_PICTURE_LIMIT)
            except OSError:
                continue
        return None


class Stage:
    """New files of a site, made beside `posts/` and moved there together."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._new: set[PurePosixPath] = set()
        self._lines = b""  # of redirects.toml

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        if "_stage" in self.__dict__:
            shutil.rmtree(self._stage, ignore_errors=True)

    @cached_property
    def _stage(self) -> Path:
        """Made for the first file: a dry run makes nothing."""
        posts = self._root / "posts"
        posts.mkdir(parents=True, exist_ok=True)
        for left in posts.glob(f"{_PREFIX}*"):  # of a run that was killed
            shutil.rmtree(left, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=posts))

    def text(self, path: PurePosixPath) -> str:
        """A file of the site as it is; empty when there is none."""
        with _disk(path):
            target = self._root / path
            return target.read_text(encoding="utf-8", errors="replace") if target.is_file() else ""

    def put(self, path: PurePosixPath, content: bytes) -> None:
        """A new file of `posts/`; a second `put` of the same path takes the place of the first."""
        target = self._root / path
        if target.parent != self._root / "posts" or path.name.startswith("."):
            raise Refused(Problem("P306", "A post is written into posts/ only", str(path)))
        with _disk(path):
            (self._stage / path.name).write_bytes(content)
        self._new.add(path)

    def redirects(self, found: Mapping[str, str]) -> list[str]:
        """Lines that `redirects.toml` gets once all new files are there: the paths that it leads elsewhere already.

        Raises ConfigError (P307) when it cannot be read.
        """
        lines, elsewhere = redirects.joined(self.text(PurePosixPath(redirects.FILE)), found)
        self._lines = lines.encode()
        return elsewhere

    def commit(self) -> None:
        """All of it, or nothing: raises Refused (P306) for a file in the way, Outside (P306) when the disk refuses.

        A run that is killed before the stage is complete leaves nothing. One that is killed afterwards left a stage
        that `finish` brings in.
        """
        for path in sorted(self._new):
            with _disk(path):
                if os.path.lexists(self._root / path):
                    raise FileExistsError
        with _disk(PurePosixPath("posts")):
            (self._stage / redirects.FILE).write_bytes(self._lines)
            os.sync()  # what is complete is so after a power cut, too
            self._stage.rename(self._complete)
        made: list[Path] = []
        try:
            self._bring_in(made)
        except BaseException:
            for target in made:
                target.unlink(missing_ok=True)
            shutil.rmtree(self._complete, ignore_errors=True)
            raise

    @property
    def left(self) -> bool:
        """Whether an earlier run was killed while it brought its files in."""
        return self._complete.is_dir()

    def finish(self) -> None:
        """Bring in what an earlier run left. Raises Outside (P306), ConfigError (P307)."""
        self._bring_in([])

    @cached_property
    def _complete(self) -> Path:
        return self._root / "posts" / _COMPLETE

    def _bring_in(self, made: list[Path]) -> None:
        for staged in sorted(self._complete.iterdir()):
            target = self._root / "posts" / staged.name
            if staged.name != redirects.FILE and not os.path.lexists(target):
                with _disk(PurePosixPath("posts", staged.name)):
                    _appear(staged, target)
                made.append(target)
        lines = self._complete / redirects.FILE
        with _disk(PurePosixPath(redirects.FILE)):
            if lines.is_file():
                there = self.text(PurePosixPath(redirects.FILE))
                whole, _ = redirects.joined(there, tomllib.loads(lines.read_text(encoding="utf-8")))
                if whole != there:
                    lines.write_text(whole, encoding="utf-8", newline="\n")
                    lines.replace(self._root / redirects.FILE)
        shutil.rmtree(self._complete, ignore_errors=True)


def _appear(staged: Path, target: Path) -> None:
    """Move, whole, without ever taking the place of a file. Raises FileExistsError."""
    try:
        os.link(staged, target)
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.EMLINK}:
            raise
        staged.rename(target)  # a file system without links


class _disk:  # noqa: N801  a context manager that reads as a word
    def __init__(self, path: PurePosixPath) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(error, FileExistsError):
            fixes = ("give that file another name, and import again",)
            message = "A file of that name is there; nothing was written"
            raise Refused(Problem("P306", message, str(self._path), fixes=fixes)) from error
        if isinstance(error, OSError):
            message = f"It cannot be written: {error.strerror or error}; nothing was written"
            raise Outside(Problem("P306", message, str(self._path), fixes=("make room, and import again",))) from error
