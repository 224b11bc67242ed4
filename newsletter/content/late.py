"""Values whose heavy part is fetched when somebody asks: a Post without its text, a Source that was not read.

Promises that each is what it stands for in every way but one: a LatePost equals another one of the same mark, and no
plain Post. `dataclasses.replace` makes a plain Post of one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import attrgetter
from pathlib import PurePosixPath
from typing import Any

from newsletter.model import Asset, Post, Source


class LatePost(Post):
    """A Post that asks for its HTML each time; whoever needs it often keeps it. Most of the rest stays in its row."""

    __slots__ = ("_fetch", "_row")
    _fetch: Callable[[], str]
    _row: Any

    def __new__(cls, *values: Any, **named: Any) -> Any:
        """`replace` calls this: with all values at hand there is nothing to fetch."""
        return Post(*values, **named)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LatePost) and self.mark == other.mark

    def __hash__(self) -> int:
        return hash(self.mark)

    @property
    def html(self) -> str:
        return self._fetch()

    @property
    def path(self) -> PurePosixPath:
        return PurePosixPath(self._row.file)


_ASKED_OFTEN = ("id", "slug", "published", "topics", "links", "mark", "face")
_OTHERS = {field.name for field in fields(Post)} - {*_ASKED_OFTEN, "html", "path", "assets", "pictures"}
for _name in _OTHERS:
    setattr(LatePost, _name, property(attrgetter(f"_row.{_name}")))


def late_post(fetch: Callable[[], str], row: Any, assets: tuple[Asset, ...]) -> Post:
    """A Post of these assets and of a row with all else but `html`; its `path` is called `file` there."""
    post: LatePost = object.__new__(LatePost)
    keep = object.__setattr__
    for name, value in zip(_ASKED_OFTEN, _often(row), strict=True):
        keep(post, name, value)
    keep(post, "assets", assets)
    keep(post, "pictures", ())
    keep(post, "_fetch", fetch)
    keep(post, "_row", row)
    return post


_often = attrgetter(*_ASKED_OFTEN)


class LateSource(Source):
    """A Source that is read whenever its text or assets are asked for."""

    __slots__ = ("_read", "file")
    _read: Callable[[], Source]
    file: str

    def __new__(cls, *values: Any, **named: Any) -> Any:
        return Source(*values, **named)

    def read(self) -> Source:
        """Text and assets at one moment."""
        return self._read()

    @property
    def path(self) -> PurePosixPath:
        return PurePosixPath(self.file)

    @property
    def text(self) -> str:
        return self._read().text

    @property
    def assets(self) -> Mapping[str, bytes]:
        return self._read().assets


def late_source(file: str, stamp: str, read: Callable[[], Source]) -> Source:
    """The Source of a file, by its path relative to the site."""
    source: LateSource = object.__new__(LateSource)
    keep = object.__setattr__
    keep(source, "file", file)
    keep(source, "stamp", stamp)
    keep(source, "_read", read)
    return source


def at_hand(source: Source) -> Source:
    """The same with its text and assets at hand, read once."""
    return source.read() if isinstance(source, LateSource) else source


def file_of(source: Source) -> str:
    """Its path in words; most are never needed in any other way."""
    return source.file if isinstance(source, LateSource) else str(source.path)
