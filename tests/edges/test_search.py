"""The search index in a real file: what it finds, what it never holds, and what happens to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from html import escape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import Outside
from newsletter.model import Library, Link, LinkKind, Post, Take
from newsletter.publish.query import PER_PAGE, Choice, Found, Query
from newsletter.publish.search.index import SearchIndex
from tests.builders import NEWS_DESK, a_library, a_post, a_site

SITE = a_site()


def a_car(slug: str, text: str = "A car drove by.", **changes: Any) -> Post:
    title = changes.pop("title", slug.replace("-", " ").capitalize())
    html = f"<p>{escape(text)}</p>"
    values = {"html": html, "summary": "A summary.", "take": None, "content_hash": f"{title}{text}{changes}", **changes}
    return a_post(slug, title=title, **values)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "search.sqlite3"


def held(path: Path, *posts: Post, **changes: Any) -> SearchIndex:
    index = SearchIndex(path)
    index.update(a_site(**changes), a_library(*posts))
    return index


def found(index: SearchIndex, words: str = "", **where: Any) -> Found:
    answer = index.find(Query(words, **where))
    assert answer is not None
    return answer


def paths(index: SearchIndex, words: str = "", **where: Any) -> list[str]:
    return [hit.path.removeprefix("posts/").strip("/") for hit in found(index, words, **where).hits]


def test_every_word_of_a_post_finds_it(path: Path) -> None:
    take = Take("<p>We would wait.</p>", "We would wait.")
    index = held(
        path,
        a_car("title-word", "body", summary="summarised", take=take, topics=("Topical",), author=NEWS_DESK),
        a_car("other"),
    )
    for word in ("title", "body", "summarised", "wait", "topical", "news", "2022"):
        assert "title-word" in paths(index, word), word


def test_a_word_in_the_title_counts_more_than_many_in_the_text(path: Path) -> None:
    index = held(path, a_car("in-the-text", "hybrid " * 8), a_car("in-the-title", title="The hybrid"), a_car("other"))
    assert paths(index, "hybrid") == ["in-the-title", "in-the-text"]


def test_the_newest_comes_first_when_that_is_asked(path: Path) -> None:
    old, new = datetime(2020, 1, 1, tzinfo=UTC), datetime(2023, 1, 1, tzinfo=UTC)
    index = held(path, a_car("old", title="Hybrid", day=old), a_car("new", "a hybrid among much else", day=new))
    assert paths(index, "hybrid") == ["old", "new"]
    assert paths(index, "hybrid", newest=True) == ["new", "old"]


def test_all_words_must_be_there_and_quoted_ones_together(path: Path) -> None:
    index = held(path, a_car("one", "solid state hatch"), a_car("two", "the state of a solid thing"))
    assert set(paths(index, "state solid")) == {"one", "two"}
    assert paths(index, '"solid state"') == ["one"]
    assert paths(index, "state hatch") == ["one"]


def test_english_words_are_found_in_all_their_forms_and_accents_do_not_matter(path: Path) -> None:
    index = held(path, a_car("one", "Driving through Málaga"))
    assert paths(index, "drives malaga") == ["one"]


def test_another_language_is_not_cut_to_english_stems(path: Path) -> None:
    index = held(path, a_car("one", "Autos fahren"), language="de")
    assert paths(index, "fahren") == ["one"]
    assert paths(index, "fahrens") == []
    assert paths(index, "auto") == ["one"]  # as the beginning of a word


def test_topic_and_year_restrict(path: Path) -> None:
    cars = [
        a_car("a", topics=("Road tests",), day=datetime(2021, 5, 1, tzinfo=UTC)),
        a_car("b", topics=("road Tests", "Batteries"), day=datetime(2022, 5, 1, tzinfo=UTC)),
        a_car("c", topics=("Batteries",), day=datetime(2022, 6, 1, tzinfo=UTC)),
    ]
    index = held(path, *cars)
    everything = found(index)

    assert [(c.value, c.name, c.posts) for c in everything.topics] == [
        ("batteries", "Batteries", 2),
        ("road-tests", "Road tests", 2),
    ]
    assert [(c.value, c.posts) for c in everything.years] == [("2022", 2), ("2021", 1)]
    assert (everything.total, everything.hits) == (0, ())
    assert paths(index, topic="road-tests") == ["b", "a"]
    assert paths(index, "car", topic="road-tests", year=2022) == ["b"]
    nothing = found(index, "car", topic="batteries", year=2021)
    assert (nothing.total, nothing.elsewhere) == (0, 3)


def test_the_year_is_that_of_the_publication_not_of_greenwich(path: Path) -> None:
    index = held(path, a_car("party", day=datetime(2022, 12, 31, 23, 30, tzinfo=UTC)))
    assert paths(index, year=2023) == ["party"]
    assert found(index, year=2023).hits[0].published.isoformat() == "2023-01-01"


def test_a_found_word_is_marked_in_title_and_text_and_all_else_is_escaped(path: Path) -> None:
    index = held(path, a_car("one", "before <script>alert(1)</script> the hybrid & after", title="<Hybrid>"))
    (hit,) = found(index, "hybrid").hits
    assert hit.title == "&lt;<mark>Hybrid</mark>&gt;"
    assert hit.snippet == "before &lt;script&gt;alert(1)&lt;/script&gt; the <mark>hybrid</mark> &amp; after"


def test_what_only_the_take_says_is_shown_as_the_take(path: Path) -> None:
    index = held(path, a_car("one", take=Take("", "We would wait for the hybrid.")))
    (hit,) = found(index, "wait").hits
    assert hit.of_take
    assert hit.snippet == "We would <mark>wait</mark> for the hybrid."
    assert not found(index, "drove").hits[0].of_take


def test_a_misspelt_word_is_answered_with_what_may_be_meant(path: Path) -> None:
    index = held(path, *(a_car(f"n{n}", "A hybrid hatch") for n in range(3)), a_car("other", "hydrogen"))
    answer = found(index, 'hybird "hatch"')
    assert (answer.total, answer.meant, answer.meant_total) == (0, "hybrid hatch", 3)
    assert found(index, "xylophone").meant == ""


def test_an_answer_comes_in_pages(path: Path) -> None:
    index = held(path, *(a_car(f"n{n:03}") for n in range(PER_PAGE + 3)))
    first, second, third = (found(index, "car", page=page) for page in (1, 2, 3))
    assert (first.total, first.pages, len(first.hits), len(second.hits), third.hits) == (23, 2, PER_PAGE, 3, ())
    assert not {hit.path for hit in first.hits} & {hit.path for hit in second.hits}


def test_what_is_no_longer_public_is_found_by_no_word_and_guessed_from_none(path: Path) -> None:
    secret, other = a_car("secret", "An embargoed prototype", topics=("Secrets",)), a_car("other")
    index = held(path, secret, other)
    index.update(SITE, a_library(other))

    for words in ("embargoed", "prototipe", "prototype", "secret"):
        answer = found(index, words)
        assert (answer.total, answer.meant) == (0, ""), words
    assert [choice.name for choice in found(index).topics] == ["Batteries"]
    assert paths(index, topic="secrets") == []


def test_a_changed_post_is_found_by_its_new_words_only(path: Path) -> None:
    index = held(path, a_car("one", "petrol"), a_car("two", "diesel"))
    index.update(SITE, a_library(a_car("one", "hydrogen"), a_car("two", "diesel")))
    assert (paths(index, "petrol"), paths(index, "hydrogen"), paths(index, "diesel")) == ([], ["one"], ["two"])


def test_a_new_slug_a_new_name_and_a_new_title_of_a_mentioned_post_count_as_changes(path: Path) -> None:
    target = a_car("target", title="Petrol")
    mention = Link(LinkKind.MENTIONS, "x", target.id)
    post = a_car("one", links=(mention,))
    index = held(path, post, target)
    renamed = replace(target, title="Diesel")
    index.update(
        SITE,
        a_library(
            replace(post, slug="uno", html="<p>See Diesel</p>", author=replace(NEWS_DESK, name="Desk five")), renamed
        ),
    )
    assert paths(index, "see") == paths(index, "five") == ["uno"]


def test_only_what_changed_is_read_again(path: Path) -> None:
    class Unread(Post):
        @property
        def html(self) -> str:
            raise AssertionError("read again")

    posts = [a_car("one"), a_car("two")]
    index = held(path, *posts)
    same = [object.__new__(Unread) for _ in posts]
    for post, copy in zip(posts, same, strict=True):
        for name in set(Post.__dataclass_fields__) - {"html"}:
            object.__setattr__(copy, name, getattr(post, name))
    before = path.stat().st_mtime_ns, path.read_bytes()

    index.update(SITE, Library(tuple(same), {}, {}))

    assert (path.stat().st_mtime_ns, path.read_bytes()) == before


WORDS = st.text(st.sampled_from("ab cd"), min_size=1, max_size=8)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("pqrst"), WORDS, max_size=5), min_size=1, max_size=5))
def test_after_any_changes_the_index_answers_as_one_made_anew(
    tmp_path_factory: pytest.TempPathFactory, states: list[dict[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("search")
    kept = SearchIndex(folder / "kept.sqlite3")
    for number, state in enumerate(states):
        library = a_library(*(a_car(slug, text, topics=(text,)) for slug, text in state.items()))
        kept.update(SITE, library)
        anew = SearchIndex(folder / f"{number}.sqlite3")
        anew.update(SITE, library)
        for words in ("a", "ab", "cd", "abx", "p", "summary"):
            assert kept.find(Query(words)) == anew.find(Query(words))
        assert kept.find(Query(topic="ab")) == anew.find(Query(topic="ab"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> SearchIndex:
    return held(
        tmp_path_factory.mktemp("search") / "s.sqlite3", *(a_car(f"n{n}", "near AND or not C++") for n in range(3))
    )


HOSTILE = [
    *('"', '"""', "*", "NEAR(", "NEAR(a b, 5)", "a AND", "OR", "NOT x", "title:x", "{title body}: x", "^a", "-a", "a*"),
    *("(", "a) OR (b", "' OR 1=1 --", "\x00", "a\x00b", "\ud800", "%_", "😀", "\u0300", "٣", "𞤀", "Ⅷ", "²"),
]


@pytest.mark.parametrize("words", [*HOSTILE, "x" * 10_000, '"' * 10_000, "a " * 5_000, "( " * 5_000])
def test_a_hostile_question_is_only_words(shared: SearchIndex, words: str) -> None:
    assert found(shared, words).total in {0, 3}
    assert found(shared, "near").total == 3


@settings(deadline=None)
@given(
    st.one_of(st.text(), st.lists(st.sampled_from([*HOSTILE, "near", "and", " "])).map(" ".join)),
    st.text(),
    st.integers(),
)
def test_any_question_has_an_answer(shared: SearchIndex, words: str, topic: str, year: int) -> None:
    assert shared.find(Query(words, topic=topic.encode(errors="replace").decode(), year=abs(year) % 10_000)) is not None
    assert found(shared, "near").total == 3


def test_without_an_index_there_is_no_answer_and_none_is_made(path: Path) -> None:
    assert SearchIndex(path).find(Query("car")) is None
    assert list(path.parent.iterdir()) == []


def told(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def replaced(path: Path) -> None:
    path.unlink()
    told(path, "CREATE TABLE other (x)")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "no database": lambda path: path.write_bytes(b"garbage" * 1000),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:8192]),
    "another database": replaced,
    "another version": lambda path: told(path, "PRAGMA user_version = 99"),
    "a table is gone": lambda path: told(path, "DROP TABLE topics"),
    "the words are gone": lambda path: told(path, "DROP TABLE words"),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("asked", [True, False], ids=["asked", "not asked"])
def test_a_damaged_index_gives_no_answer_and_the_next_publish_makes_it_anew(
    path: Path, damage: str, asked: bool
) -> None:
    index = held(path, a_car("one"))
    DAMAGES[damage](path)
    if asked:
        assert index.find(Query("car")) is None
    index.update(SITE, a_library(a_car("one"), a_car("two")))
    assert set(paths(index, "car")) == {"one", "two"}
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_another_language_makes_the_index_anew(path: Path) -> None:
    index = held(path, a_car("one", "running"))
    assert paths(index, "runs") == ["one"]
    index.update(a_site(language="de"), a_library(a_car("one", "running")))
    assert paths(index, "runs") == []


def test_a_journal_that_a_killed_publish_left_is_not_played_into_the_new_index(path: Path) -> None:
    index = held(path, a_car("one"))
    journal = path.with_name(f"{path.name}-journal")
    journal.write_bytes(b"not of this file")
    path.write_bytes(b"garbage" * 1000)
    index.update(SITE, a_library(a_car("one")))
    assert paths(index, "car") == ["one"]
    assert not journal.exists()


def test_a_disk_that_refuses_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(Outside) as caught:
        SearchIndex(tmp_path / "var" / "search.sqlite3").update(SITE, a_library())
    assert caught.value.problems[0].code == "F440"


def test_readers_are_answered_while_a_publish_writes(path: Path) -> None:
    index = held(path, a_car("one"))
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM posts")
    assert paths(index, "car") == ["one"]
    writer.execute("ROLLBACK")
    writer.close()


def test_topics_are_told_with_how_many_of_their_posts_are_new(path: Path) -> None:
    index = SearchIndex(path)
    assert index.topics(date.min) == ()
    index.update(
        SITE,
        a_library(
            a_car("a", topics=("Batteries",), day=datetime(2026, 1, 3, tzinfo=UTC)),
            a_car("b", topics=("Batteries",), day=datetime(2026, 1, 4, tzinfo=UTC)),
            a_car("c", topics=("batteries", "Vans"), day=datetime(2026, 11, 4, tzinfo=UTC)),
        ),
    )
    assert index.topics(date(2026, 2, 1)) == (Choice("batteries", "Batteries", 1), Choice("vans", "Vans", 1))
    assert index.topics(date(2027, 1, 1)) == (Choice("batteries", "Batteries", 0), Choice("vans", "Vans", 0))
