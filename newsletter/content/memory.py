"""What an earlier run made of each source, so that it need not be made again.

Promises that what is remembered is used for the same text, assets, links and site only, that whatever cannot be
read counts as forgotten, and that forgetting costs nothing but time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from newsletter.errors import Problem
from newsletter.model import Correction, Judgement, Link, LinkKind, Person, Source, Take, Withdrawal
from newsletter.ports import Cache

POST, BODY = "post", "body"
"""The kinds of what is kept: a Row by path, and HTML by its own hash."""

_AT_ONCE = 500
_FAULTS = (ValueError, TypeError, KeyError, IndexError, AttributeError)
_KINDS = {kind.value: kind for kind in LinkKind}
_parse = json.JSONDecoder().raw_decode  # what `json.loads` adds costs as much again
_person = lru_cache(Person)  # most posts are by the same few


class Row(NamedTuple):
    """All that is remembered of one source but its HTML; every run reads those of all posts."""

    file: str
    stamp: str
    digest: str
    id: str
    slug: str
    stem: str
    title: str
    summary: str
    words: int
    repeats_itself: bool
    image: str | None
    image_alt: str
    draft: bool
    facts: str  # see `backlinks.Card`
    signs: Mapping[str, str]  # name -> `Index.sign`, of itself and of all that it names
    auto: str | None  # the id that `previous: auto` found, empty for none; None without it
    content_hash: str
    body: str  # the hash of its HTML
    mark: str
    face: str
    broken: bool  # its front matter could not be read
    lasting: bool  # whether it may be kept: nothing that it names is missing or not public yet
    # What JSON does not know as it is:
    author: Person
    reviewer: Person | None
    published: datetime
    updated: datetime
    topics: tuple[str, ...]
    take: Take | None
    judgement: Judgement | None
    withdrawal: Withdrawal | None
    corrections: tuple[Correction, ...]
    links: tuple[Link, ...]
    assets: tuple[str, ...]  # names of those that it uses
    problems: tuple[Problem, ...]


_ID, _PLAIN = Row._fields.index("id"), Row._fields.index("author")  # fields before this one are written as they are


@dataclass(slots=True)
class Memory:
    """What is kept in a cache; without one, nothing is."""

    cache: Cache | None
    rows: dict[str, Row] = field(default_factory=dict)
    _new: list[Row] = field(default_factory=list)
    _bodies: dict[str, str] = field(default_factory=dict)  # not written yet
    _last: tuple[str, str] = ("", "")

    @classmethod
    def of(cls, cache: Cache | None) -> Memory:
        return cls(cache, {row.file: row for row in _recalled(cache.all(POST).values())} if cache else {})

    def keep(self, row: Row) -> None:
        if self.cache and row.lasting:
            self._new.append(row)

    def keep_body(self, row: Row, html: str) -> None:
        if self.cache:
            self._bodies[row.body] = html
            if len(self._bodies) >= _AT_ONCE:
                self._write_bodies()

    def body(self, row: Row, again: Callable[[], str]) -> str:
        """The HTML of what was kept; made `again` when it was forgotten meanwhile. The last one stays at hand."""
        if self._last[0] != row.body:
            html = self._bodies.get(row.body)
            if html is None and self.cache:
                html = self.cache.get(BODY, row.body)
            self._last = row.body, again() if html is None else html
        return self._last[1]

    def settle(self, rows: Iterable[Row]) -> None:
        """Write down what is new, and forget all but `rows`."""
        if not self.cache:
            return
        changed = bool(self._new)
        self.write()
        kept = {row.file: row for row in rows if row.lasting}
        if changed or self.rows.keys() - kept.keys():
            self.cache.keep_only(POST, kept)
            self.cache.keep_only(BODY, {row.body for row in rows})
        self.rows = kept

    def write(self) -> None:
        """Write down what is new."""
        self._write_bodies()
        if self.cache and self._new:
            self.cache.put(POST, [(row.file, json.dumps(_written(row))) for row in self._new])
            self._new.clear()

    def _write_bodies(self) -> None:
        if self.cache:
            self.cache.put(BODY, self._bodies.items())
            self._bodies.clear()


def _recalled(texts: Iterable[str]) -> Iterator[Row]:
    """Those that are whole."""
    for text in texts:
        try:
            yield _revived(_parse(text)[0])
        except _FAULTS:
            continue


def _written(row: Row) -> list[Any]:
    """A Row in nothing but what JSON knows."""
    take, gone = row.take, row.withdrawal
    return [
        *row[:_PLAIN],
        astuple(row.author),
        row.reviewer and astuple(row.reviewer),
        row.published.isoformat(),
        row.updated.isoformat(),
        row.topics,
        take and (take.html, take.text, take.check and take.check.isoformat()),
        row.judgement,
        gone and (gone.at.isoformat(), gone.reason),
        [(one.day.isoformat(), one.text) for one in row.corrections],
        [(link.kind, link.target) for link in row.links],
        row.assets,
        [astuple(problem) for problem in row.problems],
    ]


def _revived(kept: Any) -> Row:
    """The Row that was written so. Raises one of _FAULTS for anything else."""
    author, reviewer, published, updated, topics, take, judgement, gone, wrong, links, assets, problems = kept[_PLAIN:]
    values = (
        *kept[:_PLAIN],
        _person(*author),
        _person(*reviewer) if reviewer else None,
        datetime.fromisoformat(published),
        datetime.fromisoformat(updated),
        tuple(topics),
        Take(take[0], take[1], take[2] and date.fromisoformat(take[2])) if take else None,
        Judgement(judgement) if judgement else None,
        Withdrawal(datetime.fromisoformat(gone[0]), gone[1]) if gone else None,
        tuple([Correction(date.fromisoformat(day), text) for day, text in wrong]),
        tuple([Link(_KINDS[kind], kept[_ID], target) for kind, target in links]),
        tuple(assets),
        tuple([replace(Problem(*told), fixes=tuple(told[8])) for told in problems]),
    )
    return Row._make(values)


def digest(source: Source) -> str:
    """A hash of the text and the assets of a source."""
    whole = hashlib.sha256(source.text.encode("utf-8", "surrogatepass"))
    for name in sorted(source.assets):
        whole.update(f"\0{name}\0".encode("utf-8", "surrogatepass"))
        whole.update(hashlib.sha256(source.assets[name]).digest())
    return whole.hexdigest()[:32]


def hashed(*parts: object) -> str:
    """A hash of values that say all of themselves when they are written out."""
    return hashlib.sha256("\0".join(map(repr, parts)).encode()).hexdigest()[:32]
