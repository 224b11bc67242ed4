"""Posts move into a real folder: all of them or none, and the site can be published afterwards."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from newsletter.content.importing import disk, recognise
from newsletter.content.importing.disk import Beside, Stage
from newsletter.content.library import Loaded, load
from newsletter.content.source import Folder
from newsletter.errors import ConfigError, NewsletterError, Outside, Problem, Refused, UsageError
from newsletter.model import Fetched, Person, Site
from newsletter.usecases.move_in import Moved, Wanted, move_in
from newsletter.usecases.receive import Row
from tests.builders import NEWS_DESK, REVIEW_DESK, a_site
from tests.unit.content.importing.exports import (
    OLD,
    a_ghost_post,
    a_wxr_post,
    an_attachment,
    ghost,
    lead,
    rss,
    wxr,
)

NOW = datetime(2022, 2, 11, 7, tzinfo=UTC)
ADA = Person("ada", "Ada Marín", "ada@garage.example")
JPEG = b"\xff\xd8\xff\xe0 a picture"


class Web:
    """Answers with what it holds; the only part of these tests that is not the real one."""

    def __init__(self, **pages: bytes) -> None:
        self.pages = pages
        self.asked: list[str] = []

    def get(self, url: str) -> Fetched:
        self.asked.append(url)
        name = url.rpartition("/")[2]
        if name not in self.pages:
            raise Outside(Problem("C806", "It answers 404", url))
        return Fetched(url, "image/jpeg", self.pages[name])

    def post(self, url: str, fields: object) -> int:
        raise NotImplementedError


class Desk:
    """A site in a folder, and exports that move in."""

    def __init__(self, root: Path, **changes: Any) -> None:
        self.root = root
        self.web = Web()
        self.site: Site = a_site(**({"review": False, "people": {"ada": ADA, "news-desk": NEWS_DESK}} | changes))

    def loaded(self) -> Loaded:
        return load(Folder(self.root).read(), self.site, approvals=(), now=NOW)

    def move(self, content: bytes, *, go: bool = True, beside: str = "", **wanted: Any) -> Moved:
        find: Callable[[str], bytes | None] = Beside(str(self.root / beside)).find if beside else lambda _url: None
        with Stage(self.root) as stage:
            if (left := stage.left) and go:
                stage.finish()
            moved = move_in(
                recognise.read(BytesIO(content), "export.xml", self.site.timezone),
                stage,
                Wanted(go=go, **wanted),
                site=self.site,
                loaded=self.loaded(),
                beside=find,
                client=self.web,
                now=NOW,
            )
        return replace(moved, cut_short=left)

    def row(self, content: bytes, **wanted: Any) -> Row:
        (row,) = self.move(content, **wanted).plan.rows
        return row

    def files(self) -> list[str]:
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file())

    def text(self, slug: str = "winter-hatch") -> str:
        (path,) = (self.root / "posts").glob(f"*-{slug}.md")
        return path.read_text(encoding="utf-8")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


POST = "posts/2019-05-03-winter-hatch.md"

# --- what comes --------------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_come_and_touches_nothing(desk: Desk) -> None:
    moved = desk.move(wxr(a_wxr_post()), go=False)
    assert [str(row.path) for row in moved.plan.coming] == [POST]
    assert list(desk.root.iterdir()) == []


def test_a_post_comes_with_all_that_its_readers_knew_of_it(desk: Desk) -> None:
    desk.move(wxr(a_wxr_post(more='<category domain="post_tag">Snow</category>', excerpt__encoded="In short: snow.")))
    (post,) = desk.loaded().library.posts
    assert desk.loaded().problems == ()
    assert post.id == f"{OLD}/?p=winter-hatch"
    assert (post.title, post.slug, post.author) == ("About winter-hatch", "winter-hatch", ADA)
    assert post.published == datetime(2019, 5, 3, 8, 30, tzinfo=UTC)
    assert "date: 2019-05-03T10:30:00+02:00" in desk.text()
    assert (post.topics, post.summary, post.words) == (("Snow",), "In short: snow.", 1)


def test_an_id_that_is_no_uri_becomes_the_same_tag_each_time(desk: Desk) -> None:
    item = "<item><title>Snow</title><guid>no uri</guid><pubDate>Fri, 03 May 2019 10:30:00 +0200</pubDate></item>"
    desk.move(rss(item), author=ADA)
    assert 'id: "tag:autotrendy.example,2019-05-03:no%20uri"' in desk.text("snow")
    assert desk.row(rss(item), author=ADA).reasons == ("it is here already, by its id",)


def test_a_second_import_of_the_same_file_changes_nothing(desk: Desk) -> None:
    export = wxr(a_wxr_post(), a_wxr_post("tyres"))
    desk.move(export)
    before = {name: (desk.root / name).read_bytes() for name in desk.files()}
    assert not desk.move(export).plan.coming
    assert {name: (desk.root / name).read_bytes() for name in desk.files()} == before


def test_posts_of_one_name_within_a_file_are_told_apart_and_one_that_is_here_is_not_touched(desk: Desk) -> None:
    export = wxr(a_wxr_post(), a_wxr_post(guid=f"{OLD}/?p=2", link=f"{OLD}/b/winter-hatch/"))
    assert [str(row.path) for row in desk.move(export).plan.rows] == [POST, POST.replace(".md", "-2.md")]
    other = wxr(a_wxr_post(guid=f"{OLD}/?p=3"))
    assert desk.row(other).reasons == ("a post called winter-hatch is here already",)
    assert [row.reasons for row in desk.move(wxr(a_wxr_post("x"), a_wxr_post("x"))).plan.rows] == [
        (),
        ("the file has it twice",),
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"title": ""}, "it has no title"),
        ({"wp__post_date": "", "wp__post_date_gmt": ""}, "it has no date"),
        ({"wp__post_date": "soon", "wp__post_date_gmt": "0000-00-00 00:00:00"}, "it has no date"),
        ({"dc__creator": "bob"}, "its author is not under [people]"),
    ],
)
def test_what_cannot_come_is_told_with_the_reason(desk: Desk, changes: dict[str, str], reason: str) -> None:
    row = desk.row(wxr(a_wxr_post(**changes)))
    assert (row.path, row.reasons) == (None, (reason,))
    assert desk.files() == []


def test_a_body_that_nobody_could_read_does_not_come(desk: Desk) -> None:
    assert desk.row(wxr(a_wxr_post(html="<div>" * 5_000))).path is None
    assert desk.row(wxr(a_wxr_post(html="x " * 600_000))).path is None


def test_a_stranger_is_named_with_the_key_to_add_or_gets_a_stand_in(desk: Desk) -> None:
    export = wxr(a_wxr_post(dc__creator="Bo Berg"))
    ((key, byline),) = desk.move(export, go=False).plan.strangers
    assert (key, byline.name) == ("bo-berg", "Bo Berg")
    desk.move(export, author=NEWS_DESK)
    assert "author: news-desk" in desk.text()


def test_a_site_without_people_takes_every_name(tmp_path: Path) -> None:
    desk = Desk(tmp_path, people={})
    desk.move(wxr(a_wxr_post()))
    assert desk.loaded().library.posts[0].author.name == "Ada Marín"


def test_on_a_site_that_reviews_each_post_gets_a_reviewer_and_waits(tmp_path: Path) -> None:
    desk = Desk(tmp_path, review=True, people={"ada": ADA, "review-desk": REVIEW_DESK})
    desk.move(wxr(a_wxr_post()))
    assert "reviewer: review-desk" in desk.text()
    loaded = desk.loaded()
    assert (loaded.problems, loaded.library.posts, len(loaded.posts)) == ((), (), 1)


def test_a_date_from_before_time_zones_is_kept_to_the_second(desk: Desk) -> None:
    desk.move(wxr(a_wxr_post(wp__post_date_gmt="1890-05-03 08:30:00")))
    assert "date: 1890-05-03T08:30:00+00:00" in desk.text()


# --- drafts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"wp__status": "draft"}, "it was a draft"),
        ({"wp__post_password": "x"}, "it had a password"),
        ({"html": '<p><img src="/a.jpg" alt=""></p>'}, f"No words say what the picture {OLD}/a.jpg shows (P112)"),
        ({"html": "<p>TODO: write on</p>"}, "A placeholder was left: TODO (P118)"),
        ({"html": " "}, "The post has no text (P118)"),
    ],
)
def test_what_would_stop_the_site_comes_as_a_draft_with_the_reason(
    desk: Desk, changes: dict[str, str], reason: str
) -> None:
    row = desk.row(wxr(a_wxr_post(**changes)))
    assert (row.draft, row.reasons) == (True, (reason,))
    loaded = desk.loaded()
    assert not loaded.library.posts
    assert not [problem for problem in loaded.problems if problem.level == "stop"]


def test_a_post_for_members_only_is_not_shown_to_everybody(desk: Desk) -> None:
    row = desk.row(ghost(a_ghost_post(visibility="paid")), author=ADA)
    assert (row.draft, row.reasons) == (True, ("it was for members only",))


# --- links and redirects -------------------------------------------------------------------------------


def test_links_between_posts_lead_to_their_new_places_whatever_their_order(desk: Desk) -> None:
    html = (
        f'<p><a href="{OLD.replace("www.", "")}/2019/05/tyres#grip">Tyres</a> '
        f'<a href="{OLD}/about/">About</a> <a href="../winter-hatch/">Me</a></p>'
    )
    desk.move(wxr(a_wxr_post(html=html), a_wxr_post("tyres")))
    assert f"[Tyres](/posts/tyres/) [About]({OLD}/about/) [Me](/posts/winter-hatch/)" in desk.text()


def test_no_link_leads_to_a_post_that_became_a_draft(desk: Desk) -> None:
    link = f'<p><a href="{OLD}/2019/05/tyres/">Tyres</a></p>'
    desk.move(wxr(a_wxr_post(html=link), a_wxr_post("tyres", html='<img src="/a.jpg">')))
    assert f"[Tyres]({OLD}/2019/05/tyres/)" in desk.text()


def test_where_the_address_stays_links_to_what_did_not_move_are_undone_and_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path, url=OLD)
    row = desk.row(wxr(a_wxr_post(html='<p><a href="/about/">About</a> us</p>')))
    assert desk.text().endswith("\n\nAbout us\n")
    assert row.told == ("a link to a page of the old site that did not move was undone",)


def test_old_addresses_are_added_to_the_redirects_and_none_is_changed(desk: Desk) -> None:
    redirects = desk.root / "redirects.toml"
    redirects.write_text('# ours\n"/2019/05/tyres/" = "elsewhere"', encoding="utf-8")
    moved = desk.move(wxr(a_wxr_post(), a_wxr_post("tyres"), a_wxr_post("y", wp__status="draft", link=f"{OLD}/?p=9")))
    assert moved.elsewhere == ("/2019/05/tyres/",)
    assert redirects.read_text(encoding="utf-8") == (
        '# ours\n"/2019/05/tyres/" = "elsewhere"\n"/2019/05/winter-hatch/" = "winter-hatch"\n'
    )


def test_redirects_that_cannot_be_read_stop_the_import_before_anything_is_written(desk: Desk) -> None:
    (desk.root / "redirects.toml").write_text("what = [", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        desk.move(wxr(a_wxr_post()))
    assert caught.value.problems[0].code == "P307"
    assert desk.files() == ["redirects.toml"]


def test_an_address_in_another_script_redirects_as_browsers_ask_for_it(desk: Desk) -> None:
    desk.move(wxr(a_wxr_post("ü", wp__post_name="ue", guid="urn:2", link=f"{OLD}/größe 1/")))
    assert '"/gr%C3%B6%C3%9Fe%201/" = "ue"' in (desk.root / "redirects.toml").read_text(encoding="utf-8")
    desk.move(wxr(a_wxr_post(wp__post_name="%d1%81%d0%bd%d0%b5%d0%b3", link=f"{OLD}/%d1%81%d0%bd%d0%b5%d0%b3/")))
    assert '"/%d1%81%d0%bd%d0%b5%d0%b3/" = "sneg"' in (desk.root / "redirects.toml").read_text(encoding="utf-8")


# --- pictures --------------------------------------------------------------------------------------------

PICTURED = f'<p><img src="{OLD}/wp-content/uploads/2019/05/snow-300x200.jpg" alt="Snow"></p>'


def test_pictures_stay_where_they_are_and_are_counted(desk: Desk) -> None:
    row = desk.row(wxr(a_wxr_post(html=PICTURED)))
    assert (row.pictures, row.carried, row.draft) == (1, 0, False)
    assert f"![Snow]({OLD}/wp-content/uploads/2019/05/snow-300x200.jpg)" in desk.text()
    assert desk.web.asked == []


def test_pictures_come_along_from_the_folder_beside_the_export_then_from_the_web(desk: Desk) -> None:
    (desk.root / "old/uploads/2019/05").mkdir(parents=True)
    (desk.root / "old/uploads/2019/05/snow-300x200.jpg").write_bytes(JPEG)
    desk.web.pages["ice.png"] = b"\x89PNG\r\n\x1a\n..."
    html = PICTURED + '<p><img src="/ice.png" alt="Ice"><img src="/lost.jpg" alt="Lost"></p>'
    moved = desk.move(wxr(a_wxr_post(html=html)), images=True, beside="old/export.xml")
    (row,) = moved.plan.rows
    assert (row.carried, row.pictures) == (2, 1)
    assert "![Snow](winter-hatch-snow-300x200.jpg)" in desk.text()
    assert "![Ice](winter-hatch-ice.png)" in desk.text()
    assert f"![Lost]({OLD}/lost.jpg)" in desk.text()
    assert (desk.root / "posts/winter-hatch-snow-300x200.jpg").read_bytes() == JPEG
    assert desk.web.asked == [f"{OLD}/ice.png", f"{OLD}/lost.jpg"]
    assert [problem.code for problem in moved.plan.problems] == ["C806"]


def test_what_calls_itself_a_picture_and_is_none_stays_away(desk: Desk) -> None:
    desk.web.pages["snow-300x200.jpg"] = b"<svg onload=alert(1)>"
    assert desk.row(wxr(a_wxr_post(html=PICTURED)), images=True).pictures == 1
    assert desk.files() == [POST, "redirects.toml"]


def test_a_host_that_fails_again_and_again_is_not_asked_for_ever(desk: Desk) -> None:
    html = "".join(f'<img src="/{n}.jpg" alt="Snow {n}">' for n in range(20))
    assert desk.row(wxr(a_wxr_post(html=html)), images=True).pictures == 20
    assert len(desk.web.asked) == 5


def test_a_dry_run_asks_no_server_for_pictures(desk: Desk) -> None:
    assert desk.row(wxr(a_wxr_post(html=PICTURED)), go=False, images=True).carried == 1
    assert desk.web.asked == []


def test_a_picture_at_an_address_that_this_site_takes_over_makes_a_draft(tmp_path: Path) -> None:
    desk = Desk(tmp_path, url=OLD)
    row = desk.row(wxr(a_wxr_post(html=PICTURED)), go=False)
    assert row.draft
    assert "--images" in row.reasons[0]
    assert not desk.row(wxr(a_wxr_post(html=PICTURED)), go=False, images=True).draft


def test_the_lead_picture_comes_with_its_words_and_is_left_out_without(desk: Desk) -> None:
    export = (a_wxr_post(more=lead("7")), an_attachment("7", f"{OLD}/lead.jpg", "A car in snow"))
    desk.move(wxr(*export))
    assert f'image: "{OLD}/lead.jpg"\nimage_alt: A car in snow\n' in desk.text()
    row = desk.row(wxr(a_wxr_post("tyres", more=lead("8")), an_attachment("8", f"{OLD}/b.jpg", "")))
    assert "image:" not in desk.text("tyres")
    assert row.told == (f"the lead picture was left out, since no words say what it shows: {OLD}/b.jpg",)


def test_what_an_attachment_shows_is_known_of_its_smaller_copies_too(desk: Desk) -> None:
    picture = '<p><img src="/a-300x200.jpg"></p>'
    desk.move(wxr(a_wxr_post(html=picture), an_attachment("7", f"{OLD}/a.jpg", "A car")))
    assert f"![A car]({OLD}/a-300x200.jpg)" in desk.text()


# --- excerpts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("excerpt", "summary"),
    [
        ("<p>In <b>short</b>.</p>", "In short."),
        ("Snow fell on the […]", ""),
        ("<p>Snow fell on the [&#8230;]</p><p>The post <a>x</a> appeared first on <a>Garage</a>.</p>", ""),
        (" ".join(["word"] * 70), " ".join(["word"] * 60) + "…"),
    ],
)
def test_a_written_excerpt_is_the_summary_and_a_cut_one_is_not(desk: Desk, excerpt: str, summary: str) -> None:
    desk.move(wxr(a_wxr_post(html="<p>Snow fell on the road. Then more.</p>", excerpt__encoded=excerpt)))
    assert (f'summary: "{summary}"' in desk.text()) if summary else ("summary:" not in desk.text())


# --- the disk ------------------------------------------------------------------------------------------------


def test_a_file_in_the_way_keeps_all_others_out(desk: Desk) -> None:
    (desk.root / "posts").mkdir()
    (desk.root / "posts/2019-05-03-tyres.md").write_text("---\nslug: other\n---\n", encoding="utf-8")
    before = desk.files()
    with pytest.raises(Refused) as caught:
        desk.move(wxr(a_wxr_post("a"), a_wxr_post("tyres"), a_wxr_post("z")))
    assert caught.value.problems[0].code == "P306"
    assert desk.files() == before
    assert list((desk.root / "posts").iterdir()) == [desk.root / "posts/2019-05-03-tyres.md"]


def test_a_stage_takes_no_path_out_of_the_posts_and_clears_up_what_a_killed_run_left(tmp_path: Path) -> None:
    (tmp_path / "posts/.moving-in-dead").mkdir(parents=True)
    with Stage(tmp_path) as stage:
        for path in ("../x.md", "posts/../x.md", "x.md", "posts/a/b.md", "posts/.x.md", "/etc/x.md"):
            with pytest.raises(Refused):
                stage.put(PurePosixPath(path), b"x")
        stage.put(PurePosixPath("posts/a.md"), b"x")
    assert list((tmp_path / "posts").iterdir()) == []


def test_only_a_regular_file_of_a_sane_size_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    huge = tmp_path / "huge.xml"
    with huge.open("wb") as file:
        file.truncate(disk.LIMIT + 1)
    for path in (pipe, huge, tmp_path, tmp_path / "none.xml", Path("/dev/zero")):
        with pytest.raises(UsageError) as caught:
            disk.opened(path)
        assert caught.value.problems[0].code == "P305"


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/../secret.jpg",
        "https://a.example/%2e%2e/secret.jpg",
        "https://a.example/link.jpg",
        "/.hidden.jpg",
    ],
)
def test_nothing_outside_of_the_folder_beside_the_export_is_copied(tmp_path: Path, url: str) -> None:
    (tmp_path / "secret.jpg").write_bytes(JPEG)
    beside = tmp_path / "export"
    beside.mkdir()
    (beside / ".hidden.jpg").write_bytes(JPEG)
    (beside / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    assert Beside(str(beside / "export.xml")).find(url) is None
    assert Beside("https://a.example/feed").find(url) is None


def test_a_hundred_posts_that_link_to_each_other_leave_a_sound_site(desk: Desk) -> None:
    posts = [
        a_wxr_post(
            f"p{n}",
            f'<p>{n} <a href="/2019/05/p{(n * 7) % 100}/">next</a></p>' + ("<img src='/x.jpg'>" if n % 9 == 0 else ""),
        )
        for n in range(100)
    ]
    desk.move(wxr(*posts))
    loaded = desk.loaded()
    assert not [problem for problem in loaded.problems if problem.level == "stop"]
    public = {post.slug for post in loaded.library.posts}
    linked = {link for post in loaded.library.posts for link in re.findall(r"/posts/(p\d+)/", post.html)}
    assert linked <= public
    assert len(public) == 88


def test_an_export_that_breaks_half_way_leaves_nothing(desk: Desk) -> None:
    broken = wxr(*(a_wxr_post(f"p{n}") for n in range(30)), "<item><title>&</title></item>")
    with pytest.raises(NewsletterError):
        desk.move(broken)
    assert desk.files() == []


class Killed(BaseException):
    """The process ends here: nothing is tidied up."""


def killed(desk: Desk, export: bytes, monkeypatch: pytest.MonkeyPatch, *, after: int) -> None:
    """A run that ends once `after` files were brought in."""
    link, made = os.link, list[Path]()

    def ends(source: Path, target: Path) -> None:
        if len(made) == after:
            raise Killed
        made.append(target)
        link(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", ends)
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(Killed):
            desk.move(export)


LINKED = wxr(
    *(a_wxr_post(f"p{n}", f'<p>{n} <a href="/2019/05/p{(n + 1) % 5}/">next</a></p>') for n in range(5)),
    a_wxr_post("p0", guid=f"{OLD}/?p=again", link=f"{OLD}/b/p0/"),
)


@pytest.mark.parametrize("after", range(6))
def test_an_import_that_was_killed_is_completed_by_the_next_as_if_it_had_never_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    whole, cut = Desk(tmp_path / "whole"), Desk(tmp_path / "cut")
    whole.move(LINKED)
    killed(cut, LINKED, monkeypatch, after=after)
    files = {name: (whole.root / name).read_bytes() for name in whole.files()}
    for name in cut.files():
        if "/.moved-in/" not in name:
            assert (cut.root / name).read_bytes() == files[name]
    assert cut.move(LINKED, go=False).cut_short
    assert not cut.move(LINKED).plan.coming
    assert {name: (cut.root / name).read_bytes() for name in cut.files()} == files


def test_what_was_changed_since_a_run_was_killed_stays_as_it_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    killed(desk, LINKED, monkeypatch, after=2)
    first = sorted((desk.root / "posts").glob("*.md"))[0]
    first.write_text(first.read_text() + "\nMine.\n")
    (desk.root / "redirects.toml").write_text('"/2019/05/p1/" = "elsewhere"\n')
    desk.move(LINKED)
    assert first.read_text().endswith("\nMine.\n")
    lines = (desk.root / "redirects.toml").read_text().splitlines()
    assert (lines[0], len(lines)) == ('"/2019/05/p1/" = "elsewhere"', 6)


def test_a_disk_that_fills_up_half_way_leaves_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    link, made = os.link, list[Path]()

    def fills_up(source: Path, target: Path) -> None:
        if len(made) == 3:
            raise OSError(28, "No space left on device")
        made.append(target)
        link(source, target)

    monkeypatch.setattr(os, "link", fills_up)
    with pytest.raises(Outside) as caught:
        desk.move(wxr(*(a_wxr_post(f"p{n}") for n in range(9))))
    assert caught.value.problems[0].code == "P306"
    assert desk.files() == []
    assert list((desk.root / "posts").iterdir()) == []


def test_a_file_system_without_links_takes_the_files_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(source: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    desk.move(wxr(a_wxr_post()))
    assert desk.files() == [POST, "redirects.toml"]
    assert "Snow." in desk.text()
