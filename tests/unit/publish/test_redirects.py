"""Old addresses: where each leads in the end, and which lines are wrong."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.publish import redirects
from newsletter.publish.archive import moved_pages
from newsletter.publish.redirects import Redirect
from tests.builders import a_library, a_post, a_site
from tests.unit.publish.example import environment

SITE = a_site()
NEW = "https://autotrendy.example/posts/new/"


def _resolved(known: dict[str, str], **library: object) -> dict[str, str]:
    found, problems = redirects.resolve(SITE, a_library(a_post("new"), **library), known)
    assert problems == []
    return {one.path: one.target for one in found}


def _wrong(known: dict[str, str]) -> list[str]:
    return [f"{p.code} {p.message}" for p in redirects.resolve(SITE, a_library(a_post("new")), known)[1]]


def test_a_post_that_was_published_under_another_slug_was_renamed() -> None:
    post, other = a_post("new"), a_post("other")

    assert redirects.renamed({post.id: "old", other.id: "other"}, a_library(post, other)) == {"/posts/old/": "new"}


def test_a_slug_that_another_post_took_leads_nowhere_else() -> None:
    post, other = a_post("new"), a_post("old")

    assert redirects.renamed({post.id: "old"}, a_library(post, other)) == {}


def test_an_old_address_leads_to_the_post_even_after_a_second_renaming() -> None:
    known = {"/posts/first/": "second", "/posts/second/": "new"}

    assert _resolved(known) == {"posts/first/": NEW, "posts/second/": NEW}


def test_a_post_that_stands_at_its_old_address_again_is_not_covered() -> None:
    assert _resolved({"/posts/new/": "old", "/posts/old/": "new"}) == {"posts/old/": NEW}


def test_an_address_may_lead_to_another_host() -> None:
    assert _resolved({"/shop/": "https://shop.example/x"}) == {"shop/": "https://shop.example/x"}


def test_a_line_may_lead_to_a_path_of_the_site() -> None:
    known = {"/topics/a/": "/topics/b/", "/topics/b/": "/posts/", "/feed/": "/rss.xml", "/x/": "/posts/new/"}

    assert _resolved(known) == {
        "topics/a/": "https://autotrendy.example/posts/",
        "topics/b/": "https://autotrendy.example/posts/",
        "feed/": "https://autotrendy.example/rss.xml",
        "x/": NEW,
    }
    assert _wrong({"/a/": "/b/", "/b/": "/a/"})[0] == "F411 The redirect of /a/ leads back to itself"
    assert _wrong({"/a/": "/posts/nwe/"}) == ["F411 The redirect of /a/ leads to nwe, and no post is called so"]


def test_where_feeds_stand_again_nothing_leads_on() -> None:
    known = {"/topics/a/": "/topics/b/", "/topics/b/": "/posts/"}
    found, _ = redirects.resolve(SITE, a_library(), known, {"topics/b/"})

    assert [(one.path, one.target) for one in found] == [("topics/a/", "https://autotrendy.example/topics/b/")]


def test_what_leads_to_a_draft_waits_for_it() -> None:
    assert _resolved({"/a/": "a-draft"}, known_slugs=frozenset({"new", "a-draft"})) == {}


def test_what_leads_nowhere_or_in_a_circle_is_told() -> None:
    assert _wrong({"/a/": "nwe"}) == ["F411 The redirect of /a/ leads to nwe, and no post is called so"]
    assert _wrong({"/posts/a/": "b", "/posts/b/": "a"}) == [
        "F411 The redirect of /posts/a/ leads back to itself",
        "F411 The redirect of /posts/b/ leads back to itself",
    ]


def test_a_site_below_a_folder_may_name_its_own_paths_with_it_or_without() -> None:
    site = a_site(url="https://host.example/blog")

    assert redirects.below("/blog/2019/x/", site) == redirects.below("/2019/x/", site) == "2019/x/"
    assert redirects.below("/blogger/", site) == "blogger/"


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("2019/05/old/", "2019/05/old/index.html"),
        ("2019/05/old", "2019/05/old/index.html"),
        ("old.html", "old.html"),
        ("gr%C3%BC%C3%9Fe/", "grüße/index.html"),
        ("index.php", None),
        ("feed.xml", None),
        ("../out/", None),
        (".well-known/x", None),
        ("", None),
    ],
)
def test_a_page_stands_only_where_a_browser_looks_for_one(path: str, file: str | None) -> None:
    assert redirects.page_of(path) == (PurePosixPath(file) if file else None)


def test_nothing_that_is_published_is_covered() -> None:
    taken = {PurePosixPath(path) for path in ("index.html", "topics/index.html", "topics/x/index.html", "rss.xml")}
    moved = [Redirect(path, NEW) for path in ("topics/x/", "topics/y/", "rss.xml", "rss.xml/", "topics", "", "x.php")]

    assert [one.path for one in redirects.free(moved, taken)] == ["topics/y/", "x.php"]


def test_the_page_at_the_old_address_leads_on_without_a_server() -> None:
    (page,) = moved_pages(SITE, [Redirect("2019/05/old/", NEW)], environment())
    words = page.make().decode()

    assert page.path == PurePosixPath("2019/05/old/index.html")
    assert '<link rel="canonical" href="https://autotrendy.example/posts/new/">' in words
    assert '<meta http-equiv="refresh" content="0; url=../../../posts/new/">' in words
    assert '<a href="../../../posts/new/">' in words


@given(st.dictionaries(st.sampled_from([f"/posts/{c}/" for c in "abcde"]), st.sampled_from([*"abcde", "new"])))
def test_every_line_is_resolved_or_told(known: dict[str, str]) -> None:
    found, problems = redirects.resolve(SITE, a_library(a_post("new")), known)

    assert len(found) + len(problems) == len(known)
    assert {one.target for one in found} <= {NEW}
