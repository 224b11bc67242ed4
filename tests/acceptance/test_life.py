"""The life of an issue through the installed command: each act, what it refuses, and what it leaves behind."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from newsletter.model import DeliveryState, Outcome, Receipt, Settlement
from newsletter.store.database import open_database
from newsletter.store.ledger import SqlLedger
from tests.acceptance.harness import COMMAND, FRIDAY, Result, SiteFolder

WEDNESDAY = "2026-11-25T12:00:00+01:00"
SATURDAY = "2026-11-28T12:00:00+01:00"
NEXT_FRIDAY = "2026-12-04T08:00:05+01:00"


@pytest.fixture
def ready(site: SiteFolder) -> SiteFolder:
    """Issue 1 is frozen on Wednesday for its slot on Friday; three readers."""
    site.readers(3)
    site.ok("issue", "ready", "next", now=WEDNESDAY)
    return site


def state(site: SiteFolder, number: int = 1) -> str:
    return str(next(issue["state"] for issue in site.issues() if issue["number"] == number))


def slots(site: SiteFolder) -> dict[str, Any]:
    rows = site.json("schedule", "next", "--count", "3", now=WEDNESDAY)
    return {row["slot"]: row["state"] for row in rows}


def log(site: SiteFolder) -> list[str]:
    """Oldest first: `ready → held, a doubt`."""
    rows = [one for one in site.json("log") if one["object"].startswith("issue")]
    return [f"{one['action']}: {one['before']} → {one['after']} {one['note']}".strip() for one in reversed(rows)]


def refused(result: Result, *codes: str) -> bool:
    return result.status == 3 and [problem["code"] for problem in result.problems] == list(codes)


# --- ready -----------------------------------------------------------------------------------------


def test_what_is_ready_goes_out_at_its_slot_with_the_text_that_was_frozen(ready: SiteFolder) -> None:
    before = ready.run("issue", "show", "1", "--text", now=WEDNESDAY).out
    path = ready.root / "posts" / "2026-11-24-hybrid-hatch.md"
    path.write_text(path.read_text().replace("title: Hybrid hatch", "title: Hybrid hutch"))
    for words in (("check",), ("post", "show", "hybrid-hatch"), ("issue", "show", "1")):
        told = ready.run(*words, now=WEDNESDAY)
        assert (told.status, "I342" in told.out + told.err) == (0, True), told
    assert ready.run("issue", "show", "1", "--text", now=WEDNESDAY).out == before
    ready.ok("prepare", now=FRIDAY)
    ready.ok("deliver", now=FRIDAY)
    assert {str(mail["Subject"]) for mail in ready.mails()} == {"Hybrid hatch on the road"}
    assert (state(ready), len(ready.issues())) == ("sent", 1)


def test_who_withdraws_a_post_is_told_of_the_frozen_issue_that_has_it(ready: SiteFolder) -> None:
    told = ready.ok("post", "withdraw", "hybrid-hatch", "a mistake", "--as", "review-desk", now=WEDNESDAY).out
    assert "Issue 1 is ready with it, and does not go out like that: newsletter issue unready 1" in told


def test_a_second_ready_is_refused_and_so_is_one_without_story(ready: SiteFolder) -> None:
    assert refused(ready.run("issue", "ready", "next", "--json", now=WEDNESDAY), "S316")
    assert refused(ready.run("issue", "ready", "2", "--json", now=WEDNESDAY), "S303")
    assert ready.run("issue", "ready", "9", now=WEDNESDAY).status == 2


def test_a_thawed_issue_takes_edits_in_under_its_number(ready: SiteFolder) -> None:
    path = ready.root / "posts" / "2026-11-24-hybrid-hatch.md"
    path.write_text(path.read_text().replace("title: Hybrid hatch", "title: Hybrid hutch"))
    ready.ok("issue", "unready", "1", "--reason", "a new title", now=WEDNESDAY)
    assert (state(ready), slots(ready)["2026-W48"]) == ("draft", "issue 1, draft")
    assert ready.json("issue", "show", "1", now=WEDNESDAY)["subject"] == "Hybrid hutch on the road"
    ready.ok("prepare", now=FRIDAY)
    ready.ok("deliver", now=FRIDAY)
    assert {str(mail["Subject"]) for mail in ready.mails()} == {"Hybrid hutch on the road"}
    assert log(ready) == [
        "make:  → ready",
        "unready: ready → draft a new title",
        "ready: draft → ready",
        "start: ready → sending 3 readers",
        "finish: sending → sent",
    ]


def test_a_thaw_after_the_start_is_refused(ready: SiteFolder) -> None:
    ready.ok("deliver", now=FRIDAY)
    result = ready.run("issue", "unready", "1", "--json", now=FRIDAY)
    assert refused(result, "S314")
    assert state(ready) == "sent"


def test_what_waits_for_its_slot_can_be_sent_at_once_and_the_slot_is_then_empty(ready: SiteFolder) -> None:
    ready.ok("issue", "send", "1", "--confirm", "1:3", "--delay", "0", now=WEDNESDAY)
    assert refused(ready.run("issue", "send", "1", "--confirm", "1:3", "--json", now=WEDNESDAY), "S301")
    ready.ok("deliver", now=WEDNESDAY)
    assert len(ready.mails()) == 3
    assert slots(ready)["2026-W48"] == "issue 1, sent early"
    assert "Nothing is due" in ready.ok("prepare", now=FRIDAY).out


# --- held, skipped, web only -----------------------------------------------------------------------


def test_what_is_held_does_not_go_by_itself_and_what_is_let_go_does(ready: SiteFolder) -> None:
    ready.ok("issue", "hold", "1", "--reason", "a doubt", "--as", "review-desk", now=WEDNESDAY)
    ready.ok("deliver", now=FRIDAY)
    assert (state(ready), ready.mails()) == ("held", [])
    assert "held by review-desk: a doubt" in ready.ok("status", now=WEDNESDAY).out
    ready.ok("issue", "ready", "1", now=WEDNESDAY)
    ready.ok("deliver", now=FRIDAY)
    assert (state(ready), len(ready.mails())) == ("sent", 3)


def test_an_issue_that_is_let_go_after_its_slot_waits_for_a_hand(ready: SiteFolder) -> None:
    ready.ok("issue", "hold", "1", now=WEDNESDAY)
    assert "waits for a hand" in ready.ok("issue", "ready", "1", now=SATURDAY).out
    ready.ok("deliver", now=SATURDAY)
    assert ready.mails() == []
    assert "issue 1 is ready, and waits for a hand" in ready.ok("status", now=SATURDAY).out
    ready.ok("issue", "send", "1", "--confirm", "1:3", "--delay", "0", now=SATURDAY)
    ready.ok("deliver", now=SATURDAY)
    assert len(ready.mails()) == 3


def test_a_hold_before_the_issue_is_made_holds_its_slot(site: SiteFolder) -> None:
    site.readers(1)
    site.ok("issue", "hold", "next", "--reason", "letters", now=WEDNESDAY)
    assert "held by operator: letters" in slots(site)["2026-W48"]
    told = "slot 2026-W48 is held by operator: letters: newsletter schedule resume 2026-W48"
    assert told in site.ok("status", now=WEDNESDAY).out
    site.ok("prepare", now=FRIDAY)
    assert state(site) == "held"
    site.ok("deliver", now=FRIDAY)
    assert site.mails() == []


def test_a_held_issue_that_is_thawed_and_frozen_anew_keeps_to_its_own_slot(ready: SiteFolder) -> None:
    ready.ok("issue", "hold", "1", now=WEDNESDAY)
    ready.ok("issue", "unready", "1", now=SATURDAY)
    assert "waits for a hand" in ready.ok("issue", "ready", "1", now=SATURDAY).out
    ready.ok("issue", "send", "1", "--confirm", "1:3", "--delay", "0", now=SATURDAY)
    ready.ok("deliver", now=SATURDAY)
    ready.post("letters", "2026-12-01")
    ready.ok("prepare", now=NEXT_FRIDAY)
    ready.ok("deliver", now=NEXT_FRIDAY)
    assert [(one["slot"], one["state"]) for one in reversed(ready.issues())] == [
        ("2026-W48", "sent"),
        ("2026-W49", "sent"),
    ]


def test_a_skipped_slot_is_seen_and_its_stories_come_with_the_next(site: SiteFolder) -> None:
    site.readers(1)
    site.ok("issue", "skip", "next", "--reason", "holiday", now=WEDNESDAY)
    assert slots(site)["2026-W48"] == "skipped (holiday)"
    site.ok("prepare", now=FRIDAY)
    assert site.issues() == []
    site.ok("prepare", now=NEXT_FRIDAY)
    [made] = site.issues()
    assert (made["slot"], made["stories"]) == ("2026-W49", ["hybrid-hatch", "diesel-van"])


def test_a_held_issue_that_is_skipped_gives_its_stories_back(ready: SiteFolder) -> None:
    assert refused(ready.run("issue", "skip", "1", "--json", now=WEDNESDAY), "S314")
    ready.ok("issue", "hold", "1", now=WEDNESDAY)
    ready.ok("issue", "skip", "1", "--reason", "no", now=SATURDAY)
    ready.ok("prepare", now=NEXT_FRIDAY)
    assert [(one["number"], one["state"], len(one["stories"])) for one in ready.issues()] == [
        (2, "ready", 2),
        (1, "skipped", 2),
    ]


def test_what_is_on_the_web_only_has_its_page_and_no_mail(ready: SiteFolder) -> None:
    ready.ok("issue", "web-only", "1", "--reason", "for the archive", now=WEDNESDAY)
    ready.ok("publish", now=SATURDAY)
    ready.ok("deliver", now=SATURDAY)
    assert "issues/1/index.html" in ready.tree()
    assert (state(ready), ready.mails()) == ("web-only", [])
    assert refused(ready.run("issue", "send", "1", "--json", now=WEDNESDAY), "S302")


def test_a_cancelled_issue_whose_stories_went_on_cannot_become_web_only(ready: SiteFolder) -> None:
    ready.ok("issue", "cancel", "1", now=WEDNESDAY)
    ready.ok("issue", "ready", "next", now=WEDNESDAY)
    assert refused(ready.run("issue", "web-only", "1", "--json", now=WEDNESDAY), "S318")


# --- beside the rhythm -----------------------------------------------------------------------------


def test_an_extra_issue_leaves_the_slot_alone_and_carries_each_story_once(site: SiteFolder) -> None:
    site.readers(2)
    assert site.run("issue", "extra", "hybrid-hutch", now=WEDNESDAY).status == 2
    site.ok("issue", "extra", "hybrid-hatch", now=WEDNESDAY)
    assert refused(site.run("issue", "extra", "hybrid-hatch", "--json", now=WEDNESDAY), "I341")
    site.ok("issue", "send", "1", "--confirm", "1:2", "--delay", "0", now=WEDNESDAY)
    site.ok("deliver", now=WEDNESDAY)
    site.ok("prepare", now=FRIDAY)
    site.ok("deliver", now=FRIDAY)
    assert [(one["slot"], one["state"], one["stories"]) for one in reversed(site.issues())] == [
        ("extra:1", "sent", ["hybrid-hatch"]),
        ("2026-W48", "sent", ["diesel-van"]),
    ]
    site.ok("publish", now=FRIDAY)


def test_issues_begin_with_the_post_that_somebody_names(site: SiteFolder) -> None:
    site.post("old-one", "2026-03-02")
    site.post("older-one", "2026-02-02")
    assert site.json("issue", "start-from", "old-one", now=WEDNESDAY)["stories"][-1] == "old-one"
    rows = site.json("issue", "show", "next", now=WEDNESDAY)["stories"]
    assert {row["slug"]: row["verdict"] for row in rows} == {
        "hybrid-hatch": "in",
        "diesel-van": "in",
        "old-one": "in",
        "older-one": "out",
    }


# --- the schedule ----------------------------------------------------------------------------------


def test_while_everything_is_paused_slots_pass_and_are_seen_and_a_hand_still_sends(ready: SiteFolder) -> None:
    assert ready.run("schedule", "pause", "all", now=WEDNESDAY).status == 2
    ready.ok("schedule", "pause", "all", "--reason", "we move", "--as", "review-desk", now=WEDNESDAY)
    ready.ok("deliver", now=FRIDAY)
    assert (state(ready), ready.mails()) == ("held", [])
    ready.post("letters", "2026-12-01")
    ready.ok("prepare", now=NEXT_FRIDAY)
    status = ready.ok("status", now=NEXT_FRIDAY).out
    assert "everything is paused by review-desk: we move" in status
    assert "2026-W49: skipped (the schedule is paused by review-desk: we move)" in status
    ready.ok("issue", "send", "1", "--confirm", "1:3", "--delay", "0", now=NEXT_FRIDAY)
    ready.ok("deliver", now=NEXT_FRIDAY)
    assert len(ready.mails()) == 3
    ready.ok("schedule", "resume", "all", now=NEXT_FRIDAY)
    assert "everything is paused" not in ready.ok("status", now=NEXT_FRIDAY).out


def test_one_slot_can_be_paused_moved_and_given_back(site: SiteFolder) -> None:
    site.ok("schedule", "pause", "2026-W48", "--reason", "holiday", now=WEDNESDAY)
    assert slots(site)["2026-W48"] == "skipped (holiday (operator))"
    site.ok("schedule", "resume", "2026-W48", now=WEDNESDAY)
    site.ok("schedule", "move", "2026-W48", "2026-11-26T17:00", now=WEDNESDAY)
    first = site.json("schedule", "next", now=WEDNESDAY)[0]
    assert (first["due"], "moved from Fri 27 Nov 2026, 08:00" in first["note"]) == ("2026-11-26T16:00:00Z", True)
    site.ok("prepare", now="2026-11-26T17:00:05+01:00")
    assert site.issues()[0]["due"] == "2026-11-26T16:00:00Z"
    far = site.run("schedule", "move", "2026-W49", "2026-12-12T08:00", "--json", now=WEDNESDAY)
    assert refused(far, "I113")
    assert refused(site.run("schedule", "pause", "2026-W48", "--json", now=FRIDAY), "I114")


def test_another_rhythm_is_written_into_the_file_and_nothing_falls_due_by_it(site: SiteFolder) -> None:
    path = site.root / "newsletter.toml"
    path.write_text(path.read_text().replace("[cadence]\n", '[cadence]\nweekday = "friday"  # as ever\n'))
    site.ok("schedule", "set", "tuesdays 17:30", "--dry-run", now=WEDNESDAY)
    assert "tuesday" not in path.read_text()
    told = site.ok("schedule", "set", "tuesdays 17:30", now=WEDNESDAY).out
    assert 'weekday = "tuesday"  # as ever' in path.read_text()
    assert "2026-W48 would have been Tue 24 Nov 2026, 17:30" in told
    assert "Nothing is due" in site.ok("prepare", now=WEDNESDAY).out
    first, second = site.json("schedule", "next", "--count", "2", now=WEDNESDAY)
    assert (first["slot"], first["due"], second["slot"]) == ("2026-W49", "2026-12-01T16:30:00Z", "2026-W50")
    assert site.run("schedule", "set", "tusdays 08:00", now=WEDNESDAY).status == 2


def test_an_issue_that_is_made_keeps_its_time_when_the_rhythm_changes_and_that_is_said(ready: SiteFolder) -> None:
    told = ready.ok("schedule", "set", "saturdays 10:00", now=WEDNESDAY).out
    assert "Issue 1 is made, and keeps its time: Fri 27 Nov 2026, 08:00" in told
    first, second = ready.json("schedule", "next", "--count", "2", now=WEDNESDAY)
    assert (first["due"], first["state"]) == ("2026-11-27T07:00:00Z", "issue 1, ready")
    assert second["due"] == "2026-12-05T09:00:00Z"


# --- copies ----------------------------------------------------------------------------------------


def test_a_copied_site_is_locked_until_a_person_claims_it(ready: SiteFolder, tmp_path: Path) -> None:
    shutil.copytree(ready.root, tmp_path / "copy")
    copy = SiteFolder(tmp_path / "copy")
    locked: list[tuple[str, ...]] = [
        ("deliver",),
        ("prepare",),
        ("work",),
        ("issue", "send", "1", "--confirm", "1:3", "--delay", "0"),
        ("issue", "test", "1", "--to", "editor@auto-trendy.net"),
        ("issue", "resend", "1", "reader0001@readers.example"),
    ]
    for words in locked:
        assert refused(copy.run(*words, "--json", now=WEDNESDAY), "S309"), words
    assert copy.mails() == []
    assert "this copy of the site is locked" in copy.ok("status", now=FRIDAY).out
    assert "warn S309" in copy.ok("issue", "list", now=FRIDAY).err
    assert copy.run("claim", now=FRIDAY).status == 3
    assert refused(copy.run("claim", "--confirm", "4", "--json", now=FRIDAY), "S304")
    assert "Issue 1 is ready to start by itself" in copy.ok("claim", "--dry-run", now=FRIDAY).out
    copy.ok("claim", "--confirm", "3", now=FRIDAY)
    copy.ok("deliver", now=FRIDAY)
    assert (state(copy), copy.mails()) == ("held", [])
    ready.ok("deliver", now=FRIDAY)
    assert len(ready.mails()) == 3


def test_a_site_that_moved_is_the_same_site(ready: SiteFolder, tmp_path: Path) -> None:
    ready.root.rename(tmp_path / "moved")
    moved = SiteFolder(tmp_path / "moved")
    moved.ok("deliver", now=FRIDAY)
    assert len(moved.mails()) == 3


def test_an_older_database_in_the_place_of_a_newer_one_is_noticed(ready: SiteFolder, tmp_path: Path) -> None:
    database = ready.root / "var" / "newsletter.sqlite3"
    backup = tmp_path / "backup"
    shutil.copyfile(database, backup)
    ready.ok("deliver", now=FRIDAY)
    with database.open("r+b") as file:  # in place, as a careful hand would
        file.write(backup.read_bytes())
        file.truncate()
    result = ready.run("deliver", "--json", now=FRIDAY)
    assert refused(result, "S309")
    assert "older than what was done here" in result.problems[0]["message"]
    assert len(ready.mails()) == 3


def test_a_dry_run_changes_nothing(site: SiteFolder) -> None:
    before = site.json("schedule", "next", now=WEDNESDAY), site.json("log"), site.issues()
    for words in (
        ("issue", "ready", "next"),
        ("issue", "hold", "next"),
        ("issue", "skip", "next"),
        ("issue", "extra", "hybrid-hatch"),
        ("issue", "start-from", "diesel-van"),
        ("schedule", "pause", "2026-W48"),
        ("schedule", "pause", "all", "--reason", "we move"),
        ("schedule", "move", "2026-W48", "2026-11-26T17:00"),
        ("schedule", "set", "tuesdays 17:30"),
    ):
        assert "ould" in site.ok(*words, "--dry-run", now=WEDNESDAY).out
    assert (site.json("schedule", "next", now=WEDNESDAY), site.json("log"), site.issues()) == before


def test_a_live_site_sends_no_issue_by_itself_that_was_made_ready_and_never_tested(ready: SiteFolder) -> None:
    path = ready.root / "newsletter.toml"
    path.write_text(path.read_text() + '\n[mail]\ntransport = "smtp"\nhost = "127.0.0.1"\nport = 9\ntls = "none"\n')
    path.write_text(
        path.read_text().replace('name = "News desk"', 'name = "News desk"\nemail = "news@auto-trendy.net"')
    )
    ready.ok("deliver", now=FRIDAY)
    assert state(ready) == "held"
    assert "S329" in ready.issues()[0]["reason"]


def test_the_next_issue_to_send_is_the_one_that_is_ready(ready: SiteFolder) -> None:
    ready.ok("issue", "send", "next", "--confirm", "1:3", "--delay", "0", now=WEDNESDAY)
    assert ready.issues()[0]["number"] == 1


# --- what is in doubt ------------------------------------------------------------------------------


@pytest.fixture
def doubtful(ready: SiteFolder) -> SiteFolder:
    """Issue 1 went out: one reader has it, one may have it, one was put off for too long."""
    with closing(open_database(f"sqlite:///{ready.root}/var/newsletter.sqlite3")) as database:
        ledger, now = SqlLedger(database), datetime.fromisoformat(FRIDAY)
        assert ledger.start_send("weekly", 1, now=now)
        [chunk] = ledger.due_chunks(now)
        ids = ledger.claim(chunk, limit=3, now=now)
        ledger.hand_over(chunk, settled=[], wanted=ids, now=now)
        answers = [
            (DeliveryState.ACCEPTED, Receipt(Outcome.ACCEPTED, 250, "ok")),
            (DeliveryState.UNCERTAIN, Receipt(Outcome.UNKNOWN)),
            (DeliveryState.FAILED, Receipt(Outcome.DEFERRED, 451, "4.7.1 Greylisted")),
        ]
        settled = [Settlement(each, to, receipt=why) for each, (to, why) in zip(ids, answers, strict=True)]
        ledger.hand_over(chunk, settled=settled, wanted=[], now=now)
        assert ledger.finish("weekly", 1, now=now).state == "needs-attention"
    return ready


def deliveries(site: SiteFolder) -> dict[str, int]:
    return dict(site.issues()[0]["deliveries"])


def test_a_doubt_is_decided_by_a_person_and_by_nobody_else(doubtful: SiteFolder) -> None:
    assert "newsletter issue settle 1" in doubtful.run("status", now=FRIDAY).out
    assert refused(doubtful.run("issue", "settle", "1", "--json", now=FRIDAY), "S319")
    assert "Would ask about 2 deliveries" in doubtful.ok("issue", "settle", "1", "--dry-run", now=FRIDAY).out
    doubtful.ok("deliver", now=FRIDAY)
    assert (state(doubtful), doubtful.mails()) == ("needs-attention", [])


def test_what_is_left_is_left_for_good_and_the_issue_is_sent(doubtful: SiteFolder) -> None:
    doubtful.ok("issue", "settle", "1", "--leave-all", now=FRIDAY)
    assert (state(doubtful), deliveries(doubtful)) == ("sent", {"accepted": 1, "uncertain": 1, "failed": 1})
    assert refused(doubtful.run("issue", "settle", "1", "--again-all", "--json", now=FRIDAY), "S314")


def test_what_is_sent_again_goes_once_more_to_those_in_doubt_alone(doubtful: SiteFolder) -> None:
    doubtful.ok("issue", "settle", "1", "--again-all", now=FRIDAY)
    assert state(doubtful) == "sending"
    doubtful.ok("deliver", now=FRIDAY)
    assert (state(doubtful), deliveries(doubtful), len(doubtful.mails())) == ("sent", {"accepted": 3}, 2)


def test_a_retry_leaves_what_is_uncertain_to_a_person(doubtful: SiteFolder) -> None:
    doubtful.ok("issue", "retry", "1", now=FRIDAY)
    doubtful.ok("deliver", now=FRIDAY)
    assert (state(doubtful), deliveries(doubtful)) == ("needs-attention", {"accepted": 2, "uncertain": 1})
    assert len(doubtful.mails()) == 1


def test_a_paused_issue_waits_and_nobody_gets_it_twice(doubtful: SiteFolder) -> None:
    doubtful.ok("issue", "settle", "1", "--again-all", now=FRIDAY)
    doubtful.ok("issue", "pause", "1", "--reason", "a typo", now=FRIDAY)
    doubtful.ok("deliver", now=FRIDAY)
    assert (state(doubtful), doubtful.mails()) == ("paused", [])
    assert "a typo (operator)" in doubtful.run("status", now=FRIDAY).out
    assert "2 still to go" in doubtful.ok("issue", "resume", "1", now=FRIDAY).out
    doubtful.ok("deliver", now=FRIDAY)
    assert (state(doubtful), len(doubtful.mails())) == ("sent", 2)


def test_at_a_terminal_each_doubt_is_asked_about_with_what_it_risks(doubtful: SiteFolder) -> None:
    master, slave = os.openpty()
    os.write(master, b"again\n\n")  # and the default
    done = subprocess.run(
        [str(COMMAND), "issue", "settle", "1", "--now", FRIDAY],
        cwd=doubtful.root,
        env=os.environ | {"HOME": str(doubtful.root)},
        stdin=slave,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(master)
    os.close(slave)
    assert done.returncode == 0, done.stderr
    assert "1 of 2  reader0001@readers.example  uncertain: the connection was lost after the text" in done.stderr
    assert "again: it may arrive twice.  leave: it may never arrive." in done.stderr
    assert "Settled issue 1: 1 left, 1 again. It is sending." in done.stdout
