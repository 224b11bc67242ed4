"""Several workers on one PostgreSQL: each reader once, whoever is killed, frozen or forgotten."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from newsletter import config
from newsletter.app import App
from newsletter.model import WEEKLY, Hand, by_clock
from tests.acceptance.harness import until
from tests.chaos.crew import CONNECTIONS, IN_FULL, NOW, crew, own_server
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


def test_a_database_that_crashes_again_and_again_loses_and_doubles_nothing(server: Server, tmp_path: Path) -> None:
    with crew(tmp_path, server, MANY, delay=SLOW * 4) as one:
        one.starts(3 if IN_FULL else 2)
        one.goes()
        one.arrived(1)
        for _ in range(8 if IN_FULL else 2):
            threading.Event().wait(3 if IN_FULL else 2)
            server.restart()
        one.ends()
        one.check()


def test_whoever_waits_while_workers_send_leaves_it_to_them(server: Server, tmp_path: Path) -> None:
    with crew(tmp_path, server, 60, delay=SLOW) as one:
        one.starts(1, "--queue", "bulk")
        one.goes()
        one.arrived(1)
        said = one.site.ok("deliver", "--json", now="2026-11-27T08:00:10+01:00").json
        assert (said["accepted"], said["workers"]) == (0, 1)
        told = one.json_status()
        assert [each["queues"] for each in told] == [["bulk"]]
        one.arrived(60)


def test_without_a_worker_work_sends_itself(server: Server, tmp_path: Path) -> None:
    with crew(tmp_path, server, 30) as one:
        one.goes()
        said = one.site.ok("deliver", "--json", now="2026-11-27T08:00:10+01:00").json
        assert said["accepted"] == 30
        one.check()


# --- all together ----------------------------------------------------------------------------------


def test_a_pace_holds_over_all_workers_together(server: Server, tmp_path: Path) -> None:
    with crew(tmp_path, server, 120, more='rate = "20/s"\n') as one:
        one.starts(2)
        one.goes()
        one.arrived(1)
        began, there = time.monotonic(), len(one.server.messages)
        threading.Event().wait(3)
        passed = time.monotonic() - began
        assert len(one.server.messages) - there <= 20 * (passed + 1.5)
        one.ends()
        one.check()


def test_a_paused_issue_stops_all_workers_within_the_messages_in_flight(server: Server, tmp_path: Path) -> None:
    with crew(tmp_path, server, MANY, delay=SLOW) as one:
        one.starts(2)
        one.goes()
        one.arrived(20)
        one.app.ledger.pause(WEEKLY, 1, reason="a doubt", hand=by_clock(NOW))
        there = len(one.server.messages)
        threading.Event().wait(2)
        assert len(one.server.messages) - there <= 2 * CONNECTIONS
        one.app.ledger.resume(WEEKLY, 1, hand=by_clock(NOW))
        one.ends()
        one.check()


def test_four_clocks_and_two_hands_at_once_send_one_issue(server: Server, tmp_path: Path) -> None:
    with crew(tmp_path, server, 40, prepared=False) as one:
        one.starts(2)
        machines = [one.beside(looks, by_hand=n < 2) for n in range(4)]
        (tmp_path / "now").touch()
        assert [machine.wait(60) for machine in machines] == [0] * 4
        one.ends()
        one.check()
        assert len(one.app.ledger.issues()) == 1


def looks(root: Path, by_hand: bool) -> None:
    """What the clock of a machine does at a slot, and a hand at the same time."""
    with closing(App(config.load(root))) as app:
        library = app.library(NOW)
        until((root / "now").exists)
        app.prepare(app.cadence, library, NOW, hand=by_clock(NOW))
        if by_hand:
            app.ledger.schedule_send(WEEKLY, 1, at=NOW, hand=Hand("ada", "cli", NOW))
        app.ledger.start_send(WEEKLY, 1, now=NOW)
