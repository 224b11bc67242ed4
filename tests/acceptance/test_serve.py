"""`newsletter serve`: the site, and the unsubscribe link of a mail that was really sent."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.acceptance.forked import Forked
from tests.acceptance.harness import FRIDAY, SiteFolder, part, until


def address(site: SiteFolder) -> str:
    """Where the site is served, once it is."""
    logs = "".join(path.read_text() for path in site.root.glob("serve-*.log"))
    found = re.search(r"http://127\.0\.0\.1:\d+", logs)
    return found[0] if found else ""


@contextmanager
def served(site: SiteFolder) -> Iterator[httpx.Client]:
    with (
        site.started("serve", "--port", "0"),
        httpx.Client(base_url=until(lambda: address(site)), timeout=20) as client,
    ):
        yield client


@contextmanager
def working(site: SiteFolder) -> Iterator[tuple[httpx.Client, Forked]]:
    words = ("serve", "--port", "0", "--work", "--every", "1")
    with site.started(*words, now=FRIDAY) as process, a_client(site) as client:
        yield client, process


def a_client(site: SiteFolder) -> httpx.Client:
    return httpx.Client(base_url=until(lambda: address(site)), timeout=20)


@pytest.fixture
def mailed(site: SiteFolder) -> SiteFolder:
    site.readers(2)
    site.ok("publish", now=FRIDAY)
    site.ok("prepare", now=FRIDAY)
    site.ok("deliver", now=FRIDAY)
    return site


def link(site: SiteFolder) -> str:
    """The unsubscribe path of the first reader's mail."""
    found = re.search(r"https://weekly\.auto-trendy\.net(/u/[\w.~-]+)", part(site.mails()[0], "html"))
    assert found
    return found[1]


def status_of(site: SiteFolder, address: str) -> str:
    return next(str(r["status"]) for r in site.json("reader", "list") if r["address"] == address)


def test_the_site_is_served_with_the_issue_that_was_sent(mailed: SiteFolder) -> None:
    with served(mailed) as client:
        assert "Auto Trendy" in client.get("/").text
        assert "Hybrid hatch on the road" in client.get("/issues/1/").text
        feed = client.get("/rss.xml")
        assert feed.headers["content-type"].startswith("application/rss+xml")
        assert client.get("/rss.xml", headers={"if-none-match": feed.headers["etag"]}).status_code == 304
        assert client.get("/nothing/here/").status_code == 404


def test_looking_at_the_link_changes_nothing_and_the_button_leaves(mailed: SiteFolder) -> None:
    path = link(mailed)
    address = str(mailed.mails()[0]["To"])
    with served(mailed) as client:
        assert "<form" in client.get(path).text
        client.head(path)
        client.options(path)
        assert status_of(mailed, address) == "active"
        assert client.post(path, data={"leave": "yes"}).status_code == 200
        assert status_of(mailed, address) == "left"


def test_one_click_leaves_and_the_next_issue_does_not_go_there(mailed: SiteFolder) -> None:
    address = str(mailed.mails()[0]["To"])
    with served(mailed) as client:
        for _ in range(2):
            answer = client.post(link(mailed), data={"List-Unsubscribe": "One-Click"})
            assert (answer.status_code, answer.is_redirect, "set-cookie" in answer.headers) == (200, False, False)
    assert status_of(mailed, address) == "left"
    mailed.post("petrol-coupe", "2026-12-01")
    later = "2026-12-04T08:00:05+01:00"
    mailed.ok("prepare", now=later)
    mailed.ok("deliver", now=later)
    assert [str(m["To"]) for m in mailed.mails()].count(address) == 1
    assert len(mailed.mails()) == 3


def test_a_wrong_token_of_any_kind_gets_one_answer(mailed: SiteFolder) -> None:
    path = link(mailed)
    flipped = path[:-2] + ("A" if path[-2] != "A" else "B") + path[-1]
    with served(mailed) as client:
        answers = [client.post(p, data={"List-Unsubscribe": "One-Click"}) for p in ("/u/x", flipped, "/u/" + "a" * 300)]
    assert len({(a.status_code, a.content) for a in answers}) == 1
    assert answers[0].status_code >= 400
    assert {r["status"] for r in mailed.json("reader", "list")} == {"active"}


def test_a_taken_port_is_said_plainly(mailed: SiteFolder) -> None:
    with served(mailed) as client:
        port = str(client.base_url.port)
        result = mailed.run("serve", "--port", port)
    assert (result.status, "C701" in result.err) == (4, True)


def test_one_process_serves_and_works_until_it_is_told_to_stop(site: SiteFolder) -> None:
    site.readers(3)
    with working(site) as (client, process):
        until(lambda: [issue["state"] for issue in site.issues()] == ["sent"], what="issue 1 sent")
        assert "Hybrid hatch on the road" in client.get("/issues/1/").text
        assert client.post(link(site), data={"List-Unsubscribe": "One-Click"}).status_code == 200
        assert "serve --port 0 --work" in (site.root / "var/sender.lock").read_text()
        process.terminate()
        assert process.wait(20) == 0
    assert len(site.mails()) == 3
    assert sorted(str(reader["status"]) for reader in site.json("reader", "list")) == ["active", "active", "left"]
    assert "Stopped." in next(site.root.glob("serve-*.log")).read_text()


def test_who_cannot_listen_does_not_work_either(site: SiteFolder) -> None:
    site.readers(1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = site.run("serve", "--work", "--port", port, now=FRIDAY)
    assert (result.status, "C701" in result.err) == (4, True)
    assert site.mails() == []


def test_a_copy_of_a_site_neither_serves_nor_works(site: SiteFolder, tmp_path: Path) -> None:
    site.ok("status")
    copy = SiteFolder(tmp_path / "copy")
    shutil.copytree(site.root, copy.root)
    result = copy.run("serve", "--work", "--port", "0")
    assert (result.status, "S309" in result.err) == (3, True)
