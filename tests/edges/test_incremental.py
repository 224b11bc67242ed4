"""Publishing again: only what changed is made, and the result is what a first publish would have made."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import corpus
from newsletter import config
from newsletter.app import App
from newsletter.content.late import late_source
from newsletter.content.library import Loaded, load
from newsletter.content.source import Folder as Posts
from newsletter.errors import SourceErrors
from newsletter.model import Changes, Source
from newsletter.store.cache import DiskCache
from newsletter.usecases.published import Published
from tests.builders import a_site

NOW = datetime(2022, 2, 11, 7, tzinfo=UTC)
OLD = 1_600_000_000  # a moment that the system's clock has long left


def a_post(number: int, **front: str) -> str:
    rows = {"title": f"Post {number}", "date": f"2022-01-{number + 1:02}", "topics": "[Cars]"} | front
    text = rows.pop("text", "Some words.")
    head = "\n".join(f"{key}: {value}" for key, value in rows.items())
    return f"---\n{head}\n---\n\n{text}\n"


@pytest.fixture(scope="module", autouse=True)
def _long_ago() -> Iterator[None]:
    """As if everything had been saved more than two seconds ago: only then does a file's stamp count."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("newsletter.content.source._RESTLESS", -3600.0)
        yield


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return make_site(tmp_path / "site", 5)


def make_site(root: Path, count: int) -> Path:
    (root / "posts").mkdir(parents=True)
    (root / "newsletter.toml").write_text(corpus.CONFIG, "utf-8")
    for number in range(count):
        before = {"text": f"After [[p{number - 1}]].", "see_also": f"p{number - 1}"} if number else {}
        write(root, number, a_post(number, **before))
    return root


def write(root: Path, number: int, text: str) -> None:
    """A post as if it had been saved long ago and a moment apart from the last time."""
    place = root / "posts" / f"p{number}.md"
    place.write_text(text, "utf-8")
    os.utime(place, ns=(OLD * 10**9, OLD * 10**9 + len(text) * 1000))


def publish(root: Path, now: datetime = NOW, *, dry_run: bool = False) -> Published:
    """As the command does, without its short cut."""
    found, problems = config.read(root)
    assert not problems
    with closing(App(found)) as app:
        return app.publish(app.library(now), now, dry_run=dry_run)


def seen(root: Path) -> dict[str, bytes]:
    feeds = root / "feeds"
    return {str(p.relative_to(feeds)): p.read_bytes() for p in feeds.rglob("*") if p.is_file() and p.name != ".lock"}


def cold(root: Path, elsewhere: Path, now: datetime = NOW) -> dict[str, bytes]:
    """What a first publish of the same posts makes."""
    make_site(elsewhere, 0)
    for post in (root / "posts").iterdir():
        (elsewhere / "posts" / post.name).write_bytes(post.read_bytes())
    for addresses in root.glob("redirects.toml"):
        (elsewhere / addresses.name).write_bytes(addresses.read_bytes())
    publish(elsewhere, now)
    return seen(elsewhere)


def test_an_unchanged_site_is_left_as_it_is(site: Path) -> None:
    assert publish(site).changes.new
    before = {path: path.stat().st_mtime_ns for path in (site / "feeds").rglob("*")}

    assert not publish(site).changes
    assert {path: path.stat().st_mtime_ns for path in (site / "feeds").rglob("*")} == before


EDITS: dict[str, Callable[[Path], object]] = {
    "words": lambda root: write(root, 2, a_post(2, text="Other words, [[p1]].")),
    "title": lambda root: write(root, 1, a_post(1, title="Another title", text="After [[p0]].")),
    "summary": lambda root: write(root, 1, a_post(1, summary="What it is about.", text="After [[p0]].")),
    "date": lambda root: write(
        root, 4, a_post(4, date="2022-01-04 12:00", id="tag:bench.example,2022-01-05:p4", text="After [[p3]].")
    ),
    "slug": lambda root: write(root, 4, a_post(4, slug="renamed")),
    "topics": lambda root: write(root, 2, a_post(2, topics="[Vans, Cars]")),
    "link back": lambda root: write(root, 4, a_post(4, text="No link to three, but [[p0]].")),
    "continues": lambda root: write(root, 4, a_post(4, continues="p1")),
    "new": lambda root: write(root, 9, a_post(9, previous="p3")),
    "draft": lambda root: write(root, 8, a_post(8, draft="true")),
    "future": lambda root: write(root, 7, a_post(7, date="2030-01-01")),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_publish_after_an_edit_equals_a_first_one(site: Path, tmp_path: Path, edit: str) -> None:
    publish(site)
    EDITS[edit](site)
    publish(site)

    assert seen(site) == cold(site, tmp_path / "cold")


@settings(deadline=None, max_examples=4)
@given(st.lists(st.tuples(st.sampled_from(sorted(EDITS)), st.booleans()), min_size=1, max_size=4))
def test_any_row_of_edits_ends_where_a_first_publish_does(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[str, bool]]
) -> None:
    root = make_site(tmp_path_factory.mktemp("warm") / "site", 5)
    publish(root)
    for name, between in edits:
        EDITS[name](root)
        if between:
            publish(root)
    publish(root)

    assert seen(root) == cold(root, tmp_path_factory.mktemp("cold") / "site")


def test_a_post_is_published_when_its_time_has_come_without_an_edit(site: Path, tmp_path: Path) -> None:
    write(site, 9, a_post(9, date="2022-03-01"))
    publish(site)
    later = datetime(2022, 3, 2, tzinfo=UTC)
    publish(site, later)

    assert seen(site) == cold(site, tmp_path / "cold", later)
    assert b"Post 9" in seen(site)["index.html"]


def test_a_changed_template_renders_every_page_again(site: Path) -> None:
    publish(site)
    (site / "templates" / "web").mkdir(parents=True)
    (site / "templates" / "web" / "post.html").write_text("mine: {{ post.reference.title }}", "utf-8")
    publish(site)

    assert seen(site)["posts/p1/index.html"] == b"mine: Post 1"


def test_an_edit_of_a_text_changes_its_page_and_leaves_its_neighbours_alone(site: Path) -> None:
    publish(site)
    before = {path: path.stat().st_mtime_ns for path in (site / "feeds" / "posts").rglob("index.html")}
    write(site, 2, a_post(2, text="Other words after [[p1]].", see_also="p1"))
    publish(site)

    changed = {p.parent.name for p, time in before.items() if p.stat().st_mtime_ns != time}
    assert changed == {"p2"}


def test_a_link_back_changes_two_pages(site: Path) -> None:
    publish(site)
    before = {path: path.stat().st_mtime_ns for path in (site / "feeds" / "posts").rglob("index.html")}
    write(site, 4, a_post(4, text="After [[p3]] and [[p0]].", see_also="p3"))
    publish(site)

    changed = {p.parent.name for p, time in before.items() if p.stat().st_mtime_ns != time}
    assert changed == {"p4", "p0"}


def test_a_page_that_somebody_changed_by_hand_is_made_again(site: Path) -> None:
    publish(site)
    page = site / "feeds" / "posts" / "p1" / "index.html"
    whole = page.read_bytes()
    page.write_bytes(b"x" * len(whole))

    assert publish(site).changes.changed == 1
    assert page.read_bytes() == whole


def test_a_link_to_a_file_that_goes_stops_the_publish_though_the_linking_page_did_not_change(site: Path) -> None:
    settings = site / "newsletter.toml"
    settings.write_text(f"{corpus.CONFIG}\n[publish]\ncompress = true\n", "utf-8")
    write(site, 2, a_post(2, text="See [that](/style.css.gz)."))
    publish(site)
    before = seen(site)
    settings.write_text(corpus.CONFIG, "utf-8")

    with pytest.raises(SourceErrors) as refusal:
        publish(site)

    assert ("F401", "posts/p2/index.html") in {(p.code, p.file) for p in refusal.value.problems}
    assert seen(site) == before


def test_a_dry_run_says_what_a_publish_would_do(site: Path) -> None:
    publish(site)
    before = seen(site)
    write(site, 2, a_post(2, text="Other words, [[p1]].", see_also="p1"))

    told = publish(site, dry_run=True).changes
    assert seen(site) == before
    assert publish(site).changes == told != Changes()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "gone": lambda file: file.unlink(),
    "empty": lambda file: file.write_bytes(b""),
    "no database": lambda file: file.write_bytes(b"not a database " * 1000),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:9000]),
    "nonsense": lambda file: _scribble(file, "'{'"),
    "another shape": lambda file: _scribble(file, "'[1, 2]'"),
    "no texts": lambda file: _scribble(file, "value", "DELETE FROM kept WHERE kind = 'body'"),
}


def _scribble(file: Path, value: str, statement: str = "") -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement or f"UPDATE kept SET value = {value} WHERE kind <> 'version'")


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_cache_costs_nothing_but_time(site: Path, tmp_path: Path, damage: str) -> None:
    publish(site)
    DAMAGE[damage](site / "var" / "cache" / "built.sqlite3")
    write(site, 2, a_post(2, text="Other words, [[p1]]."))
    publish(site)

    assert seen(site) == cold(site, tmp_path / "cold")


def test_what_another_version_kept_is_thrown_away(tmp_path: Path) -> None:
    with closing(DiskCache(tmp_path, "1")) as old:
        old.put("post", [("a", "b")])
    with closing(DiskCache(tmp_path, "2")) as new:
        assert new.all("post") == {}


def test_a_cache_that_cannot_be_written_is_no_hindrance(site: Path) -> None:
    (site / "var").mkdir()
    (site / "var" / "cache").write_text("in the way", "utf-8")

    assert publish(site).changes.new


def test_a_post_may_still_be_named_by_the_slug_that_it_had(site: Path, tmp_path: Path) -> None:
    publish(site)
    write(site, 1, a_post(1, slug="renamed", text="After [[p0]]."))  # p2 says [[p1]] and see_also: p1
    publish(site)
    write(site, 9, a_post(9, text="Later: [[p1]] of old."))
    publish(site)

    assert b'href="../../posts/renamed/"' in seen(site)["posts/p2/index.html"]
    assert b'href="../../posts/renamed/"' in seen(site)["posts/p9/index.html"]
    assert '"/posts/p1/" = "renamed"' in (site / "redirects.toml").read_text("utf-8")
    assert seen(site) == cold(site, tmp_path / "cold")


# -- reading


def _loaded(root: Path, cache: DiskCache | None) -> Loaded:
    return load(Posts(root).read(), a_site(review=False), approvals=(), now=NOW, cache=cache)


def test_a_library_from_the_cache_is_the_library(site: Path, tmp_path: Path) -> None:
    with closing(DiskCache(tmp_path / "cache", "1")) as cache:
        first, again, bare = _loaded(site, cache), _loaded(site, cache), _loaded(site, None)

        for found in (first, again):
            assert [replace(post) for post in found.posts] == list(bare.posts)
            assert found.problems == bare.problems
            assert found.library.backlinks == bare.library.backlinks
        assert [(p.mark, p.face) for p in again.posts] == [(p.mark, p.face) for p in bare.posts]


def test_all_that_a_post_can_say_is_remembered(site: Path, tmp_path: Path) -> None:
    write(site, 1, a_post(1, text="Words.\n\n::: take check=2028-12-31\nIt will fail.\n:::", updated="2022-01-09"))
    write(site, 2, a_post(2, verdict="right", verdict_on="p1", previous="auto", image="https://example.org/a.png"))
    write(site, 3, a_post(3, withdrawn="2022-02-01 It was wrong.", text="ä — [[p2]], [[p1|when]]"))
    write(site, 4, a_post(4, draft="true", text="TODO [[p9]]", corrects="p2", colour="red"))
    with closing(DiskCache(tmp_path / "cache", "1")) as cache:
        first, again, bare = _loaded(site, cache), _loaded(site, cache), _loaded(site, None)

    for found in (first, again):
        assert [replace(post) for post in found.posts] == list(bare.posts)
        assert [replace(post) for post in found.library.withdrawn] == list(bare.library.withdrawn)
        assert found.problems == bare.problems
        assert found.library.chains == bare.library.chains


def test_what_hangs_on_posts_that_are_not_there_yet_is_worked_out_again(site: Path, tmp_path: Path) -> None:
    write(site, 4, a_post(4, draft="true", text="See [[later]]."))
    with closing(DiskCache(tmp_path / "cache", "1")) as cache:
        assert "P105" in {problem.code for problem in _loaded(site, cache).problems}
        write(site, 8, a_post(8, date="2021-12-31", slug="later"))

        assert _loaded(site, cache).problems == _loaded(site, None).problems == ()


def test_problems_are_told_again_with_their_lines(site: Path, tmp_path: Path) -> None:
    write(site, 3, a_post(3, text="TODO: [[nowhere]] and ![](gone.jpg)", colour="red"))
    with closing(DiskCache(tmp_path / "cache", "1")) as cache:
        first, again = _loaded(site, cache), _loaded(site, cache)

        assert again.problems == first.problems == _loaded(site, None).problems
        assert {"P103", "P105", "P118"} <= {problem.code for problem in again.problems}


def test_a_post_whose_stamp_is_known_is_not_opened(site: Path, tmp_path: Path) -> None:
    def opened() -> Source:
        raise AssertionError("it was opened")

    with closing(DiskCache(tmp_path / "cache", "1")) as cache:
        first = _loaded(site, cache)
        closed = [late_source(str(source.path), source.stamp, opened) for source in Posts(site).read()]
        again = load(closed, a_site(review=False), approvals=(), now=NOW, cache=cache)

        assert [replace(post) for post in again.posts] == [replace(post) for post in first.posts]


def test_a_post_saved_a_moment_ago_is_opened_again(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.content.source._RESTLESS", 3600.0)

    assert {source.stamp for source in Posts(site).read()} == {""}


def test_a_picture_that_changed_is_read_again(site: Path, tmp_path: Path) -> None:
    write(site, 1, a_post(1, text="![A car](car.gif)"))
    picture = site / "posts" / "car.gif"
    with closing(DiskCache(tmp_path / "cache", "1")) as cache:
        picture.write_bytes(b"GIF89a one")
        _loaded(site, cache)
        picture.write_bytes(b"GIF89a two")
        (post,) = [post for post in _loaded(site, cache).posts if post.slug == "p1"]

    assert [asset.content for asset in post.assets] == [b"GIF89a two"]


# -- the short cut


def _unchanged(root: Path, now: datetime = NOW) -> Published | None:
    found, _ = config.read(root)
    with closing(App(found)) as app:
        return app.unchanged(now)


def _settle(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if everything had been saved more than two seconds ago."""
    monkeypatch.setattr("newsletter.seal._RESTLESS", -3600.0)


def test_nothing_changed_is_told_without_reading_the_posts(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _settle(site, monkeypatch)
    done = publish(site)
    told = _unchanged(site)

    assert told is not None
    assert not told.changes
    assert (told.posts, told.files, told.feeds) == (done.posts, done.files, done.feeds)


def test_a_file_saved_a_moment_ago_is_never_taken_for_unchanged(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.seal._RESTLESS", 3600.0)
    publish(site)
    publish(site)

    assert _unchanged(site) is None


def test_a_hub_that_was_not_reached_is_tried_again_without_reading_the_posts(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site / "newsletter.toml").write_text(corpus.CONFIG + '\n[publish]\nhubs = ["http://127.0.0.1:9/"]\n', "utf-8")
    _settle(site, monkeypatch)
    assert {problem.code for problem in publish(site).remarks} == {"F550"}
    told = _unchanged(site, NOW + timedelta(hours=1))

    assert told is not None
    assert {problem.code for problem in told.remarks} == {"F550"}


def _template(root: Path) -> None:
    (root / "templates").mkdir()
    (root / "templates" / "mine.html").touch()


MOVED: dict[str, Callable[[Path], object]] = {
    "an edit": lambda root: write(root, 2, a_post(2, text="Other words.")),
    "a new post": lambda root: write(root, 9, a_post(9)),
    "a post gone": lambda root: (root / "posts" / "p4.md").unlink(),
    "the icon": lambda root: (root / "mark.png").write_bytes(b"another"),
    "the settings": lambda root: (root / "newsletter.toml").write_text(corpus.CONFIG + "\n", "utf-8"),
    "an approval": lambda root: (root / "reviews.toml").write_text("", "utf-8"),
    "a template": _template,
    "a page changed": lambda root: (root / "feeds" / "index.html").write_text("x", "utf-8"),
    "a page gone": lambda root: (root / "feeds" / "rss.xml").unlink(),
    "the record gone": lambda root: (root / "feeds" / ".manifest.json").unlink(),
    "the cache gone": lambda root: (root / "var" / "cache" / "built.sqlite3").unlink(),
    "the search index gone": lambda root: (root / "var" / "search.sqlite3").unlink(),
}


@pytest.mark.parametrize("moved", MOVED)
def test_whatever_moved_is_looked_at(site: Path, monkeypatch: pytest.MonkeyPatch, moved: str) -> None:
    _settle(site, monkeypatch)
    publish(site)
    assert _unchanged(site)
    MOVED[moved](site)

    assert _unchanged(site) is None


def test_a_post_that_comes_due_ends_the_short_cut(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _settle(site, monkeypatch)
    write(site, 9, a_post(9, date="2022-02-11 08:30"))
    publish(site)

    assert _unchanged(site, NOW)
    assert _unchanged(site, datetime(2022, 2, 11, 7, 30, tzinfo=UTC)) is None
    assert _unchanged(site, datetime(2022, 2, 10, tzinfo=UTC)) is None


# -- on both processors


def test_many_posts_on_both_processors_give_the_same_as_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "site"
    corpus.site(root, 24)
    monkeypatch.setattr("newsletter.spread.WORTH_IT", 4)
    monkeypatch.setattr("newsletter.spread._CHUNK", 3)
    publish(root)
    forked = seen(root)
    monkeypatch.setattr("newsletter.spread.WORTH_IT", 10_000)
    elsewhere = tmp_path / "again"
    corpus.site(elsewhere, 24)
    publish(elsewhere)

    assert forked == seen(elsewhere)
