"""WebSub hubs: an edge. After a publish, they are told which feeds have changed; a dead hub costs no publish.

What is still to be told stands in `websub.json` in the state folder, written before the first ping and after
each round, so that nothing is forgotten in a crash. A damaged file is begun anew: hubs are then told of
everything, which does no harm. Whoever finds another process at it leaves it to that one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from lxml import etree

from newsletter.errors import Outside, Problem, Refused
from newsletter.model import Site
from newsletter.ports import Client
from newsletter.publish import pings
from newsletter.publish.paths import ATOM_FEED, FEED_LIST, JSON_FEED, RSS_FEED
from newsletter.publish.pings import Book, Ping

_ROUND_SECONDS = 30  # then the rest waits for the next round


class Hubs:
    """The hubs of a site, and what they know of its published folder."""

    def __init__(self, site: Site, output: Path, state: Path, client: Client) -> None:
        self._site = site
        self._output = output
        self._state = state
        self._client = client

    def announce(self, now: datetime) -> list[Problem]:
        """Tell each hub of each feed document that has changed since it was told; one warning a hub that fails."""
        try:
            with self._turn() as mine:
                return self._round(now) if mine else []
        except OSError as fault:
            return [_unkept(self._book_file, fault)]

    def waiting(self) -> bool:
        """Whether a ping failed that is to be tried again, or no look was ever taken."""
        return not self._book_file.exists() or bool(self._read()[0].waiting)

    def _round(self, now: datetime) -> list[Problem]:
        book, marks = self._read()
        digests, marks = self._digests(book, marks)
        book = pings.noticed(book, digests, self._site.hubs, now)
        self._write(book, marks)
        problems, ends = [], time.monotonic() + _ROUND_SECONDS
        dead: dict[str, str] = {}
        for ping in pings.due(book, now):
            if time.monotonic() > ends:
                break
            wrong = dead.get(ping.hub) or _tell(self._client, ping.hub, self._site.address_of(ping.path))
            book = pings.failed(book, ping, now) if wrong else pings.done(book, ping)
            if wrong and ping.hub not in dead:
                dead[ping.hub] = wrong
                problems.append(_untold(ping, wrong))
        self._write(book, marks)
        return problems

    def _digests(self, book: Book, marks: dict[str, list[int]]) -> tuple[dict[str, str], dict[str, list[int]]]:
        """Path -> SHA-256 of each polled document; one whose size and time are as before is not read again."""
        digests, seen = {}, {}
        for path in self._documents():
            try:
                found = (self._output / path).stat()
                mark = [found.st_size, found.st_mtime_ns]
                known = book.known.get(path) if marks.get(path) == mark else None
                digests[path] = known or hashlib.sha256((self._output / path).read_bytes()).hexdigest()
                seen[path] = mark
            except FileNotFoundError:
                continue
        return digests, seen

    def _documents(self) -> Iterator[str]:
        """The polled documents, by the list of feeds that was published with them."""
        try:
            parser = etree.XMLParser(resolve_entities=False, no_network=True)
            root = etree.fromstring((self._output / FEED_LIST).read_bytes(), parser=parser)
        except (FileNotFoundError, etree.XMLSyntaxError):
            return
        for outline in root.iter("outline"):
            path = outline.get("xmlUrl", "").removeprefix(f"{self._site.url}/")
            if path.endswith(RSS_FEED):
                folder = path.removesuffix(RSS_FEED)
                yield from (f"{folder}{name}" for name in (RSS_FEED, ATOM_FEED, JSON_FEED))

    @property
    def _book_file(self) -> Path:
        return self._state / "websub.json"

    def _read(self) -> tuple[Book, dict[str, list[int]]]:
        try:
            content = json.loads(self._book_file.read_bytes())
            waiting = (
                Ping(p["hub"], p["path"], datetime.fromisoformat(p["not_before"]), int(p["tries"]))
                for p in content["waiting"]
            )
            return Book(dict(content["known"]), tuple(waiting)), dict(content["marks"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return Book({}), {}

    def _write(self, book: Book, marks: dict[str, list[int]]) -> None:
        waiting = [asdict(ping) | {"not_before": ping.not_before.isoformat()} for ping in book.waiting]
        content = json.dumps({"known": dict(book.known), "waiting": waiting, "marks": marks}, indent=1, sort_keys=True)
        if self._book_file.exists() and self._book_file.read_text(encoding="utf-8") == content:
            return
        beside = self._book_file.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(self._book_file)

    @contextmanager
    def _turn(self) -> Iterator[bool]:
        self._state.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._state / "websub.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            yield _taken(lock)
        finally:
            os.close(lock)


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _tell(client: Client, hub: str, topic: str) -> str:
    """Why the hub did not take it; empty when it did. Both names of the address: hubs differ in which they read."""
    try:
        status = client.post(hub, {"hub.mode": "publish", "hub.url": topic, "hub.topic": topic})
    except (Outside, Refused) as trouble:
        return trouble.problems[0].message
    return "" if 200 <= status < 300 else f"it answers {status}"


def _untold(ping: Ping, wrong: str) -> Problem:
    return Problem(
        "F550",
        f"The hub {ping.hub} could not be told: {wrong}",
        why="What was published is live; only readers that wait for this hub see it later.",
        fixes=("nothing: it is tried again by the next publish and by work", "take it out of publish.hubs"),
        level="warn",
    )


def _unkept(path: Path, fault: OSError) -> Problem:
    return Problem(
        "F551",
        f"What hubs were told could not be kept: {fault.strerror or fault}",
        file=str(fault.filename or path),
        why="What was published is live; hubs may not have been told of it.",
        fixes=("make room on the disk, or check who may write there, and publish again",),
        level="warn",
    )
