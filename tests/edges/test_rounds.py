"""The rounds of `work`: whatever goes wrong in one is told, and the next goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter import config
from newsletter.app import App
from newsletter.cli.door import Door
from newsletter.cli.rounds import Rounds
from newsletter.delivery.engine import Limits, Relay, drain
from newsletter.errors import Outside, Problem
from newsletter.model import DeliveryState, Evidence
from newsletter.store.lock import SenderLock
from tests.acceptance.harness import FRIDAY, SiteFolder
from tests.edges.sending import HURRY, Ledger, Scripted


@dataclass
class Working:
    """A site whose slot has come, and the rounds of its `work`."""

    app: App
    rounds: Rounds
    transport: Scripted
    ledger: Ledger
    now: datetime = field(default_factory=lambda: datetime.fromisoformat(FRIDAY))

    def refuse(self, code: str) -> None:
        for number in range(5):
            self.transport.answer_to(f"r{number}@readers.example", *[Outside(Problem(code, "no"))] * 100)

    def counts(self) -> dict[str, int]:
        return {state.value: n for state, n in self.ledger.counts("weekly", 1).items() if n}

    def tries(self) -> int:
        return sum(self.transport.tried.values())


@pytest.fixture
def working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Working]:
    site = SiteFolder(tmp_path / "site").configure()
    site.post("hybrid-hatch")
    app = App(config.load(site.root))
    transport = Scripted()
    app.__dict__["relays"] = [Relay("main", transport, 1)]
    app.__dict__["ledger"] = ledger = Ledger(app.database)
    assert drain.__kwdefaults__
    monkeypatch.setitem(drain.__kwdefaults__, "patience", HURRY)
    rounds = Rounds(Door(site=str(site.root), _app=app), threading.Event())
    one = Working(app, rounds, transport, ledger)
    rounds.clock = lambda: one.now
    joined = one.now - timedelta(days=7)
    for number in range(5):
        address = f"r{number}@readers.example"
        app.roster.add(address, edition="weekly", evidence=Evidence("cli", "test"), now=joined)
    with rounds:
        yield one
    app.close()


def test_a_bug_in_one_step_is_told_with_what_is_needed_to_report_it_and_the_next_step_is_taken(
    working: Working, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(App, "publish", broken)
        working.rounds.look()
    told = capsys.readouterr().err
    assert "ZeroDivisionError: a bug" in told
    assert "C900" in told
    assert working.ledger.last_beat("work") == working.now
    working.rounds.look()
    assert working.counts() == {"accepted": 5}


def test_what_a_lost_database_left_in_doubt_is_settled_by_the_next_round(working: Working) -> None:
    def lose_the_database() -> None:
        working.ledger.outages = 1000

    working.transport.answer_to("r2@readers.example", lose_the_database)
    working.rounds.look()
    assert working.counts() == {"accepted": 2, "sending": 1, "waiting": 2}
    working.ledger.outages = 0
    working.rounds.look()
    assert working.counts() == {"accepted": 4, "uncertain": 1}
    issue = working.ledger.issue("weekly", 1)
    assert issue
    assert issue.state == "needs-attention"


def test_a_server_that_refuses_us_is_asked_again_ever_more_seldom(working: Working) -> None:
    working.refuse("S323")
    minutes = []
    tries = 0
    for minute in range(60):
        working.rounds.look()
        if working.tries() > tries:
            minutes.append(minute)
            tries = working.tries()
        working.now += timedelta(minutes=1)
    assert minutes == [0, 1, 3, 7, 15, 30, 45]
    assert working.counts() == {DeliveryState.WAITING: 5}


def test_a_rest_does_not_outlast_a_clock_that_is_set_back(working: Working) -> None:
    working.refuse("S323")
    working.rounds.look()
    working.now -= timedelta(hours=1)
    working.transport.forgive()
    working.rounds.look()
    assert working.tries() > 1


def test_a_server_that_is_down_is_asked_in_every_round(working: Working) -> None:
    working.refuse("S320")
    working.rounds.look()
    tries = working.tries()
    working.rounds.look()
    assert working.tries() > tries


def test_a_sign_of_life_is_given_while_a_round_lasts_and_not_between_rounds(working: Working) -> None:
    seen: list[datetime | None] = []

    def much_later() -> None:
        working.now += timedelta(hours=1)
        working.rounds.beat()
        seen.append(working.ledger.last_beat("work"))

    working.transport.answer_to("r2@readers.example", much_later)
    working.rounds.look()
    assert seen == [working.now]
    working.now += timedelta(hours=1)
    working.rounds.beat()
    assert working.ledger.last_beat("work") == seen[0]


def test_a_process_that_stands_by_says_so_once(working: Working, capsys: pytest.CaptureFixture[str]) -> None:
    other = SenderLock(working.app.config.state / "sender.lock")
    assert other.acquire()
    for _ in range(3):
        working.rounds.look()
    assert capsys.readouterr().err.count("Standing by") == 1
    other.release()
    working.rounds.look()
    assert working.counts() == {"accepted": 5}


def test_a_process_that_lost_its_lock_to_another_stands_by(
    working: Working, capsys: pytest.CaptureFixture[str]
) -> None:
    working.rounds.look()
    working.app.lock.release()
    other = SenderLock(working.app.config.state / "sender.lock")
    assert other.acquire()
    working.rounds.look()
    assert "Standing by" in capsys.readouterr().err
    other.release()


def test_nothing_is_due_when_the_ledger_cannot_be_asked(working: Working, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(_self: object) -> None:
        raise Outside(Problem("C507", "the database refused"))

    monkeypatch.setattr(Ledger, "next_retry", lost)
    assert working.rounds.due_in() is None


def test_time_alone_ends_pauses_and_deletes_who_never_confirmed(
    working: Working, capsys: pytest.CaptureFixture[str]
) -> None:
    roster, asked = working.app.roster, working.now - timedelta(days=14, seconds=1)
    roster.ask("nobody@readers.example", edition="weekly", evidence=Evidence("form"), now=asked)
    back = roster.find("r0@readers.example")
    assert back
    roster.pause(back.id, until=working.now, evidence=Evidence("link"), now=asked)
    working.rounds.look()
    assert roster.find("nobody@readers.example") is None
    assert working.counts() == {"accepted": 5}
    told = capsys.readouterr().err
    assert "1 pause is over" in told
    assert "1 sign-up never confirmed: deleted" in told
    assert [entry.note for entry in working.ledger.entries() if entry.action == "tend"] == [
        "1 sign-up never confirmed: deleted",
        "1 pause is over",
    ]


def test_while_the_clock_is_in_doubt_nobody_is_deleted(working: Working) -> None:
    working.rounds.look()
    asked = working.now - timedelta(days=1)
    working.app.roster.ask("nobody@readers.example", edition="weekly", evidence=Evidence("form"), now=asked)
    working.now += timedelta(days=900)
    working.rounds.look()
    assert working.app.roster.find("nobody@readers.example")


def test_what_a_day_may_not_have_goes_when_the_next_begins_and_work_wakes_for_it(
    working: Working, capsys: pytest.CaptureFixture[str]
) -> None:
    app = working.app
    app.config = replace(app.config, mail=replace(app.config.mail, limits=Limits(per_day=3)))
    working.rounds.look()
    assert working.counts() == {"accepted": 3, "waiting": 2}
    assert "The messages of today are gone: newsletter work (or deliver) goes on" in capsys.readouterr().err
    until_midnight = datetime(2026, 11, 28, tzinfo=UTC) - working.now
    assert working.rounds.due_in() == until_midnight
    working.now += until_midnight - timedelta(seconds=1)
    working.rounds.look()
    assert working.counts() == {"accepted": 3, "waiting": 2}
    working.now += timedelta(seconds=1)
    working.rounds.look()
    assert working.counts() == {"accepted": 5}
