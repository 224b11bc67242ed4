"""The preview over a real site folder: what a writer sees, and what never leaves the writer's machine."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from newsletter import config
from newsletter.app import App
from newsletter.cli.preview import Desk
from newsletter.templates import default_folder, environment
from newsletter.usecases.prepare import prepare
from newsletter.web.preview import bars, letter
from newsletter.web.preview.app import PreviewPages, create_preview
from newsletter.web.preview.frame import Frame
from newsletter.web.preview.live import Live
from newsletter.web.preview.watch import Watch
from tests.acceptance.harness import CONFIGURATION, SiteFolder, until
from tests.builders import a_site

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
BAR = "preview-stop"
DRAFT = "Draft: not public"


@pytest.fixture
def site(tmp_path: Path) -> SiteFolder:
    folder = SiteFolder(tmp_path / "site").configure()
    folder.post("diesel-van", "2026-11-23", front="draft: false\ntopics: [Vans]\n")
    folder.post("hybrid-hatch", "2026-11-24", front="draft: false\ncontinues: diesel-van\ntopics: [Cars]\n")
    return folder


class Previewed:
    """A preview without a socket: a client, and `save()` in place of the watcher."""

    def __init__(self, root: Path) -> None:
        self.app = App(config.load(root))
        self.live = Live(Desk(self.app, lambda: NOW))
        self.live.rebuild()
        self.client = TestClient(
            create_preview(self.live, environment(default_folder())),
            base_url="http://127.0.0.1:8000",
            follow_redirects=False,
        )

    def page(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    def save(self) -> None:
        self.live.rebuild()

    def codes(self) -> list[str]:
        return [problem.code for problem in self.live.state.problems]

    def close(self) -> None:
        self.app.close()


@pytest.fixture
def preview(site: SiteFolder) -> Iterator[Previewed]:
    with closing(Previewed(site.root)) as previewed:
        yield previewed


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Previewed]:
    """A preview for those who only look."""
    folder = SiteFolder(tmp_path_factory.mktemp("shown") / "site").configure()
    folder.post("diesel-van", "2026-11-23", front="draft: false\n")
    folder.post("hybrid-hatch", "2026-11-24", front="draft: false\ncontinues: diesel-van\n")
    with closing(Previewed(folder.root)) as previewed:
        yield previewed


# --- what is shown ----------------------------------------------------------------------------------


def test_a_public_post_is_shown_as_readers_see_it(preview: Previewed) -> None:
    page = preview.page("/posts/hybrid-hatch/")
    assert "Hybrid hatch on the road" in page
    assert "Continues" in page
    assert DRAFT not in page
    assert BAR not in page


@pytest.mark.parametrize(
    ("front", "day", "why"),
    [
        ("draft: true\n", "2026-11-24", "draft: true"),
        ("draft: false\n", "2026-12-04", "Fri 4 Dec 2026"),
    ],
)
def test_a_post_that_readers_cannot_see_is_shown_and_marked(
    site: SiteFolder, preview: Previewed, front: str, day: str, why: str
) -> None:
    site.post("winter-tyres", day, front=front)
    preview.save()
    page = preview.page("/posts/winter-tyres/")
    assert DRAFT in page
    assert why in page
    assert "Winter tyres on the road" in preview.page("/posts/")
    assert 'a[href$="posts/winter-tyres/"]' in preview.page("/_preview/drafts.css")
    assert "winter-tyres" not in preview.page("/next/mail.html")


def test_a_post_that_nobody_approved_says_how_it_is_approved(site: SiteFolder) -> None:
    site.configure(CONFIGURATION.replace('review = "off"', 'review = "on"'))
    site.post("winter-tyres", front="draft: false\nreviewer: review-desk\n")
    for slug in ("2026-11-23-diesel-van", "2026-11-24-hybrid-hatch"):
        path = site.root / "posts" / f"{slug}.md"
        path.write_text(path.read_text().replace("author: news-desk", "author: news-desk\nreviewer: review-desk"))
    with closing(Previewed(site.root)) as previewed:
        page = previewed.page("/posts/winter-tyres/")
    assert DRAFT in page
    assert "newsletter post approve winter-tyres" in page


def test_nothing_is_written_for_readers_and_no_state_is_made(site: SiteFolder, preview: Previewed) -> None:
    for path in ("/", "/next/", "/outbox/", "/posts/diesel-van/"):
        preview.page(path)
    preview.save()
    assert not (site.root / "feeds").exists()
    assert not (site.root / "var" / "newsletter.sqlite3").exists()
    assert not (site.root / "var" / "keys.toml").exists()


def test_addresses_on_the_site_lead_to_this_machine(shown: Previewed) -> None:
    assert '="https://weekly.auto-trendy.net/' not in shown.page("/feeds/")
    assert 'href="/rss.xml"' in shown.page("/")
    assert shown.client.get("/rss.xml").headers["content-type"].startswith("application/xml")


def test_an_address_that_leads_nowhere_is_answered_in_the_site_s_own_way(shown: Previewed) -> None:
    answer = shown.client.get("/posts/nothing/")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert shown.client.get("/posts/hybrid-hatch").headers["location"] == "hybrid-hatch/"
    assert shown.client.get("/next").headers["location"] == "next/"


def test_a_site_below_a_prefix_is_found_with_and_without_it(site: SiteFolder) -> None:
    site.configure(CONFIGURATION.replace('auto-trendy.net"\ntagline', 'auto-trendy.net/blog"\ntagline'))
    with closing(Previewed(site.root)) as previewed:
        assert previewed.page("/blog/posts/diesel-van/") == previewed.page("/posts/diesel-van/")


def test_what_check_advises_stands_below_the_post_that_it_is_about(site: SiteFolder, preview: Previewed) -> None:
    site.post("winter-tyres", front="draft: false\n", text="Read it [here](https://readers.example/).")
    preview.save()
    assert "P121" in preview.page("/posts/winter-tyres/")
    assert "P121" not in preview.page("/posts/diesel-van/")


# --- what is wrong ----------------------------------------------------------------------------------


def test_a_broken_post_is_a_bar_over_the_last_good_page_until_it_is_mended(
    site: SiteFolder, preview: Previewed
) -> None:
    path = site.post("diesel-van", "2026-11-23", front="draft: false\ndate: 20 Nov\n", text="Another text.")
    text = path.read_text().replace("date: 2026-11-23\n", "")
    path.write_text(text)
    preview.save()
    page = preview.page("/posts/diesel-van/")
    assert BAR in page
    assert "P108" in page
    assert "posts/2026-11-23-diesel-van.md:6" in page
    assert "Fix it by" in page
    assert "the last good version" in page
    assert "Another text." not in page
    assert BAR in preview.page("/next/")
    path.write_text(text.replace("20 Nov", "2026-11-23"))
    preview.save()
    page = preview.page("/posts/diesel-van/")
    assert BAR not in page
    assert "Another text." in page


def test_a_site_that_is_broken_at_the_start_shows_what_can_be_read(site: SiteFolder) -> None:
    site.post("winter-tyres", front="draft: false\nauthor: nobody\n")
    site.post("petrol-coupe", front="draft: false\n", text="Only <blink>a picture</blink>.")
    with closing(Previewed(site.root)) as previewed:
        page = previewed.page("/")
    assert BAR in page
    assert "what could be read" in page
    assert "Hybrid hatch on the road" in page


def test_a_broken_configuration_is_told_with_its_line(site: SiteFolder, preview: Previewed) -> None:
    site.configure(CONFIGURATION.replace('timezone = "Europe/Madrid"', 'timezone = "Mars/Olympus"'))
    preview.save()
    page = preview.page("/")
    assert "C107" in page
    assert "newsletter.toml:8" in page
    site.configure(CONFIGURATION.replace('"Auto Trendy"', '"Auto Weekly"'))
    preview.save()
    assert "Auto Weekly" in preview.page("/")


@pytest.mark.parametrize(
    ("source", "line"),
    [("\n{% if %}", 2), ('{% extends "default/web/home.html" %}\n{% block main %}\n{{ nobody }}{% endblock %}', 3)],
)
def test_a_broken_template_is_told_with_its_line_and_given_up_for_the_built_in_one(
    site: SiteFolder, preview: Previewed, source: str, line: int
) -> None:
    template = site.root / "templates" / "web" / "home.html"
    template.parent.mkdir(parents=True)
    template.write_text(source)
    preview.save()
    page = preview.page("/")
    assert "C301" in page
    assert f"templates/web/home.html:{line}" in page
    template.unlink()
    preview.save()
    assert BAR not in preview.page("/")


def test_a_template_of_the_site_takes_the_place_of_the_built_in_one_at_once(
    site: SiteFolder, preview: Previewed
) -> None:
    template = site.root / "templates" / "web" / "home.html"
    template.parent.mkdir(parents=True)
    template.write_text('{% extends "default/web/home.html" %}{% block main %}Our own front.{% endblock %}')
    preview.save()
    assert "Our own front." in preview.page("/")


def test_a_site_of_which_nothing_can_be_shown_says_what_to_mend(site: SiteFolder) -> None:
    template = site.root / "templates" / "web" / "base.html"
    template.parent.mkdir(parents=True)
    template.write_text("{% broken %}")
    with closing(Previewed(site.root)) as previewed:
        page = previewed.page("/")
        assert "C301" in page
        assert "no page to show yet" in page
        assert "C301" in previewed.page("/next/")


def test_a_dead_link_stops_but_a_draft_may_have_one(site: SiteFolder, preview: Previewed) -> None:
    dead = "See [this other page](/posts/nowhere/) of ours."
    site.post("winter-tyres", front="draft: true\n", text=dead)
    preview.save()
    assert preview.codes() == []
    site.post("winter-tyres", front="draft: false\n", text=dead)
    preview.save()
    assert "F401" in preview.codes()


def test_a_published_post_that_vanished_is_told(site: SiteFolder, preview: Previewed) -> None:
    preview.app.publish(preview.app.library(NOW), NOW)
    (site.root / "posts" / "2026-11-24-hybrid-hatch.md").unlink()
    preview.save()
    assert preview.codes() == ["F410"]


def test_a_bug_is_told_and_does_not_end_the_preview(preview: Previewed, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise AttributeError("no such thing")

    monkeypatch.setattr(App, "preview", broken)
    preview.save()
    assert preview.codes() == ["C900"]
    assert "Hybrid hatch on the road" in preview.page("/")


# --- the next mail ----------------------------------------------------------------------------------


def test_the_next_mail_is_the_digest_as_it_would_go_out(shown: Previewed) -> None:
    page, mail = shown.page("/next/"), shown.page("/next/mail.html")
    assert "Issue 1, Fri 27 Nov 2026, 08:00 Madrid" in page
    assert "<strong>Hybrid hatch on the road</strong>" in page
    assert "Hybrid hatch on the road" in mail
    assert "Earlier in this story" in mail
    assert "r…@reader.example" in mail
    assert b"\r\n\r\n" in shown.client.get("/next/mail.eml").content


@pytest.mark.parametrize(
    ("part", "words"),
    [("text", "Hybrid hatch on the road"), ("source", "&lt;table role="), ("headers", "List-Unsubscribe-Post: ")],
)
def test_each_part_of_the_mail_has_its_own_address(shown: Previewed, part: str, words: str) -> None:
    page = shown.page(f"/next/?part={part}")
    assert words in page
    assert "<iframe" not in page
    assert re.search(rf'href="\?part={part}&amp;[^"]*" aria-current="true"', page)


@pytest.mark.parametrize("width", ["600", "375", "320"])
@pytest.mark.parametrize("look", [*letter.LOOKS])
def test_each_width_and_look_has_its_own_address(shown: Previewed, width: str, look: str) -> None:
    page = shown.page(f"/next/?width={width}&look={look}")
    assert f'width="{width}"' in page
    assert f'src="mail.html?look={look}"' in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page


def test_what_is_not_known_is_answered_with_the_usual(shown: Previewed) -> None:
    assert shown.page('/next/?part="><b>&width=9999&look=x') == shown.page("/next/")


@pytest.mark.parametrize(
    ("look", "has", "lacks"),
    [
        ("light", "img-src http://127.0.0.1:8000", "style-src 'none'"),
        ("no-pictures", "img-src 'none'", "style-src 'none'"),
        ("no-styles", "style-src 'none'", "unsafe-inline"),
    ],
)
def test_a_framed_mail_runs_nothing_and_loads_what_the_look_allows(
    shown: Previewed, look: str, has: str, lacks: str
) -> None:
    policy = shown.client.get(f"/next/mail.html?look={look}").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "sandbox allow-popups" in policy
    assert "script-src" not in policy
    assert "allow-scripts" not in policy
    assert has in policy
    assert lacks not in policy


def test_links_of_the_framed_mail_open_beside_and_on_this_machine(shown: Previewed) -> None:
    mail = shown.page("/next/mail.html")
    assert '<base target="_blank">' in mail
    assert 'href="/posts/hybrid-hatch/"' in mail
    assert 'href="https://weekly.auto-trendy.net/' not in mail
    assert "changes nothing" in shown.page("/u/preview")


def test_a_week_without_a_story_says_what_waits(site: SiteFolder) -> None:
    for path in (site.root / "posts").glob("*.md"):
        path.unlink()
    site.post("winter-tyres", "2026-12-02", front="draft: false\n")
    with closing(Previewed(site.root)) as previewed:
        page = previewed.page("/next/")
        assert "no story is in" in page
        assert previewed.client.get("/next/mail.html").status_code == 404


def test_an_issue_that_is_frozen_is_shown_as_it_is(site: SiteFolder, preview: Previewed) -> None:
    site.ok("prepare", now="2026-11-27T08:00:05+01:00")
    site.post("diesel-van", "2026-11-23", front="draft: false\n", text="Edited after that.")
    site.post("hybrid-hatch", "2026-11-24", front="draft: false\ntitle: Another title\n")
    preview.save()
    assert "Issue 1 is ready and goes out" in preview.page("/next/")
    assert "Hybrid hatch on the road" in preview.page("/next/mail.html")


def test_what_only_some_readers_get_can_be_left_out(site: SiteFolder, preview: Previewed) -> None:
    app, friday = preview.app, datetime(2026, 11, 27, 7, tzinfo=UTC)
    prepare(app.press(app.library(friday), friday))
    app.deliver(clock=lambda: friday, stop=threading.Event())
    site.post("petrol-van", "2026-11-24", front="draft: false\nprevious: diesel-van\n")
    preview.save()
    for readers, there in (("all", True), ("none", False)):
        assert ("New to this story?" in preview.page(f"/next/mail.html?readers={readers}")) is there
        assert f"mail.html?look=light&amp;readers={readers}" in preview.page(f"/next/?readers={readers}")
    assert "New to this story?" in preview.page("/next/?part=text")


def test_a_site_without_a_sender_is_told_what_its_mail_lacks(site: SiteFolder) -> None:
    site.configure(CONFIGURATION.replace('address = "editor@auto-trendy.net"\n', ""))
    with closing(Previewed(site.root)) as previewed:
        page = previewed.page("/next/")
    assert "C110" in page
    assert "<iframe" not in page


# --- the outbox -------------------------------------------------------------------------------------


@pytest.fixture
def mailed(site: SiteFolder) -> SiteFolder:
    site.readers(2)
    site.ok("prepare", now="2026-11-27T08:00:05+01:00")
    site.ok("deliver", now="2026-11-27T08:00:05+01:00")
    return site


def test_the_outbox_lists_what_was_caught_and_shows_each_mail(mailed: SiteFolder, preview: Previewed) -> None:
    page = preview.page("/outbox/")
    assert "2 mails" in page
    assert "reader0000@readers.example" in page
    address = re.search(r'href="(/outbox/[\w.-]+/)"', page)
    assert address
    assert "Hybrid hatch on the road" in preview.page(address[1])
    assert "Message-ID: " in preview.page(f"{address[1]}?part=headers")
    assert "Hybrid hatch on the road" in preview.page(f"{address[1]}mail.html?look=dark")
    assert preview.client.get(f"{address[1]}mail.eml").content in {
        path.read_bytes() for path in (mailed.root / "var/outbox/new").glob("*.eml")
    }


def test_the_newest_mail_stands_first_also_when_it_was_seen(site: SiteFolder, preview: Previewed) -> None:
    for n, (folder, name) in enumerate([("new", "a.eml"), ("cur", "b.eml:2,S"), ("new", "c.eml")]):
        path = site.root / "var" / "outbox" / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"Subject: =?utf-8?q?Mail_{n}?=\r\nTo: x@readers.example\r\n\r\nText {n}\r\n".encode())
        moment = (NOW + timedelta(minutes=n)).timestamp()
        os.utime(path, (moment, moment))
    assert re.findall(r"Mail \d", preview.page("/outbox/")) == ["Mail 2", "Mail 1", "Mail 0"]
    assert "Text 1" in preview.page("/outbox/b/?part=text")


@pytest.mark.parametrize("name", ["%2e%2e", "..%2f..%2fkeys", "nothing", ".hidden", "a%00b", "link"])
def test_nothing_but_a_caught_mail_is_shown(site: SiteFolder, preview: Previewed, name: str) -> None:
    new = site.root / "var" / "outbox" / "new"
    new.mkdir(parents=True)
    (new / "link.eml").symlink_to(site.root / "newsletter.toml")
    (new / ".hidden.eml").write_text("Subject: x\r\n\r\n")
    assert preview.client.get(f"/outbox/{name}/").status_code in {404, 400}
    assert "link" not in preview.page("/outbox/").partition("<main>")[2]


def test_an_empty_outbox_says_how_a_mail_comes_there(shown: Previewed) -> None:
    assert "newsletter issue send next" in shown.page("/outbox/")


# --- who is answered --------------------------------------------------------------------------------

ADDRESSES = [
    "/",
    "/next/",
    "/next/mail.html",
    "/outbox/",
    "/posts/diesel-van/",
    "/rss.xml",
    "/_preview/reload.js",
    "/x",
]


@pytest.mark.parametrize("host", ["evil.example", "weekly.auto-trendy.net", "127.0.0.1.evil.example", "10.0.0.1", ""])
def test_only_this_machine_is_answered(shown: Previewed, host: str) -> None:
    assert shown.client.get("/", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("path", [*ADDRESSES, "/_preview/events", "/u/x"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(shown: Previewed, path: str, method: str) -> None:
    assert shown.client.request(method, path).status_code == 405


@pytest.mark.parametrize("path", ADDRESSES)
def test_every_answer_is_strict_and_kept_nowhere(shown: Previewed, path: str) -> None:
    answer = shown.client.get(path)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors" in policy
    assert "unsafe-inline" not in policy.partition("style-src")[0]
    assert "script-src 'unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


def test_the_script_is_on_no_published_page(site: SiteFolder, preview: Previewed) -> None:
    preview.app.publish(preview.app.library(NOW), NOW)
    published = b"".join(site.tree().values())
    assert b"_preview" not in published
    assert b"preview-" not in published


# --- reloading --------------------------------------------------------------------------------------


def stream(preview: Previewed) -> tuple[PreviewPages, Frame]:
    frame = Frame(preview.live, environment(default_folder()))
    return PreviewPages(preview.live, frame, environment(default_folder())), frame


def test_the_stream_names_each_version_once_and_ends_when_the_preview_stops(
    site: SiteFolder, preview: Previewed
) -> None:
    pages, _ = stream(preview)

    async def read() -> list[str]:
        versions = pages._versions(outbox=False)
        told = [await anext(versions), await anext(versions)]
        waiting = asyncio.ensure_future(anext(versions))
        await asyncio.to_thread(preview.save)  # nothing changed: nobody is told
        site.post("winter-tyres", front="draft: false\n")
        await asyncio.to_thread(preview.save)
        told.append(await asyncio.wait_for(waiting, 20))
        waiting = asyncio.ensure_future(anext(versions, "end"))
        preview.live.stop()
        told.append(await asyncio.wait_for(waiting, 20))
        return told

    retry, first, second, end = asyncio.run(read())
    assert retry == "retry: 500\n\n"
    assert first != second == f"data: {preview.live.state.version}\n\n"
    assert end == "end"


def test_a_page_says_the_version_that_its_stream_says(site: SiteFolder, preview: Previewed) -> None:
    _, frame = stream(preview)
    for path, outbox in (("/", False), ("/next/", False), ("/outbox/", True)):
        found = re.search(r'data-version="([^"]+)" data-stream="([^"]+)"', preview.page(path))
        assert found
        assert found[1] == frame.version(preview.live.state, outbox=outbox)
        assert found[2].endswith("?outbox") is outbox


def test_a_mail_that_comes_in_is_news_for_the_outbox_only(site: SiteFolder, preview: Previewed) -> None:
    _, frame = stream(preview)
    before = [frame.version(preview.live.state, outbox=outbox) for outbox in (True, False)]
    (site.root / "var/outbox/new").mkdir(parents=True)
    (site.root / "var/outbox/new/a.eml").write_text("Subject: x\r\n\r\n")
    after = [frame.version(preview.live.state, outbox=outbox) for outbox in (True, False)]
    assert [a == b for a, b in zip(after, before, strict=True)] == [False, True]


def test_another_run_has_other_versions(site: SiteFolder, preview: Previewed) -> None:
    with closing(Previewed(site.root)) as again:
        assert again.live.state.version != preview.live.state.version


# --- watching ---------------------------------------------------------------------------------------


@pytest.fixture
def saved(site: SiteFolder) -> Iterator[list[str]]:
    """The names of what the watcher told of, in order."""
    told: list[str] = []
    watch = Watch(site.root, lambda paths: told.extend(path.name for path in paths))
    watch.start()
    marker = site.root / "posts" / "ready.md"
    until(lambda: marker.write_text("x") and "ready.md" in told, what="the watcher to watch")
    yield told
    watch.stop()
    watch.join(20)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("watch")]


def test_saving_a_post_a_template_or_a_setting_is_told(site: SiteFolder, saved: list[str]) -> None:
    site.post("winter-tyres")
    (site.root / "reviews.toml").write_text("")
    beside = site.root / "newsletter.toml.new"
    beside.write_text(CONFIGURATION)
    beside.replace(site.root / "newsletter.toml")
    for name in ("2026-11-24-winter-tyres.md", "reviews.toml", "newsletter.toml"):
        until(lambda name=name: name in saved, what=name)  # type: ignore[misc]


def test_a_folder_that_is_made_later_is_watched_too(site: SiteFolder, saved: list[str]) -> None:
    folder = site.root / "templates" / "web"
    folder.mkdir(parents=True)
    until(lambda: (folder / "home.html").write_text("x") and "home.html" in saved, what="home.html")


def test_what_an_editor_leaves_beside_and_what_is_built_is_not_told(site: SiteFolder, saved: list[str]) -> None:
    for name in ("posts/.x.md.swp", "posts/x.md~", "posts/x.tmp", "notes.txt", "feeds/index.html", "var/log.md"):
        path = site.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    site.post("the-end")
    until(lambda: any("the-end" in name for name in saved))
    assert set(saved) <= {"ready.md", "2026-11-24-the-end.md"}


# --- rules ------------------------------------------------------------------------------------------


@given(st.binary(max_size=400) | st.text(max_size=300).map(str.encode))
def test_no_octets_break_the_reading_of_a_mail(content: bytes) -> None:
    assert letter.read(content).size == len(content)


@given(st.text(max_size=200), st.sampled_from([*letter.LOOKS]))
def test_no_look_leaves_the_choice_of_colours_to_the_machine(text: str, look: str) -> None:
    html = f"<html><head><style>@media (prefers-color-scheme:dark) {{ p {{ color: red }} }}</style></head>{text}"
    content = b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html.encode()
    framed = letter.framed(letter.read(content), look, a_site()).decode()
    assert ("(min-width: 0)" in framed) is (look == "dark")
    assert "prefers-color-scheme:dark" not in framed.partition("</style>")[0]


@given(st.text(alphabet="<>/abodyhe \n'\"", max_size=60).map(str.encode))
def test_dressing_a_page_takes_nothing_from_it(page: bytes) -> None:
    dressed = bars.dressed(page, head="(1)", top="(2)", bottom="(3)")
    assert len(dressed) == len(page) + 9
    assert re.sub(rb"\([123]\)", b"", dressed) == page
    assert dressed.index(b"(2)") < dressed.index(b"(3)")


# --- what was kept from the last time ---------------------------------------------------------------

EDITS = {
    "text": ("A paragraph", "Another paragraph"),
    "title": ("title: Hybrid", "title: New hybrid"),
    "summary": ("What we learned", "All that we learned"),
    "topics": ("topics: [Cars]", "topics: [Cars, Vans]"),
    "day": ("date: 2026-11-24", "date: 2026-11-23"),
    "link": ("continues: diesel-van", "see_also: diesel-van"),
    "mention": ("A paragraph", "A paragraph, see [[diesel-van]],"),
    "take": ("A paragraph", "::: take\nIt will snow.\n:::\n\nA paragraph"),
    "draft": ("draft: false", "draft: true"),
    "withdrawn": ("draft: false", "draft: false\nwithdrawn: 2026-11-25 It was wrong"),
}


@pytest.mark.parametrize("first", EDITS)
@pytest.mark.parametrize("then", ["text", "title", "nothing"])
def test_after_any_edit_a_preview_is_what_a_new_one_would_be(site: SiteFolder, first: str, then: str) -> None:
    path = site.root / "posts" / "2026-11-24-hybrid-hatch.md"
    for slug in ("winter-tyres", "summer-tyres"):
        site.post(slug, "2026-11-25", front="draft: false\nsee_also: diesel-van\n", text="See [[hybrid-hatch]].")
    settled(site)
    good = path.read_text()
    with closing(Previewed(site.root)) as previewed:
        for name in (first, then):
            path.write_text(path.read_text().replace(*EDITS.get(name, ("", ""))))
            previewed.save()
            with closing(Previewed(site.root)) as fresh:
                assert shown_by(previewed) == shown_by(fresh)
        path.write_text(good)
        previewed.save()
        with closing(Previewed(site.root)) as fresh:
            assert shown_by(previewed) == shown_by(fresh)


def settled(site: SiteFolder) -> None:
    """Let the files be older than what the clock of a file system can tell apart."""
    for path in (site.root / "posts").glob("*.md"):
        os.utime(path, (path.stat().st_mtime - 60,) * 2)


def shown_by(previewed: Previewed) -> dict[str, object]:
    """All that is seen: every file, what is hidden and why, what is advised, what is wrong."""
    state = previewed.live.look_through()
    if state.problems:  # the last good version is shown, of which a new preview knows nothing
        return {"problems": state.problems}
    files = {path: recipe.make() for path, recipe in state.preview.recipes.items()}
    return {**files, "hidden": state.preview.hidden, "notes": state.preview.notes}


def test_a_dead_link_of_a_draft_is_no_fault_of_the_lists_that_repeat_it(site: SiteFolder, preview: Previewed) -> None:
    dead = "See [this other page](/posts/nowhere/) of ours."
    site.post("winter-tyres", front="draft: true\n", text=dead)
    preview.save()
    assert preview.live.look_through().problems == ()
