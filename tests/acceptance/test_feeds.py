"""The feeds of a real site, by the installed command: which there are, that they are right, that hubs hear of them."""

from __future__ import annotations

import re

import feedparser
import pytest
from PIL import Image

from tests.acceptance.harness import CONFIGURATION, SiteFolder, until
from tests.edges.test_websub import a_hub

NOW = "2026-11-25T12:00:00+01:00"
ROOT = "https://weekly.auto-trendy.net/"


def _hubs(*urls: str) -> str:
    return f"\n[publish]\nhubs = [{', '.join(f'{url!r}' for url in urls)}]\n".replace("'", '"')


def test_feed_list_names_every_feed_with_its_posts_and_newest_date(site: SiteFolder) -> None:
    rows = site.json("feed", "list", now=NOW)

    assert [(row["kind"], row["rss"].removeprefix(ROOT), row["items"]) for row in rows] == [
        ("all", "rss.xml", 2),
        ("issues", "issues/rss.xml", 0),
        ("topics", "topics/cars/rss.xml", 1),
        ("topics", "topics/vans/rss.xml", 1),
        ("authors", "authors/news-desk/rss.xml", 2),
        ("chains", "chains/diesel-van/rss.xml", 2),
    ]
    assert (rows[0]["newest"], rows[1]["newest"]) == ("2026-11-23T23:00:00Z", None)
    assert re.search(r"2 +24 Nov 2026 +https://weekly.auto-trendy.net/rss.xml", site.ok("feed", "list", now=NOW).out)
    assert not (site.root / "feeds").exists()


def test_every_listed_feed_is_published_and_read_alike(site: SiteFolder) -> None:
    site.ok("publish", now=NOW)
    for row in site.json("feed", "list", now=NOW):
        places = (site.root / "feeds" / row[name].removeprefix(ROOT) for name in ("rss", "atom"))
        rss, atom = (feedparser.parse(place.read_bytes()) for place in places)
        assert not rss.bozo
        assert not atom.bozo
        assert [e.id for e in rss.entries] == [e.id for e in atom.entries]
        assert len(rss.entries) == row["items"]


def test_another_icon_is_published_though_no_post_changed(site: SiteFolder) -> None:
    text = CONFIGURATION.replace("[sender]", 'icon = "mark.png"\nrights = "© 2026 Auto Trendy"\n\n[sender]')
    site.configure(text)
    icon = site.root / "mark.png"
    for size in (512, 640):
        Image.new("L", (size, size)).save(icon)
        site.ok("publish", now=NOW)

        assert (site.root / "feeds/icon.png").read_bytes() == icon.read_bytes()
    assert f"<icon>{ROOT}icon.png</icon>" in (site.root / "feeds/atom.xml").read_text()
    again = site.json("publish", now=NOW)
    assert (again["new"], again["changed"], again["gone"]) == (0, 0, 0)
    assert "nothing to fix" in site.ok("feed", "check", now=NOW).out


def test_feed_check_finds_nothing_in_what_publish_wrote_and_a_fault_that_somebody_made(site: SiteFolder) -> None:
    site.ok("publish", now=NOW)
    assert "nothing to fix" in site.ok("feed", "check", now=NOW).out

    place = site.root / "feeds/topics/vans/atom.xml"
    place.write_bytes(place.read_bytes().replace(b'<content type="html">', b"<content>"))
    result = site.run("feed", "check", now=NOW)
    assert result.status == 1
    assert "F528" in result.out
    assert "topics/vans/atom.xml:" in result.out


def test_before_a_first_publish_there_is_nothing_to_check(site: SiteFolder) -> None:
    assert "Nothing is published yet" in site.ok("feed", "check", now=NOW).out


def test_a_publish_tells_the_hubs_and_a_dead_one_holds_nothing_up(site: SiteFolder) -> None:
    with a_hub() as hub:
        site.configure(more=_hubs("http://127.0.0.1:9/", hub.url))
        result = site.ok("publish", now=NOW)

        assert "F550" in result.err
        topics = [form["hub.topic"][0].removeprefix(ROOT) for _, form in hub.asked]
        assert {"rss.xml", "atom.xml", "feed.json", "chains/diesel-van/rss.xml"} <= set(topics)
        assert len(topics) == len(set(topics)) == 18
        hub.asked.clear()
        assert "F550" not in site.ok("publish", now=NOW).err
        assert hub.asked == []
    assert (site.root / "feeds/rss.xml").read_text().count('rel="hub"') == 2


def test_a_dry_run_tells_nobody(site: SiteFolder) -> None:
    with a_hub() as hub:
        site.configure(more=_hubs(hub.url))
        site.ok("publish", "--dry-run", now=NOW)

        assert hub.asked == []


def test_work_tells_the_hubs_what_a_save_changed(site: SiteFolder) -> None:
    with a_hub() as hub:
        site.configure(more=_hubs(hub.url))
        site.ok("publish", now=NOW)
        hub.asked.clear()
        site.post("electric-truck", "2026-11-24", front="topics: [Trucks]\n")
        with site.started("work", now=NOW):
            until(lambda: len(hub.asked) >= 9, what="the hub to be told")

        topics = {form["hub.topic"][0].removeprefix(ROOT) for _, form in hub.asked}
        assert {"rss.xml", "topics/trucks/rss.xml"} <= topics
        assert not any(topic.startswith(("topics/vans", "chains/", "issues/")) for topic in topics)


@pytest.mark.parametrize("hub", ["hub.example", "ftp://hub.example/", "https://", "https://hub.example/#x"])
def test_what_is_no_address_of_a_hub_is_refused_with_its_line(site: SiteFolder, hub: str) -> None:
    site.configure(more=_hubs(hub))
    (problem,) = site.run("publish", "--json", now=NOW).problems

    line = 1 + (CONFIGURATION + _hubs(hub)).splitlines().index(f'hubs = ["{hub}"]')
    assert (problem["code"], problem["file"], problem["line"]) == ("C107", "newsletter.toml", line)
