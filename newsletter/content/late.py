"""Values whose heavy part is fetched when somebody asks: a Post without its text, a Source that was not read.

Promises that each is what it stands for in every way but one: a LatePost equals another one of the same mark, and no
plain Post. `dataclasses.replace` makes a plain Post of one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import PurePosixPath
from typing import Any

from newsletter.model import Post, Source

_LATE = frozenset({"html"})
_EAGER = tuple((field.name, field.default) for field in fields(Post) if field.name not in _LATE)


class LatePost(Post):
    """A Post that asks for its HTML each time; whoever needs it often keeps it."""

    __slots__ = ("_fetch",)
    _fetch: Callable[[], str]

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


def late_post(fetch: Callable[[], str], values: Mapping[str, Any]) -> Post:
    """A Post of these values, without `html`."""
    post: LatePost = object.__new__(LatePost)
    for name, default in _EAGER:
        object.__setattr__(post, name, values.get(name, default))
    object.__setattr__(post, "_fetch", fetch)
    return post


class LateSource(Source):
    """A Source that is read whenever its text or assets are asked for."""

    __slots__ = ("_read",)
    _read: Callable[[], Source]

    def __new__(cls, *values: Any, **named: Any) -> Any:
        return Source(*values, **named)

    def read(self) -> Source:
        """Text and assets at one moment."""
        return self._read()

    @property
    def text(self) -> str:
        return self._read().text

    @property
    def assets(self) -> Mapping[str, bytes]:
        return self._read().assets


def late_source(path: PurePosixPath, stamp: str, read: Callable[[], Source]) -> Source:
    source: LateSource = object.__new__(LateSource)
    object.__setattr__(source, "path", path)
    object.__setattr__(source, "stamp", stamp)
    object.__setattr__(source, "_read", read)
    return source


def at_hand(source: Source) -> Source:
    """The same with its text and assets at hand, read once."""
    return source.read() if isinstance(source, LateSource) else source
