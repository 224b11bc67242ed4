"""The outbox: a maildir that takes Messages instead of a mail server. Opens no socket.

A Message lands in `new/` under a name made from its Message-ID, so that handing it over again leaves one file.
It is on the disk, with its folder entry, before it counts as accepted.
"""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from newsletter.errors import Outside, Problem
from newsletter.model import Message, Outcome, Receipt

_KEPT = ("new", "cur")
_MAIL = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*\.eml(?::2,[A-Za-z]*)?")


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

    def caught(self) -> list[Caught]:
        """The mails that lie here, newest first; also those that a mail program has moved to `cur/` as seen."""
        entries = [entry for folder in _KEPT for entry in _entries(self._path / folder)]
        found = [mail for entry in entries if (mail := _caught(entry))]
        return sorted(found, key=lambda mail: (mail.at, mail.name), reverse=True)

    def read(self, name: str) -> bytes | None:
        """The octets of a caught mail, or None when there is none of that name."""
        for folder in _KEPT:
            for entry in _entries(self._path / folder):
                if _name(entry) == name:
                    with suppress(OSError):
                        return Path(entry.path).read_bytes()
        return None

    def stamp(self) -> tuple[int, ...]:
        """Another value when a mail came or went; costs two looks at the disk."""
        return tuple(_changed_at(self._path / folder) for folder in _KEPT)

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


@dataclass(frozen=True, slots=True)
class Caught:
    """A mail in the outbox; `name` names it in `Outbox.read`."""

    name: str
    at: datetime
    size: int  # octets


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """The mails of one folder. Only plain files: a link could lead out of it."""
    try:
        with os.scandir(folder) as found:
            return [entry for entry in found if _MAIL.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)]
    except OSError:
        return []


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name.partition(":")[0].removesuffix(".eml")


def _caught(entry: os.DirEntry[str]) -> Caught | None:
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:  # moved or deleted meanwhile
        return None
    return Caught(_name(entry), datetime.fromtimestamp(status.st_mtime, UTC), status.st_size)


def _changed_at(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
