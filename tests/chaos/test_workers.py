"""Several workers on one PostgreSQL: each reader once, whoever is killed, frozen or forgotten."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.model import WEEKLY
from tests.acceptance.harness import until
from tests.chaos.crew import CONNECTIONS, IN_FULL, crew, own_server
from tests.postgres import Server

MANY = 2000 if IN_FULL else 200
SLOW = 0.05  # seconds that the mail server takes for a message


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with own_server() as one:
        yield one


def test_three_workers_share_an_issue_and_each_reader_gets_it_once(server: Server, tmp_path: Path) -> None:
    with crew(tmp_path, server, MANY, delay=SLOW) as one:
        workers = one.starts(3)
        one.goes()
        until(lambda: sum(bool(each.chunks) for each in one.living()) >= 2, what="two of them hold chunks")
        one.ends()
        one.check()
        for process in workers:
            process.terminate()
            assert process.wait(30) == 0
        assert one.living() == []


def test_what_a_killed_worker_held_goes_on_elsewhere(server: Server, tmp_path: Path) -> None:
    with crew(tmp_path, server, MANY, delay=SLOW) as one:
        first, *_ = one.starts(1)
        one.goes()
        one.arrived(20)
        one.starts(2)
        first.kill()
        one.ends()
        one.check(kills=1)


def test_a_frozen_worker_that_wakes_up_sends_no_more_than_what_it_held(server: Server, tmp_path: Path) -> None:
    with crew(tmp_path, server, MANY, delay=SLOW) as one:
        first, *_ = one.starts(1)
        one.goes()
        one.arrived(20)
        first.send_signal(signal.SIGSTOP)
        one.starts(1)
        one.ends()
        ends = one.counts()
        first.send_signal(signal.SIGCONT)
        until(lambda: len(one.living()) == 2)
        first.terminate()
        assert first.wait(30) == 0
        assert one.counts() == ends
        one.check(kills=1, copies=CONNECTIONS)


def test_the_engines_tables_may_be_emptied_or_dropped_at_any_time(server: Server, tmp_path: Path) -> None:
    with crew(tmp_path, server, MANY, delay=SLOW) as one:
        one.starts(2)
        one.goes()
        one.arrived(20)
        one.engine("TRUNCATE newsletter_engine.procrastinate_jobs, newsletter_engine.procrastinate_workers CASCADE")
        one.arrived(60)
        one.engine("DROP SCHEMA newsletter_engine CASCADE")
        one.ends()
        one.check()


def test_a_database_that_crashes_every_three_seconds_loses_and_doubles_nothing(server: Server, tmp_path: Path) -> None:
    with crew(tmp_path, server, MANY, delay=SLOW) as one:
        one.starts(3 if IN_FULL else 2)
        one.goes()
        for _ in range(8 if IN_FULL else 2):
            one.arrived(len(one.server.messages) + 1)
            threading.Event().wait(3)
            server.restart()
        one.ends()
        one.check()


def test_whoever_waits_while_workers_send_leaves_it_to_them(server: Server, tmp_path: Path) -> None:
    with crew(tmp_path, server, 60, delay=SLOW) as one:
        one.starts(1, "--queue", "bulk")
        one.goes()
        one.arrived(1)
        said = one.site.ok("deliver", "--json", now="2026-11-27T08:00:10+01:00").json
        assert said["accepted"] == 0
        until(lambda: sum(one.counts().values()) == len(one.server.messages), what="all have it")
        issue = one.app.ledger.issue(WEEKLY, 1)
        assert issue


def test_without_a_worker_work_sends_itself(server: Server, tmp_path: Path) -> None:
    with crew(tmp_path, server, 30) as one:
        one.goes()
        said = one.site.ok("deliver", "--json", now="2026-11-27T08:00:10+01:00").json
        assert said["accepted"] == 30
        one.check()
