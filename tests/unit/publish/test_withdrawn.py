"""A withdrawn post: its page says when and why, and it is in no list, feed, sitemap or story."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from lxml import html

from newsletter.model import Library
from newsletter.publish import snippets
from newsletter.publish.paths import page_file
from newsletter.publish.redirects import Redirect
from newsletter.publish.sitemap import recipes as sitemap
from tests.builders import a_library, a_post, a_site
from tests.unit.content.sources import a_source, codes, loaded
from tests.unit.publish.example import everything

WITHDRAWN = {"withdrawn": "2022-02-10 The figures were of another model."}


def _library(**front: str) -> Library:
    result = loaded(
        a_source("first", day="2022-02-01", topics="Cars"),
        a_source("second", day="2022-02-02", topics="Secrets, Cars", continues="first", **front),
        a_source("third", "See [[second]].", day="2022-02-03", topics="Cars", continues="second"),
    )
    assert codes(result) == []
    return result.library


def test_a_withdrawn_post_is_named_nowhere_but_on_its_page_and_in_texts_that_link_to_it() -> None:
    files = {str(f.path): f.content.decode() for f in everything(a_site(), _library(**WITHDRAWN), [])}

    assert {path for path, words in files.items() if "Post second" in words} == {
        "posts/second/index.html",
        *(path for path, words in files.items() if "/posts/second/" in words),
    }
    assert not [path for path in files if "secrets" in path]
    for path in ("index.html", "posts/index.html", "topics/index.html", "topics/cars/index.html", "sitemap.xml"):
        assert "second" not in files[path], path


def test_its_page_says_when_and_why_and_shows_the_rest_of_the_story() -> None:
    files = {str(f.path): f.content.decode() for f in everything(a_site(), _library(**WITHDRAWN), [])}
    page: Any = html.fromstring(files["posts/second/index.html"])
    words = " ".join(page.xpath("//main")[0].text_content().split())

    assert "This post was withdrawn on 10 February 2022. The figures were of another model." in words
    assert "The rest of its story: Post first (1 February 2022), Post third (3 February 2022)" in words
    assert "Some text" not in words
    assert page.xpath("//meta[@name='robots']/@content") == ["noindex"]


def test_the_story_goes_on_around_a_withdrawn_post() -> None:
    library = _library(**WITHDRAWN)
    third = next(post for post in library.posts if post.slug == "third")

    assert [post_id.rpartition(":")[2] for post_id in library.chains[third.id].posts] == ["first", "third"]


def test_until_its_day_a_withdrawal_changes_nothing() -> None:
    library = _library(withdrawn="2022-03-01 Later.")

    assert [post.slug for post in library.posts] == ["third", "second", "first"]
    assert library.withdrawn == ()


def test_a_draft_that_was_never_public_has_no_page_that_says_it_was_withdrawn() -> None:
    result = loaded(a_source("x", draft="true", **WITHDRAWN))

    assert result.library.withdrawn == ()


def test_a_withdrawal_needs_a_day_and_a_reason() -> None:
    for said in ("2022-02-10", "because", "soon because", "2022-13-01 because"):
        assert codes(loaded(a_source("x", withdrawn=said))) == ["P133"], said


def test_a_link_to_a_withdrawn_post_is_a_warning() -> None:
    result = loaded(a_source("a", **WITHDRAWN), a_source("b", "[[a]]", day="2022-02-03"))

    assert codes(result) == []
    assert "P104" in codes(result, "warn")


def test_a_verdict_names_what_it_judges_and_how() -> None:
    take = a_source("a", "::: take\nIt will fail.\n:::")
    for front in ({"verdict": "right"}, {"verdict_on": "a"}, {"verdict": "perhaps", "verdict_on": "a"}):
        assert "P132" in codes(loaded(take, a_source("b", day="2022-02-03", **front))), front
    assert codes(loaded(take, a_source("b", day="2022-02-03", verdict="Right", verdict_on="a"))) == []


def test_the_sitemap_dates_posts_and_what_changes_with_each_of_them_and_no_other_list() -> None:
    old, new = (a_post(f"p{n}", day=datetime(2022, 2, n, 12, tzinfo=UTC), topics=("Cars",)) for n in (1, 2))
    pages = [page_file(path) for path in ("", "posts/", "posts/p1/", "posts/p2/", "topics/cars/", "feeds/")]
    (made,) = sitemap(a_site(), a_library(old, new), pages)
    row = "<loc>https://autotrendy.example/(.*)</loc>(?:\\s*<lastmod>(.*)</lastmod>)?"
    rows = re.findall(row, made.make().decode())

    newest = "2022-02-02T12:00:00Z"
    assert dict(rows) == {
        "": newest,
        "posts/": newest,
        "posts/p1/": "2022-02-01T12:00:00Z",
        "posts/p2/": newest,
        "topics/cars/": "",
        "feeds/": "",
    }


def test_a_large_sitemap_is_an_index_of_smaller_ones() -> None:
    posts = [a_post(f"p{n}") for n in range(5)]
    pages = [f.path for f in everything(a_site(), a_library(*posts), []) if f.path.suffix == ".html"]
    made = {str(f.path): f.make().decode() for f in sitemap(a_site(), a_library(*posts), pages, limit=4)}

    assert made["sitemap.xml"].count("<sitemap>") == len(made) - 1
    assert sum(words.count("<url>") for words in made.values()) == len(pages) - 2  # neither 404 nor search
    assert "404" not in "".join(made.values())


def test_each_host_is_told_what_moved_what_is_gone_and_what_feeds_are() -> None:
    site = a_site(url="https://host.example/blog", hubs=("https://hub.example/",))
    gone = a_post("gone", day=datetime(2022, 2, 1, tzinfo=UTC))
    moved = [Redirect("2019/a%20b/", "https://host.example/blog/posts/b/"), Redirect("x", "https://else.example/")]
    told = snippets.addresses(site, a_library(withdrawn=(gone,)), moved, ["rss.xml", "archive/1/rss.xml", "a.html"])
    made = snippets.beside(told, ["nginx", "caddy"])
    within = {path: content.decode() for path, content in snippets.within(told, ["netlify"]).items()}

    assert json.loads(made["addresses.json"]) == {
        "version": 1,
        "moved": {"2019/a%20b/": "posts/b/", "x": "https://else.example/"},
        "gone": ["posts/gone/"],
    }
    nginx, caddy = made["nginx.conf"].decode(), made["Caddyfile"].decode()
    assert 'location = "/blog/2019/a b/" { return 301 "/blog/posts/b/"; }' in nginx
    assert 'location = "/blog/posts/gone/" { error_page 410 "/blog/posts/gone/index.html"; return 410; }' in nginx
    assert 'redir "/blog/2019/a b/" "/blog/posts/b/" permanent' in caddy
    assert "status 410" in caddy
    link = '<https://hub.example/>; rel="hub", <https://host.example/blog/rss.xml>; rel="self"'
    for words in (within["_headers"], caddy.replace('\\"', '"'), nginx.replace('\\"', '"')):
        assert link in words
        assert "application/rss+xml" in words
        assert "archive" not in words
    assert within["_redirects"] == "/blog/2019/a%20b/ /blog/posts/b/ 301!\n/blog/x https://else.example/ 301!\n"
    assert snippets.within(told, ["nginx"]) == {}
