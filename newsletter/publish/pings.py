"""Which hubs are to be told of which feeds, and when: decisions as values, without a socket (WebSub 6).

A hub is told of a feed when its bytes are others than those it was told of last. A ping that fails is tried again
after 1, 2, 4 … minutes, at most every six hours, and given up after twelve tries, which is more than a day.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

_FIRST, _LONGEST = timedelta(minutes=1), timedelta(hours=6)
_TRIES = 12


@dataclass(frozen=True, slots=True)
class Ping:
    """What is owed to a hub: that it be told of the feed document at `path`."""

    hub: str
    path: str
    not_before: datetime
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Book:
    """What hubs were told of, by digest, and what they are still to be told."""

    known: Mapping[str, str]  # path -> digest of the bytes that the pings were about
    waiting: tuple[Ping, ...] = ()


def noticed(book: Book, digests: Mapping[str, str], hubs: Collection[str], now: datetime) -> Book:
    """The book after a look at the published documents: a ping for each that changed, none for what is gone."""
    changed = sorted(path for path, digest in digests.items() if book.known.get(path) != digest)
    new = tuple(Ping(hub, path, now) for hub in hubs for path in changed)
    kept = (p for p in book.waiting if p.hub in hubs and p.path in digests and p.path not in changed)
    return Book(dict(digests), (*kept, *new))


def due(book: Book, now: datetime) -> tuple[Ping, ...]:
    """What may be tried now, in the order in which it became due."""
    return tuple(sorted((p for p in book.waiting if p.not_before <= now), key=lambda p: p.not_before))


def done(book: Book, ping: Ping) -> Book:
    """The hub was told."""
    return replace(book, waiting=tuple(p for p in book.waiting if p != ping))


def failed(book: Book, ping: Ping, now: datetime) -> Book:
    """The hub could not be told: later again, unless that was the last try."""
    tries = ping.tries + 1
    again = replace(ping, tries=tries, not_before=now + min(_FIRST * 2 ** (tries - 1), _LONGEST))
    return replace(done(book, ping), waiting=(*done(book, ping).waiting, *([again] if tries < _TRIES else [])))
