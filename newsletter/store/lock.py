"""One sender at a time: a lock that the kernel takes back when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

from newsletter.errors import Outside, Problem

_TRIES = 5


class SenderLock:
    """The right to recover and to send. Other processes may write to the database all the while."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Take the lock without waiting; False when another has it. Raises Outside when the file cannot be opened.

        Tried a few times within 50 ms, because `holder` looks at a free lock by taking it for a moment.
        """
        if self._handle is not None:
            return True
        handle = self._open(os.O_RDWR | os.O_CREAT)
        for _ in range(_TRIES):
            if _flock(handle, fcntl.LOCK_EX):
                self._handle = handle
                with suppress(OSError):  # a full disk: the lock counts, not the name of its holder
                    os.ftruncate(handle, 0)
                    os.pwrite(handle, who_am_i().encode(), 0)
                return True
            threading.Event().wait(0.01)
        os.close(handle)
        return False

    def release(self) -> None:
        """Give the lock back; nothing when it is not held."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = None

    def holder(self) -> str | None:
        """Who holds the lock, this process included: `4711 newsletter work`. None when nobody does."""
        if not self._path.exists():
            return None
        handle = self._open(os.O_RDONLY)
        try:
            if _flock(handle, fcntl.LOCK_SH):
                return None  # what stands in the file was left by one who was killed
            return os.pread(handle, 4096, 0).decode(errors="replace").strip() or "another process"
        finally:
            os.close(handle)

    def _open(self, flags: int) -> int:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self._path, flags, 0o644)
        except OSError as error:
            problem = Problem(
                "C531",
                "the sender's lock cannot be opened",
                file=str(self._path),
                why=error.strerror or str(error),
                fixes=("let the account that runs newsletter own the file and its folder",),
            )
            raise Outside(problem) from error


def _flock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def who_am_i() -> str:
    """This process, in a line: `4711 newsletter work`."""
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return f"{os.getpid()} {command}\n"
