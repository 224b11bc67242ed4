"""The Posts around a Post: what came before it in its story, what came later, who links to it, its neighbours.

Both ends of a Link are seen from here: a page says "Continues: …" of its own Links and "Later: …" of its
BackLinks. A Post that is not in the Library (a draft, a Post of tomorrow) is never named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from newsletter.model import Library, LinkKind, Post


@dataclass(frozen=True, slots=True)
class Around:
    """The neighbourhood of one Post; every tuple is oldest first but `earlier`, which is newest first."""

    earlier: tuple[Post, ...]  # in the same story, newest first
    later: tuple[Post, ...]  # in the same story, oldest first
    continues: tuple[Post, ...]
    previous: tuple[Post, ...]
    corrects: tuple[Post, ...]
    corrected_by: tuple[Post, ...]
    see_also: tuple[Post, ...]  # in either direction
    mentioned_in: tuple[Post, ...]
    newer: Post | None
    older: Post | None
    judged: tuple[Post, ...] = ()  # Posts with a Take that this one gives a verdict on
    verdicts: tuple[Post, ...] = ()  # Posts with a verdict on this one's Take
    linked: tuple[Post, ...] = ()  # all that this one links to


def newest_first(library: Library) -> Library:
    """The same Library in the one order that everything published has: by date, then by id."""
    return replace(library, posts=tuple(sorted(library.posts, key=_age, reverse=True)))


def around_all(library: Library) -> Surroundings:
    """Post id -> what is around it, for every Post of the Library."""
    return Surroundings(library)


class Surroundings(Mapping[str, Around]):
    """What is around each Post, worked out when asked for: most pages of a site stay as they are."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._posts = {post.id: post for post in library.posts}
        self._beside = {
            post.id: (newer, older)
            for newer, post, older in zip(
                (None, *library.posts), library.posts, (*library.posts[1:], None), strict=False
            )
        }
        self._stories: dict[str, tuple[tuple[Post, ...], int]] = {}  # the Posts of a story, and the place among them
        for chain in {chain.posts: chain for chain in library.chains.values()}.values():
            posts = tuple(self._posts[post_id] for post_id in chain.posts if post_id in self._posts)
            self._stories |= {post.id: (posts, place) for place, post in enumerate(posts)}

    def __getitem__(self, post_id: str) -> Around:
        return self._around(self._posts[post_id])

    def __iter__(self) -> Iterator[str]:
        return iter(self._posts)

    def __len__(self) -> int:
        return len(self._posts)

    def story(self, post_id: str) -> tuple[tuple[Post, ...], int]:
        """The Posts of the story that a Post is in, oldest first, and its place among them; none for no story."""
        return self._stories.get(post_id, ((), 0))

    def _around(self, post: Post) -> Around:
        posts, links = self._posts, self._library.backlinks.get(post.id, ())
        out = [
            (link.kind, posts[link.target]) for link in post.links if link.target in posts and link.target != post.id
        ]
        back = [(link.kind, posts[link.source]) for link in links if link.source in posts and link.source != post.id]
        story, place = self.story(post.id)
        earlier, later = story[:place][::-1], story[place + 1 :]
        see_also = _found([*out, *back], LinkKind.SEE_ALSO)
        named = {other.id for other in (*earlier, *later, *see_also)}
        newer, older = self._beside[post.id]
        return Around(
            earlier=earlier,
            later=later,
            continues=_found(out, LinkKind.CONTINUES),
            previous=_found(out, LinkKind.PREVIOUS),
            corrects=_found(out, LinkKind.CORRECTS),
            corrected_by=_found(back, LinkKind.CORRECTS),
            see_also=see_also,
            mentioned_in=tuple(other for other in _found(back, LinkKind.MENTIONS) if other.id not in named),
            newer=newer,
            older=older,
            judged=_found(out, LinkKind.VERDICT),
            linked=tuple({other.id: other for _, other in out}.values()),
            verdicts=tuple(judge for judge in _found(back, LinkKind.VERDICT) if judge.judgement),
        )


def _found(pairs: Iterable[tuple[str, Post]], kind: LinkKind) -> tuple[Post, ...]:
    """Those of one kind, each once, oldest first."""
    return tuple(sorted({post.id: post for how, post in pairs if how == kind}.values(), key=_age))


def _age(post: Post) -> tuple[datetime, str]:
    return post.published, post.id
