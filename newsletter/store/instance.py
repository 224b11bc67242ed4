"""Whether this is the site that did what its database says, or a copy of it, or an older state of it.

The database holds a mark. Beside it a file holds the same mark with what a copy cannot carry along: on which machine,
and in which file (its inode), the database lies, and how far its append-only records had come. A folder that was
moved is the same; one that was copied, or brought to another machine, or whose database is older than the file
remembers, is not. A folder restored whole, file by file in place, cannot be told from one that stood still.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, column, delete, func, insert, select, table, text

from newsletter.errors import Outside, Problem
from newsletter.store import tables
from newsletter.store.database import Database
from newsletter.store.folder import alone_in, replace
from newsletter.store.toml import written

MACHINE = Path("/etc/machine-id")

_SEQUENCE = table("sqlite_sequence", column("name"), column("seq"))
"""SQLite's own: the last id of each table whose ids are given once (AUTOINCREMENT)."""


_WHERE = "SELECT (pg_control_system()).system_identifier, oid FROM pg_database WHERE datname = current_database()"

_COPIED = "its database was copied, or restored"


@dataclass(frozen=True, slots=True)
class _Memory:
    """What the file says."""

    mark: str
    machine: str
    inode: int
    lines: int  # of the log
    attempts: int
    readers: int = 0  # there ever were

    @property
    def length(self) -> tuple[int, ...]:
        return self.lines, self.attempts, self.readers


class Instance:
    """The mark of one site's database, and what is remembered beside it."""

    def __init__(self, file: Path, database: Database) -> None:
        self._file = file
        self._database = database

    def doubt(self) -> str:
        """Why this may be a copy, in words; empty for the site itself. One that has no mark yet gets one."""
        memory, mark = self._memory(), self._mark()
        if memory is None or memory.mark != mark:  # nobody began, or somebody is just at it
            with _told(self._file), alone_in(self._file.parent):
                memory, mark = self._memory(), self._mark()
                if memory is None and mark is None:
                    self._claim()
                    return ""
        if mark is None or (self._database.file and (memory is None or memory.mark != mark)):
            return f"its database is not the one that {self._file.name} remembers"
        if doubt := self._moved(memory) if memory and self._database.file else self._dumped(mark):
            return doubt
        if memory is None or memory.mark != mark:  # one more machine that shares a database, or it was claimed there
            with _told(self._file), alone_in(self._file.parent):
                memory = self._write(mark)
        with self._database.read() as connection:
            came = _length(connection)
        if any(now < then for now, then in zip(came, memory.length, strict=True)):
            return "its database is older than what was done here: a backup was restored"
        return ""

    def _moved(self, memory: _Memory) -> str:
        if memory.machine != _machine():
            return "it was made on another machine"
        return "" if memory.inode == self._inode() else _COPIED

    def _dumped(self, mark: str) -> str:
        """The mark of a database on a server begins with where it was made: one from a dump lies elsewhere."""
        return "" if mark.startswith(self._place()) else _COPIED

    def claim(self) -> None:
        """Be the site from now on: a new mark, so that other copies are in doubt."""
        with _told(self._file), alone_in(self._file.parent):
            self._claim()

    def _claim(self) -> None:
        mark = self._fresh()
        with self._database.write() as connection:
            connection.execute(delete(tables.instance))
            connection.execute(insert(tables.instance).values(mark=mark))
        self._write(mark)

    def remember(self) -> None:
        """Write down how far the records came. For a site that is not in doubt."""
        memory = self._memory()
        if memory is None:
            return
        with self._database.read() as connection:
            now = _length(connection)
        if now != memory.length:
            with _told(self._file):
                self._write(memory.mark)

    def _write(self, mark: str) -> _Memory:
        with self._database.read() as connection:
            now = _Memory(mark, _machine(), self._inode(), *_length(connection))
        replace(
            self._file,
            "# Which copy of this site may send. Made by newsletter; do not carry it along to another place.\n"
            f"mark = {written(mark)}\nmachine = {written(now.machine)}\ninode = {now.inode}\n"
            f"lines = {now.lines}\nattempts = {now.attempts}\nreaders = {now.readers}\n",
        )
        return now

    def _memory(self) -> _Memory | None:
        try:
            told = tomllib.loads(self._file.read_text("utf-8"))
            told.pop("consents", None)  # that earlier versions counted instead of readers
            return _Memory(**told)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError):  # no one wrote this, so that nothing in it fits
            return _Memory("", "", 0, 0, 0)

    def _mark(self) -> str | None:
        with self._database.read() as connection:
            found: str | None = connection.scalar(select(tables.instance.c.mark))
            return found

    def _inode(self) -> int:
        return self._database.file.stat().st_ino if self._database.file else 0

    def _fresh(self) -> str:
        if self._database.file:
            return sha256(f"{_machine()}|{self._database.file.stat()}".encode()).hexdigest()[:32]
        with self._database.read() as connection:
            at = connection.scalar(text("SELECT clock_timestamp()"))
        return self._place() + sha256(f"{_machine()}|{at}".encode()).hexdigest()[:16]

    def _place(self) -> str:
        """Which server, and which of its databases, as a hash: a copy made by dumping has another."""
        with self._database.read() as connection:
            told = connection.execute(text(_WHERE)).one()
        return sha256(f"{told}".encode()).hexdigest()[:16]


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """What the disk refuses, as trouble outside."""
    try:
        yield
    except OSError as error:
        said = error.strerror or str(error)
        raise Outside(Problem("C901", f"The system refused: {said}", file=str(file))) from error


def _length(connection: Connection) -> tuple[int, ...]:
    """How many lines, attempts and readers there ever were. Lines and attempts are never taken away; readers may be
    forgotten, so that the database is asked which id was given last.
    """
    last = [select(func.coalesce(func.max(kept.c.id), 0)).scalar_subquery() for kept in (tables.log, tables.attempt)]
    readers: Any = select(_SEQUENCE.c.seq).where(_SEQUENCE.c.name == tables.subscriber.name).scalar_subquery()
    if connection.dialect.name == "postgresql":
        readers = func.pg_sequence_last_value("subscriber_id_seq")
    return tuple(connection.execute(select(*last, func.coalesce(readers, 0))).one())


def _machine() -> str:
    """This machine, as a hash of the name that its system keeps over restarts; empty where there is none."""
    try:
        return sha256(MACHINE.read_bytes().strip()).hexdigest()[:16]
    except OSError:
        return ""
