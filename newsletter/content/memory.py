"""What an earlier run made of each source, so that it need not be made again.

Promises that what is remembered is used for the same text, assets, links and site only, that whatever cannot be
read counts as forgotten, and that forgetting costs nothing but time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from newsletter.content.codec import FAULTS, decoder, encode
from newsletter.content.header import Header
from newsletter.content.markdown import Rendered
from newsletter.content.syntax import Target
from newsletter.errors import Problem
from newsletter.model import Link, Source
from newsletter.ports import Cache

POST, BODY = "post", "body"
"""The kinds of what is kept: a record by path, and HTML by its own hash."""

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Head:
    """What the front matter of one text says; `height` is the number of lines that it takes."""

    header: Header
    height: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one text gave with its front matter, and all else that this depends on: `asked`, `released`, `links`."""

    rendered: Rendered
    asked: Mapping[str, Target | None]  # what `[[…]]` name, and what they found
    released: bool
    links: tuple[Link, ...]
    content_hash: str
    assets: tuple[str, ...]  # names of those that it uses
    problems: tuple[Problem, ...]
    body: str  # the hash of its HTML
    mark: str
    face: str = ""
    kept: bool = False  # its HTML is in the cache, and not here


@dataclass(frozen=True, slots=True)
class Kept:
    """All that is remembered of one path."""

    stamp: str
    digest: str
    head: Head
    drawn: Drawn | None = None


@dataclass(slots=True)
class Memory:
    """What is kept in a cache; without one, nothing is."""

    cache: Cache | None
    known: dict[str, Kept] = field(default_factory=dict)
    _new: dict[str, Kept] = field(default_factory=dict)
    _bodies: dict[str, str] = field(default_factory=dict)  # not written yet
    _last: tuple[str, str] = ("", "")

    @classmethod
    def of(cls, cache: Cache | None) -> Memory:
        return cls(cache, dict(_recalled(cache)) if cache else {})

    def keep(self, path: str, kept: Kept) -> None:
        if self.cache and self.known.get(path) != kept:
            self.known[path] = self._new[path] = kept

    def keep_body(self, drawn: Drawn) -> Drawn:
        """`drawn` without its HTML, which is in the cache from now on; with it, when there is no cache."""
        if self.cache is None:
            return drawn
        self._bodies[drawn.body] = drawn.rendered.html
        if len(self._bodies) >= _AT_ONCE:
            self._write_bodies()
        return replace(drawn, rendered=replace(drawn.rendered, html=""), kept=True)

    def body(self, drawn: Drawn, again: Callable[[], str]) -> str:
        """The HTML of what was kept; made `again` when it was forgotten meanwhile. The last one stays at hand."""
        if self._last[0] != drawn.body:
            html = self._bodies.get(drawn.body)
            if html is None and self.cache:
                html = self.cache.get(BODY, drawn.body)
            self._last = drawn.body, again() if html is None else html
        return self._last[1]

    def settle(self, paths: set[str]) -> None:
        """Write down what is new, and forget what has no source any more."""
        if not self.cache:
            return
        self._write_bodies()
        if self._new:
            self.cache.put(POST, [(path, json.dumps(encode(kept))) for path, kept in self._new.items()])
        if self._new or self.known.keys() - paths:
            self.cache.keep_only(POST, paths)
            self.cache.keep_only(BODY, {kept.drawn.body for kept in self.known.values() if kept.drawn})

    def _write_bodies(self) -> None:
        if self.cache:
            self.cache.put(BODY, self._bodies.items())
            self._bodies.clear()


def _recalled(cache: Cache) -> Iterator[tuple[str, Kept]]:
    make = decoder(Kept)
    for path, text in cache.all(POST).items():
        try:
            yield path, make(json.loads(text))
        except FAULTS:
            continue


def digest(source: Source) -> str:
    """A hash of the text and the assets of a source."""
    whole = hashlib.sha256(source.text.encode("utf-8", "surrogatepass"))
    for name in sorted(source.assets):
        whole.update(f"\0{name}\0".encode("utf-8", "surrogatepass"))
        whole.update(hashlib.sha256(source.assets[name]).digest())
    return whole.hexdigest()


def hashed(*parts: object) -> str:
    """A hash of values that say all of themselves when they are written out."""
    return hashlib.sha256("\0".join(map(repr, parts)).encode()).hexdigest()
