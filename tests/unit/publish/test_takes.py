"""Takes held to account: when one is due, what answers it, and where the answer is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from lxml import html

from newsletter.model import Judgement, Library, LinkKind, Post, Take
from newsletter.publish import archive, takes
from newsletter.publish.around import around_all
from newsletter.publish.items import post_item
from newsletter.usecases.look_back import look_back
from tests.builders import a_library, a_post, a_site
from tests.unit.publish.example import environment, link

CHECK = date(2022, 6, 1)


def _said(slug: str = "said", check: date | None = CHECK) -> Post:
    return a_post(slug, day=datetime(2022, 2, 1, tzinfo=UTC), take=Take("<p>It will fail.</p>", "It will fail.", check))


def _verdict(judgement: Judgement | None, day: date = CHECK, slug: str = "verdict", on: str = "said") -> Post:
    when = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    return a_post(slug, day=when, take=None, judgement=judgement, links=(link(LinkKind.VERDICT, slug, on),))


def _library(*posts: Post) -> Library:
    links = [edge for post in posts for edge in post.links]
    return a_library(*posts, backlinks={e.target: tuple(o for o in links if o.target == e.target) for e in links})


def _page(library: Library, path: str) -> Any:
    files = {str(file.path): file.content for file in archive.render(a_site(), library, [], environment())}
    return html.fromstring(files[path].decode())


def _words(tree: Any) -> str:
    return " ".join(tree.text_content().split())


def test_a_take_without_a_day_is_not_held_to_account() -> None:
    library = _library(_said(check=None))

    assert takes.predictions(library) == ()
    assert takes.due(library, a_site(), date(2030, 1, 1)) == ()
    assert "takes/index.html" not in {str(f.path) for f in archive.render(a_site(), library, [], environment())}


def test_a_take_is_due_from_its_day_on_and_not_before() -> None:
    library = _library(_said())

    assert takes.due(library, a_site(), date(2022, 5, 31)) == ()
    assert [one.post.slug for one in takes.due(library, a_site(), CHECK)] == ["said"]
    assert [one.post.slug for one in takes.due(library, a_site(), date(2023, 1, 1))] == ["said"]


def test_the_day_is_the_one_on_the_sites_calendar() -> None:
    library = _library(_said())

    assert look_back(library, a_site(), datetime(2022, 5, 31, 21, 59, tzinfo=UTC)) == []
    assert [one.day for one in look_back(library, a_site(), datetime(2022, 5, 31, 22, 0, tzinfo=UTC))] == [CHECK]


def test_the_longest_due_comes_first() -> None:
    library = _library(_said(), _said("earlier", date(2022, 3, 1)))

    assert [one.post.slug for one in takes.due(library, a_site(), CHECK)] == ["earlier", "said"]


@pytest.mark.parametrize("judgement", list(Judgement))
def test_any_verdict_of_the_day_or_later_is_an_answer(judgement: Judgement) -> None:
    library = _library(_said(), _verdict(judgement))

    assert takes.due(library, a_site(), CHECK) == ()
    assert [one.judgement for one in takes.predictions(library)] == [judgement]


def test_an_open_verdict_before_the_day_does_not_spare_the_editor_the_day() -> None:
    library = _library(_said(), _verdict(Judgement.OPEN, date(2022, 4, 1)))

    assert [one.post.slug for one in takes.due(library, a_site(), CHECK)] == ["said"]


def test_the_newest_verdict_counts() -> None:
    early, late = _verdict(Judgement.RIGHT), _verdict(Judgement.WRONG, date(2022, 7, 1), "second-thoughts")
    (one,) = takes.predictions(_library(_said(), late, early))

    assert one.judgement is Judgement.WRONG
    assert one.verdict == late


def test_a_verdict_that_is_not_public_changes_nothing() -> None:
    library = _library(_said(), _verdict(Judgement.RIGHT))
    without = replace(library, posts=tuple(post for post in library.posts if post.slug == "said"))

    assert [one.judgement for one in takes.predictions(without)] == [Judgement.OPEN]


def test_a_take_without_a_day_that_was_judged_all_the_same_is_listed() -> None:
    library = _library(_said(check=None), _verdict(Judgement.RIGHT))

    assert [one.judgement for one in takes.predictions(library)] == [Judgement.RIGHT]


def test_both_ends_tell_the_verdict() -> None:
    library = _library(_said(), _verdict(Judgement.WRONG))

    said, verdict = (_page(library, f"posts/{slug}/index.html") for slug in ("said", "verdict"))
    assert "To be looked back at on 1 June 2022." in _words(said)
    assert "What became of it: wrong, Verdict (1 June 2022)" in _words(said)
    assert "Verdict on an earlier take: wrong, Said (1 February 2022)" in _words(verdict)


def test_the_list_has_what_is_open_right_and_wrong_each_with_its_post() -> None:
    right = _verdict(Judgement.RIGHT, slug="hooray", on="sure")
    page = _page(_library(_said(), _said("sure"), right), "takes/index.html")

    assert [_words(heading) for heading in page.xpath("//main//h2")] == ["Open", "Right", "Follow our takes"]
    assert "what became of it: 1 open, 1 right, none wrong." in _words(page)
    assert page.xpath("//section[@aria-labelledby='open']//h3/a/@href") == ["../posts/said/"]
    (told,) = page.xpath("//section[@aria-labelledby='right']")
    assert "Right, as of Hooray (1 June 2022)." in _words(told)
    assert page.xpath("//main//a[text()='RSS']/@href") == ["https://autotrendy.example/takes/rss.xml"]


def test_a_feed_reader_is_told_the_verdict_and_the_day() -> None:
    library = _library(_said(), _verdict(Judgement.WRONG))
    around = around_all(library)
    bodies = {post.slug: post_item(a_site(), post, around[post.id]).body for post in library.posts}

    assert "To be looked back at on 1 June 2022." in bodies["said"]
    assert (
        'Verdict on an earlier take: wrong, <a href="https://autotrendy.example/posts/said/">Said</a>.'
        in (bodies["verdict"])
    )
