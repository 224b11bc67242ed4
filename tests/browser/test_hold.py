"""Holding what a slot sends, from the link of the preview mail, in a real browser: without scripts, by keyboard."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.acceptance.harness import SiteFolder, part, until

SMALL: ViewportSize = {"width": 320, "height": 640}
THURSDAY = "2026-11-26T08:00:05+01:00"
CHIEF = '\n[people.chief]\nname = "Chief"\nemail = "chief@desk.example"\nrole = "editor"\n'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> SiteFolder:
    site = SiteFolder(tmp_path_factory.mktemp("site")).configure(more=CHIEF)
    site.post("hybrid-hatch")
    site.ok("reader", "add", "ada@readers.example", "--consent", "a test", now="2026-11-25T12:00:00+01:00")
    site.ok("prepare", now=THURSDAY)
    site.ok("deliver", now=THURSDAY)
    return site


@pytest.fixture(scope="module")
def page(site: SiteFolder) -> Iterator[Page]:
    """The page of the link that the preview mail carries, served by the command; scripts are off."""
    path = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    assert path, "Chromium is needed: apt-get install chromium, or name one in CHROMIUM"
    [mail] = site.mails()
    link = re.search(r"https://weekly\.auto-trendy\.net(/hold/\S+)", part(mail, "plain"))
    assert link
    with site.started("serve", "--port", "0", now=THURSDAY), sync_playwright() as playwright:
        served = until(
            lambda: re.search(r"http://\S+", "".join(log.read_text() for log in site.root.glob("serve-*.log")))
        )
        browser: Browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_context(viewport=SMALL, java_script_enabled=False).new_page()
        page.goto(f"{served[0].rstrip('/')}{link[1]}")
        yield page
        browser.close()


def plans(site: SiteFolder) -> int:
    return len([entry for entry in site.json("log", now=THURSDAY) if entry["action"] in {"hold", "release"}])


def test_an_editor_holds_the_issue_and_lets_it_go_again_without_a_script(site: SiteFolder, page: Page) -> None:
    page.goto(page.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Hold issue 1?")
    before = plans(site)
    page.get_by_role("button", name="Hold it").click()
    expect(page.get_by_role("status")).to_have_text("Done: no reader gets it until somebody lets it go.")
    assert plans(site) == before + 1
    page.get_by_role("button", name="Let it go").click()
    expect(page.get_by_role("status")).to_have_text("Done: it goes out at its time.")
    assert plans(site) == before + 2


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    page.goto(page.url)
    page.get_by_role("button", name="Hold it").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Issue 1 is held")
    page.get_by_role("button", name="Let it go").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hold issue 1?")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible_and_fits_a_small_screen(page: Page, scheme: str) -> None:
    page.goto(page.url)
    assert page.context.browser
    looked = page.context.browser.new_context(viewport=SMALL, color_scheme=scheme).new_page()  # type: ignore[arg-type]
    looked.goto(page.url)
    found = Axe().run(looked)
    assert found.violations_count == 0, found.generate_report()
    assert looked.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
    box = looked.get_by_role("button").first.bounding_box()
    assert box
    assert box["height"] >= 44
    looked.context.close()
