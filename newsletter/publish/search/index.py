"""The index at its path: brought up to date by a publish, asked by anybody meanwhile.

Promises that it holds what the last publish published and no other word: drafts and Posts of tomorrow never enter,
withdrawn ones leave. Only what changed is written again. A file that is missing, damaged or from another version is
made anew beside and moved into place, so that readers find the old index or the new one. Questions open the file
for reading only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from newsletter.errors import Outside, Problem
from newsletter.model import Library, LinkKind, Post, Site
from newsletter.publish.paths import post_path, topic_slug
from newsletter.publish.query import Choice, Found, Query, clean, said
from newsletter.publish.search.asking import answer, lately
from newsletter.publish.search.schema import COLUMNS, SCHEMA, VERSION, is_ours, tokens_of

T = TypeVar("T")

_OF_THE_DISK = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
    }
)


class SearchIndex:
    """The index at one path; every call opens it for itself, so that any thread may ask."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def update(self, site: Site, library: Library) -> None:
        """Make the index hold these Posts and no other. Raises Outside (F440) when the disk refuses."""
        wanted = _wanted(site, library)
        try:
            if not self._brought_up_to_date(site, wanted):
                self._make_anew(site, wanted)
        except (OSError, sqlite3.Error) as fault:
            raise Outside(_refused(self._path, fault)) from fault

    def find(self, query: Query) -> Found | None:
        """The answer; None when there is no index, or none that can be read, until the next publish."""
        return self._asked(lambda index: answer(index, query))

    def topics(self, since: date) -> Sequence[Choice]:
        """All topics by name, each with how many of its Posts are no older than that day; none without an index."""
        return self._asked(lambda index: lately(index, since)) or ()

    def _asked(self, ask: Callable[[sqlite3.Connection], T]) -> T | None:
        try:
            with closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as index:
                index.execute("BEGIN")
                return ask(index) if is_ours(index) else None
        except sqlite3.Error as fault:
            if _primary(fault) not in _OF_THE_DISK:
                self._path.unlink(missing_ok=True)  # damaged: the next publish makes it anew
            return None

    def _brought_up_to_date(self, site: Site, wanted: Mapping[str, _Wanted]) -> bool:
        """False when the file cannot be used and must be made anew."""
        if not self._path.is_file():
            return False
        try:
            with _writing(self._path) as index:
                if not is_ours(index, tokens_of(site)):
                    return False
                _change(index, wanted)
        except sqlite3.DatabaseError as fault:
            if _primary(fault) in _OF_THE_DISK:
                raise
            return False
        return True

    def _make_anew(self, site: Site, wanted: Mapping[str, _Wanted]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_name(f"{self._path.name}.{uuid4().hex}")
        try:
            with closing(sqlite3.connect(beside)) as index:
                index.executescript(SCHEMA.format(tokens=tokens_of(site)))
                index.execute(f"PRAGMA user_version = {VERSION}")
            with _writing(beside) as index:
                _change(index, wanted)
            self._path.with_name(f"{self._path.name}-journal").unlink(missing_ok=True)  # of the file that goes
            beside.replace(self._path)
        finally:
            for left in (beside, beside.with_name(f"{beside.name}-journal")):
                left.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Wanted:
    post: Post
    site: Site
    stamp: str  # changes with everything that the index holds of the Post

    def row(self) -> tuple[str, ...]:
        post, when = self.post, self.post.published.astimezone(self.site.timezone)
        told = (post.title, post.summary, said(post.html), post.take.text if post.take else "", " · ".join(post.topics))
        words = (clean(part) for part in (*told, post.author.name, str(when.year)))
        return post.id, self.stamp, post_path(post.slug), when.date().isoformat(), *words


def _wanted(site: Site, library: Library) -> dict[str, _Wanted]:
    posts = {post.id: post for post in library.posts}
    return {post.id: _Wanted(post, site, _stamp(post, posts, site)) for post in posts.values()}


def _stamp(post: Post, posts: Mapping[str, Post], site: Site) -> str:
    """Without reading the text: its mark stands for it and for what it says of others, or else its hash."""
    if post.mark:
        return f"{post.mark} {post.author.name} {site.timezone}"
    mentioned = [posts[link.target] for link in post.links if link.kind is LinkKind.MENTIONS and link.target in posts]
    named = [(other.title, other.published) for other in mentioned]
    parts = (post.content_hash, post.slug, post.title, post.summary, post.author.name, post.topics, post.published)
    return sha256(repr((parts, named, str(site.timezone))).encode(errors="replace")).hexdigest()


@contextmanager
def _writing(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction, one writer at a time."""
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as index:
        index.execute("BEGIN IMMEDIATE")
        yield index
        index.execute("COMMIT")


def _change(index: sqlite3.Connection, wanted: Mapping[str, _Wanted]) -> None:
    held = dict(index.execute("SELECT id, stamp FROM posts"))
    gone = [post_id for post_id, stamp in held.items() if post_id not in wanted or wanted[post_id].stamp != stamp]
    index.executemany("DELETE FROM posts WHERE id = ?", [(post_id,) for post_id in gone])
    kept = held.keys() - set(gone)
    for post_id in wanted:
        if post_id not in kept:
            _add(index, wanted[post_id])


def _add(index: sqlite3.Connection, wanted: _Wanted) -> None:
    added = index.execute(
        f"INSERT INTO posts (id, stamp, path, published, {COLUMNS}) VALUES (?{', ?' * 10})",  # noqa: S608
        wanted.row(),
    )
    named = {topic_slug(topic): clean(topic) for topic in wanted.post.topics}
    index.executemany("INSERT INTO topics VALUES (?, ?, ?)", [(added.lastrowid, *pair) for pair in named.items()])


def _primary(fault: sqlite3.Error) -> int:
    """The primary result code; extended ones keep it in the low eight bits."""
    return int(getattr(fault, "sqlite_errorcode", 0)) & 0xFF


def _refused(path: Path, fault: Exception) -> Problem:
    return Problem(
        "F440",
        f"The search index could not be written: {fault}",
        file=str(path),
        why="The pages are published; searching finds what it found before.",
        fixes=("make room on the disk, or check who may write there, and publish again",),
    )
