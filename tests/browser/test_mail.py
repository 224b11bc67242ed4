"""The weekly mail in a real browser: wide and narrow, light and dark, with and without its styles and pictures."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, sync_playwright

from newsletter import variants
from newsletter.issues.segments import Erratum
from newsletter.model import Chain, Correction, Sentinel
from newsletter.tongue import spoken
from tests.builders import a_library, a_post
from tests.unit.issues.scene import ALLIANCE, BATTERIES, CHARGING, FOLLOW, REVIEW, a_digest, first_issue

Scheme = Literal["light", "dark"]
Looks = Literal["as it is", "no styles", "Outlook.com dark"]

LONG = replace(CHARGING, title="Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft")
FIVE = (ALLIANCE, FOLLOW, REVIEW, LONG, BATTERIES)
EARLIER = a_post("earlier", title="What came before the batteries, and who remembers it")
STORY = Chain((EARLIER.id, ALLIANCE.id))
SAGA = a_library(*FIVE, EARLIER, chains=dict.fromkeys(STORY.posts, STORY))
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="1072" height="536"><rect width="1072" height="536"/></svg>'

TEXTS = """() => [...document.querySelectorAll('body *')]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.replace(/[\\s\\u00a0]/g, '')))
  .filter(e => e.getClientRects().length)
  .map(e => {
    let back = e;
    while (back && getComputedStyle(back).backgroundColor === 'rgba(0, 0, 0, 0)') back = back.parentElement;
    const style = getComputedStyle(e);
    return {text: e.textContent.trim().slice(0, 40), color: style.color, size: parseFloat(style.fontSize),
            back: back ? getComputedStyle(back).backgroundColor : 'rgb(255, 255, 255)'};
  })"""
LINKS = """() => [...document.querySelectorAll('a')].filter(a => a.textContent.trim()).map(a => ({
  text: a.textContent.trim(), line: getComputedStyle(a).textDecorationLine,
  height: Math.min(...[...a.getClientRects()].map(r => r.height))}))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    assert path, "Chromium is needed: apt-get install chromium, or name one in CHROMIUM"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def mail() -> str:
    """What a reader gets who gets everything: the Sentinels replaced, the address a long one."""
    wrong = replace(BATTERIES, corrections=(Correction(date(2022, 2, 5), "The range is 512 km, not 612."),))
    whole = a_digest(*FIVE, carried={EARLIER.id: 1}, library=SAGA, errata=[Erratum(wrong, 1, first_issue())])
    assert variants.optional(whole) == ("erratum:1", "recap:1")
    html = variants.whole(whole, spoken("en")).html
    return html.replace(Sentinel.ADDRESS, "r…@a-rather-long-name-of-a-domain.example.org").replace(
        Sentinel.JOINED, "3 March 2021"
    )


def show(
    browser: Browser,
    mail: str,
    *,
    width: int = 600,
    scheme: Scheme = "light",
    looks: Looks = "as it is",
    pictures: bool = True,
) -> Page:
    if looks == "no styles":
        mail = re.sub(r"<style\b.*?</style>", "", mail, flags=re.DOTALL)
    if looks == "Outlook.com dark":
        mail = mail.replace("<body", "<body data-ogsc data-ogsb", 1).replace("<html", "<html data-ogsc data-ogsb", 1)
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)

    def answer(route: Route) -> None:
        if pictures and route.request.resource_type == "image":
            route.fulfill(body=PICTURE, content_type="image/svg+xml")
        else:
            route.abort()

    page.route("**/*", answer)
    page.set_content(mail)
    return page


def luminance(colour: str) -> float:
    channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, definition of contrast ratio."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def style(page: Page, selector: str, name: str) -> str:
    answer = page.eval_on_selector(selector, f"e => getComputedStyle(e)[{name!r}]")
    assert isinstance(answer, str)
    return answer


def number(page: Page, expression: str) -> float:
    answer: Any = page.evaluate(expression)
    assert isinstance(answer, int | float)
    return answer


@pytest.mark.parametrize("looks", ["as it is", "no styles"])
@pytest.mark.parametrize("width", [320, 600, 1000])
def test_no_width_makes_it_scroll_sideways(browser: Browser, mail: str, width: int, looks: Looks) -> None:
    page = show(browser, mail, width=width, looks=looks)
    assert number(page, "document.documentElement.scrollWidth") <= width
    assert number(page, "document.querySelector('.column').getBoundingClientRect().width") <= 600
    page.close()


@pytest.mark.parametrize(
    ("scheme", "looks"),
    [("light", "as it is"), ("dark", "as it is"), ("light", "no styles"), ("light", "Outlook.com dark")],
)
def test_every_text_stands_out_from_what_is_behind_it_and_is_large_enough(
    browser: Browser, mail: str, scheme: Scheme, looks: Looks
) -> None:
    page = show(browser, mail, scheme=scheme, looks=looks)
    texts: list[dict[str, Any]] = page.evaluate(TEXTS)
    assert len(texts) > 30
    assert {t["text"]: contrast(t["color"], t["back"]) for t in texts if contrast(t["color"], t["back"]) < 4.5} == {}
    assert min(t["size"] for t in texts) >= 14
    page.close()


@pytest.mark.parametrize("looks", ["as it is", "Outlook.com dark"])
def test_the_dark_rules_are_alive_against_the_inlined_colours(browser: Browser, mail: str, looks: Looks) -> None:
    page = show(browser, mail, scheme="dark" if looks == "as it is" else "light", looks=looks)
    expected = {
        ("body", "backgroundColor"): "rgb(22, 20, 18)",
        (".card", "backgroundColor"): "rgb(33, 30, 27)",
        ("h1", "color"): "rgb(230, 224, 214)",
        (".take p", "color"): "rgb(230, 224, 214)",
        (".byline", "color"): "rgb(185, 177, 165)",
        (".footer a", "color"): "rgb(242, 160, 127)",
        (".button-link", "backgroundColor"): "rgb(242, 160, 127)",
        (".take", "borderLeftColor"): "rgb(242, 160, 127)",
    }
    body = ".footer" if looks == "Outlook.com dark" else "body"  # Outlook.com has its own body
    found = {(s, name): style(page, body if s == "body" else s, name) for s, name in expected}
    assert found == expected
    page.close()


def test_light_stays_light(browser: Browser, mail: str) -> None:
    page = show(browser, mail)
    assert style(page, ".card", "backgroundColor") == "rgb(255, 253, 248)"
    assert style(page, ".footer a", "color") == "rgb(156, 61, 18)"
    page.close()


def test_the_narrow_rules_are_alive_against_the_inlined_sizes(browser: Browser, mail: str) -> None:
    wide, narrow = show(browser, mail, width=700), show(browser, mail, width=375)
    assert (style(wide, ".card", "paddingLeft"), style(narrow, ".card", "paddingLeft")) == ("32px", "20px")
    assert (style(wide, ".lead-title", "fontSize"), style(narrow, ".lead-title", "fontSize")) == ("26px", "24px")
    picture = "document.querySelector('img').getBoundingClientRect().width"
    assert (number(wide, picture), number(narrow, picture)) == (536, 335)
    wide.close()
    narrow.close()


@pytest.mark.parametrize("width", [320, 600])
def test_every_link_is_underlined_and_large_enough_for_a_finger(browser: Browser, mail: str, width: int) -> None:
    page = show(browser, mail, width=width)
    links: list[dict[str, Any]] = page.evaluate(LINKS)
    assert len(links) > 15
    assert [link for link in links if link["line"] != "underline" or link["height"] < 24] == []
    assert next(link for link in links if link["text"].startswith("Read “"))["height"] >= 44
    page.close()


def test_the_links_of_the_footer_keep_their_distance(browser: Browser, mail: str) -> None:
    page = show(browser, mail, width=320)
    boxes = [box for link in page.locator(".footer-link").all() if (box := link.bounding_box())]
    assert len(boxes) == 4
    for box, after in pairwise(boxes):
        below, beside = after["y"] - (box["y"] + box["height"]), after["x"] - (box["x"] + box["width"])
        assert max(below, beside) >= 8
    page.close()


def test_without_its_picture_the_mail_says_what_it_shows(browser: Browser, mail: str) -> None:
    page = show(browser, mail, pictures=False)
    assert page.get_by_alt_text(ALLIANCE.image_alt).is_visible()
    assert number(page, "document.querySelector('img').getBoundingClientRect().height") < 120
    page.close()


def test_the_preheader_is_hidden_and_its_filler_with_it(browser: Browser, mail: str) -> None:
    page = show(browser, mail, looks="no styles")
    assert not page.locator(".preheader").is_visible()
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, mail: str, scheme: Scheme) -> None:
    page = show(browser, mail, width=375, scheme=scheme)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    rules = {"heading-order": {"enabled": True}, "target-size": {"enabled": True}}
    results = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}, "rules": rules})
    assert results.violations_count == 0, results.generate_report()
    page.close()


def test_it_asks_for_nothing_but_its_picture(browser: Browser, mail: str) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.route("**/*", lambda route: route.abort())
    page.set_content(mail)
    assert asked == [ALLIANCE.image]
    page.close()
