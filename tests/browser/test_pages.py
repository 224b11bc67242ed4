"""The published pages in Chromium: narrow and wide, light and dark, without script, for everybody."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from mimetypes import guess_type
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, sync_playwright

from newsletter.model import Chain
from tests.builders import a_library, a_post, a_site, an_issue
from tests.unit.publish.example import a_publication, everything, with_picture

SITE = a_site()
PAGES = [
    "/",
    "/posts/",
    "/posts/renault-nissan-mitsubishi-alliance/",
    "/posts/all-solid-state-batteries/",
    "/issues/",
    "/issues/1/",
    "/feeds/",
    "/search/",
    "/404.html",
]

_AXE = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}  # WCAG 2.2, 2.5.8
_WIDE_LETTERS = (
    "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
    "p { margin-bottom: 2em !important }"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    assert path, "these tests need Chromium: set CHROMIUM to its path"
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


class Visit:
    """A tab that sees the published files at the site's own address, and remembers what else was asked for."""

    def __init__(self, page: Page, files: dict[str, bytes]) -> None:
        self.page, self.asked_elsewhere = page, list[str]()
        self._files = files
        page.context.route("**/*", self._answer)

    def open(self, path: str) -> Page:
        self.page.goto(SITE.url + path)
        return self.page

    def _answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(f"{SITE.url}/").partition("#")[0]
        path = f"{path}index.html" if path.endswith("/") or not path else path
        if path in self._files:
            kind = "application/xml" if path.endswith(".xml") else guess_type(path)[0] or "text/plain"
            route.fulfill(body=self._files[path], content_type=kind)
        elif path == "favicon.ico":
            route.fulfill(status=404)
        else:
            self.asked_elsewhere.append(route.request.url)
            route.abort()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    library, issues = a_publication()
    library = with_picture(library, "renault-nissan-mitsubishi-alliance")
    return {str(file.path): file.content for file in everything(SITE, library, issues)}


def _visit(browser: Browser, files: dict[str, bytes], *, width: int = 1280, **options: Any) -> Visit:
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    return Visit(context.new_page(), files)


@pytest.fixture(params=["light", "dark"])
def visit(request: pytest.FixtureRequest, browser: Browser, files: dict[str, bytes]) -> Iterator[Visit]:
    visit = _visit(browser, files, color_scheme=request.param)
    yield visit
    visit.page.context.close()


@pytest.fixture
def phone(browser: Browser, files: dict[str, bytes]) -> Iterator[Visit]:
    visit = _visit(browser, files, width=320, java_script_enabled=False)
    yield visit
    visit.page.context.close()


def test_no_page_scrolls_sideways_on_the_narrowest_phone(phone: Visit) -> None:
    for path in PAGES:
        width = phone.open(path).evaluate("document.documentElement.scrollWidth")
        assert width <= 320, path


def test_no_page_scrolls_sideways_with_wider_letters(phone: Visit) -> None:
    """WCAG 2.2, 1.4.12: line height, paragraph, letter and word spacing set by the reader."""
    for path in PAGES:
        page = phone.open(path)
        page.evaluate("css => document.head.insertAdjacentHTML('beforeend', `<style>${css}</style>`)", _WIDE_LETTERS)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path


def _hard_site() -> dict[str, bytes]:
    """What a writer may do: words without an end, tables without an end, lists in lists, another script."""
    word = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
    deep = "".join(f"<ul><li>level {n}" for n in range(7)) + "</li></ul>" * 7
    table = f"<table><tr>{'<td>a value</td>' * 12}</tr><tr><td class='align-right'>1</td></tr></table>"
    html = f"<p>{word}</p>{deep}{table}<pre><code>{'x = 1; ' * 60}</code></pre><p>نص قصير.</p>"
    changes: dict[str, Any] = {"html": html, "summary": f"{word} is long.", "topics": (word,)}
    posts = [a_post(f"p{n}", title=f"{word} {n}", day=datetime(2022, 2, n, tzinfo=UTC), **changes) for n in (1, 2, 3)]
    posts.append(a_post("arabic", title="كيف تعمل السيارات", day=datetime(2022, 1, 28, tzinfo=UTC)))
    chain = Chain(tuple(post.id for post in reversed(posts)))
    library = a_library(*posts, chains=dict.fromkeys(chain.posts, chain))
    issues = [an_issue(1, *posts[:3], subject=word)]
    return {str(file.path): file.content for file in everything(SITE, library, issues)}


@pytest.fixture(scope="module")
def hard_files() -> dict[str, bytes]:
    return _hard_site()


@pytest.mark.parametrize("width", [320, 640, 1280])
def test_no_word_list_or_table_makes_a_page_scroll_sideways(
    browser: Browser, hard_files: dict[str, bytes], width: int
) -> None:
    visit = _visit(browser, hard_files, width=width)
    for path in ("/", "/posts/", "/posts/p2/", "/issues/", "/issues/1/", "/404.html", "/rss.xml", "/atom.xml"):
        assert visit.open(path).evaluate("document.documentElement.scrollWidth") <= width, path
    visit.page.context.close()


def test_on_a_phone_the_innermost_of_seven_lists_has_room_for_its_words(
    browser: Browser, hard_files: dict[str, bytes]
) -> None:
    visit = _visit(browser, hard_files, width=320)
    innermost = visit.open("/posts/p2/").get_by_text("level 6").last.bounding_box()
    assert innermost is not None
    assert innermost["width"] > 90
    visit.page.context.close()


def test_on_paper_nothing_is_cut_off(browser: Browser, hard_files: dict[str, bytes]) -> None:
    visit = _visit(browser, hard_files, width=700)
    page = visit.open("/posts/p2/")
    page.emulate_media(media="print")
    cut = "[...document.querySelectorAll('pre, table')].filter(e => e.scrollWidth > e.clientWidth).map(e => e.tagName)"
    assert page.evaluate(cut) == []
    visit.page.context.close()


def test_a_paragraph_in_another_script_has_its_own_direction(browser: Browser, hard_files: dict[str, bytes]) -> None:
    visit = _visit(browser, hard_files)
    first, last = visit.open("/posts/p1/").evaluate("""() => {
      const text = [...document.querySelectorAll('.body p')].pop().firstChild, range = document.createRange();
      return [0, text.length - 1].map(at => {
        range.setStart(text, at); range.setEnd(text, at + 1);
        return range.getBoundingClientRect().x;
      });
    }""")
    assert last < first  # the full stop ends the line on the left
    visit.page.context.close()


def test_columns_of_numbers_are_set_to_the_right(browser: Browser, hard_files: dict[str, bytes]) -> None:
    visit = _visit(browser, hard_files)
    cell = visit.open("/posts/p2/").locator("td.align-right")
    assert cell.evaluate("cell => getComputedStyle(cell).textAlign") == "end"
    visit.page.context.close()


def test_every_page_is_accessible(visit: Visit) -> None:
    for path in PAGES:
        results = Axe().run(visit.open(path), options=_AXE)
        assert results.violations_count == 0, f"{path}\n{results.generate_report()}"


def test_an_empty_site_is_accessible(browser: Browser) -> None:
    files = {str(file.path): file.content for file in everything(SITE, a_library(), [])}
    visit = _visit(browser, files)
    for path in ("/", "/posts/", "/issues/"):
        assert Axe().run(visit.open(path)).violations_count == 0
    visit.page.context.close()


def test_nothing_is_asked_of_another_host(visit: Visit) -> None:
    for path in PAGES:
        visit.open(path)
    assert visit.asked_elsewhere == []


def test_everything_is_shown_without_script(phone: Visit) -> None:
    page = phone.open("/")
    page.get_by_role("link", name="The Renault-Nissan-Mitsubishi Alliance, from start to future").first.click()

    assert page.get_by_role("heading", level=1).inner_text() == (
        "The Renault-Nissan-Mitsubishi Alliance, from start to future"
    )
    assert page.get_by_role("complementary", name="Auto Trendy's take").is_visible()
    page.get_by_role("link", name="All-solid-state batteries: what a solid changes").first.click()
    assert page.url == f"{SITE.url}/posts/all-solid-state-batteries/"


def test_the_first_tab_leads_past_the_masthead(visit: Visit) -> None:
    page = visit.open("/issues/1/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the text")
    box = skip.bounding_box()

    assert skip.evaluate("link => link === document.activeElement")
    assert box is not None
    assert box["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_dark_is_dark_and_light_is_light(browser: Browser, files: dict[str, bytes]) -> None:
    papers = {"light": "rgb(250, 245, 236)", "dark": "rgb(22, 20, 18)"}
    for scheme, paper in papers.items():
        visit = _visit(browser, files, color_scheme=scheme)
        assert visit.open("/").evaluate("getComputedStyle(document.body).backgroundColor") == paper
        visit.page.context.close()


def test_on_paper_the_navigation_is_left_out(visit: Visit) -> None:
    page = visit.open("/posts/all-solid-state-batteries/")
    page.emulate_media(media="print")

    assert page.get_by_role("heading", level=1).is_visible()
    assert not page.locator(".masthead nav").is_visible()


@pytest.mark.parametrize("path", ["/rss.xml", "/atom.xml"])
def test_a_feed_opened_by_a_person_explains_itself_and_links_to_its_posts(visit: Visit, path: str) -> None:
    page = visit.open(path)
    shown = page.evaluate(
        "[...document.querySelectorAll('item > a, entry > a')].map(a => [a.textContent, a.href, a.offsetHeight > 0])"
    )

    assert page.get_by_text("This is a feed.").is_visible()
    assert shown[0] == [
        "The Renault-Nissan-Mitsubishi Alliance, from start to future",
        f"{SITE.url}/posts/renault-nissan-mitsubishi-alliance/",
        True,
    ]
    assert page.get_by_text("By News desk · Reviewed by Review desk · 8 February 2022").is_visible()
    assert not page.locator("guid, id, pubDate, published").first.is_visible()
    page.get_by_text("What is a feed?").click()
    assert page.url == f"{SITE.url}/feeds/"
