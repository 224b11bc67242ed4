"""Links of the site to itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from pathlib import PurePosixPath

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.model import File, Site
from newsletter.publish import feedcheck
from newsletter.publish.checks import internal_links
from newsletter.publish.feedcheck import is_feed
from tests.builders import a_library, a_post, a_site
from tests.unit.publish.example import a_publication, everything, with_picture

NOW = datetime(2022, 3, 1, tzinfo=UTC)


def _page(body: str, path: str = "posts/x/index.html") -> File:
    return File(PurePosixPath(path), f"<!doctype html>\n<title>x</title>\n<body>{body}".encode())


def _found(body: str, site: Site | None = None) -> list[tuple[str, str]]:
    home = _page("", "index.html")
    problems = internal_links([_page(body), home], site or a_site())
    return [(problem.code, problem.place) for problem in problems]


def test_what_we_publish_has_no_dead_link() -> None:
    library, issues = a_publication()
    for site in (a_site(), a_site(url="https://autotrendy.example/blog", web_url="https://mail.example")):
        moved = [replace(p, html=p.html.replace("https://autotrendy.example", site.url)) for p in library.posts]
        here = a_library(*moved, backlinks=library.backlinks, chains=library.chains)
        assert internal_links(everything(site, here, issues), site) == []


def test_a_dead_link_is_told_with_page_and_line() -> None:
    for address in ("/posts/gone/", "../gone/", "https://autotrendy.example/gone.png", "//autotrendy.example/gone"):
        assert _found(f'<a href="{address}">x</a>') == [("F401", "posts/x/index.html:3")]
    assert _found('<img src="car.png" alt="">') == [("F401", "posts/x/index.html:3")]


def test_a_post_with_a_dead_link_is_found_in_pages_and_feeds() -> None:
    post = a_post("x", html='<p><a href="https://autotrendy.example/posts/gone/">gone</a></p>')
    files = everything(a_site(), a_library(post), [])
    feeds = {str(file.path): file.content for file in files if is_feed(str(file.path))}
    in_feeds = feedcheck.check(feeds, a_site(), NOW, files={str(file.path) for file in files})

    assert [(p.code, p.file) for p in internal_links(files, a_site())] == [("F401", "posts/x/index.html")]
    assert [(p.code, p.file) for p in in_feeds] == [("F401", "rss.xml")]  # once for all formats and feeds


def test_a_picture_that_is_not_published_is_found() -> None:
    library = with_picture(a_library(a_post("x")), "x")
    without = a_library(*(replace(post, assets=()) for post in library.posts))

    assert internal_links(everything(a_site(), without, []), a_site())
    assert internal_links(everything(a_site(), library, []), a_site()) == []


def test_other_hosts_and_other_schemes_are_none_of_our_business() -> None:
    for address in ("https://example.org/gone", "mailto:a@b.example", "https://autotrendy.example.org/", "tel:1"):
        assert _found(f'<a href="{address}">x</a>') == []


def test_pages_that_the_server_makes_are_known() -> None:
    site = a_site(web_url="https://mail.example")

    assert _found('<a href="https://mail.example/subscribe/">x</a>', site) == []
    assert _found('<a href="https://mail.example/u/token">x</a>', site) == []
    assert _found('<a href="https://mail.example/nothing">x</a>', site) == [("F401", "posts/x/index.html:3")]


def test_home_is_found_with_and_without_a_slash_and_queries_do_not_matter() -> None:
    for address in ("https://autotrendy.example", "https://autotrendy.example/", "/?from=mail", "./", "../../#"):
        assert _found(f'<a href="{address}">x</a>') == []


def test_a_lost_place_is_a_warning() -> None:
    problems = internal_links([_page('<h2 id="a b">x</h2><a href="#a%20b">x</a><a href="#lost">y</a>')], a_site())

    assert [(problem.code, problem.level) for problem in problems] == [("F402", "warn")]


def test_what_is_no_address_is_told() -> None:
    assert _found('<a href="https://[nowhere/">x</a>') == [("F403", "posts/x/index.html:3")]


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8")), st.sampled_from(["", "https://autotrendy.example/", "//", "http://["]))
def test_no_address_is_too_odd_to_be_judged(address: str, start: str) -> None:
    assert {code for code, _ in _found(f'<a href="{escape(start + address)}">x</a>')} <= {"F401", "F402", "F403"}
