"""The published folder on disk, kept in memory while it does not change.

A file is read, hashed and compressed once; afterwards one `lstat` per request tells whether it is still the
same. Nothing outside of the folder is ever read: a name that leads through a symbolic link below the folder is
no file of ours (the folder itself may be a link, as deploys make it).
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import stat
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import brotli

from newsletter.errors import Outside, Problem

COMPRESSIBLE = frozenset({".html", ".css", ".js", ".xml", ".json", ".svg", ".txt", ".opml", ".webmanifest"})
LARGE = 1 << 20
"""Bytes above which a file is streamed from disk instead of being held in memory."""

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG})


@dataclass(frozen=True, slots=True)
class Stored:
    """A published file as it was when it was read; `content` is None when it is large."""

    path: str
    stamp: tuple[int, int, int]  # inode, mtime in nanoseconds, size: another stamp is another file
    modified: datetime
    tag: str  # opaque, for entity tags
    content: bytes | None = field(repr=False)
    gzipped: bytes | None = field(repr=False)  # None where it would not be smaller
    brotli: bytes | None = field(default=None, repr=False)  # only where a publish made it beforehand

    @property
    def size(self) -> int:
        return self.stamp[2]

    @property
    def weight(self) -> int:
        """Bytes of memory that keeping it takes."""
        return sum(len(form or b"") for form in (self.content, self.gzipped, self.brotli))


class Folder:
    """Finds published files by the segments of their path; remembers up to `budget` bytes of them."""

    def __init__(self, path: Path, *, budget: int = 64 << 20) -> None:
        self._path = os.path.abspath(path)  # noqa: PTH100  Path.absolute() keeps ".."
        self._budget = budget
        self._held: OrderedDict[str, Stored] = OrderedDict()
        self._weight = 0

    @property
    def weight(self) -> int:
        """Bytes of memory that the held files take."""
        return self._weight

    def find(self, segments: tuple[str, ...]) -> Stored | None:
        """The regular file at `segments`, or None. Raises Outside (C703) when the disk fails."""
        path = os.path.join(self._path, *segments)  # noqa: PTH118  hot: a Path costs ten times as much
        status = _lstat(path)
        held = self._held.get(path)
        if held and status and held.stamp == _stamp(status):
            self._held.move_to_end(path)
            return held
        self._forget(path)
        if status is None or not stat.S_ISREG(status.st_mode) or not self._is_inside(path, segments):
            return None
        return self._keep(_read(path))

    def has_page(self, segments: tuple[str, ...]) -> bool:
        """Whether `segments` is a folder with an index page: then its address ends in a slash."""
        return self.find((*segments, "index.html")) is not None

    def _is_inside(self, path: str, segments: tuple[str, ...]) -> bool:
        return os.path.realpath(path) == os.path.join(os.path.realpath(self._path), *segments)  # noqa: PTH118

    def _keep(self, stored: Stored | None) -> Stored | None:
        if stored is None:
            return None
        self._held[stored.path] = stored
        self._weight += stored.weight
        while self._weight > self._budget:
            self._forget(next(iter(self._held)))
        return stored

    def _forget(self, path: str) -> None:
        gone = self._held.pop(path, None)
        self._weight -= gone.weight if gone else 0


def _lstat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except ValueError:  # a NUL or a lone surrogate: no file has such a name
        return None
    except OSError as error:
        _absence(error)
        return None


def _read(path: str) -> Stored | None:
    try:
        # NOFOLLOW and NONBLOCK: what was a regular file a moment ago may be a link or a pipe now.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return None
            content = file.read() if status.st_size <= LARGE else None
    except OSError as error:
        _absence(error)
        return None
    return _stored(path, status, content)


def _stored(path: str, status: os.stat_result, content: bytes | None) -> Stored:
    stamp = _stamp(status)
    basis = content if content is not None else repr(stamp).encode()
    return Stored(
        path=path,
        stamp=stamp,
        modified=datetime.fromtimestamp(status.st_mtime_ns // 1_000_000_000, UTC),
        tag=hashlib.sha256(basis).hexdigest()[:32],
        content=content,
        gzipped=_gzipped(path, content),
        brotli=_brotli(path, content),
    )


def _brotli(path: str, content: bytes | None) -> bytes | None:
    """The file of that coding beside a text, if it holds this text and no older one."""
    if content is None or os.path.splitext(path)[1] not in COMPRESSIBLE:  # noqa: PTH122
        return None
    beside = f"{path}.br"
    status = _lstat(beside)
    if status is None or not stat.S_ISREG(status.st_mode) or status.st_size > len(content):
        return None
    try:
        squeezed = Path(beside).read_bytes()
        return squeezed if brotli.decompress(squeezed) == content else None
    except (OSError, brotli.error):
        return None


def _gzipped(path: str, content: bytes | None) -> bytes | None:
    if content is None or os.path.splitext(path)[1] not in COMPRESSIBLE:  # noqa: PTH122
        return None
    squeezed = gzip.compress(content, 6, mtime=0)  # no time inside, so that equal content has equal bytes
    return squeezed if len(squeezed) < len(content) else None


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_mtime_ns, status.st_size


def _absence(error: OSError) -> None:
    """Passes a file that is not there or not ours to show; any other failure is the disk's."""
    if error.errno not in _ABSENT:
        problem = Problem(
            "C703", "The published folder cannot be read", file=str(error.filename), why=str(error.strerror)
        )
        raise Outside(problem) from error
