"""`reader import` and `reader export` as an operator uses them."""

from __future__ import annotations

import csv
import os
import signal
import sqlite3

from tests.acceptance.harness import SiteFolder, until

NOW = "2026-11-25T12:00:00+01:00"
OLD_LIST = """"E-mail";"Opt-in date";"IP";"Score"
ada@readers.example;03/04/2026;192.0.2.7;5
bob@readers.example;27/11/2025;192.0.2.7;5
left@readers.example;27/11/2025;192.0.2.7;5
bob@readers.example;27/11/2025;192.0.2.7;5
nobody;;;
"""


def test_a_list_is_tried_then_moves_in_and_each_is_asked_once(site: SiteFolder) -> None:
    (site.root / "old-list.csv").write_text(OLD_LIST, encoding="utf-8")
    site.ok("reader", "add", "left@readers.example", "--consent", "on paper", now=NOW)
    site.ok("reader", "leave", "left@readers.example", now=NOW)
    tried = site.ok("reader", "import", "old-list.csv", now=NOW).out.splitlines()
    assert tried == [
        "Would import 2 of 5 rows from old-list.csv (nothing done yet)",
        '  new            2  → Unconfirmed: each gets one confirmation mail   (--consent "text" if you have proof)',
        "  left before    1  NOT added: they unsubscribed on record",
        "  twice in it    1  NOT added again",
        "  wrong address  1  row 6 → old-list.rejected.csv with a reason per row",
        'Columns used: email ← "E-mail", joined ← "Opt-in date" (read as day/month: 03/04/2026 = 3 April).'
        ' Not used: "IP", "Score".',
        "Do it: newsletter reader import old-list.csv --go",
    ]
    assert [reader["address"] for reader in site.json("reader", "list")] == ["left@readers.example"]
    for expected in (2, 0):
        done = site.json("reader", "import", "old-list.csv", "--go", now=NOW)
        assert done["fates"]["new"] == expected
    by_address = {reader["address"]: reader["status"] for reader in site.json("reader", "list")}
    assert by_address.pop("left@readers.example") == "left"
    assert by_address == {"ada@readers.example": "unconfirmed", "bob@readers.example": "unconfirmed"}
    assert "ada@readers.example                  unconfirmed asked  25 Nov 2026" in site.ok("reader", "list").out
    site.ok("deliver", now="2026-11-25T12:01:00+01:00")
    assert sorted(mail["To"] for mail in site.mails()) == sorted(by_address)
    with (site.root / "old-list.rejected.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert [row["row"] for row in csv.DictReader(stream)] == ["4", "5", "6"]


def test_an_import_that_is_killed_goes_on_and_doubles_nobody(site: SiteFolder) -> None:
    rows = 30_000
    people = "".join(f"reader{n}@readers.example\n" for n in range(rows))
    (site.root / "long.csv").write_text(f"email\n{people}nobody\n", encoding="utf-8")
    words = ("reader", "import", "long.csv", "--consent", "the form of 2021", "--go")
    site.ok("reader", "list")

    def count(what: str = "count(*)") -> int:
        with sqlite3.connect(site.root / "var" / "newsletter.sqlite3") as connection:
            return int(connection.execute(f"SELECT {what} FROM consent").fetchone()[0])

    with site.started(*words, now=NOW) as process:
        until(count, what="a first step was committed")
        os.kill(process.pid, signal.SIGKILL)
    done_before = count()
    assert 0 < done_before < rows, "the kill came too late to tell anything"
    done = site.json(*words, now=NOW)
    assert done["went_on_at"] >= done_before
    assert (done["fates"]["new"], done["fates"]["already here"], done["fates"]["wrong address"]) == (rows, 0, 1)
    assert count() == count("count(DISTINCT subscriber_id)") == rows
    with (site.root / "long.rejected.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert [row["row"] for row in csv.DictReader(stream)] == [str(rows + 2)]


def test_readers_leave_as_a_table_that_another_site_takes(site: SiteFolder) -> None:
    site.ok("reader", "add", "ada@readers.example", "--consent", "on paper", now=NOW)
    printed = site.ok("reader", "export").out
    assert printed.splitlines()[1] == (
        '"ada@readers.example","active","weekly","","html","2026-11-25T11:00:00Z","","","cli"'
    )
    site.ok("reader", "export", "all.csv", "--status", "active")
    assert (site.root / "all.csv").read_bytes().decode().replace("\r\n", "\n") == printed.replace("\r\n", "\n")
    assert (site.root / "all.csv").stat().st_mode & 0o077 == 0
    assert site.json("reader", "import", "all.csv")["program"] == "Newsletter"
    again = site.run("reader", "export", "all.csv")
    assert (again.status, again.err.splitlines()[0]) == (2, "stop R130  all.csv is there already")


def test_a_column_that_is_not_there_is_refused_with_the_nearest_one(site: SiteFolder) -> None:
    (site.root / "old-list.csv").write_text(OLD_LIST, encoding="utf-8")
    refused = site.run("reader", "import", "old-list.csv", "--column", "joined=Opt-in day")
    assert refused.status == 2
    assert "Did you mean Opt-in date?" in refused.err
    assert site.run("reader", "import", "nothing.csv").status == 2
