"""Every feed, in every format, is the same to feedparser, `reader`, rss-parser and newsboat as it is in its JSON."""

from __future__ import annotations

from contextlib import closing
from dataclasses import fields
from pathlib import Path

import feedparser
import httpx2 as httpx
import pytest
import reader as reader_library

from tests.readers import hard
from tests.readers.conftest import Shelf
from tests.readers.programs import Found, Read, by_feedparser, by_newsboat, by_reader, by_rss_parser

XML = ("rss.xml", "atom.xml")


@pytest.mark.parametrize("read", [by_feedparser, by_reader, by_rss_parser, by_newsboat])
def test_a_reader_finds_in_every_feed_what_the_site_says(shelf: Shelf, read: Read, tmp_path: Path) -> None:
    paths = shelf.paths(*XML, *(["feed.json"] if read is by_reader else []))
    found = read([f"{shelf.address}/{path}" for path in paths], tmp_path)

    for path in paths:
        heard, told = found[f"{shelf.address}/{path}"], shelf.told(path)
        assert [one.id for one in heard] == [one.id for one in told], path
        for one, other in zip(heard, told, strict=True):
            assert _differences(one, other) == {}, path


def _differences(heard: Found, told: Found) -> dict[str, tuple[object, object]]:
    pairs = {field.name: (getattr(heard, field.name), getattr(told, field.name)) for field in fields(Found)}
    return {name: pair for name, pair in pairs.items() if pair[0] is not None and pair[0] != pair[1]}


def test_every_kind_of_feed_was_read(shelf: Shelf) -> None:
    kinds = {path.partition("/")[0] for path in shelf.paths("rss.xml")}

    assert kinds >= {"rss.xml", "issues", "topics", "authors", "chains"}
    if "archive" in kinds:
        assert kinds >= {"takes"}
        assert {one.title for path in shelf.paths("feed.json") for one in shelf.told(path)} == {
            hard.shown(number) for number in range(hard.COUNT)
        }


@pytest.mark.parametrize("name", XML)
def test_every_post_is_reached_from_the_newest(shelf: Shelf, name: str) -> None:
    """As an importer goes that knows RFC 5005: from each page to the one before."""
    seen, path = list[str](), name
    while path:
        parsed = feedparser.parse((shelf.folder / path).read_bytes())
        seen += [entry.id for entry in parsed.entries]
        earlier = [link.href for link in parsed.feed.links if link.rel == "prev-archive"]
        path = f"archive/{earlier[0].partition('/archive/')[2]}" if earlier else ""

    assert set(seen) == {one.id for found in shelf.paths("feed.json") for one in shelf.told(found)} - _issues(shelf)


def _issues(shelf: Shelf) -> set[str]:
    return {one.id for one in shelf.told("issues/rss.xml")}


def test_a_second_look_brings_nothing(shelf: Shelf, tmp_path: Path) -> None:
    with closing(reader_library.make_reader(str(tmp_path / "reader.sqlite"))) as library:
        for path in ("rss.xml", "atom.xml", "feed.json"):
            library.add_feed(f"{shelf.address}/{path}")
            first, second = (library.update_feed(f"{shelf.address}/{path}") for _ in range(2))

            assert first
            assert first.new == len(shelf.told(path))
            assert second is None


def test_who_asks_for_changes_only_gets_the_whole_feed(shelf: Shelf) -> None:
    """RFC 3229: 226 is for a server that knows how; 200 is always right."""
    asked = {"A-IM": "feed", "If-None-Match": '"what-it-had"'}
    answer = httpx.get(f"{shelf.address}/rss.xml", headers=asked)

    assert (answer.status_code, answer.headers.get("im")) == (200, None)
    assert answer.content == (shelf.folder / "rss.xml").read_bytes()
