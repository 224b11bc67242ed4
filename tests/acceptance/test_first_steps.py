"""From nothing to a published site, as a new user would."""

from __future__ import annotations

import json
import re
from pathlib import Path

import feedparser
import pytest
from lxml import etree

from tests.acceptance.harness import SiteFolder


def test_init_then_publish_gives_a_working_site(tmp_path: Path) -> None:
    above = SiteFolder(tmp_path)
    above.ok("init", "mysite", "--title", "My Site")
    site = SiteFolder(tmp_path / "mysite")
    assert "nothing to fix" in site.ok("check").out
    site.ok("publish")
    for name in ("rss.xml", "atom.xml", "feed.json", "index.html", "posts/what-this-is/index.html"):
        assert (site.root / "feeds" / name).is_file(), name
    assert len(feedparser.parse((site.root / "feeds/rss.xml").read_bytes()).entries) == 3


@pytest.mark.parametrize("day", ["2026-11-27T07:00Z", "2026-11-27T17:00Z", "2026-11-29T12:00Z"])  # the 27th has a slot
def test_a_new_site_can_send_its_first_issue_from_its_own_instructions(tmp_path: Path, day: str) -> None:
    SiteFolder(tmp_path).ok("init", "mysite", now=day)
    site = SiteFolder(tmp_path / "mysite")
    site.ok("reader", "add", "ada@readers.example", "--consent", "at the fair", now=day)
    site.ok("issue", "send", "next", "--confirm", "1:1", "--delay", "0", "--wait", now=day)
    (mail,) = site.mails()
    assert mail["To"] == "ada@readers.example"
    assert (site.root / "feeds/issues/1/index.html").is_file()


def test_init_refuses_a_folder_with_something_in_it_and_leaves_it_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine", encoding="utf-8")
    result = SiteFolder(tmp_path).run("init", "mine")
    assert result.status == 1
    assert "C601" in result.err
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_init_fills_an_empty_folder_and_leaves_owner_mode_and_what_is_around_it_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir(mode=0o750)
    before = (tmp_path / "mine").stat()
    around = tmp_path.stat()
    SiteFolder(tmp_path / "mine").ok("init", str(tmp_path / "mine"))
    after = (tmp_path / "mine").stat()
    assert (after.st_ino, after.st_mode, tmp_path.stat().st_mtime_ns) == (
        before.st_ino,
        before.st_mode,
        around.st_mtime_ns,
    )
    names = sorted(path.name for path in (tmp_path / "mine").iterdir())
    assert names == [".gitignore", "feeds", "newsletter.toml", "posts", "templates"]


def test_the_three_feeds_hold_the_same_posts_in_the_same_order(site: SiteFolder) -> None:
    site.ok("publish", now="2026-11-25T12:00:00+01:00")
    feeds = site.root / "feeds"
    rss = feedparser.parse((feeds / "rss.xml").read_bytes())
    atom = feedparser.parse((feeds / "atom.xml").read_bytes())
    document = json.loads((feeds / "feed.json").read_bytes())
    assert not rss.bozo
    assert not atom.bozo
    ids = [item["id"] for item in document["items"]]
    assert ids == [e.id for e in rss.entries] == [e.id for e in atom.entries]
    assert all(i.startswith("tag:auto-trendy.net,") for i in ids)
    assert [e.title for e in rss.entries] == ["Hybrid hatch on the road", "Diesel van on the road"]


def test_every_page_of_a_published_site_parses_and_links_only_to_what_is_there(site: SiteFolder) -> None:
    site.ok("publish", now="2026-11-25T12:00:00+01:00")
    pages = [path for path in site.tree() if path.endswith(".html")]
    assert {"index.html", "404.html", "posts/hybrid-hatch/index.html", "feeds/index.html"} <= set(pages)
    for path in pages:
        page = etree.HTML(site.tree()[path])
        for link in page.iter("a"):
            target = str(link.get("href"))
            if target.startswith("https://weekly.auto-trendy.net/"):
                inner = target.removeprefix("https://weekly.auto-trendy.net/").partition("#")[0]
                place = f"{inner}index.html" if inner.endswith("/") or not inner else inner
                assert place in site.tree(), f"{path} links to {target}"


def test_two_builds_of_the_same_sources_are_the_same_bytes(tmp_path: Path) -> None:
    trees = []
    for name in ("one", "two"):
        folder = SiteFolder(tmp_path / name).configure()
        posts = [("diesel-van", "2026-11-23", ""), ("hybrid-hatch", "2026-11-24", "previous: diesel-van\n")]
        for slug, day, front in posts if name == "one" else reversed(posts):
            folder.post(slug, day, front=front)
        folder.ok("publish", now="2026-11-25T12:00:00+01:00" if name == "one" else "2026-11-26T13:00:00+01:00")
        trees.append(folder.tree())
    assert trees[0] == trees[1]


def test_publishing_again_changes_nothing(site: SiteFolder) -> None:
    site.ok("publish", now="2026-11-25T12:00:00+01:00")
    again = site.json("publish", now="2026-11-25T12:00:00+01:00")
    assert (again["new"], again["changed"], again["gone"]) == (0, 0, 0)


def test_a_post_dated_ahead_is_nowhere_before_its_day(site: SiteFolder) -> None:
    site.post("secret-coupe", "2026-12-24", text="Nobody may know of the secretcoupe yet.")
    site.ok("publish", now="2026-11-25T12:00:00+01:00")
    for path, content in site.tree().items():
        assert b"secret-coupe" not in content, path
        assert b"secretcoupe" not in content, path
    site.ok("publish", now="2026-12-24T12:00:00+01:00")
    assert "posts/secret-coupe/index.html" in site.tree()


def test_a_published_post_that_vanishes_stops_the_build(site: SiteFolder) -> None:
    site.ok("publish", now="2026-11-25T12:00:00+01:00")
    before = site.tree()
    (site.root / "posts" / "2026-11-24-hybrid-hatch.md").unlink()
    result = site.run("publish", now="2026-11-25T12:00:00+01:00")
    assert result.status == 1
    assert "F410" in result.err
    assert site.tree() == before


def test_new_writes_a_post_that_checks_out_once_its_text_is_there(site: SiteFolder) -> None:
    made = site.json("new", "The petrol coupe", "--topic", "Cars", now="2026-11-25T12:00:00+01:00")
    assert made["path"] == "posts/2026-11-25-the-petrol-coupe.md"
    path = site.root / made["path"]
    site.ok("publish", now="2026-11-25T12:00:00+01:00")  # one that was only begun stops nobody
    assert "posts/the-petrol-coupe/index.html" not in site.tree()
    text = re.sub(r"(?m)^draft: true.*\n", "", path.read_text(encoding="utf-8"))
    path.write_text(
        text.replace("Text…", "It drove.").replace("One to three sentences of house opinion.", "We liked it."),
        encoding="utf-8",
    )
    site.ok("check", now="2026-11-25T12:00:00+01:00")
    site.ok("publish", now="2026-11-25T12:00:00+01:00")
    page = site.tree()["posts/the-petrol-coupe/index.html"].decode()
    assert "Hybrid hatch on the road" in page  # previous: auto found the newest on its topic
    again = site.run("new", "The petrol coupe", now="2026-11-25T12:00:00+01:00")
    assert again.status == 3
    assert path.read_text(encoding="utf-8").endswith("We liked it.\n:::\n")


def test_dry_run_changes_nothing(site: SiteFolder) -> None:
    now = "2026-11-25T12:00:00+01:00"
    before = sorted(str(p) for p in site.root.rglob("*") if "var" not in p.parts)
    assert "Would" in site.ok("publish", "--dry-run", now=now).out
    assert "Would" in site.ok("new", "Something", "--dry-run", now=now).out
    assert "Would" in site.ok("reader", "add", "ada@readers.example", "--dry-run", now=now).out
    assert "Would" in site.ok("prepare", "--dry-run", now="2026-11-27T08:00:05+01:00").out
    assert sorted(str(p) for p in site.root.rglob("*") if "var" not in p.parts) == before
    assert site.issues() == []
    assert site.json("reader", "list") == []
