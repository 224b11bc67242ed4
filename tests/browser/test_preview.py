"""The preview in Chromium: a file is saved on the disk, and the page that is open shows it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.acceptance.harness import FRIDAY, SiteFolder, until

POST = "/posts/hybrid-hatch/"
LONG = 30_000  # milliseconds; a machine may be busy
_AXE = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    assert path, "these tests need Chromium: set CHROMIUM to its path"
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path: Path) -> SiteFolder:
    folder = SiteFolder(tmp_path / "site").configure()
    folder.post("diesel-van", "2026-11-23", front="draft: false\n")
    folder.post(
        "hybrid-hatch",
        front="draft: false\ncontinues: diesel-van\nimage: hatch.png\nimage_alt: A hatch in the rain\n",
    )
    folder.post("winter-tyres", "2026-11-25", front="draft: true\n", text="Read it [here](https://readers.example/).")
    Image.new("RGB", (1200, 700), (156, 61, 18)).save(folder.root / "posts" / "hatch.png")
    return folder


@contextmanager
def previewing(site: SiteFolder) -> Iterator[str]:
    """The address of a running preview."""
    with site.started("preview", "--port", "0", now=FRIDAY):
        log = until(lambda: next(iter(site.root.glob("preview-*.log")), None))
        found = until(lambda: re.search(r"Site +(http://\S+)/ ", log.read_text()), what="the preview's address")
        yield found[1]


@pytest.fixture
def address(site: SiteFolder) -> Iterator[str]:
    with previewing(site) as address:
        yield address


@contextmanager
def opened(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """A page, and none of its scripts, styles or addresses was refused."""
    context = browser.new_context(**options)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    yield page
    context.close()
    assert [line for line in complaints if "favicon" not in line and "404" not in line] == []


def test_a_saved_text_comes_onto_the_open_page_by_itself(browser: Browser, site: SiteFolder, address: str) -> None:
    path = site.root / "posts" / "2026-11-24-hybrid-hatch.md"
    with opened(browser, address + POST) as page:
        path.write_text(path.read_text() + "\nWritten while you looked.\n")
        expect(page.get_by_text("Written while you looked.")).to_be_visible(timeout=LONG)


def test_an_error_is_a_bar_over_the_page_and_goes_when_it_is_mended(
    browser: Browser, site: SiteFolder, address: str
) -> None:
    path = site.root / "posts" / "2026-11-24-hybrid-hatch.md"
    good = path.read_text()
    with opened(browser, address + POST) as page:
        page.evaluate("scrollTo(0, 300)")
        path.write_text(good.replace("date: 2026-11-24", "date: 24 Nov"))
        bar = page.get_by_role("alert")
        expect(bar).to_contain_text("P108", timeout=LONG)
        expect(bar).to_contain_text("posts/2026-11-24-hybrid-hatch.md:4")
        expect(bar).to_contain_text("Fix it by")
        expect(bar).to_be_in_viewport()
        expect(page.get_by_role("heading", name="Hybrid hatch on the road")).to_be_attached()
        path.write_text(good)
        expect(bar).to_have_count(0, timeout=LONG)


def test_a_style_of_the_site_is_seen_when_it_is_saved(browser: Browser, site: SiteFolder, address: str) -> None:
    with opened(browser, address) as page:
        template = site.root / "templates" / "web" / "style.css"
        template.parent.mkdir(parents=True)
        template.write_text("body { background: rgb(1, 2, 3) }")
        expect(page.locator("body")).to_have_css("background-color", "rgb(1, 2, 3)", timeout=LONG)


def test_a_page_reloads_when_the_preview_is_started_again(browser: Browser, site: SiteFolder) -> None:
    with site.started("preview", "--port", "0", now=FRIDAY):
        log = until(lambda: next(iter(site.root.glob("preview-*.log")), None))
        address = until(lambda: re.search(r"Site +(http://\S+)/ ", log.read_text()))[1]
        context = browser.new_context()
        page = context.new_page()
        page.goto(address + POST)
    site.post("hybrid-hatch", front="draft: false\n", text="Written while nothing ran.")
    with site.started("preview", "--port", address.rpartition(":")[2], now=FRIDAY):
        expect(page.get_by_text("Written while nothing ran.")).to_be_visible(timeout=LONG)
    context.close()


def test_without_script_the_pages_show_and_so_do_the_bars(browser: Browser, site: SiteFolder, address: str) -> None:
    with opened(browser, f"{address}/posts/winter-tyres/", java_script_enabled=False) as page:
        expect(page.get_by_text("Draft: not public")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_have_text("Winter tyres on the road")
        page.get_by_text("on this post").click()
        expect(page.get_by_text("P121")).to_be_visible()
        page.get_by_role("link", name="Next mail").click()
        frame = page.frame_locator("iframe")
        expect(frame.get_by_role("heading", name="Hybrid hatch on the road").first).to_be_visible()


def test_a_draft_is_marked_where_it_is_listed(browser: Browser, address: str) -> None:
    with opened(browser, f"{address}/posts/") as page:
        mark = "link => getComputedStyle(link, '::after').content"
        assert page.get_by_role("link", name="Winter tyres").evaluate(mark) == '" (draft)"'
        assert page.get_by_role("link", name="Diesel van").evaluate(mark) == "none"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_look_of_the_mail_is_what_it_says_on_any_machine(browser: Browser, address: str, scheme: str) -> None:
    papers = {"light": "rgb(255, 253, 248)", "dark": "rgb(33, 30, 27)"}
    with opened(browser, f"{address}/next/", color_scheme=scheme) as page:
        page.get_by_role("link", name="375").click()
        for look, paper in papers.items():
            page.get_by_role("link", name=look, exact=True).click()
            expect(page.locator("iframe")).to_have_attribute("src", f"mail.html?look={look}")
            card = page.frame_locator("iframe").locator(".card").first
            expect(card).to_have_css("background-color", paper)
            assert card.evaluate("innerWidth") == 375
            assert card.evaluate("document.documentElement.scrollWidth") <= 375


def test_a_mail_without_pictures_or_styles_has_none(browser: Browser, address: str) -> None:
    page = browser.new_page()
    loaded = "img => img.decode().then(() => img.naturalWidth, () => 0)"
    frame = page.frame_locator("iframe")
    title = frame.get_by_role("heading", name="Hybrid hatch on the road").first
    for look, pictures, styles in (("light", True, True), ("no-pictures", False, True), ("no-styles", True, False)):
        page.goto(f"{address}/next/?look={look}")
        expect(frame.locator("img").first).to_have_attribute("alt", "A hatch in the rain")
        assert bool(frame.locator("img").first.evaluate(loaded)) is pictures, look
        assert (title.evaluate("h => getComputedStyle(h).lineHeight") != "normal") is styles, look
    page.close()


def test_a_story_in_the_mail_opens_on_this_machine_beside_it(browser: Browser, address: str) -> None:
    with opened(browser, f"{address}/next/") as page:
        with page.context.expect_page() as beside:
            page.frame_locator("iframe").get_by_role("link", name="Hybrid hatch on the road").first.click()
        beside.value.wait_for_load_state()
        assert beside.value.url == address + POST
        assert page.url == f"{address}/next/"


def test_a_framed_mail_runs_no_script(browser: Browser, site: SiteFolder, address: str) -> None:
    new = site.root / "var" / "outbox" / "new"
    new.mkdir(parents=True)
    (new / "hostile.eml").write_bytes(
        b"Subject: <script>window.ran = 1</script>\r\nContent-Type: text/html\r\n\r\n"
        b"<html><head></head><body><p id=x>Hello</p><script>document.getElementById('x').textContent = 'ran'; "
        b"top.location = 'https://evil.example/'</script><img src=x onerror=\"document.title='ran'\"></body></html>\r\n"
    )
    page = browser.new_page()
    page.goto(f"{address}/outbox/hostile/")
    expect(page.frame_locator("iframe").locator("#x")).to_have_text("Hello")
    assert page.evaluate("window.ran") is None
    assert page.url == f"{address}/outbox/hostile/"
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_the_pages_and_none_scrolls_sideways(
    browser: Browser, site: SiteFolder, address: str, scheme: str
) -> None:
    (site.root / "posts" / "2026-11-26-broken.md").write_text("---\ntitle: [\n---\n\nText.\n")
    paths = ("/", "/posts/winter-tyres/", "/next/", "/next/?part=source&width=320", "/outbox/")
    for width in (320, 1280):
        size = {"width": width, "height": 900}
        with opened(browser, address, color_scheme=scheme, viewport=size) as page:
            expect(page.get_by_role("alert")).to_be_visible(timeout=LONG)
            for path in paths:
                page.goto(address + path)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
                found = Axe().run(page, options=_AXE | {"iframes": False})
                assert [v["id"] for v in found.response["violations"]] == [], (path, width, found.generate_report())
