"""An issue that a day does not hold: said before, and each day what it may have."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from newsletter.store.database import open_database
from newsletter.store.tables import subscriber
from tests.acceptance.harness import FRIDAY, SiteFolder

LATER, SATURDAY = "2026-11-27T08:10:10+01:00", "2026-11-28T00:00:10+01:00"
MORE = "\n[mail]\ncanary = true\n[mail.warmup]\nstart = 400\ngrowth = 2\nsince = 2026-11-27\n"


@pytest.fixture
def site(tmp_path: Path) -> SiteFolder:
    one = SiteFolder(tmp_path).configure(more=MORE)
    one.post("hatch")
    joined = datetime.fromisoformat("2026-11-20T12:00:00+01:00")
    addresses = [f"r{n}@readers.example" for n in range(600)]
    rows = [
        {"address": one, "folded": one, "status": "active", "edition": "weekly", "joined_at": joined}
        for one in addresses
    ]
    database = open_database(f"sqlite:///{tmp_path}/var/newsletter.sqlite3")
    with database.write() as connection:
        connection.execute(insert(subscriber), rows)
    database.close()
    return one


def test_a_warm_up_with_a_canary_sends_a_hundred_then_what_the_day_may_have_and_the_rest_the_next(
    site: SiteFolder,
) -> None:
    plan = site.ok("issue", "send", "next", "--dry-run", now=FRIDAY).out
    assert "Days     400 today, 200 tomorrow (warm-up)" in plan
    assert "First    100 readers; all others 10 min later" in plan
    site.ok("prepare", now=FRIDAY)
    first = site.json("deliver", now=FRIDAY)
    assert (first["accepted"], first["not_before"]) == (100, None)
    assert "the next mail goes Fri 27 Nov 2026, 08:10 Madrid" in site.ok("status", now=FRIDAY).out
    then = site.json("deliver", now=LATER)
    assert (then["accepted"], then["waits_for"]) == (300, "day:2026-11-27")
    assert "400 of the 400 messages of today are gone" in site.ok("status", now=LATER).out
    report = site.json("issue", "report", "1", now=LATER)
    assert report["held_back"] == {"today": 400, "cap": 400, "not_before": then["not_before"], "slowed": {}}
    assert site.json("deliver", now=SATURDAY)["accepted"] == 200
    assert site.json("issue", "show", "1")["state"] == "sent"
    assert len({one.name for one in site.root.glob("var/outbox/new/*.eml")}) == 600
