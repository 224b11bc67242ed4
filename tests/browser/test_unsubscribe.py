"""Leaving by the link in a mail, in a real browser: without scripts, by keyboard, on a small screen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.unit.web.parts import TEMPLATES, TOKEN, publish, served

SMALL: ViewportSize = {"width": 320, "height": 640}


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
    """The address of an unsubscribe page; each test has a reader of its own, who gets the issue."""
    publish(tmp_path, {"style.css": (TEMPLATES / "web" / "style.css").read_bytes()})
    with served(tmp_path) as port:
        yield f"http://127.0.0.1:{port}/u/{TOKEN}"


def open_page(
    browser: Browser, address: str, *, scheme: Literal["light", "dark"] = "light", scripts: bool = False
) -> Page:
    page = browser.new_context(viewport=SMALL, color_scheme=scheme, java_script_enabled=scripts).new_page()
    page.goto(address)
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def test_a_reader_leaves_returns_and_leaves_again_without_a_script(browser: Browser, address: str) -> None:
    page = open_page(browser, address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Stop emails to r…@example.org?")
    press(page, "Stop emails")
    expect(page.get_by_role("status")).to_have_text(
        "Done. Nothing more will come, not even an issue being sent right now."
    )
    press(page, "Undo")
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome back")
    press(page, "Stop emails")
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_have_text("You had already left on 3 May 2026.")
    expect(page.get_by_role("button")).to_have_text("Undo")
    page.context.close()


def test_the_keyboard_alone_is_enough(browser: Browser, address: str) -> None:
    page = open_page(browser, address)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "BUTTON":
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Done.")
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible_fit_a_small_screen_and_load_nothing_from_elsewhere(
    browser: Browser, address: str, scheme: Literal["light", "dark"]
) -> None:
    page = open_page(browser, address, scheme=scheme, scripts=True)
    refused: list[str] = []
    foreign: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: foreign.append(request.url) if "127.0.0.1" not in request.url else None)
    page.reload()
    check(page)
    press(page, "Stop emails")
    check(page)
    press(page, "Undo")
    check(page)
    page.goto(address.replace(TOKEN, "a-wrong-token"))
    check(page)
    assert foreign == []
    assert [text for text in refused if "404" not in text] == []  # the last page is meant to be missing
    page.context.close()


def check(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
    button = page.get_by_role("button").first
    if button.count():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
