"""What may have been meant by a word that no Post has: the nearest one that some Post has, as it is written there.

The index holds stems, so stems are compared; which word of a text has the stem, a small index in memory tells, made
with the same tokens.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing

from newsletter.publish.query import match, nearest, words_of
from newsletter.publish.search.schema import tokens_in

_UNKNOWN = 3  # words of a question that are looked after
_VOCABULARY = 20_000  # stems that are compared with one that is unknown
_PLACES = 60  # of a stem, that are looked at


def mended(index: sqlite3.Connection, phrases: Iterable[str]) -> dict[str, str]:
    """Word -> what it may have meant, for words of the phrases that are in no Post. Raises sqlite3.Error."""
    unknown = [word for word in words_of(phrases) if not _is_known(index, word)][:_UNKNOWN]
    tokens = tokens_in(index)
    found = {}
    for word, stem in _stems(unknown, tokens).items():
        near = nearest(stem, _vocabulary(index, stem))
        if near:
            found[word] = _written(index, near, tokens)
    return {word: meant for word, meant in found.items() if meant}


def _is_known(index: sqlite3.Connection, word: str) -> bool:
    return index.execute("SELECT 1 FROM words WHERE words MATCH ? LIMIT 1", (match([word]),)).fetchone() is not None


def _vocabulary(index: sqlite3.Connection, stem: str) -> list[str]:
    """Those that begin with one of the first two letters: few mistakes are made before."""
    found: list[str] = []
    for letter in dict.fromkeys(stem[:2]):
        bounds = (letter, letter + "\U0010ffff", _VOCABULARY)
        rows = index.execute("SELECT term FROM vocabulary WHERE term >= ? AND term < ? LIMIT ?", bounds)
        found += (term for (term,) in rows)
    return found


def _written(index: sqlite3.Connection, stem: str, tokens: str) -> str:
    """The word that most often stands for a stem where it is met first."""
    places = index.execute("SELECT DISTINCT doc, col FROM places WHERE term = ? LIMIT ?", (stem, _PLACES)).fetchall()
    counted: Counter[str] = Counter()
    for number, column in places:
        (text,) = index.execute(f'SELECT "{column}" FROM posts WHERE number = ?', (number,)).fetchone()  # noqa: S608
        counted.update(word for word in words_of([text]) if word.startswith(stem[:1]))
    stems = _stems(counted, tokens)
    candidates = [word for word in counted if stems.get(word) == stem]
    return min(candidates, key=lambda word: (-counted[word], word), default="")


def _stems(words: Iterable[str], tokens: str) -> Mapping[str, str]:
    """Word -> its stem; what the tokens make nothing of is left out."""
    known = dict(enumerate(words, 1))
    with closing(sqlite3.connect(":memory:")) as memory:
        memory.execute(f"CREATE VIRTUAL TABLE one USING fts5 (word, tokenize = '{tokens}')")
        memory.execute("CREATE VIRTUAL TABLE stems USING fts5vocab (one, 'instance')")
        memory.executemany("INSERT INTO one (rowid, word) VALUES (?, ?)", known.items())
        return {known[number]: stem for number, stem in memory.execute("SELECT doc, term FROM stems")}
