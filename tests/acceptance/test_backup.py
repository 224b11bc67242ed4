"""A site is backed up at night, and comes back from one file, locked until a person claims it."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.harness import FRIDAY, SiteFolder, until

NIGHT = "2026-11-26T03:00:01+01:00"
MADE = "newsletter-20261126T020001Z.tar.gz"


def test_a_restored_site_sends_what_was_owed_once_somebody_claims_it(site: SiteFolder, tmp_path: Path) -> None:
    site.readers(3)
    said = site.ok("backup", now=NIGHT)
    assert "3 readers" in said.out
    assert (site.root / "var" / "backups" / MADE).is_file()
    site.ok("prepare", now=FRIDAY)
    site.ok("deliver", now=FRIDAY)
    assert len(site.mails()) == 3

    again = SiteFolder(tmp_path / "again")
    file = str(site.root / "var" / "backups" / MADE)
    assert "Would restore" in site.ok("restore", file, str(again.root), "--dry-run").out
    assert not again.root.exists()
    assert "newsletter claim" in site.ok("restore", file, str(again.root)).out
    assert again.run("prepare", "--json", now=FRIDAY).problems[0]["code"] == "S309"
    again.ok("claim", "--confirm", "3", now=FRIDAY)
    again.ok("prepare", now=FRIDAY)
    again.ok("deliver", now=FRIDAY)
    assert {mail["Message-ID"] for mail in again.mails()} == {mail["Message-ID"] for mail in site.mails()}


def test_work_backs_up_at_night_and_status_says_when(site: SiteFolder) -> None:
    site.readers(1)
    with site.started("work", "--every", "1", now=NIGHT):
        until(lambda: [*(site.root / "var" / "backups").glob("newsletter-20261126T0200*")], what="a backup")
    assert "backup: Thu 26 Nov 2026" in site.ok("status", now=NIGHT).out


def test_what_is_no_backup_is_said_to_be_none(site: SiteFolder, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Ada")
    result = site.run("restore", str(tmp_path / "letter.txt"), str(tmp_path / "again"), "--json")
    assert (result.status, result.problems[0]["code"]) == (4, "C532")
    assert not (tmp_path / "again").exists()
