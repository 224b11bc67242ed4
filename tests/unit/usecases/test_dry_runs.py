"""A dry run tells what the real one would do, refuses what it would refuse, and changes nothing."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from newsletter.cli.program import run
from newsletter.model import WEEKLY, IssueState
from newsletter.usecases.deliver import outlook
from tests.unit.usecases.world import SLOT, WEDNESDAY, World

MINUTE = timedelta(minutes=1)


def call(world: World, capsys: pytest.CaptureFixture[str], *words: str, now: datetime = WEDNESDAY) -> tuple[int, Any]:
    status = run(["--site", str(world.folder.root), *words, "--now", now.isoformat(), "--json"])
    return status, json.loads(capsys.readouterr().out)


def codes(answer: dict[str, Any]) -> list[str]:
    return [problem["code"] for problem in answer["problems"]]


def test_prepare_tells_the_issue_that_it_then_makes(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    now = SLOT + MINUTE
    _, would = call(world, capsys, "prepare", "--dry-run", now=now)
    assert world.states() == {}
    _, done = call(world, capsys, "prepare", now=now)
    assert (would.pop("dry_run"), done.pop("dry_run")) == (True, False)
    assert would == done
    assert done["stories"] == ["hybrid-hatch", "diesel-van"]


def test_prepare_tells_that_a_late_slot_would_be_held(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--site", str(world.folder.root), "prepare", "--dry-run", "--now", "2026-11-27T12:00+01:00"]) == 0
    out = capsys.readouterr().out
    assert "Would make issue 1, held, for slot 2026-W48" in out
    assert "4 h after the slot" in out


def test_deliver_counts_those_that_it_then_hands_out_to(world: World) -> None:
    world.send(WEDNESDAY, delay=2 * MINUTE)
    limit = world.app.config.cadence.late_limit

    def would(now: datetime) -> tuple[dict[int, int], list[int]]:
        ahead = outlook(ledger=world.app.ledger, roster=world.app.roster, now=now, late_limit=limit)
        return {issue.number: count for issue, count in ahead.readers.items()}, [issue.number for issue in ahead.held]

    assert would(WEDNESDAY) == ({}, [])
    assert would(WEDNESDAY + 3 * MINUTE) == ({1: 2}, [])
    assert would(WEDNESDAY + timedelta(hours=5)) == ({}, [1])
    assert world.deliver(WEDNESDAY + 3 * MINUTE).drained.accepted == 2
    assert would(WEDNESDAY + 4 * MINUTE) == ({}, [])


def test_cancel_refuses_what_the_real_one_refuses(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    status, answer = call(world, capsys, "issue", "cancel", "9", "--dry-run")
    assert (status, codes(answer)) == (2, ["I110"])
    world.send(WEDNESDAY, delay=MINUTE)
    assert call(world, capsys, "issue", "cancel", "1", "--dry-run") == (
        0,
        {"number": 1, "have_it": 0, "dry_run": True},
    )
    world.deliver(WEDNESDAY + 2 * MINUTE)
    status, answer = call(world, capsys, "issue", "cancel", "1", "--dry-run")
    assert (status, codes(answer)) == (3, ["S314"])


def test_send_refuses_a_wrong_count(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    status, answer = call(world, capsys, "issue", "send", "next", "--confirm", "1:9", "--dry-run")
    assert (status, codes(answer)) == (3, ["S304"])
    status, answer = call(world, capsys, "issue", "send", "next", "--confirm", "1:2", "--dry-run")
    assert (status, answer["readers"]) == (0, 2)
    assert world.app.ledger.issues(WEEKLY) == []


def test_a_reader_is_added_and_leaves_only_when_it_is_meant(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for address, known in (("cleo@readers.example", False), ("ada@READERS.example", True)):
        _, answer = call(world, capsys, "reader", "add", address, "--dry-run")
        assert (answer["added"], "status" in answer) == (False, known)
    call(world, capsys, "reader", "leave", "ada@readers.example", "--dry-run")
    assert {reader.address: reader.status.value for reader in world.app.roster.all()} == {
        "ada@readers.example": "active",
        "ben@readers.example": "active",
    }


@pytest.mark.parametrize("at", ["1999-01-01", "2026-11-25T11:59:59+01:00", "9999-12-31T23:00-10:00"])
def test_a_time_to_start_that_cannot_be_leaves_the_ledger_readable(
    world: World, capsys: pytest.CaptureFixture[str], at: str
) -> None:
    status, answer = call(world, capsys, "issue", "send", "next", "--confirm", "1:2", "--at", at)
    assert (status in {2, 3}, codes(answer)[0] in {"S313", "S315"}) == (True, True)
    assert call(world, capsys, "issue", "list") == (0, [])


def test_next_is_the_frozen_issue_for_who_holds_skips_or_checks_it(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(world, capsys, "issue", "ready", "next")[1]["number"] == 1
    assert call(world, capsys, "issue", "check", "next")[1]["number"] == 1
    assert call(world, capsys, "issue", "hold", "next", "--dry-run")[1]["number"] == 1
    assert codes(call(world, capsys, "issue", "skip", "next")[1]) == ["S314"]
    assert call(world, capsys, "issue", "hold", "next")[1]["number"] == 1
    assert world.states() == {1: IssueState.HELD}
    assert call(world, capsys, "issue", "hold", "next", "--dry-run")[1]["number"] == 2


def test_a_plan_is_told_and_refused_before_it_is_written(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    _, would = call(world, capsys, "issue", "plan", "--lead", "diesel-van", "--dry-run")
    assert not (world.folder.root / "next-issue.toml").exists()
    _, done = call(world, capsys, "issue", "plan", "--lead", "diesel-van")
    assert (would.pop("dry_run"), done.pop("dry_run")) == (True, False)
    assert would == done
    assert call(world, capsys, "issue", "plan", "--signed", "nobody", "--dry-run")[0] == 1


def test_a_day_without_a_time_moves_no_slot(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert codes(call(world, capsys, "schedule", "move", "2026-W48", "2026-11-26")[1]) == ["S313"]
    assert call(world, capsys, "schedule", "move", "2026-W48", "2026-11-26T08:00", "--dry-run")[0] == 0
