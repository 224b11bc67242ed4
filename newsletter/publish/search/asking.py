"""A Query to what is Found, on an open index.

Words are looked for as they stand; where these find nothing, as beginnings of words; where that finds nothing
either, the vocabulary of the Posts says what may have been meant. All values are bound, never written into SQL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from newsletter.publish.query import (
    CLOSE,
    OPEN,
    PER_PAGE,
    Choice,
    Found,
    Hit,
    Query,
    marked,
    match,
    respelt,
)
from newsletter.publish.search.schema import WEIGHTS
from newsletter.publish.search.spelling import mended

_SNIPPET = 28  # words: two lines of a page
_MARKS = f"'{OPEN}', '{CLOSE}'"
_CUT = f"{_MARKS}, '…', {_SNIPPET}"
_HITS = """
    SELECT posts.path, posts.published, highlight(words, 0, {marks}), posts.summary,
           snippet(words, 2, {cut}),
           snippet(words, 3, {cut}),
           snippet(words, 1, {cut})
    FROM words JOIN posts ON posts.number = words.rowid
    WHERE words MATCH :match AND {where} ORDER BY {order}, posts.published DESC, posts.id LIMIT :many OFFSET :from
"""
_LIST = """
    SELECT posts.path, posts.published, posts.title, posts.summary, '', '', '' FROM posts
    WHERE {where} ORDER BY posts.published DESC, posts.id LIMIT :many OFFSET :from
"""


def answer(index: sqlite3.Connection, query: Query) -> Found:
    """One page of what there is. Raises sqlite3.Error."""
    topics, years = _topics(index), _years(index)
    where = {"topic": query.topic, "year": str(query.year or "")}
    values, total = _best(index, query, where)
    if total:
        hits = tuple(_hit(row) for row in _rows(index, query, values))
        return Found(query, total, hits, topics, years)
    elsewhere = _best(index, query, {})[1] if query.restricted else 0
    meant, meant_total = _meant(index, query)
    return Found(query, 0, (), topics, years, elsewhere, meant, meant_total)


def _best(index: sqlite3.Connection, query: Query, where: Mapping[str, str]) -> tuple[dict[str, object], int]:
    """The words as they stand; where these find nothing, words that begin so."""
    values: dict[str, object] = {name: value for name, value in where.items() if value}
    if not query.words.strip():
        return values, _count(index, values) if values else 0
    phrases = query.phrases
    for prefix in (False, True):
        asked = values | {"match": match(phrases, prefix=prefix)}
        total = _count(index, asked) if phrases else 0
        if total:
            return asked, total
    return values, 0


def _where(values: Mapping[str, object]) -> str:
    parts = ["TRUE"]
    if "topic" in values:
        parts.append("posts.number IN (SELECT post FROM topics WHERE slug = :topic)")
    if "year" in values:
        parts.append("posts.year = :year")
    return " AND ".join(parts)


def _count(index: sqlite3.Connection, values: Mapping[str, object]) -> int:
    source = "words JOIN posts ON posts.number = words.rowid" if "match" in values else "posts"
    matching = "words MATCH :match AND" if "match" in values else ""
    statement = f"SELECT count(*) FROM {source} WHERE {matching} {_where(values)}"  # noqa: S608  # values are bound
    return int(index.execute(statement, values).fetchone()[0])


def _rows(index: sqlite3.Connection, query: Query, values: Mapping[str, object]) -> Iterable[Sequence[str]]:
    order = "posts.published DESC" if query.newest else f"bm25(words, {WEIGHTS})"
    statement = (_HITS if "match" in values else _LIST).format(
        where=_where(values), order=order, marks=_MARKS, cut=_CUT
    )
    return index.execute(statement, dict(values) | {"many": PER_PAGE, "from": PER_PAGE * (query.page - 1)})


def _hit(row: Sequence[str]) -> Hit:
    path, published, title, summary, of_body, of_take, of_summary = row
    shown = next((part for part in (of_body, of_take, of_summary) if OPEN in part), summary)
    return Hit(path, marked(title), date.fromisoformat(published), marked(shown), of_take=shown == of_take != "")


def _topics(index: sqlite3.Connection) -> tuple[Choice, ...]:
    """By name, as most Posts spell it."""
    rows = index.execute("SELECT slug, name, count(*) FROM topics GROUP BY slug, name ORDER BY count(*) DESC, name")
    return _by_name(rows)


def lately(index: sqlite3.Connection, since: date) -> tuple[Choice, ...]:
    """All topics, each with how many of its Posts are no older than that day. Raises sqlite3.Error."""
    counted = (
        "SELECT slug, name, count(*) FILTER (WHERE published >= ?) FROM topics JOIN posts ON number = post "
        "GROUP BY slug, name ORDER BY count(*) DESC, name"
    )
    return _by_name(index.execute(counted, (since.isoformat(),)))


def _by_name(rows: Iterable[tuple[str, str, int]]) -> tuple[Choice, ...]:
    found: dict[str, Choice] = {}
    for slug, name, posts in rows:
        first = found.get(slug, Choice(slug, name, 0))
        found[slug] = Choice(slug, first.name, first.posts + posts)
    return tuple(sorted(found.values(), key=lambda choice: choice.name.casefold()))


def _years(index: sqlite3.Connection) -> tuple[Choice, ...]:
    rows = index.execute("SELECT year, count(*) FROM posts GROUP BY year ORDER BY year DESC")
    return tuple(Choice(year, year, posts) for year, posts in rows)


def _meant(index: sqlite3.Connection, query: Query) -> tuple[str, int]:
    """The question spelt as the Posts spell it, and how many it finds."""
    guesses = mended(index, query.phrases)
    if not guesses:
        return "", 0
    meant = respelt(query.phrases, guesses)
    _, total = _best(index, Query(meant), {})
    return (meant, total) if total else ("", 0)
