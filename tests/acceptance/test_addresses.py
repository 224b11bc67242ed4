"""From the outside: a post is renamed, withdrawn or lost, and a take comes due."""

from __future__ import annotations

import json
import re
import shutil
import urllib.error
import urllib.request

from tests.acceptance.harness import SiteFolder, until

NOW = "2026-11-25T12:00:00+01:00"


def _address(site: SiteFolder) -> str:
    found = until(
        lambda: [m[0] for p in site.root.glob("serve-*.log") if (m := re.search(r"http://\S+", p.read_text()))]
    )
    return str(found[0]).rstrip("/")


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def _status(address: str) -> tuple[int, str]:
    try:
        with urllib.request.build_opener(_Stay).open(address, timeout=10) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Location", "")


def test_a_renamed_post_is_found_at_its_old_address_for_ever(site: SiteFolder) -> None:
    site.ok("publish", now=NOW)
    file = site.post("hybrid-hatch", front="topics: [Cars]\nslug: the-van\n")
    site.ok("publish", "--dry-run", now=NOW)
    assert not (site.root / "redirects.toml").exists()
    site.ok("publish", now=NOW)
    assert '"/posts/hybrid-hatch/" = "the-van"' in (site.root / "redirects.toml").read_text()

    file.write_text(file.read_text().replace("the-van", "our-van"))
    site.ok("publish", now=NOW)
    again = site.json("publish", now=NOW)
    old = (site.root / "feeds/posts/hybrid-hatch/index.html").read_text()
    assert "url=../../posts/our-van/" in old
    assert (again["new"], again["changed"], again["gone"]) == (0, 0, 0)
    with site.started("serve", "--port", "0"):
        address = _address(site)
        assert _status(f"{address}/posts/hybrid-hatch/") == (301, "../../posts/our-van/")
        assert _status(f"{address}/posts/the-van/") == (301, "../../posts/our-van/")
        assert _status(f"{address}/posts/our-van/")[0] == 200


def test_a_published_post_goes_only_with_a_reason_or_a_way_on(site: SiteFolder) -> None:
    site.post("estate", "2026-11-22")
    file = site.post("coupe", "2026-11-22")
    site.ok("publish", now=NOW)
    before = site.tree()
    text = file.read_text()

    file.write_text(text.replace("author:", "draft: true\nauthor:"))
    assert "F410" in site.run("publish", now=NOW).err
    file.unlink()
    assert "F410" in site.run("publish", now=NOW).err
    assert site.tree() == before

    file.write_text(text.replace("author:", "withdrawn: 2026-11-25 It was another car.\nauthor:"))
    site.ok("publish", now=NOW)
    page = (site.root / "feeds/posts/coupe/index.html").read_text()
    assert "It was another car." in page
    assert "coupe" not in (site.root / "feeds/rss.xml").read_text()
    with site.started("serve", "--port", "0"):
        assert _status(f"{_address(site)}/posts/coupe/")[0] == 410

    file.unlink()
    assert "F410" in site.run("publish", now=NOW).err
    (site.root / "redirects.toml").write_text('"/posts/coupe/" = "estate"\n')
    site.ok("publish", now=NOW)
    assert "posts/estate/" in (site.root / "feeds/posts/coupe/index.html").read_text()


def test_a_feed_that_was_published_answers_for_ever(site: SiteFolder) -> None:
    site.ok("publish", now=NOW)
    van = site.post("diesel-van", "2026-11-23", front="topics: [Lorries]\n")
    site.post("first-of-all", "2026-11-22")
    van.write_text(van.read_text().replace("topics:", "continues: first-of-all\ntopics:"))
    site.ok("publish", now=NOW)

    lines = (site.root / "redirects.toml").read_text()
    assert '"/topics/vans/" = "/posts/"' in lines
    assert '"/chains/diesel-van/" = "diesel-van"' in lines
    assert "topics/vans" not in (site.root / "feeds/feeds.opml").read_text()
    assert "nothing to fix" in site.ok("feed", "check", now=NOW).out
    again = site.json("publish", now=NOW)
    assert (again["new"], again["changed"], again["gone"]) == (0, 0, 0)
    shutil.rmtree(site.root / "feeds")
    site.ok("publish", now=NOW)
    with site.started("serve", "--port", "0"):
        address = _address(site)
        assert _status(f"{address}/topics/vans/") == (301, "../../posts/")
        assert _status(f"{address}/topics/vans/rss.xml")[0] == 200
        assert _status(f"{address}/chains/diesel-van/atom.xml") == (301, "../../chains/first-of-all/atom.xml")
    copy = site.root / "feeds/chains/diesel-van/atom.xml"
    assert copy.read_bytes() == (site.root / "feeds/chains/first-of-all/atom.xml").read_bytes()

    file = site.root / "redirects.toml"
    file.write_text(lines.replace('vans/" = "/posts/"', 'vans/" = "/topics/lorries/"'))
    site.ok("publish", now=NOW)
    assert b"topics/lorries/rss.xml" in (site.root / "feeds/topics/vans/rss.xml").read_bytes()
    file.write_text(lines.replace('vans/" = "/posts/"', 'vans/" = "/topics/lories/"'))
    assert "topics/lories" in site.run("publish", now=NOW).err


def test_a_redirect_to_nowhere_stops_the_build_with_its_line(site: SiteFolder) -> None:
    (site.root / "redirects.toml").write_text('"/old/" = "hybird-hatch"\n')
    result = site.run("publish", now=NOW)

    assert result.status == 1
    assert "F411" in result.err
    assert "did you mean hybrid-hatch?" in result.err


def test_hosts_get_what_was_asked_for_and_lose_it_when_it_is_not(site: SiteFolder) -> None:
    site.configure(more='\n[publish]\nhosting = ["nginx", "caddy", "cloudflare"]\n')
    site.ok("publish", now=NOW)
    beside = site.root / "var/hosting"

    assert {path.name for path in beside.iterdir()} == {"addresses.json", "nginx.conf", "Caddyfile"}
    assert "application/feed+json" in (site.root / "feeds/_headers").read_text()
    site.configure()
    site.ok("publish", now=NOW)
    assert {path.name for path in beside.iterdir()} == {"addresses.json"}
    assert not (site.root / "feeds/_headers").exists()


def test_a_take_that_is_due_is_proposed_until_a_post_answers(site: SiteFolder) -> None:
    site.post("prophecy", "2026-11-22", text="Words.\n\n::: take check=2027-01-31\nIt will fail.\n:::")
    before, due = "2027-01-30T12:00:00+01:00", "2027-01-31T12:00:00+01:00"

    assert site.json("issue", "show", "next", now=before)["takes_due"] == []
    assert site.json("issue", "show", "next", now=due)["takes_due"] == [
        {"slug": "prophecy", "check": "2027-01-31", "take": "It will fail."}
    ]
    assert "verdict_on: prophecy" in site.ok("issue", "show", "next", now=due).out

    site.post("answer", "2027-01-31", front="verdict: wrong\nverdict_on: prophecy\n")
    assert site.json("issue", "show", "next", now=due)["takes_due"] == []
    site.ok("publish", now=due)
    assert "1 wrong" in (site.root / "feeds/takes/index.html").read_text()
    feed = json.loads((site.root / "feeds/takes/feed.json").read_text())
    assert [item["title"].split()[0] for item in feed["items"]] == ["Answer", "Prophecy"]


def test_an_edit_that_does_not_say_so_is_asked_about_until_it_is_published(site: SiteFolder) -> None:
    site.ok("publish", now="2026-11-24T12:00:00+01:00")
    post = site.root / "posts" / "2026-11-24-hybrid-hatch.md"
    post.write_text(post.read_text("utf-8").replace("long enough", "short enough"), "utf-8")
    later = "2026-11-27T09:00:00+01:00"

    for _ in range(2):
        (asked,) = site.json("check", now=later)["problems"]
        assert (asked["code"], asked["level"], asked["file"]) == ("F412", "warn", f"posts/{post.name}")
    told = site.ok("publish", now=later)
    assert "The text of hybrid-hatch changed since it was published on 24 November 2026" in told.out + told.err
    assert "updated: 2026-11-27" in told.out + told.err
    assert "F412" not in (again := site.ok("publish", now=later)).out + again.err
    assert site.json("check", now=later)["problems"] == []

    post.write_text(
        post.read_text("utf-8").replace("date: 2026-11-24", "date: 2026-11-24\nupdated: 2026-11-27"), "utf-8"
    )
    assert site.json("check", now=later)["problems"] == []
