"""The Posts around a Post: what came before it in its story, what came later, who links to it, its neighbours.

Both ends of a Link are seen from here: a page says "Continues: …" of its own Links and "Later: …" of its
BackLinks. A Post that is not in the Library (a draft, a Post of tomorrow) is never named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def newest_first(library: Library) -> Library:
    """The same Library in the one order that everything published has: by date, then by id."""
    return replace(library, posts=tuple(sorted(library.posts, key=_age, reverse=True)))


def around_all(library: Library) -> dict[str, Around]:
    """Post id -> what is around it, for every Post of the Library."""
    by_id = {post.id: post for post in library.posts}
    neighbours = zip((None, *library.posts), library.posts, (*library.posts[1:], None), strict=False)
    return {post.id: _around(post, library, by_id, newer, older) for newer, post, older in neighbours}


def _around(post: Post, library: Library, by_id: Mapping[str, Post], newer: Post | None, older: Post | None) -> Around:
    out, back = post.links, library.backlinks.get(post.id, ())

    def targets(*kinds: LinkKind) -> list[str]:
        return [link.target for link in out if link.kind in kinds]

    def sources(*kinds: LinkKind) -> list[str]:
        return [link.source for link in back if link.kind in kinds]

    def known(ids: Iterable[str]) -> tuple[Post, ...]:
        return tuple(by_id[post_id] for post_id in ids if post_id in by_id and post_id != post.id)

    def found(ids: Iterable[str]) -> tuple[Post, ...]:
        return tuple(sorted(known(dict.fromkeys(ids)), key=_age))

    chain = library.chains.get(post.id)
    earlier, later = (known(chain.before(post.id)), known(chain.after(post.id))) if chain else ((), ())
    see_also = found((*targets(LinkKind.SEE_ALSO), *sources(LinkKind.SEE_ALSO)))
    named = {other.id for other in (*earlier, *later, *see_also)}
    return Around(
        earlier=earlier,
        later=later,
        continues=found(targets(LinkKind.CONTINUES)),
        previous=found(targets(LinkKind.PREVIOUS)),
        corrects=found(targets(LinkKind.CORRECTS)),
        corrected_by=found(sources(LinkKind.CORRECTS)),
        see_also=see_also,
        mentioned_in=tuple(other for other in found(sources(LinkKind.MENTIONS)) if other.id not in named),
        newer=newer,
        older=older,
        judged=found(targets(LinkKind.VERDICT)),
        verdicts=tuple(judge for judge in found(sources(LinkKind.VERDICT)) if judge.judgement),
    )


def _age(post: Post) -> tuple[datetime, str]:
    return post.published, post.id
