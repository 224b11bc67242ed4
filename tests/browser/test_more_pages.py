"""Topics, authors, takes, withdrawn and moved pages in Chromium: narrow, light and dark, for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from newsletter.model import File, Judgement, Link, LinkKind, Take, Withdrawal
from newsletter.publish import lists
from newsletter.publish.archive import moved_pages
from newsletter.publish.redirects import Redirect
from tests.browser.test_pages import SITE, Visit, browser
from tests.builders import a_library, a_post
from tests.unit.publish.example import a_publication, environment, everything

__all__ = ["browser"]

PAGES = [
    "/topics/",
    "/topics/batteries/",
    "/authors/news-desk/",
    "/takes/",
    "/posts/said/",
    "/posts/verdict/",
    "/posts/gone/",
]
_AXE = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    library, issues = a_publication()
    opinion = "Nobody will sell a car with a solid battery before the end of the decade, whatever is announced."
    said = a_post("said", title="Who sells the first?", take=Take(f"<p>{opinion}</p>", opinion, date(2030, 12, 31)))
    sure = a_post("sure", title="What a charger costs", take=Take("<p>It falls.</p>", "It falls.", date(2022, 3, 1)))
    edge = Link(LinkKind.VERDICT, a_post("verdict").id, sure.id)
    verdict = a_post("verdict", day=datetime(2022, 3, 2, tzinfo=UTC), judgement=Judgement.RIGHT, links=(edge,))
    gone = a_post("gone", withdrawal=Withdrawal(datetime(2022, 3, 1, tzinfo=UTC), "The figures were of another model."))
    posts = (verdict, said, sure, *library.posts)
    library = replace(library, posts=posts, withdrawn=(gone,), backlinks={**library.backlinks, sure.id: (edge,)})
    moved = moved_pages(SITE, [Redirect("old/", f"{SITE.url}/posts/said/")], environment())
    made = [*everything(SITE, library, issues), *(File(recipe.path, recipe.make()) for recipe in moved)]
    return {str(file.path): file.content for file in made}


@pytest.fixture(params=[("light", 1280), ("dark", 320)], ids=["light and wide", "dark and narrow"])
def visit(request: pytest.FixtureRequest, browser: Browser, files: dict[str, bytes]) -> Iterator[Visit]:
    scheme, width = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    yield Visit(context.new_page(), files)
    context.close()


def test_every_page_is_accessible_and_as_wide_as_the_window(visit: Visit) -> None:
    for path in PAGES:
        page = visit.open(path)
        results = Axe().run(page, options=_AXE)
        assert results.violations_count == 0, f"{path}\n{results.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    assert visit.asked_elsewhere == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 768), ("light", 1280)])
def test_a_long_list_is_accessible_and_one_gets_from_the_newest_through_the_years_and_back(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, scheme: Literal["light", "dark"], width: int
) -> None:
    monkeypatch.setattr(lists, "WHOLE", 26)
    word = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
    days = [datetime(2020 + n % 3, 1 + n % 12, 1 + n % 28, tzinfo=UTC) for n in range(90)]
    posts = [a_post(f"p{n}", day=day, title=f"{word} {n}" if n % 9 == 0 else f"Post {n}") for n, day in enumerate(days)]
    files = {str(file.path): file.content for file in everything(SITE, a_library(*posts), [])}
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = Visit(context.new_page(), files).open("/posts/")
    for name in ("‹ All of 2022", "‹ 2021", "All posts of Auto Trendy"):
        assert Axe().run(page, options=_AXE).violations_count == 0
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.get_by_role("link", name=name, exact=True).click()
    assert page.url == f"{SITE.url}/posts/"
    page.get_by_role("navigation", name="Parts of the list").get_by_role("link", name="2020").click()
    page.get_by_role("navigation", name="Parts of the list").get_by_role("link", name="April").click()
    assert page.url == f"{SITE.url}/years/2020/#april"
    context.close()


@pytest.mark.parametrize("width", [320, 1280])
def test_a_language_from_the_right_begins_there_and_fits_the_window(browser: Browser, width: int) -> None:
    library, issues = a_publication()
    files = {str(file.path): file.content for file in everything(replace(SITE, language="ar"), library, issues)}
    page = Visit(browser.new_page(viewport={"width": width, "height": 900}), files).open("/posts/how-to-follow/")
    for path in ("/", "/issues/1/", "/feeds/", "/posts/how-to-follow/"):
        page.goto(SITE.url + path)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    take = page.locator(".take").evaluate("e => getComputedStyle(e)['border-right-width']")
    name, way = (page.locator(one).first.bounding_box() for one in (".masthead .name", ".masthead nav a"))
    page.close()

    assert take == "4px"
    assert name is not None
    assert way is not None
    assert name["x"] + name["width"] > way["x"] + way["width"] or name["y"] < way["y"]


def test_a_moved_page_leads_on_by_itself(visit: Visit) -> None:
    page = visit.open("/old/")
    page.wait_for_url(f"{SITE.url}/posts/said/")

    assert page.get_by_role("heading", level=1).inner_text() == "Who sells the first?"


def test_one_gets_from_a_take_to_its_verdict_and_back(visit: Visit) -> None:
    page = visit.open("/posts/said/")
    page.get_by_role("link", name="Takes held to account").click()
    page.locator("section", has=page.get_by_role("heading", name="Right", exact=True)).get_by_role(
        "link", name="Verdict"
    ).click()

    assert page.url == f"{SITE.url}/posts/verdict/"
    page.get_by_role("link", name="What a charger costs").first.click()
    assert page.get_by_text("What became of it: right").is_visible()
