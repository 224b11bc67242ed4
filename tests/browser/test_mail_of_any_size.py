"""Digests of 1 to 200 stories of every kind, in a real browser, as mail programs show them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from lxml import etree
from playwright.sync_api import Browser, Page

from newsletter.issues import budget
from newsletter.issues.fit import Fitted, fitted
from tests.browser.test_mail import TEXTS, Looks, Scheme, browser, contrast, number, show
from tests.builders import a_library, a_site
from tests.unit.issues.crowd import crowded, received, stories
from tests.unit.issues.scene import BATTERIES, STORY, a_view, templates

__all__ = ["browser"]  # the fixture

SIZES = (1, 5, 15, 60, 200)
MAILS = [*((n, False) for n in SIZES), (3, True), (60, True)]
WAYS: tuple[tuple[Looks, bool], ...] = (("as it is", True), ("no styles", True), ("as it is", False))
"""How a mail is shown, and whether with its pictures."""
TREE = "() => [...document.body.querySelectorAll('*')].map(e => e.tagName.toLowerCase()).filter(t => t !== 'tbody')"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RULES = {"heading-order": {"enabled": True}, "target-size": {"enabled": True}}


@pytest.fixture(params=MAILS, ids=lambda mail: f"{mail[0]}{' whole' if mail[1] else ''}")
def made(request: pytest.FixtureRequest) -> Fitted:
    count, full = request.param
    return crowded(count, full=full)


@pytest.fixture(params=[(15, False), (3, True)], ids=["15", "3 whole"])
def page_of(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Any]:
    count, full = request.param
    pages: list[Page] = []

    def opened(scheme: Scheme, looks: Looks = "as it is") -> Page:
        pages.append(show(browser, received(crowded(count, full=full)), width=375, scheme=scheme, looks=looks))
        return pages[-1]

    yield opened
    for page in pages:
        page.close()


def test_it_is_light_enough_and_holds_every_story(made: Fitted) -> None:
    html = received(made)
    assert len(html.encode()) <= budget.size(made.digest) <= budget.STOP_ABOVE
    assert all(f'href="{story.url}"' in html for story in made.view.stories)
    assert all(story.url in made.digest.text for story in made.view.stories)


def test_no_width_makes_it_scroll_sideways(browser: Browser, made: Fitted) -> None:
    every_kind = len(made.view.stories) in {3, 15}
    for looks, pictures in WAYS if every_kind else WAYS[:1]:
        page = show(browser, received(made), looks=looks, pictures=pictures)
        for width in (600, 375, 320):
            page.set_viewport_size({"width": width, "height": 800})
            assert number(page, "document.documentElement.scrollWidth") <= width, (looks, pictures, width)
        page.close()


def test_posts_of_another_direction_than_the_site_do_not_make_it_scroll(browser: Browser) -> None:
    posts = stories(3)
    library = a_library(*posts, BATTERIES, chains=dict.fromkeys(STORY.posts, STORY))
    view = a_view(*posts, library=library, site=a_site(full_text=True, language="ar"))
    page = show(browser, received(fitted(view, templates())), width=320)
    assert number(page, "document.documentElement.scrollWidth") <= 320
    assert (
        number(page, "Math.min(...[...document.querySelectorAll('li')].map(e => e.getBoundingClientRect().left))") >= 20
    )
    page.close()


def test_two_parsers_read_it_alike_and_neither_finds_a_fault(browser: Browser, made: Fitted) -> None:
    parser = etree.HTMLParser(encoding="utf-8")
    root = etree.fromstring(received(made).encode(), parser)
    known = re.compile(r"Tag bdi invalid")  # libxml2 is older than that element
    assert [str(fault) for fault in parser.error_log if not known.search(fault.message)] == []
    body = root.find("body")
    assert body is not None
    tree = [element.tag for element in body.iter(etree.Element) if element.tag not in {"body", "tbody"}]
    page = show(browser, received(made))
    assert page.evaluate(TREE) == tree
    assert page.locator("script, style:not(head style), form, iframe, [onerror]").count() == 0
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page_of: Any, scheme: Scheme) -> None:
    results = Axe().run(page_of(scheme), options={"runOnly": {"type": "tag", "values": TAGS}, "rules": RULES})
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize(
    ("scheme", "looks"),
    [("light", "as it is"), ("dark", "as it is"), ("light", "no styles"), ("light", "Outlook.com dark")],
)
def test_every_text_stands_out_and_is_large_enough(page_of: Any, scheme: Scheme, looks: Looks) -> None:
    texts: list[dict[str, Any]] = page_of(scheme, looks).evaluate(TEXTS)
    assert len(texts) > 60
    assert {t["text"]: contrast(t["color"], t["back"]) for t in texts if contrast(t["color"], t["back"]) < 4.5} == {}
    assert min(t["size"] for t in texts) >= 14
