"""What an operator does to readers on the command line, and what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from newsletter.cli.program import run
from newsletter.model import Evidence, LetterKind
from tests.unit.usecases.world import SLOT, WEDNESDAY, World

ADA, BEN, CLEO = "ada@readers.example", "ben@readers.example", "cleo@readers.example"
DAY = timedelta(days=1)
Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def call(world: World, capsys: pytest.CaptureFixture[str]) -> Call:
    def called(*words: str) -> tuple[int, Any]:
        status = run(["--site", str(world.folder.root), "reader", *words, "--now", WEDNESDAY.isoformat(), "--json"])
        return status, json.loads(capsys.readouterr().out)

    return called


@pytest.fixture
def say(world: World, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def said(*words: str) -> str:
        run(["--site", str(world.folder.root), "reader", *words, "--now", WEDNESDAY.isoformat()])
        told = capsys.readouterr()
        return told.out + told.err

    return said


def code(answer: dict[str, Any]) -> str:
    [problem] = answer["problems"]
    return str(problem["code"])


def status_of(world: World, address: str) -> str:
    reader = world.app.roster.find(address)
    return reader.status.value if reader else ""


# --- add -------------------------------------------------------------------------------------------


def test_an_address_that_is_added_is_asked_first(world: World, say: Callable[..., str]) -> None:
    told = say("add", CLEO)
    assert "unconfirmed until the link in the mail is pressed" in told
    assert "outbox" in told
    assert status_of(world, CLEO) == "unconfirmed"
    [letter] = world.app.letters.due(WEDNESDAY, 10)
    assert (letter.kind, letter.address) == (LetterKind.CONFIRM, CLEO)


def test_one_who_agreed_is_active_at_once_and_that_is_kept(world: World, call: Call) -> None:
    _, answer = call("add", CLEO, "--consent", "at the fair, list of 3 March")
    assert (answer["status"], answer["edition"], answer["added"]) == ("active", "weekly", True)
    assert [line.text for line in world.app.roster.consents(answer["id"])] == ["at the fair, list of 3 March"]
    assert world.app.letters.due(WEDNESDAY, 10) == []


def test_nobody_is_added_to_an_edition_that_is_not_switched_on(world: World, call: Call) -> None:
    status, answer = call("add", CLEO, "--edition", "monthly")
    assert (status, code(answer), status_of(world, CLEO)) == (2, "I119", "")


@pytest.mark.parametrize("more", [(), ("--consent", "says so")])
def test_nobody_who_left_is_brought_back_by_adding_them(world: World, call: Call, more: tuple[str, ...]) -> None:
    call("leave", ADA)
    assert call("add", ADA, *more)[1]["added"] is False
    assert status_of(world, ADA) == "left"
    assert world.app.letters.due(WEDNESDAY, 10) == []


@pytest.mark.parametrize("more", [(), ("--consent", "says so")])
def test_who_was_forgotten_is_added_only_by_saying_so(world: World, call: Call, more: tuple[str, ...]) -> None:
    call("forget", ADA, "--confirm", ADA)
    status, answer = call("add", ADA, *more)
    assert (status, code(answer), status_of(world, ADA)) == (3, "R111", "")
    assert call("add", ADA, *more, "--although-forgotten")[1]["added"] is True


@pytest.mark.parametrize("more", [(), ("--consent", "says so"), ("--although-forgotten",)])
def test_a_blocked_address_is_added_by_no_means(world: World, call: Call, more: tuple[str, ...]) -> None:
    call("block", CLEO)
    status, answer = call("add", CLEO, *more)
    assert (status, code(answer), status_of(world, CLEO)) == (3, "R112", "")


# --- pause, leave, block, forget -------------------------------------------------------------------


def test_a_pause_has_an_end_in_the_time_of_the_site(world: World, call: Call) -> None:
    _, answer = call("pause", ADA, "--until", "2027-01-15")
    assert (answer["status"], answer["paused_until"]) == ("paused", "2027-01-14T23:00:00Z")
    assert call("resume", ADA)[1]["status"] == "active"


@pytest.mark.parametrize("until", ["2026-11-24", "friday", "2026-13-01"])
def test_a_pause_that_cannot_be_is_refused(world: World, call: Call, until: str) -> None:
    status, answer = call("pause", ADA, "--until", until)
    assert (status, code(answer), status_of(world, ADA)) == (2, "R114", "active")


@pytest.mark.parametrize("act", ["pause", "resume"])
@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_who_left_has_nothing_to_pause(call: Call, act: str, more: tuple[str, ...]) -> None:
    call("leave", ADA)
    status, answer = call(act, ADA, *more)
    assert (status, code(answer)) == (3, "R113")


def test_a_reader_is_forgotten_when_the_address_was_typed_twice(world: World, call: Call) -> None:
    assert code(call("forget", ADA)[1]) == "R115"
    assert code(call("forget", ADA, "--confirm", BEN)[1]) == "R116"
    assert status_of(world, ADA) == "active"
    assert call("forget", ADA, "--confirm", ADA.upper())[1]["forgotten"] is True
    assert status_of(world, ADA) == ""


def test_any_address_can_be_blocked_and_unblocked(world: World, call: Call) -> None:
    for address, after in ((ADA, "active"), (CLEO, None)):
        assert call("block", address, "--reason", "complained")[1]["blocked"] is True
        assert call("block", address)[1]["blocked"] is False
        assert world.app.roster.suppressed(address) == "complained"
        assert call("unblock", address)[1] == {"address": address, "unblocked": True, "status": after}
        assert call("unblock", address)[1]["unblocked"] is False
        assert world.app.roster.suppressed(address) == ""


def test_no_block_passes_for_a_wish_to_be_forgotten(call: Call) -> None:
    status, answer = call("block", ADA, "--reason", "forgotten")
    assert (status, code(answer)) == (2, "R117")


ACTS = [
    ("add", CLEO),
    ("add", CLEO, "--consent", "says so"),
    ("pause", ADA),
    ("resume", BEN),
    ("leave", ADA),
    ("forget", ADA),
    ("block", ADA),
    ("block", CLEO),
    ("unblock", "dora@readers.example"),
]


@pytest.mark.parametrize("act", ACTS, ids=" ".join)
def test_a_dry_run_changes_nothing(world: World, call: Call, act: tuple[str, ...]) -> None:
    roster = world.app.roster
    ben = roster.find(BEN)
    assert ben
    roster.pause(ben.id, until=None, evidence=Evidence("cli"), now=WEDNESDAY)
    roster.suppress("dora@readers.example", reason="complained", now=WEDNESDAY)
    before = [roster.held(reader.id) for reader in roster.all()]
    status, answer = call(*act, "--dry-run")
    assert (status, answer["dry_run"]) == (0, True)
    assert [roster.held(reader.id) for reader in roster.all()] == before
    assert (roster.suppressed(ADA), roster.suppressed(CLEO)) == ("", "")
    assert roster.suppressed("dora@readers.example") == "complained"
    assert world.app.ledger.entries() == []


def test_the_log_tells_what_was_done_and_names_no_address(world: World, call: Call) -> None:
    for act in (("pause", ADA), ("resume", ADA), ("leave", ADA), ("block", ADA), ("unblock", ADA), ("add", CLEO)):
        call(*act)
    call("forget", ADA, "--confirm", ADA)
    entries = world.app.ledger.entries()
    assert [entry.action for entry in reversed(entries)] == [
        *("pause", "resume", "leave", "block", "unblock", "ask", "forget")
    ]
    assert not [entry for entry in entries if "@" in repr(entry)]


# --- list and show ---------------------------------------------------------------------------------


def test_readers_are_listed_by_status_and_by_a_part_of_their_address(call: Call, say: Callable[..., str]) -> None:
    call("leave", ADA)
    assert [one["address"] for one in call("list", "--status", "left")[1]] == [ADA]
    assert [one["address"] for one in call("list", "--search", "BEN@")[1]] == [BEN]
    assert call("list", "--search", "nobody") == (0, [])
    assert "1 active, 1 left" in say("list")


def test_the_page_of_a_reader_says_what_they_get_and_when_next(world: World, say: Callable[..., str]) -> None:
    roster = world.app.roster
    ada = roster.find(ADA)
    assert ada
    roster.choose(ada.id, edition="weekly", without={"sailing"}, plain=True, evidence=Evidence("link"), now=WEDNESDAY)
    told = say("show", ADA)
    assert "active, joined 25 November 2026" in told
    assert "weekly, all topics but sailing, plain text" in told
    assert "Fri 27 Nov 2026, 08:00 Madrid (07:00 UTC), in 1 day 20 h" in told
    roster.pause(ada.id, until=SLOT + 6 * DAY, evidence=Evidence("link"), now=WEDNESDAY)
    told = say("show", ADA)
    assert "paused until 3 December 2026" in told
    assert "Fri 4 Dec 2026, 08:00 Madrid" in told
    roster.pause(ada.id, until=None, evidence=Evidence("link"), now=WEDNESDAY)
    assert "nothing until they or you resume" in say("show", ADA)


@pytest.mark.parametrize(
    ("act", "line"),
    [
        (("leave", ADA), "left 25 November 2026   (reader 1)"),
        (("block", ADA, "--reason", "complained"), "blocked: complained"),
    ],
)
def test_the_page_of_one_who_gets_no_mail_says_why(
    call: Call, say: Callable[..., str], act: tuple[str, ...], line: str
) -> None:
    call(*act)
    told = say("show", ADA)
    assert line in told
    assert "next" not in told


def test_the_page_of_one_who_has_not_confirmed_says_until_when_they_may(say: Callable[..., str]) -> None:
    say("add", CLEO)
    assert "has not confirmed; deleted 9 December 2026 if they do not" in say("show", CLEO)


def test_an_unknown_reader_is_told_with_the_nearest_or_why_they_are_gone(call: Call) -> None:
    _, answer = call("show", "add@readers.example")
    assert answer["problems"][0]["fixes"] == [f"Did you mean {ADA}?"]
    call("forget", ADA, "--confirm", ADA)
    _, answer = call("show", ADA)
    assert "forgotten" in answer["problems"][0]["why"]


def test_the_next_issue_counts_whom_it_would_go_to_and_who_rests(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for address, until in ((ADA, SLOT), (BEN, SLOT + DAY)):
        reader = world.app.roster.find(address)
        assert reader
        world.app.roster.pause(reader.id, until=until, evidence=Evidence("link"), now=WEDNESDAY)
    run(["--site", str(world.folder.root), "issue", "show", "next", "--now", WEDNESDAY.isoformat()])
    assert "Readers    1; 1 paused until after the slot" in capsys.readouterr().out


def test_who_was_forgotten_stands_in_the_figures_of_an_issue_without_address(world: World, call: Call) -> None:
    world.send(WEDNESDAY)
    world.deliver(WEDNESDAY)
    call("forget", ADA, "--confirm", ADA)
    assert [one.address for one in world.app.ledger.deliveries("weekly", 1)] == ["(reader 1, forgotten)", BEN]
