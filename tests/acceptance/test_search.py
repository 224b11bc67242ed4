"""Searching a real site: what was published is found, what was not is not, by the command and over the socket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2 as httpx

from tests.acceptance.harness import FRIDAY, SiteFolder, until


@contextmanager
def served(site: SiteFolder) -> Iterator[httpx.Client]:
    def address() -> str:
        logs = "".join(path.read_text() for path in site.root.glob("serve-*.log"))
        found = re.search(r"http://127\.0\.0\.1:\d+", logs)
        return found[0] if found else ""

    with site.started("serve", "--port", "0"), httpx.Client(base_url=until(address), timeout=20) as client:
        yield client


def total(client: httpx.Client, words: str) -> str:
    page = client.get("/search/", params={"q": words})
    assert page.status_code == 200
    told = re.search(r'role="status"><strong>([^<]*)', page.text)
    return told[1] if told else ""


def test_what_is_published_is_found_at_once_and_nothing_else_ever(site: SiteFolder) -> None:
    site.post("a-public-car", text="A zymurgical tour.")
    draft = site.post("a-secret-car", front="draft: true\n", text="An embargoed prototype.")
    site.post("a-future-car", day="2026-12-24", text="A christmassy surprise.")
    site.ok("publish", now=FRIDAY)
    with served(site) as client:
        assert total(client, "zymurgical") == "1 result for “zymurgical”"
        for word in ("embargoed", "embargoad", "christmassy", "christmasy", "prototype"):
            page = client.get("/search/", params={"q": word}).text
            assert f"No post has “{word}”." in page
            assert "Did you mean" not in page
        site.ok("publish", now="2026-12-25T08:00:00+01:00")
        assert total(client, "christmassy") == "1 result for “christmassy”"
        draft.write_text(draft.read_text().replace("draft: true\n", "").replace("prototype", "concept"))
        site.ok("publish", now="2026-12-25T09:00:00+01:00")
        assert total(client, "embargoed") == "1 result for “embargoed”"
        assert "prototype" not in client.get("/search/", params={"q": "embargoed"}).text


def test_a_lost_index_is_made_by_the_next_publish_though_nothing_else_changed(site: SiteFolder) -> None:
    site.post("a-public-car", text="A zymurgical tour.")
    site.ok("publish", now=FRIDAY)
    index = site.root / "var" / "search.sqlite3"
    for damage in (index.unlink, lambda: index.write_bytes(b"garbage" * 1000)):
        damage()
        with served(site) as client:
            assert client.get("/search/?q=zymurgical").status_code == 503
        for log in site.root.glob("serve-*.log"):
            log.unlink()
        site.ok("publish", now=FRIDAY)
        with served(site) as client:
            assert total(client, "zymurgical") == "1 result for “zymurgical”"
        for log in site.root.glob("serve-*.log"):
            log.unlink()


def test_a_dry_run_leaves_the_index_alone_and_a_disk_that_refuses_stops_nothing(site: SiteFolder) -> None:
    site.post("a-public-car")
    site.ok("publish", "--dry-run", now=FRIDAY)
    assert not (site.root / "var" / "search.sqlite3").exists()
    (site.root / "var" / "search.sqlite3").mkdir(parents=True)
    result = site.ok("publish", now=FRIDAY)
    assert "F440" in result.err
    assert (site.root / "feeds" / "posts" / "a-public-car" / "index.html").exists()
