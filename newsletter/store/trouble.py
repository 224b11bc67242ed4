"""What a database says when it refuses, in words for a person.

The driver's message names a condition; a Problem says what it means for the newsletter and what to do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from newsletter.errors import Outside, Problem

_BUSY = (
    "C502",
    "the database is busy: another process has been writing to it for too long",
    ("try again in a moment", "see who sends with: newsletter status"),
)

_REFUSALS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "SQLITE_BUSY": _BUSY,
    "SQLITE_LOCKED": _BUSY,
    "SQLITE_READONLY": (
        "C503",
        "the database may be read but not written",
        ("let the account that runs newsletter own the file and its folder",),
    ),
    "SQLITE_FULL": (
        "C504",
        "the disk is full: nothing was recorded, and nothing is sent that cannot be recorded",
        ("free some space and run the command again",),
    ),
    "SQLITE_CORRUPT": ("C505", "the database is damaged", ("stop newsletter and restore the last backup",)),
    "SQLITE_NOTADB": ("C505", "this file is not a database of newsletter", ("move it away or name another",)),
    "SQLITE_CANTOPEN": ("C506", "the database cannot be opened", ("check that the folder exists and may be written",)),
}

_AWAY = (
    "C506",
    "the database cannot be opened",
    (
        "check that the server runs, and that it lets this user in: psql with the same address",
        "check what `database` says in newsletter.toml, or NEWSLETTER_DATABASE",
        "make the database where there is none yet: createdb --encoding=UTF8 NAME",
    ),
)

_SERVER_SAYS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "08": _AWAY,
    "28": _AWAY,
    "3D": _AWAY,
    "57P": _AWAY,  # it stops, or has only begun to start
    "25P03": _BUSY,  # this process said nothing for too long within a write
    "40": _BUSY,
    "55P03": _BUSY,
    "53300": ("C502", "the database is busy: it takes no more connections", ("raise max_connections on the server",)),
    "53100": _REFUSALS["SQLITE_FULL"],
    "25006": ("C503", "the database may be read but not written", ("name the primary server, not a standby",)),
    "42501": ("C503", "the database may be read but not written", ("let this user own the tables",)),
    "XX001": _REFUSALS["SQLITE_CORRUPT"],
    "XX002": _REFUSALS["SQLITE_CORRUPT"],
}
"""By the beginning of its SQLSTATE."""

_MISTAKES = ("22", "23", "42")
"""Classes of SQLSTATE that are about a statement."""

_OTHERWISE = ("C507", "the database refused", ("look at the disk, then run the command again",))


@contextmanager
def told(place: str) -> Iterator[None]:
    """Turn a refusal of the database into Outside, with `place` as its file; mistakes of ours pass unchanged."""
    try:
        yield
    except (PoolTimeout, TimeoutError) as error:
        raise Outside(_problem(_BUSY, place, "all connections of this process are taken")) from error
    except Exception as error:
        said = error.orig if isinstance(error, DBAPIError) else error  # or of a statement that the driver ran by itself
        refusal = _refusal(said)
        if refusal is None:
            raise
        raise Outside(_problem(refusal, place, " ".join(str(said).split()))) from error


def _refusal(error: BaseException | None) -> tuple[str, str, tuple[str, ...]] | None:
    """None for an IntegrityError or a wrong statement: those are ours."""
    if not isinstance(error, sqlite3.Error):
        return _said_by_a_server(error)
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_CONSTRAINT_TRIGGER" and "moved to PostgreSQL" in str(error):
        return ("C523", "The records of this site were moved to PostgreSQL", ("stop this process and start it again",))
    if name == "SQLITE_ERROR" or not isinstance(error, sqlite3.DatabaseError):
        return None
    if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
        return None
    found = (words for prefix, words in _REFUSALS.items() if name.startswith(prefix))
    return next(found, _OTHERWISE)


def _said_by_a_server(error: BaseException | None) -> tuple[str, str, tuple[str, ...]] | None:
    """A connection that failed, or was lost, has no SQLSTATE."""
    if error is None or not hasattr(error, "sqlstate"):
        return None
    state: str = error.sqlstate or "08"
    found = (words for prefix, words in _SERVER_SAYS.items() if state.startswith(prefix))
    return next(found, None if state.startswith(_MISTAKES) else _OTHERWISE)


def _problem(refusal: tuple[str, str, tuple[str, ...]], file: str, why: str) -> Problem:
    code, message, fixes = refusal
    return Problem(code, message, file=file, why=why, fixes=fixes)
