"""A database that an older version made: it is brought up to date, after a backup."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from newsletter.store import migrate
from newsletter.store.database import REVISION, as_it_is
from tests.acceptance.harness import FRIDAY, SiteFolder


def test_an_older_database_is_backed_up_and_brought_up_to_date(site: SiteFolder) -> None:
    older = migrate.known_revisions()[-2]
    state = site.root / "var"
    state.mkdir(exist_ok=True)
    with closing(as_it_is(f"sqlite:///{state / 'newsletter.sqlite3'}")) as database, database.write() as connection:
        migrate.upgrade(connection, older)
    assert site.json("upgrade", "--dry-run") == {"from": older, "to": REVISION, "dry_run": True, "upgraded": False}
    done = site.json("upgrade", now=FRIDAY)
    assert done["upgraded"]
    assert Path(done["backup"]).is_file()
    assert site.json("upgrade")["from"] == REVISION
