"""Searching in a real browser, without script: by keyboard, on a small screen, light and dark."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.builders import a_library, a_post, a_site
from tests.unit.publish.example import everything
from tests.unit.web.parts import index_beside, publish, served

_AXE = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
ADDRESSES = ("", "?q=hybrid", "?q=hybrid&page=2", "?q=hybird", "?topic=road-tests", "?q=xylophone", "?q=" + "W" * 200)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    assert path, "Chromium is needed: apt-get install chromium, or name one in CHROMIUM"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A published site with its index, served."""
    folder = tmp_path_factory.mktemp("search") / "feeds"
    text = "A hybrid hatch in the mountains, and what is left of the battery on the way down."
    posts = [
        a_post(
            f"road-test-{n:02}",
            title=f"Road test {n}: the hybrid hatch",
            html=f"<p>{text}</p>" * 9,
            topics=(topic,),
            day=day,
        )
        for n, topic in enumerate(("Road tests", "Batteries and what comes after them") * 12)
        for day in (datetime(2020 + n % 5, 3, 1, tzinfo=UTC),)
    ]
    library = a_library(*posts)
    publish(folder, {str(file.path): file.content for file in everything(a_site(), library, [])})
    index_beside(folder).update(a_site(), library)
    with served(Path(folder)) as port:
        yield f"http://127.0.0.1:{port}"


def open_page(
    browser: Browser,
    address: str,
    *,
    width: int = 320,
    scheme: Literal["light", "dark"] = "light",
    script: bool = False,
) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=script
    )
    page = context.new_page()
    page.goto(address)
    return page


def test_a_reader_searches_from_any_page_and_reads_what_was_found(browser: Browser, address: str) -> None:
    page = open_page(browser, f"{address}/posts/")
    page.get_by_role("search").get_by_label("Words to search for").fill("hatch mountains")
    page.get_by_role("search").get_by_role("button", name="Search").click()

    expect(page.get_by_role("status")).to_contain_text("24 results for “hatch mountains”")
    expect(page.locator("mark").first).to_have_css("background-color", "rgb(251, 224, 138)")
    page.get_by_role("link", name="More results").click()
    expect(page.get_by_role("listitem")).to_have_count(4)
    page.get_by_role("listitem").first.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("the hybrid hatch")
    page.context.close()


def test_topic_and_year_are_chosen_and_stay_chosen(browser: Browser, address: str) -> None:
    page = open_page(browser, f"{address}/search/?q=hatch")
    page.get_by_label("Topic").select_option("Road tests")
    page.get_by_label("Year").select_option("2022")
    page.get_by_role("button", name="Search").click()

    expect(page.get_by_role("status")).to_contain_text("for “hatch” in Road tests, 2022")
    expect(page.get_by_label("Topic")).to_have_value("road-tests")
    expect(page.get_by_label("Year")).to_have_value("2022")
    expect(page.get_by_label("Words")).to_have_value("hatch")
    page.context.close()


def test_a_slip_is_mended_by_one_press_of_the_keyboard(browser: Browser, address: str) -> None:
    page = open_page(browser, f"{address}/search/")
    page.get_by_label("Words").fill("mountians")
    page.keyboard.press("Enter")
    meant = page.get_by_role("link", name="“mountains”")
    meant.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("24 results for “mountains”")
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_every_answer_is_accessible_fits_and_loads_nothing_from_elsewhere(
    browser: Browser, address: str, scheme: Literal["light", "dark"], width: int
) -> None:
    page = open_page(browser, address, width=width, scheme=scheme, script=True)
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: wrong.append(request.url) if "127.0.0.1" not in request.url else None)
    for question in ADDRESSES:
        page.goto(f"{address}/search/{question}")
        found = Axe().run(page, options=_AXE)
        assert found.violations_count == 0, f"{question}\n{found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, question
    assert [text for text in wrong if "favicon" not in text and "404" not in text] == []
    page.context.close()


def test_the_header_with_its_form_fits_the_narrowest_screen(browser: Browser, address: str) -> None:
    page = open_page(browser, address)
    box = page.get_by_role("search").get_by_role("button").bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert box["x"] + box["width"] <= 320
    page.context.close()
