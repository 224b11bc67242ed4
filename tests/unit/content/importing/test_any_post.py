"""Whatever an export holds, what is written can be published: it never stops a site."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.content.importing.arrival import Arrival, Attachment, Byline, Home, Piece
from newsletter.content.library import load
from newsletter.model import Person, Source
from newsletter.usecases.receive import Plan, Terms, receive
from tests.builders import REVIEW_DESK, a_site

NOW = datetime(2022, 2, 11, 7, tzinfo=UTC)
PEOPLE = {"ada": Person("ada", "Ada Marín"), "review-desk": REVIEW_DESK}
TEXTS = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    [
        "",
        " ",
        "---",
        "null",
        "~",
        "'\"",
        "a: b # c",
        "[x, y]",
        "::: take",
        "[[x]]",
        "TODO",
        "{{ x }}",
        "[!TAKE]",
        "..",
        "con",
    ]
)
URLS = (
    st.sampled_from(
        [
            "",
            "/",
            "/a/",
            "/a/?p=1",
            "https://old.example/b/",
            "http://[",
            "//x/../y",
            "mailto:a@b.example",
            "https://site.example/c",
        ]
    )
    | TEXTS
)
HTML = TEXTS | st.builds(
    lambda text, url: f'<p>{text}</p><a href="{url}">{text}</a><img src="{url}" alt="{text}">::: take\n\n{text}',
    TEXTS,
    URLS,
)
ARRIVALS = st.builds(
    Arrival,
    id=URLS,
    title=TEXTS,
    html=HTML,
    published=st.none() | st.datetimes(datetime(1000, 1, 2), datetime(8990, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    link=URLS,
    slug=TEXTS,
    updated=st.none() | st.datetimes(datetime(1000, 1, 2), datetime(8990, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    author=st.none() | st.builds(Byline, TEXTS | st.just("Ada Marín"), TEXTS, TEXTS),
    topics=st.lists(TEXTS, max_size=2).map(tuple),
    excerpt=HTML,
    held=st.sampled_from(["", "", "it was a draft"]),
    image=URLS,
    image_alt=TEXTS,
    attachment=st.sampled_from(["", "7"]),
    loose=st.booleans(),
)


def received(
    pieces: list[Piece], *, review: bool, people: dict[str, Person]
) -> tuple[Plan, dict[PurePosixPath, bytes]]:
    files: dict[PurePosixPath, bytes] = {}
    terms = Terms(
        site=a_site(review=review, people=people, url="https://site.example"),
        ids=frozenset(),
        slugs=frozenset(),
        now=NOW,
        author=people.get("ada"),
    )
    return receive(pieces, terms, files.__setitem__), files


@settings(max_examples=40, deadline=None)
@given(st.lists(ARRIVALS, max_size=4), URLS, st.booleans(), st.booleans())
def test_what_is_written_never_stops_the_site(arrivals: list[Arrival], home: str, review: bool, named: bool) -> None:
    pieces: list[Piece] = [Home(home, "export"), *arrivals, Attachment("7", "/a.jpg", "A car")]
    people = PEOPLE if named or review else {}
    plan, files = received(pieces, review=review, people=people)
    assert len(plan.rows) == len(arrivals)
    assert {row.path for row in plan.coming} == set(files)
    site = a_site(review=review, people=people, url="https://site.example")
    sources = [Source(path, content.decode()) for path, content in files.items()]
    loaded = load(sources, site, approvals=(), now=NOW)
    assert [problem for problem in loaded.problems if problem.level == "stop"] == []
    assert {post.path: post.draft for post in loaded.posts} == {row.path: row.draft for row in plan.coming}
    assert all(slug in {post.slug for post in loaded.posts} for slug in plan.redirects.values())


@settings(max_examples=20, deadline=None)
@given(st.lists(ARRIVALS, max_size=3))
def test_the_same_export_gives_the_same_files(arrivals: list[Arrival]) -> None:
    pieces: list[Piece] = [Home("https://old.example/", "export"), *arrivals]
    assert received(pieces, review=False, people=PEOPLE)[1] == received(pieces, review=False, people=PEOPLE)[1]
