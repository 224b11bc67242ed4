"""The outbox: a maildir that takes Messages instead of a mail server. Opens no socket.

A Message lands in `new/` under a name made from its Message-ID, so that handing it over again leaves one file.
It is on the disk, with its folder entry, before it counts as accepted.
"""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

from newsletter.errors import Outside, Problem
from newsletter.model import Message, Outcome, Receipt


class Outbox:
    """Implements `ports.Transport` on a folder; also its own Session, since nothing is kept open."""

    name = "outbox"

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> AbstractContextManager[Outbox]:
        return nullcontext(self)

    def send(self, message: Message) -> Receipt:
        """Store one Message. Raises Outside S330 when the disk refuses; then it is not in `new/`."""
        try:
            for folder in ("new", "cur", "tmp"):
                (self._path / folder).mkdir(parents=True, exist_ok=True)
            target = self._path / "new" / file_name(message.message_id)
            self._store(message.content, target)
        except OSError as fault:
            why = "The disk may be full, or the folder may belong to somebody else."
            raise Outside(
                Problem("S330", f"The outbox cannot be written: {fault}", str(self._path), why=why)
            ) from fault
        return Receipt(Outcome.ACCEPTED, None, f"stored as {target.name}")

    def _store(self, content: bytes, target: Path) -> None:
        handle, draft = tempfile.mkstemp(dir=self._path / "tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(target)
        except BaseException:
            with suppress(OSError):
                Path(draft).unlink()
            raise
        _sync_folder(target.parent)


def file_name(message_id: str) -> str:
    """`12.abc….eml`: the part of the Message-ID before the @, without anything that a file system reads otherwise."""
    return re.sub(r"[^A-Za-z0-9._-]|^\.+", "_", message_id.rpartition("@")[0] or message_id) + ".eml"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
