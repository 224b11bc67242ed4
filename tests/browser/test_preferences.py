"""Choosing, moving and being forgotten in a real browser: without scripts, by keyboard, on a small screen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from newsletter.readers.tokens import DATA, MOVE, PREFERENCES
from newsletter.web.serve import address_of, beside, listen
from tests.unit.web.parts import LEFT_AT, TEMPLATES, TOKENS, an_app, publish

SMALL: ViewportSize = {"width": 320, "height": 640}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("dark", "light")
CHOOSE = f"/p/{TOKENS.make(PREFERENCES, (1, 1))}"
CONFIRM_MOVE = f"/m/{TOKENS.make(MOVE, (1,), LEFT_AT)}"
OWN_DATA = f"/d/{TOKENS.make(DATA, (1, 2), LEFT_AT)}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    assert path, "Chromium is needed: apt-get install chromium, or name one in CHROMIUM"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where the pages of one reader are, who gets the issue."""
    publish(tmp_path, {"style.css": (TEMPLATES / "web" / "style.css").read_bytes()})
    with listen("127.0.0.1", 0) as listener, beside(listener, an_app(tmp_path), graceful_seconds=1, ended=lambda: None):
        yield address_of(listener).rstrip("/")


def opened(browser: Browser, *, scripts: bool = False) -> Page:
    return browser.new_context(viewport=SMALL, color_scheme="light", java_script_enabled=scripts).new_page()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_reader_chooses_pauses_resumes_and_stops_without_a_script(browser: Browser, address: str) -> None:
    page = opened(browser)
    page.goto(address + CHOOSE)
    page.get_by_label("Vans").uncheck()
    page.get_by_label("Plain text").check()
    page.get_by_label("The day on which the pause ends").fill("2026-06-01")
    press(page, "Save")
    told = page.get_by_role("status")
    expect(told).to_contain_text("No email comes before 1 June 2026; the next one comes on 5 June 2026.")
    expect(told).to_contain_text("You left out: Vans. You get plain text, without pictures.")
    press(page, "Resume now")
    expect(told).to_contain_text("You get one email every Friday; the next one comes on 8 May 2026.")
    press(page, "Stop all email")
    expect(told).to_have_text("Done. Nothing more will come, not even an issue being sent right now.")
    press(page, "Undo")
    page.goto(address + CHOOSE)
    expect(page.get_by_label("Vans")).not_to_be_checked()
    page.context.close()


def test_the_keyboard_alone_is_enough_and_goes_down_the_page(browser: Browser, address: str) -> None:
    page = opened(browser, scripts=True)  # to ask where the focus is
    page.goto(address + CHOOSE)
    passed: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        at = page.evaluate(
            "[document.activeElement.name || '', document.activeElement.textContent.trim(),"
            " getComputedStyle(document.activeElement).outlineStyle,"
            " document.activeElement.getBoundingClientRect().top + scrollY]"
        )
        assert at[2] == "solid", at
        passed.append(at[0])
        if at[0] == "pause":
            page.keyboard.press("ArrowDown")
        if at[1] == "Save":
            break
    order = [name for name in dict.fromkeys(passed) if name]
    assert order == ["often", "topics", "pause", "until", "format", "address", "do"]
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("No email comes before 17 May 2026")
    page.context.close()


def test_a_mistake_is_told_first_and_leads_to_its_field(browser: Browser, address: str) -> None:
    page = opened(browser)
    page.goto(address + CHOOSE)
    page.get_by_label("Another address").fill("not one")
    press(page, "Save")
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_role("alert").get_by_role("link").click()
    field = page.get_by_label("Another address")
    expect(field).to_have_value("not one")
    expect(field).to_have_accessible_description("This is not an address that mail can go to.")
    page.context.close()


def test_the_pages_are_accessible_fit_a_small_screen_and_load_nothing_from_elsewhere(
    browser: Browser, address: str
) -> None:
    page = opened(browser, scripts=True)
    refused: list[str] = []
    foreign: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: foreign.append(request.url) if "127.0.0.1" not in request.url else None)
    page.goto(address + CHOOSE)
    page.get_by_label("Another address").fill("not one")
    page.get_by_label("Until a day that you choose").check()
    press(page, "Save")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        check(page)
    page.get_by_label("Another address").fill("new@example.net")
    page.get_by_label("4 weeks").check()
    press(page, "Save")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        check(page)
    for path, button in ((CONFIRM_MOVE, "Yes, send it here"), (OWN_DATA, "Forget me")):
        page.goto(address + path)
        check(page)
        press(page, button)
        check(page)
    page.goto(address + CHOOSE)
    page.get_by_label("Your email address").fill("not one")
    press(page, "Send a fresh link")
    check(page)
    assert foreign == []
    assert [text for text in refused if "404" not in text and "422" not in text] == []
    page.context.close()


def check(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
    small = page.evaluate(
        "[...document.querySelectorAll('main :is(button, input:not([type=hidden]), label.choice, .note a)')]"
        ".map(e => [e.tagName, e.type || e.className, e.textContent.trim(), e.getBoundingClientRect().height])"
        ".filter(([tag, kind, , high]) => high < (tag === 'BUTTON' || /text|email|date/.test(kind) ? 43.5 :"
        " kind === 'radio' || kind === 'checkbox' ? 19.5 : 23.5))"
    )
    assert small == [], "too small to be hit: a box is hit through its label"
