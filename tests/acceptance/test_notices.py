"""What editors are told by the installed command: by `work` on its clock, and by the machine verbs of a cron job."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.acceptance.harness import SiteFolder, until

CHIEF = '\n[people.chief]\nname = "Chief"\nemail = "chief@desk.example"\nrole = "editor"\n'
LATER = "2026-11-27T13:00:00+01:00"


@pytest.fixture
def site(tmp_path: Path) -> SiteFolder:
    site = SiteFolder(tmp_path / "site").configure(more=CHIEF)
    site.post("hybrid-hatch")
    return site


def subjects(site: SiteFolder) -> list[str]:
    return [str(mail["Subject"]) for mail in site.mails()]


def test_work_shows_the_mail_when_it_is_time_and_once_also_when_it_is_killed(site: SiteFolder) -> None:
    site.ok("reader", "add", "ada@readers.example", "--consent", "a test", now="2026-11-25T12:00:00+01:00")
    with site.started("work", "--every", "1", now="2026-11-26T07:59:57+01:00") as work:
        until(lambda: subjects(site), what="the preview")
        work.send_signal(signal.SIGKILL)
        work.wait(10)
    with site.started("work", "--every", "1", now="2026-11-26T08:05:00+01:00"):
        status = ("status", "--json", "--now", "2026-11-26T08:05:05+01:00")
        until(lambda: site.run(*status).json["last_tick"] >= "2026-11-26T07:05:00", what="a look")
    assert subjects(site) == ["[Auto Trendy] Preview of issue 1, Fri 27 Nov 2026, 08:00: Hybrid hatch on the road"]


def test_a_cron_job_tells_of_a_late_slot_and_everything_says_why(site: SiteFolder) -> None:
    site.ok("prepare", now="2026-11-25T12:00:00+01:00")
    site.ok("prepare", now=LATER)
    site.ok("deliver", now=LATER)
    assert subjects(site) == ["[Auto Trendy] Issue 1 came late and is held"]
    [told] = site.json("notices", now=LATER)
    assert (told["kind"], told["about"], told["copies"][0]["state"]) == ("late", "issue 1", "accepted")
    slot = site.json("explain", "2026-W48", now=LATER)
    assert (slot["outcome"], slot["issue"]) == ("held", 1)
    assert "after the slot" in slot["reason"]
    post = site.json("explain", "hybrid-hatch", now=LATER)
    assert (post["verdict"], post["issues"]) == ("out", [{"number": 1, "edition": "weekly", "state": "held"}])
    unknown = site.run("explain", "hybrid-hutch", "--json", now=LATER)
    assert (unknown.status, unknown.problems[0]["fixes"]) == (2, ["Did you mean hybrid-hatch?"])
    coming = site.json("explain", "2026-W49", now=LATER)
    assert (coming["stage"], coming["issue"], coming["stories"]) == ("next", 2, [])
    assert site.run("explain", "2026-W60", now=LATER).status == 2


def test_status_says_that_mail_is_broken_and_ends_with_4(site: SiteFolder) -> None:
    (site.root / "newsletter.toml").write_text(
        (site.root / "newsletter.toml").read_text()
        + '\n[mail]\ntransport = "smtp"\nhost = "127.0.0.1"\nport = 9\ntls = "none"\n'
    )
    site.ok("prepare", now="2026-11-25T12:00:00+01:00")
    site.ok("prepare", now=LATER)
    site.run("deliver", now=LATER)
    status = site.run("status", now=LATER)
    assert status.status == 4
    assert "1 notice not handed over, chief: The mail server 127.0.0.1:9 cannot be reached" in status.out
