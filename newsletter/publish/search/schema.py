"""What the index holds: the Posts, their topics, and the words of both, kept by triggers; in English as stems.

Sixteen megabytes of new words are gathered before they are written (`hashsize`): a first build takes half the time.
"""

from __future__ import annotations

import re
import sqlite3

from newsletter.model import Site

VERSION = 2
COLUMNS = "title, summary, body, take, topics, author, year"
WEIGHTS = "10, 4, 1, 3, 5, 2, 1"
"""How much a word in each of COLUMNS counts (bm25)."""

SCHEMA = """
    CREATE TABLE posts (
        number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, stamp TEXT NOT NULL, path TEXT NOT NULL,
        published TEXT NOT NULL, title TEXT, summary TEXT, body TEXT, take TEXT, topics TEXT, author TEXT, year TEXT
    );
    CREATE TABLE topics (post INTEGER NOT NULL, slug TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (slug, post))
        WITHOUT ROWID;
    CREATE INDEX topics_of ON topics (post);
    CREATE INDEX posts_by_year ON posts (year);
    CREATE VIRTUAL TABLE words USING fts5 (
        title, summary, body, take, topics, author, year,
        content = 'posts', content_rowid = 'number', tokenize = '{tokens}'
    );
    INSERT INTO words (words, rank) VALUES ('hashsize', 16777216);
    CREATE VIRTUAL TABLE vocabulary USING fts5vocab (words, 'row');
    CREATE VIRTUAL TABLE places USING fts5vocab (words, 'instance');
    CREATE TRIGGER posts_come AFTER INSERT ON posts BEGIN
        INSERT INTO words (rowid, title, summary, body, take, topics, author, year)
            VALUES (new.number, new.title, new.summary, new.body, new.take, new.topics, new.author, new.year);
    END;
    CREATE TRIGGER posts_go AFTER DELETE ON posts BEGIN
        INSERT INTO words (words, rowid, title, summary, body, take, topics, author, year)
            VALUES ('delete', old.number, old.title, old.summary, old.body, old.take, old.topics, old.author, old.year);
        DELETE FROM topics WHERE post = old.number;
    END;
"""


def tokens_of(site: Site) -> str:
    """English words are found in all their forms; accents never matter."""
    stemmed = "porter " if site.language.partition("-")[0].lower() == "en" else ""
    return f"{stemmed}unicode61 remove_diacritics 2"


def tokens_in(connection: sqlite3.Connection) -> str:
    """What the words of an index were made with; empty when it holds none. Raises sqlite3.Error."""
    (statement,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'words'").fetchone() or ("",)
    found = re.search("tokenize = '([^']+)'", statement)
    return found[1] if found else ""


def is_ours(connection: sqlite3.Connection, tokens: str = "") -> bool:
    """Whether the file is an index of this version, and made with these tokens. Raises sqlite3.Error."""
    if connection.execute("PRAGMA user_version").fetchone() != (VERSION,):
        return False
    made_with = tokens_in(connection)
    return bool(made_with) and made_with == (tokens or made_with)
