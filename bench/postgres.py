"""What a send costs PostgreSQL: seconds, processor, room, and what it writes ahead (WAL).

A server of its own that loses nothing: fsync, synchronous_commit and full_page_writes are on, the rest is as PostgreSQL
comes. First the audiences of `bench.audience`; then a whole send without mail, an accepted answer for each reader, by
how many rows one commit settles and marks; then how large and how loose the tables lie. Processor is that of the
server and of this process together.

    python -m bench.postgres [--readers 100000] [--groups 1,8,16,32,64]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from bench.audience import CASES, JOIN, usual
from newsletter.model import Chunk, Settlement
from newsletter.store.database import Database, open_database
from newsletter.store.ledger import SqlLedger
from newsletter.store.roster import SqlRoster
from tests.contract.desk import FRIDAY, Desk, accepted, hashed
from tests.postgres import Server

DURABLE = "-c fsync=on -c synchronous_commit=on -c full_page_writes=on"
CLAIMED = 200
"""Rows in a claim, as the engine asks for them."""

_ROOM = """
SELECT c.relname, pg_table_size(c.oid), pg_indexes_size(c.oid), n_live_tup, n_dead_tup, n_tup_upd, n_tup_hot_upd
FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid
WHERE c.relname IN ('subscriber', 'chunk', 'delivery', 'attempt') ORDER BY c.relname DESC
"""
_INDEXES = """
SELECT indexrelname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes
WHERE relname IN ('subscriber', 'delivery', 'attempt') ORDER BY relname DESC, 2 DESC
"""


@dataclass
class Cost:
    """Of what ran within: seconds, processor seconds of the server and ours, and octets written ahead."""

    took: float = 0.0
    theirs: float = 0.0
    ours: float = 0.0
    wal: int = 0

    def of(self, rows: int) -> str:
        per = 1e6 / rows
        return (
            f"{self.took:7.1f} s {rows / self.took:9,.0f} /s   "
            f"processor {self.theirs * per:6.1f} + {self.ours * per:5.1f} µs   WAL {self.wal / rows:6,.0f} octets a row"
        )


@contextmanager
def counted(server: Server, database: Database) -> Iterator[Cost]:
    cost = Cost()
    wal, theirs, ours, began = _written(database), server.processor(), time.process_time(), time.perf_counter()
    yield cost
    cost.took, cost.ours = time.perf_counter() - began, time.process_time() - ours
    cost.theirs, cost.wal = server.processor() - theirs, _written(database) - wal


def _written(database: Database) -> int:
    [(octets,)] = asked(database, "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
    return int(octets)


def asked(database: Database, statement: str) -> Sequence[Any]:
    with database.read() as connection:
        return connection.execute(text(statement)).all()


def outside(database: Database, statement: str) -> None:
    with database.apart() as connection:
        connection.execute(text(statement))


@contextmanager
def filled(server: Server, readers: int) -> Iterator[tuple[Database, Desk]]:
    """A database with readers, as its server knows it after a while."""
    with server.database() as url:
        database = open_database(url)
        with database.write() as connection:
            connection.execute(text(JOIN), {"readers": readers})
        outside(database, "VACUUM ANALYZE")
        outside(database, "CHECKPOINT")
        yield database, Desk(SqlLedger(database, hashed), SqlRoster(database, hashed))
        database.close()


def audiences(server: Server, readers: int) -> None:
    print("The audience:")
    for name, case in CASES.items():
        with filled(server, readers) as (database, desk):
            with counted(server, database) as cost:
                took = case(database, desk)
            cost.took = took
            print(f"  {name:<26} {cost.of(readers)}", flush=True)


def send(desk: Desk, group: int, at_most: int) -> int:
    """Claim, mark and settle all that is due, or so many; how many it were."""
    done = 0
    for chunk in desk.ledger.due_chunks(FRIDAY):
        while ids := desk.ledger.claim(chunk, limit=CLAIMED, now=FRIDAY):
            _hand_over(desk, chunk, ids, group)
            done += len(ids)
            if done >= at_most:
                return done
    return done


def _hand_over(desk: Desk, chunk: Chunk, ids: Sequence[int], group: int) -> None:
    before: Sequence[Settlement] = ()
    for first in range(0, len(ids), group):
        wanted = ids[first : first + group]
        desk.ledger.hand_over(chunk, settled=before, wanted=wanted, now=FRIDAY)
        before = [accepted(one) for one in wanted]
    desk.ledger.hand_over(chunk, settled=before, wanted=(), now=FRIDAY)


def sends(server: Server, readers: int, groups: Sequence[int]) -> None:
    print("Claimed, marked and settled, by rows in a commit:")
    for group in groups:
        with filled(server, readers) as (database, desk):
            usual(database, desk)
            outside(database, "CHECKPOINT")
            with counted(server, database) as cost:
                done = send(desk, group, min(readers, group * 2500))
            print(f"  {group:<26} {cost.of(done)}", flush=True)


def life(server: Server, readers: int) -> None:
    """All of it for every reader, and how the tables lie afterwards."""
    with filled(server, readers) as (database, desk):
        show(database, "Before:")
        with counted(server, database) as cost:
            usual(database, desk)
        print(f"  {'the audience':<26} {cost.of(readers)}", flush=True)
        show(database, "Frozen:")
        with counted(server, database) as cost:
            done = send(desk, 32, readers)
        print(f"  {'the send':<26} {cost.of(done)}", flush=True)
        show(database, "Sent:")
        with counted(server, database) as cost:
            outside(database, "VACUUM ANALYZE delivery, attempt, chunk")
        print(f"  {'VACUUM':<26} {cost.of(done)}", flush=True)
        show(database, "After VACUUM:")


def show(database: Database, title: str) -> None:
    time.sleep(1.5)  # until the server has counted
    print(title)
    for name, table, indexes, live, dead, updated, hot in asked(database, _ROOM):
        of = max(live, 1)
        print(
            f"  {name:<12} {live:9,} rows  {table / of:6.0f} + {indexes / of:4.0f} octets a row   "
            f"dead {dead:9,}   updated {updated:9,}, {hot / max(updated, 1):4.0%} HOT"
        )
    for name, octets in asked(database, _INDEXES):
        print(f"    {name:<28} {octets:12,}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--groups", default="1,8,16,32,64")
    parser.add_argument("--only", choices=("audiences", "sends", "life"))
    told = parser.parse_args()
    server = Server.planned(DURABLE)
    try:
        if told.only in (None, "audiences"):
            audiences(server, told.readers)
        if told.only in (None, "sends"):
            sends(server, told.readers, [int(group) for group in told.groups.split(",")])
        if told.only in (None, "life"):
            life(server, told.readers)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
