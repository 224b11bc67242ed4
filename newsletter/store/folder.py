"""Changing a file so that nobody sees half of it, and two who change it at once take turns.

Raises OSError as the disk says it; the caller knows what the file is called in a Problem.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """The folder exists, and no other process or thread is within `alone_in` it."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def replace(file: Path, text: str, *, mode: int = 0o644) -> None:
    """Written beside, moved into place, on the disk: after a crash there is the old file or the new one.

    `mode` is for a file that is not there yet; another keeps its own.
    """
    mode = file.stat().st_mode & 0o777 if file.exists() else mode
    with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}-", delete=False) as beside:
        try:
            beside.write(text.encode())
            beside.flush()
            os.fchmod(beside.fileno(), mode)
            os.fsync(beside.fileno())
            Path(beside.name).replace(file)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(beside.name).unlink()
            raise
    _sync(file.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
