"""Four feed readers, each asked what it found at addresses. What a reader does not say is None."""

from __future__ import annotations

import calendar
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import feedparser
import feedparser_sgmllib
import reader as reader_library

ROOT = Path(__file__).parents[2]
INSTALLED = ROOT / "build" / "readers"
HOW = "run tools/readers, as make test does"
# The feedparser that `reader` 3.26 carries inside it asks for this module by the name it had before.
sys.modules.setdefault("sgmllib", feedparser_sgmllib)


@dataclass(frozen=True, slots=True)
class Found:
    """An item as a reader found it."""

    id: str
    title: str
    link: str
    published: datetime
    updated: datetime | None = None
    body: str | None = None
    author: str | None = None
    topics: tuple[str, ...] | None = None
    picture: str | None = None  # the enclosure's address; empty where there is none


Read = Callable[[Sequence[str], Path], dict[str, list[Found]]]
"""Addresses and a folder to work in -> what was found at each, in the reader's order."""


def by_feedparser(addresses: Sequence[str], folder: Path) -> dict[str, list[Found]]:
    return {address: [_of_feedparser(entry) for entry in _parsed(address)] for address in addresses}


def _parsed(address: str) -> list[feedparser.FeedParserDict]:
    parsed = feedparser.parse(address)
    assert not parsed.bozo, (address, parsed.bozo_exception)
    assert parsed.status == 200
    return list(parsed.entries)


def _of_feedparser(entry: feedparser.FeedParserDict) -> Found:
    return Found(
        id=entry.id,
        title=entry.title,
        link=entry.link,
        published=datetime.fromtimestamp(calendar.timegm(entry.published_parsed), UTC),
        updated=datetime.fromtimestamp(calendar.timegm(entry.updated_parsed), UTC),
        author=entry.author,
        topics=tuple(tag.term for tag in entry.get("tags", ())),
        picture=next((link.href for link in entry.links if link.rel == "enclosure"), ""),
    )


def by_reader(addresses: Sequence[str], folder: Path) -> dict[str, list[Found]]:
    """lemon24's `reader`, which keeps what it found in a database and sorts it by date."""
    with closing(reader_library.make_reader(str(folder / "reader.sqlite"))) as library:
        for address in addresses:
            library.add_feed(address)
        for updated in library.update_feeds_iter(workers=4):
            assert not isinstance(updated.value, Exception), updated
        return {address: [_of_reader(e) for e in library.get_entries(feed=address)] for address in addresses}


def _of_reader(entry: reader_library.Entry) -> Found:
    assert entry.title
    assert entry.link
    assert entry.published
    return Found(
        id=entry.id,
        title=entry.title,
        link=entry.link,
        published=entry.published,
        updated=entry.updated,
        author=entry.authors_str,
        picture=next((enclosure.href for enclosure in entry.enclosures), ""),
    )


def by_rss_parser(addresses: Sequence[str], folder: Path) -> dict[str, list[Found]]:
    """npm's rss-parser, which reads XML only, and no enclosure of Atom."""
    node = shutil.which("node")
    assert node, f"there is no Node.js: {HOW}"
    assert (INSTALLED / "node_modules").is_dir(), f"rss-parser is not installed: {HOW}"
    script = Path(__file__).with_name("read.mjs")
    done = subprocess.run([node, script, INSTALLED, *addresses], capture_output=True, text=True, check=True, timeout=60)
    told = json.loads(done.stdout)
    return {address: [_of_rss_parser(item) for item in feed["items"]] for address, feed in told.items()}


def _of_rss_parser(item: dict[str, object]) -> Found:
    return Found(
        id=str(item.get("guid") or item["id"]),
        title=str(item["title"]),
        link=str(item["link"]),
        published=datetime.fromisoformat(str(item["isoDate"])),
        body=str(item.get("content:encoded") or item["content"]),
        author=str(item.get("creator") or item["author"]),
    )


def by_newsboat(addresses: Sequence[str], folder: Path) -> dict[str, list[Found]]:
    """Newsboat without its screen. It takes an id for one item in all feeds, so each feed gets a cache of its own;
    what comes first in a feed it saves last. It keeps enclosures of sound and film only.
    """
    newsboat = shutil.which("newsboat")
    assert newsboat, f"there is no newsboat: {HOW}"
    with ThreadPoolExecutor(2) as workers:
        places = [folder / str(number) for number in range(len(addresses))]
        heard = workers.map(lambda address, place: _newsboat(newsboat, address, place), addresses, places)
        return dict(zip(addresses, heard, strict=True))


def _newsboat(newsboat: str, address: str, place: Path) -> list[Found]:
    place.mkdir()
    (place / "urls").write_text(f"{address}\n", encoding="utf-8")
    (place / "config").write_text("", encoding="utf-8")
    words = [newsboat, "-q", "-u", f"{place}/urls", "-c", f"{place}/cache.db", "-C", f"{place}/config", "-x", "reload"]
    environment = {"HOME": str(place), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TERM": "dumb"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    with closing(sqlite3.connect(place / "cache.db")) as cache:
        question = "select guid, title, url, pubDate, content, author from rss_item order by id desc"
        rows = cache.execute(question).fetchall()
    return [
        Found(guid, title, url, datetime.fromtimestamp(date, UTC), body=content, author=author)
        for guid, title, url, date, content, author in rows
    ]
