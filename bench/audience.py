"""How long it takes to fix the audience of an issue: a row for each reader, and in it what they get.

Three cases: nobody chose anything; a third of the readers want not all topics, or the text alone; and every second
reader was sent half of the stories in another edition before. A database of its own for each, on disk. Prints seconds
and readers a second.

    python -m bench.audience [--readers 1000000]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import text

from newsletter.model import MONTHLY, WEEKLY, Segment, SegmentKind
from newsletter.store.database import Database, open_database
from newsletter.store.ledger import SqlLedger
from newsletter.store.roster import SqlRoster
from tests.contract.desk import FRIDAY, Desk, a_digest, a_story, hashed

STORIES = 8
TOPICS = ("cars", "power", "law", "works")

JOIN = """
WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < :readers)
, reader(id, address) AS (
    SELECT id, 'r' || id || '@' || CASE
        WHEN id % 20 < 8 THEN 'gmail.com'
        WHEN id % 20 < 12 THEN 'outlook.com'
        WHEN id % 20 < 14 THEN 'yahoo.com'
        WHEN id % 20 < 15 THEN 'icloud.com'
        ELSE 'readers.example'
    END FROM n
)
INSERT INTO subscriber (id, address, folded, status, edition, joined_at, owed_from)
SELECT id, address, address, 'active', 'weekly', 0, 0 FROM reader
"""
"""Their mailboxes lie with the great providers as those of most lists do."""

_CHOOSE = """
UPDATE subscriber SET without = (CASE id % 4 WHEN 0 THEN 'cars' WHEN 1 THEN 'law power' ELSE '' END), plain = id % 2
WHERE id % 3 = 0
"""
_MOVE = "UPDATE subscriber SET edition = 'monthly' WHERE id % 2 = 0"
_DONE = "UPDATE delivery SET state = 'accepted'"


def parts(posts: range) -> tuple[Segment, ...]:
    return tuple(
        Segment(f"story:{n}", SegmentKind.STORY, a_story(f"p{post}").post_id, topics=(TOPICS[post % 4],))
        for n, post in enumerate(posts, 1)
    )


def start(desk: Desk, week: int, edition: str, posts: range) -> float:
    """Seconds that the audience of an issue of these posts takes."""
    named = [f"p{post}" for post in posts]
    made = desk.open(week, *named, edition=edition, render=lambda n: replace(a_digest(n), segments=parts(posts)))
    assert made
    began = time.perf_counter()
    started = desk.ledger.start_send(edition, made.number, now=FRIDAY)
    took = time.perf_counter() - began
    assert started
    return took


def run(database: Database, *statements: str) -> None:
    for statement in statements:
        with database.write() as connection:
            connection.execute(text(statement))


def usual(database: Database, desk: Desk) -> float:  # noqa: ARG001
    return start(desk, 5, WEEKLY, range(STORIES))


def chosen(database: Database, desk: Desk) -> float:
    run(database, _CHOOSE)
    return start(desk, 5, WEEKLY, range(STORIES))


def moved(database: Database, desk: Desk) -> float:
    run(database, _MOVE)
    start(desk, 5, MONTHLY, range(STORIES // 2))
    run(database, _DONE, "UPDATE subscriber SET edition = 'weekly'")
    return start(desk, 6, WEEKLY, range(STORIES))


CASES: dict[str, Callable[[Database, Desk], float]] = {
    "nobody chose": usual,
    "a third chose": chosen,
    "half were sent half of it": moved,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=1_000_000)
    readers: int = parser.parse_args().readers
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            database = open_database(f"sqlite:///{Path(folder) / 'newsletter.sqlite3'}")
            with database.write() as connection:
                connection.execute(text(JOIN), {"readers": readers})
            took = case(database, Desk(SqlLedger(database, hashed), SqlRoster(database, hashed)))
            print(f"{name:<26} {took:7.1f} s   {readers / took:10,.0f} readers/s", flush=True)
            database.close()


if __name__ == "__main__":
    main()
