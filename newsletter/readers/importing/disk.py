"""Edge: the file that is imported, and beside it the one of rows that were not added.

Promises that only a regular file of a sane size is opened, and that the other one, after a run was cut off, goes on
behind what had been committed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from newsletter.errors import Outside, Problem, UsageError
from newsletter.readers.exporting import MARK, line
from newsletter.readers.importing.table import BYTES, too_large

_BLOCK = 1 << 18


class ListFile:
    """A file of readers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = path.name

    def open(self) -> BinaryIO:
        """From its beginning. Raises UsageError (R128) for what is no file, NewsletterError (R121) for a huge one."""
        try:
            stream = os.fdopen(os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
        except OSError as error:
            raise UsageError(self._unreadable(error.strerror or str(error))) from error
        found = os.fstat(stream.fileno())
        if stat.S_ISREG(found.st_mode) and found.st_size <= BYTES:
            return stream
        stream.close()
        if stat.S_ISREG(found.st_mode):
            raise too_large(self.name)
        raise UsageError(self._unreadable("it is not a file"))

    def blocks(self) -> Iterator[bytes]:
        with self.open() as stream:
            while block := stream.read(_BLOCK):
                yield block

    def _unreadable(self, reason: str) -> Problem:
        fixes = ("save it as a file and name that",)
        return Problem("R128", f"{self._path} cannot be read: {reason}", file=str(self._path), fixes=fixes)


class RejectedFile:
    """The rows that were not added, each with its number and the reason."""

    def __init__(self, source: Path) -> None:
        self.path = source.with_name(f"{source.stem}.rejected.csv")
        self._stream: BinaryIO | None = None
        self._header: Sequence[str] = ()

    def begin(self, headers: Sequence[str], upto: int) -> None:
        """Anew, or, with `upto` above 0, behind that many bytes of what an earlier run wrote. Raises Outside (R129)."""
        self._header = ("row", "reason", *headers)
        try:
            if upto and self._ends_at(upto):
                self._stream = self.path.open("r+b")
                self._stream.seek(upto)
                self._stream.truncate()
            elif self.path.exists():
                self.path.unlink()
        except OSError as error:
            raise self._refused(error) from error

    def _ends_at(self, upto: int) -> bool:
        """Whether a row ends there, as in the file of that run; another file may have been tried since."""
        if not self.path.exists():
            return False
        with self.path.open("rb") as stream:
            stream.seek(upto - 2)
            return stream.read(2) == b"\r\n"

    def write(self, row: int, reason: str, cells: Sequence[str]) -> None:
        """Add one. Raises Outside (R129)."""
        try:
            if self._stream is None:
                self._stream = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
                self._stream.write((MARK + line(self._header)).encode())
            self._stream.write(line([str(row), reason, *cells]).encode("utf-8", "replace"))
        except OSError as error:
            raise self._refused(error) from error

    def settled(self) -> int:
        """Hand all of it to the system; how many bytes it has now."""
        if self._stream is None:
            return 0
        self._stream.flush()
        return self._stream.tell()

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def _refused(self, error: OSError) -> Outside:
        why = error.strerror or str(error)
        fix = "copy the list into a folder that you may write to, and import it from there"
        return Outside(
            Problem("R129", "the rows that are not added cannot be listed", str(self.path), why=why, fixes=(fix,))
        )
