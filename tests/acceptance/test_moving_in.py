"""`newsletter post import`, the command itself, on exports that lie in a folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.acceptance.harness import SiteFolder
from tests.unit.content.importing.exports import OLD, a_wxr_post, wxr


def exported(site: SiteFolder, content: bytes) -> Path:
    path = site.root / "export.xml"
    path.write_bytes(content)
    return path


PEOPLE = '\n[people.ada]\nname = "Ada Marín"\n'


def test_a_blog_moves_in_is_published_and_its_old_addresses_are_kept(tmp_path: Path) -> None:
    site = SiteFolder(tmp_path).configure(more=PEOPLE)
    page = a_wxr_post("about", wp__post_type="page")
    export = exported(site, wxr(a_wxr_post(), a_wxr_post("tyres", wp__status="draft"), page))
    dry = site.run("post", "import", str(export))
    assert dry.status == 0, dry.err
    assert "Would write 2 of 2 posts" in dry.out
    assert "posts/2019-05-03-winter-hatch.md" in dry.out
    assert "draft: it was a draft" in dry.out
    assert "1 × a page, not a post" in dry.out
    assert f"Do it: newsletter post import {export} --go" in dry.out
    assert list((tmp_path / "posts").iterdir()) == []

    done = site.run("post", "import", str(export), "--go", "--json")
    assert done.status == 0, done.err
    assert [row["path"] for row in done.json["posts"]] == [
        "posts/2019-05-03-winter-hatch.md",
        "posts/2019-05-03-tyres.md",
    ]
    redirects = (tmp_path / "redirects.toml").read_text(encoding="utf-8")
    assert '"/2019/05/winter-hatch/" = "winter-hatch"' in redirects
    assert site.run("check").status == 0
    published = site.run("publish")
    assert published.status == 0, published.err
    assert f"{OLD}/?p=winter-hatch" in (tmp_path / "feeds/atom.xml").read_text(encoding="utf-8")
    assert not (tmp_path / "feeds/posts/tyres").exists()


def test_an_author_that_is_not_known_is_told_with_what_to_add(tmp_path: Path) -> None:
    site = SiteFolder(tmp_path).configure()
    export = exported(site, wxr(a_wxr_post()))
    said = site.run("post", "import", str(export))
    assert "its author is not under [people]" in said.out
    assert '[people.ada-marin]\n           name = "Ada Marín"' in said.out
    assert "Do it" not in said.out
    assert "Would write 1 of 1 post" in site.run("post", "import", str(export), "--author", "news-desk").out
    assert site.run("post", "import", str(export), "--author", "nobody").status == 2


def test_what_cannot_be_read_ends_with_a_problem_and_its_status(tmp_path: Path) -> None:
    site = SiteFolder(tmp_path).configure(more=PEOPLE)
    export = exported(site, b"<rss version='2.0'><channel>\n<item></channel></rss>")
    for args, status, code in [
        ((str(export),), 1, "P302"),
        ((str(tmp_path / "none.xml"),), 2, "P305"),
        (("http://127.0.0.1/feed/",), 3, "C801"),
        (("http://169.254.169.254/latest/meta-data/",), 3, "C801"),
        ((str(export), "--old-url", "garage.example"), 2, "P308"),
    ]:
        result = site.run("post", "import", *args, "--json")
        assert (result.status, [p["code"] for p in result.problems]) == (status, [code]), args
        assert "Traceback" not in result.err


MEASURED = """
import re, sys
from datetime import UTC
from pathlib import Path
from newsletter.content.importing import disk, recognise
with disk.opened(Path(sys.argv[1])) as export:
    pieces = sum(1 for _ in recognise.read(export, "export", UTC))
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(pieces, peak[1])  # not ru_maxrss, which a process has from the one that started it
"""


def test_ten_thousand_posts_stream_through_little_memory(tmp_path: Path) -> None:
    one = a_wxr_post(html="<p>Snow on the road.</p>" * 160).encode()
    export = tmp_path / "export.xml"
    head, tail = wxr("SPLIT").split(b"SPLIT")
    export.write_bytes(head + one * 10_000 + tail)
    assert 40_000_000 < export.stat().st_size < 50_000_000
    done = subprocess.run([sys.executable, "-c", MEASURED, str(export)], capture_output=True, text=True, check=True)
    pieces, kilobytes = map(int, done.stdout.split())
    assert pieces == 10_001
    assert kilobytes < 200_000
