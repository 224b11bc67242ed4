"""Issues by the clock: at their slot, once, through downtime, two processes, and both kinds of clock change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.harness import CONFIGURATION, FRIDAY, SiteFolder, part, until

SUNDAYS = (
    CONFIGURATION.replace("[cadence]", '[cadence]\nweekday = "sunday"\ntime = "02:30"')
    .replace("Europe/Madrid", "Europe/Berlin")
    .replace("first_slot = 2026-11-27\n", "first_slot = {first}\n")
)


def sent(site: SiteFolder) -> bool:
    return [issue["state"] for issue in site.issues()] == ["sent"]


def logged(site: SiteFolder) -> str:
    """What every `work` on this site has said."""
    return "".join(path.read_text(encoding="utf-8") for path in site.root.glob("work-*.log"))


def last_look(site: SiteFolder, now: str) -> str:
    """When `work` last looked, by its own clock; empty before it did. (`status` exits 4 when that was long ago.)"""
    return site.run("status", "--json", now=now).json["last_tick"] or ""


def test_work_sends_the_issue_when_its_slot_comes(site: SiteFolder) -> None:
    site.readers(3)
    with site.started("work", now="2026-11-27T07:59:58+01:00"):
        until(lambda: sent(site), what="issue 1 sent")
    assert len(site.mails()) == 3
    (issue,) = site.issues()
    assert issue["started_at"] >= "2026-11-27T07:00:00"
    assert (site.root / "feeds/issues/1/index.html").is_file()


def test_before_its_slot_work_sends_nothing(site: SiteFolder) -> None:
    site.readers(1)
    with site.started("work", "--every", "1", now="2026-11-27T07:30:00+01:00"):
        until(lambda: last_look(site, "2026-11-27T07:30:02+01:00"), what="a look")
    assert site.issues() == []
    assert site.mails() == []


def test_two_processes_make_one_issue_and_mail_each_reader_once(site: SiteFolder) -> None:
    site.readers(20)
    now = "2026-11-27T07:59:57+01:00"
    with site.started("work", "--every", "1", now=now), site.started("work", "--every", "1", now=now):
        until(lambda: sent(site), what="issue 1 sent")
        until(lambda: "Standing by" in logged(site), what="a stand-by")
    assert len(site.mails()) == 20
    assert len(site.issues()) == 1


def test_when_the_sender_dies_the_one_that_stood_by_takes_over(site: SiteFolder) -> None:
    site.readers(2)
    with site.started("work", "--every", "1", now="2026-11-27T07:59:53+01:00") as first:
        until(lambda: "Working" in logged(site))
        until(lambda: (site.root / "var/sender.lock").exists() and (site.root / "var/sender.lock").read_text())
        with site.started("work", "--every", "1", now="2026-11-27T07:59:55+01:00"):
            until(lambda: "Standing by" in logged(site))
            first.kill()
            first.wait(10)
            until(lambda: sent(site), what="issue 1 sent by the second")
    assert len(site.mails()) == 2


@pytest.mark.parametrize("minutes", [1, 119])
def test_a_slot_missed_by_downtime_is_made_up_once_within_the_limit(site: SiteFolder, minutes: int) -> None:
    site.readers(2)
    now = f"2026-11-27T{8 + minutes // 60:02}:{minutes % 60:02}:00+01:00"
    for _ in range(2):
        site.ok("prepare", now=now)
        site.ok("deliver", now=now)
    assert sent(site)
    assert len(site.mails()) == 2


def test_a_slot_found_too_late_is_held_and_told_and_goes_only_by_hand(site: SiteFolder) -> None:
    site.readers(2)
    now = "2026-11-27T12:30:00+01:00"
    assert site.json("prepare", now=now)["state"] == "held"
    site.ok("deliver", now=now)
    assert site.mails() == []
    status = site.run("status", now=now)
    assert "held" in status.out
    assert "4 h 30 min after the slot" in status.out
    site.ok("issue", "send", "1", "--confirm", "1:2", "--delay", "0", "--wait", now=now)
    assert len(site.mails()) == 2


def test_an_issue_that_nobody_handed_out_in_time_is_held(site: SiteFolder) -> None:
    site.readers(1)
    site.ok("prepare", now=FRIDAY)
    site.ok("deliver", now="2026-11-27T11:00:00+01:00")
    assert site.mails() == []
    assert [issue["state"] for issue in site.issues()] == ["held"]


def test_weeks_of_downtime_make_one_issue_with_every_post(site: SiteFolder) -> None:
    site.readers(1)
    site.post("estate", "2026-12-01")
    site.post("coupe", "2026-12-08")
    now = "2026-12-11T08:10:00+01:00"
    site.ok("prepare", now=now)
    site.ok("deliver", now=now)
    (issue,) = site.issues()
    assert issue["slot"] == "2026-W50"
    assert sorted(issue["stories"]) == ["coupe", "diesel-van", "estate", "hybrid-hatch"]
    assert len(site.mails()) == 1


def test_an_empty_slot_is_recorded_with_its_reason_and_sends_nothing(site: SiteFolder) -> None:
    site.readers(1)
    site.ok("prepare", now=FRIDAY)
    site.ok("deliver", now=FRIDAY)
    next_week = "2026-12-04T08:00:05+01:00"
    prepared = site.json("prepare", now=next_week)
    assert (prepared["slot"], prepared["issue"]) == ("2026-W49", None)
    assert "nothing new since issue 1" in prepared["reason"]
    site.ok("deliver", now=next_week)
    assert len(site.mails()) == 1
    assert site.json("prepare", now=next_week)["slot"] is None


def test_an_old_archive_is_never_mailed(site: SiteFolder) -> None:
    site.readers(1)
    for year in range(2015, 2026):
        site.post(f"old-car-of-{year}", f"{year}-05-01")
    site.ok("prepare", now=FRIDAY)
    (issue,) = site.issues()
    assert sorted(issue["stories"]) == ["diesel-van", "hybrid-hatch"]


@pytest.mark.parametrize(
    ("first", "before", "due"),
    [
        ("2026-03-29", "2026-03-29T01:29:58+00:00", "2026-03-29T01:30:00Z"),  # 02:30 does not exist: it becomes 03:30
        ("2026-10-25", "2026-10-25T00:29:58+00:00", "2026-10-25T00:30:00Z"),  # 02:30 comes twice: the first counts
    ],
    ids=["spring gap", "autumn fold"],
)
def test_a_slot_in_a_clock_change_fires_once(tmp_path: Path, first: str, before: str, due: str) -> None:
    site = SiteFolder(tmp_path / "site").configure(SUNDAYS.format(first=first))
    site.post("hybrid-hatch", first)
    site.readers(2, now=f"{first[:8]}01T12:00:00+00:00")
    with site.started("work", "--every", "1", now=before):
        until(lambda: sent(site), what="the issue of the clock change")
    (issue,) = site.issues()
    assert issue["due"] == due
    assert issue["started_at"] >= due.removesuffix("Z")
    an_hour_later = due.replace("T01:30", "T02:29").replace("T00:30", "T01:29").replace(":00Z", ":57Z")
    with site.started("work", "--every", "1", now=an_hour_later):
        until(lambda: last_look(site, an_hour_later) > an_hour_later.replace(":57Z", ":59Z"), what="looks past it")
    assert len(site.issues()) == 1
    assert len(site.mails()) == 2


def test_the_schedule_shows_what_the_clocks_will_do(tmp_path: Path) -> None:
    site = SiteFolder(tmp_path / "site").configure(SUNDAYS.format(first="2026-03-29"))
    rows = site.json("schedule", "next", "--count", "40", now="2026-03-20T12:00:00+00:00")
    notes = {row["slot"]: row["note"] for row in rows if row["note"]}
    assert "02:30 becomes 03:30" in notes["2026-W13"]
    assert len({row["slot"] for row in rows}) == 40


def test_the_second_issue_says_last_week_because_it_is(site: SiteFolder) -> None:
    site.readers(1)
    site.ok("prepare", now=FRIDAY)
    site.ok("deliver", now=FRIDAY)
    site.post(
        "hybrid-estate", "2026-12-02", front="continues: hybrid-hatch\n", text="See [[hybrid-hatch|when]]'s test."
    )
    later = "2026-12-04T08:00:05+01:00"
    site.ok("prepare", now=later)
    site.ok("deliver", now=later)
    second = next(mail for mail in site.mails() if "estate" in str(mail["Subject"]))
    text = part(second, "plain")
    assert "Earlier in this story" in text
    assert "Last week" in text
    assert "https://weekly.auto-trendy.net/posts/hybrid-hatch/" in text
    page = site.tree()["posts/hybrid-estate/index.html"].decode()
    assert ">last week</a>" in page
    assert "Hybrid estate on the road" in site.tree()["posts/hybrid-hatch/index.html"].decode()  # Later: …


def test_a_broken_post_lets_no_issue_out_and_is_told(site: SiteFolder) -> None:
    site.readers(1)
    site.post("broken", front="colour: red\n")
    with site.started("work", "--every", "1", now="2026-11-27T07:59:57+01:00"):
        until(lambda: "P103" in logged(site), what="the problem told")
        (site.root / "posts/2026-11-24-broken.md").unlink()
        until(lambda: sent(site), what="the issue, once the post is mended")
    assert len(site.mails()) == 1
