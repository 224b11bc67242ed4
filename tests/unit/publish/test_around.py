"""What a page knows of the Posts around its own."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.model import Chain, LinkKind
from newsletter.publish.around import Around, around_all
from tests.builders import a_library, a_post
from tests.unit.publish.example import a_publication, link


def _slugs(around: Around, name: str) -> list[str]:
    return [post.slug for post in getattr(around, name)]


def test_both_ends_of_a_story_name_each_other() -> None:
    library, _ = a_publication()
    around = {post.slug: around_all(library)[post.id] for post in library.posts}

    assert _slugs(around["renault-nissan-mitsubishi-alliance"], "continues") == ["all-solid-state-batteries"]
    assert _slugs(around["all-solid-state-batteries"], "later") == ["renault-nissan-mitsubishi-alliance"]
    assert _slugs(around["renault-nissan-mitsubishi-alliance"], "earlier") == [
        "all-solid-state-batteries",
        "reading-the-label",
    ]


def test_of_two_posts_of_one_day_the_story_decides_which_is_later() -> None:
    first, second = a_post("zulu"), a_post("alpha", links=(link(LinkKind.CONTINUES, "alpha", "zulu"),))
    chain = Chain((first.id, second.id))
    around = around_all(a_library(first, second, chains=dict.fromkeys(chain.posts, chain)))

    assert (around[second.id].earlier, around[second.id].later) == ((first,), ())
    assert (around[first.id].earlier, around[first.id].later) == ((), (second,))


def test_a_correction_and_a_see_also_are_seen_from_their_targets() -> None:
    library, _ = a_publication()
    around = {post.slug: around_all(library)[post.id] for post in library.posts}

    assert _slugs(around["reading-the-label"], "corrected_by") == ["a-correction"]
    assert _slugs(around["how-we-review"], "see_also") == ["all-solid-state-batteries"]


def test_a_mention_by_a_post_of_the_same_story_is_not_told_twice() -> None:
    library, _ = a_publication()
    around = {post.slug: around_all(library)[post.id] for post in library.posts}

    assert _slugs(around["reading-the-label"], "mentioned_in") == []


def test_a_post_that_is_not_public_is_never_named() -> None:
    edges = (link(LinkKind.CONTINUES, "b", "draft"), link(LinkKind.MENTIONS, "b", "draft"))
    post = a_post("b", links=edges)
    chain = Chain((edges[0].target, post.id))
    library = a_library(post, chains={post.id: chain}, backlinks={post.id: (link(LinkKind.PREVIOUS, "tomorrow", "b"),)})

    around = around_all(library)[post.id]

    assert around == Around((), (), (), (), (), (), (), (), None, None)


@settings(deadline=None)
@given(st.integers(1, 12), st.data())
def test_every_post_of_a_chain_sees_all_others_split_by_age(size: int, data: st.DataObject) -> None:
    days = data.draw(st.lists(st.integers(0, 5), min_size=size, max_size=size))
    start = datetime(2022, 1, 1, tzinfo=UTC)
    posts = [a_post(f"p{n}", day=start + timedelta(days=day)) for n, day in enumerate(days)]
    chain = Chain(tuple(post.id for post in sorted(posts, key=lambda post: (post.published, post.id))))
    around = around_all(a_library(*posts, chains={post.id: chain for post in posts}))

    for post in posts:
        ids = [p.id for p in (*reversed(around[post.id].earlier), post, *around[post.id].later)]
        assert tuple(ids) == chain.posts
