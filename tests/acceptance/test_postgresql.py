"""A site outgrows its file: it moves to PostgreSQL between two commands, and nobody who reads it can tell."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.harness import FRIDAY, SiteFolder
from tests.postgres import Server


@pytest.fixture
def url(postgres: Server) -> Iterator[str]:
    with postgres.database() as made:
        yield made


def test_a_site_moves_while_an_issue_is_ready_and_sends_it_from_there(site: SiteFolder, url: str) -> None:
    site.readers(3)
    site.ok("publish", now=FRIDAY)
    site.ok("prepare", now=FRIDAY)
    assert site.json("move-to-postgres", url, "--dry-run")["counts"]["subscriber"] == 3
    assert site.json("move-to-postgres", url, now=FRIDAY)["counts"]["issue"] == 1
    left = site.run("issue", "list", "--json")
    assert (left.status, left.problems[0]["code"]) == (1, "C523")

    settings = site.root / "newsletter.toml"
    settings.write_text(f'database = "{url}"\n' + settings.read_text("utf-8"), encoding="utf-8")
    assert site.json("upgrade")["upgraded"] is False
    site.ok("deliver", now=FRIDAY)
    (issue,) = site.issues()
    assert issue["state"] == "sent"
    assert sorted(mail["to"] for mail in site.mails() if mail["list-unsubscribe"]) == [
        f"reader{n:04}@readers.example" for n in range(3)
    ]
    assert site.run("move-to-postgres", url).status == 2


def test_a_backup_holds_what_pg_dump_saves_and_a_database_from_it_is_locked(
    site: SiteFolder, url: str, postgres: Server, tmp_path: Path
) -> None:
    site.environment |= {"NEWSLETTER_DATABASE": url, "PATH": f"{postgres.programs}:{os.environ['PATH']}"}
    site.readers(1)
    made = site.json("backup")["file"]
    site.ok("restore", made, str(tmp_path / "again"))
    with postgres.database() as other:
        into = f"--dbname={other.replace('+psycopg', '')}"
        subprocess.run([postgres.programs / "pg_restore", into, tmp_path / "again/var/newsletter.dump"], check=True)
        site.environment["NEWSLETTER_DATABASE"] = other
        assert "S309" in site.run("deliver").err


def test_a_password_in_the_settings_is_refused_and_a_server_that_is_away_is_told(site: SiteFolder) -> None:
    settings = site.root / "newsletter.toml"
    plain = settings.read_text("utf-8")
    settings.write_text('database = "postgresql://ada:secret@127.0.0.1:1/news"\n' + plain, encoding="utf-8")
    (problem,) = site.run("status", "--json").problems
    assert (problem["code"], problem["line"]) == ("C104", 1)
    settings.write_text('database = "postgresql://ada@127.0.0.1:1/news"\n' + plain, encoding="utf-8")
    away = site.run("status", "--json")
    assert (away.status, away.problems[0]["code"]) == (4, "C506")
