"""What `newsletter new` writes can be read back as it was meant."""

from __future__ import annotations

from datetime import date
from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from newsletter.content import names
from newsletter.content.lines import FORBIDDEN
from newsletter.content.new import template
from newsletter.model import Source
from tests.builders import a_site
from tests.unit.content.sources import codes, loaded

DAY = date(2022, 2, 8)
WORDS = st.text(alphabet=st.characters(codec="utf-8"), min_size=1).map(lambda t: " ".join(FORBIDDEN.sub("", t).split()))


def written(title: str, *topics: str, reviewer: str = "review-desk") -> Source:
    path = PurePosixPath("posts") / names.file_name(title, DAY)
    post_id = names.post_id(names.stem(path), DAY, a_site())
    text = template(
        title, author="news-desk", reviewer=reviewer, date=DAY, topics=topics, previous="auto", post_id=post_id
    )
    return Source(path, text)


def test_a_new_post_loads_and_says_what_is_still_to_be_written() -> None:
    source = written("The hybrid hatch we would actually buy", "Road tests")
    result = loaded(source, review=True)
    assert codes(result) == []
    assert set(codes(result, "warn")) == {"P118"}
    assert source.path.name == "2022-02-08-the-hybrid-hatch-we-would-actually-buy.md"
    assert result.posts[0].id == "tag:autotrendy.example,2022-02-08:the-hybrid-hatch-we-would-actually-buy"


def test_a_site_of_one_person_is_not_asked_for_a_reviewer() -> None:
    assert "reviewer" not in written("x", reviewer="").text


@given(WORDS.filter(bool), st.lists(WORDS.filter(lambda t: bool(t) and "," not in t), max_size=3))
def test_any_title_and_topics_come_back_as_they_were(title: str, topics: list[str]) -> None:
    (post,) = loaded(written(title, *topics)).posts
    assert post.title == title
    assert {t.casefold() for t in post.topics} == {t.casefold() for t in topics}
