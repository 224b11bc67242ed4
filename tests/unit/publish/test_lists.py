"""A list of posts is one page while it is short; a long one shows the newest and has a page for each year."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from lxml import html

from newsletter.model import Library, Post, Recipe
from newsletter.publish import archive, checks, lists
from tests.builders import a_library, a_post, a_site
from tests.unit.publish.example import environment, everything

SITE = a_site()
START = datetime(2020, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if thirteen posts were many."""
    monkeypatch.setattr(lists, "WHOLE", 12)
    monkeypatch.setattr(lists, "NEWEST", 3)
    monkeypatch.setattr(lists, "MONTHLY", 4)


def posts_of(*years: int) -> list[Post]:
    """One post for each year named, a month apart within a year."""
    found: list[Post] = []
    for number, year in enumerate(years):
        day = datetime(year, 1 + years[:number].count(year) % 12, 5, 12, tzinfo=UTC)
        found.append(a_post(f"p{number}", day=day, topics=("Cars",)))
    return found


MANY = (*[2019] * 5, *[2020] * 6, *[2022] * 3)


def recipes(library: Library) -> dict[str, Recipe]:
    return {str(recipe.path): recipe for recipe in archive.recipes(SITE, library, [], environment())}


def page(library: Library, path: str) -> html.HtmlElement:
    return html.document_fromstring(recipes(library)[path].make().decode())


def slugs(found: html.HtmlElement) -> list[str]:
    return [str(link).split("/")[-2] for link in found.xpath("//ul[@class='lines dated']//a/@href")]


def test_a_short_list_is_one_page() -> None:
    library = a_library(*posts_of(*MANY[:12]))

    assert len(slugs(page(library, "posts/index.html"))) == 12
    assert not [path for path in recipes(library) if path.startswith("years/")]


def test_a_long_list_shows_the_newest_and_leads_to_every_year() -> None:
    first = page(a_library(*posts_of(*MANY)), "posts/index.html")

    assert slugs(first) == ["p13", "p12", "p11"]
    assert first.xpath("//nav[@class='ways']//a/@href") == ["../years/2022/", "../years/2020/", "../years/2019/"]
    assert first.xpath("//nav[@class='ways']/span/span/text()") == ["3", "6", "5"]


@pytest.mark.parametrize(("first", "years"), [("posts/", "years/"), ("topics/cars/", "topics/cars/")])
def test_every_post_is_on_the_page_of_its_year_and_on_no_other(first: str, years: str) -> None:
    library = a_library(*posts_of(*MANY))
    found = [slugs(page(library, f"{years}{year}/index.html")) for year in (2022, 2020, 2019)]

    assert [slug for some in found for slug in some] == [post.slug for post in library.posts]
    assert slugs(page(library, f"{first}index.html")) == ["p13", "p12", "p11"]


def test_years_lead_to_the_years_beside_them_and_back_to_the_whole() -> None:
    middle = page(a_library(*posts_of(*MANY)), "years/2020/index.html")

    assert middle.xpath("//nav[@class='turn']/a/@href") == ["../../years/2019/", "../../years/2022/"]
    assert middle.xpath("//p[@class='trail']/a/@href")[-1] == "../../posts/"
    assert middle.xpath("//h1/text()") == ["All posts, 2020"]


def test_a_year_of_many_posts_has_its_months_as_headings() -> None:
    library = a_library(*posts_of(*MANY))

    assert page(library, "years/2022/index.html").xpath("//h2[@class='year']") == []
    long = page(library, "years/2019/index.html")
    assert long.xpath("//h2[@class='year']/text()") == ["May", "April", "March", "February", "January"]
    assert long.xpath("//nav[@class='ways']") == []


def test_a_year_longer_than_a_page_has_ways_to_its_months(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "WHOLE", 4)
    long = page(a_library(*posts_of(*MANY)), "years/2019/index.html")

    ways = [way.rpartition("#")[2] for way in long.xpath("//nav[@class='ways']//a/@href")]
    assert ways == long.xpath("//h2[@class='year']/@id") == ["may", "april", "march", "february", "january"]


def test_a_year_is_that_of_the_readers_calendar() -> None:
    eve = a_post("eve", day=datetime(2021, 12, 31, 23, 30, tzinfo=UTC), topics=("Cars",))  # 2022 in Madrid

    library = a_library(eve, *posts_of(*MANY))
    assert "eve" in slugs(page(library, "years/2022/index.html"))
    assert "years/2021/index.html" not in recipes(library)


def changed(before: Library, after: Library) -> set[str]:
    """The pages of lists that must be made again."""
    old, new = ({path: recipe.key for path, recipe in recipes(one).items()} for one in (before, after))
    return {path for path in old | new if path.startswith("years/") and old.get(path) != new.get(path)}


def test_a_title_that_changes_changes_the_page_of_its_year_only() -> None:
    posts = posts_of(*MANY)
    other = [replace(post, title="Another") if post.slug == "p7" else post for post in posts]

    assert changed(a_library(*posts), a_library(*other)) == {"years/2020/index.html"}


def test_a_new_post_changes_the_page_of_its_year_only() -> None:
    posts = posts_of(*MANY)
    new = a_post("new", day=datetime(2022, 6, 1, tzinfo=UTC), topics=("Cars",))

    assert changed(a_library(*posts), a_library(*posts, new)) == {"years/2022/index.html"}


def test_the_first_post_of_a_year_changes_the_page_of_the_year_before_too() -> None:
    posts = posts_of(*MANY)
    new = a_post("new", day=datetime(2023, 1, 1, 12, tzinfo=UTC), topics=("Cars",))

    assert changed(a_library(*posts), a_library(*posts, new)) == {"years/2022/index.html", "years/2023/index.html"}


def test_pages_of_one_key_have_the_same_bytes_whatever_else_was_added() -> None:
    posts = posts_of(*MANY)
    new = a_post("new", day=datetime(2023, 1, 1, 12, tzinfo=UTC), topics=("Cars", "Vans"))
    old, now = recipes(a_library(*posts)), recipes(a_library(*posts, new))

    same = [path for path in old if path in now and old[path].key == now[path].key]
    assert len(same) > 20
    assert all(old[path].make() == now[path].make() for path in same)


def test_a_post_may_be_called_as_a_year() -> None:
    library = a_library(*posts_of(*MANY), a_post("2020", day=START + timedelta(days=90), topics=("Cars",)))
    made = archive.render(SITE, library, [], environment())

    assert len({file.path for file in made}) == len(made)
    assert "2020" in slugs(page(library, "years/2020/index.html"))


def test_no_link_of_these_pages_leads_nowhere() -> None:
    assert checks.internal_links(everything(SITE, a_library(*posts_of(*MANY)), []), SITE) == []
