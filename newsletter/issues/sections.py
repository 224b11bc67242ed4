"""Many stories are read by topic: what stands under which heading, and in which order.

The lead and what an editor pinned come first and under no heading. Every other story goes to that of its topics which
most stories of the issue share; a heading over one story helps nobody, so such a story goes to the end, with the others
of its kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from newsletter.model import Post

SECTIONS_FROM = 8
"""Stories, from which an issue is divided."""


@dataclass(frozen=True, slots=True)
class Section:
    """Stories under one heading."""

    topic: str  # empty for the first, and for the last, of stories that share a topic with no other
    stories: tuple[Post, ...]


def sections(stories: Sequence[Post], pins: Collection[str] = ()) -> tuple[Section, ...]:
    """The stories, lead first, in sections; `pins` are the slugs of those that keep their place after the lead.

    What this returns, in one row, it divides in the same way again.
    """
    if len(stories) < SECTIONS_FROM:
        return (Section("", tuple(stories)),)
    first = tuple(post for n, post in enumerate(stories) if not n or post.slug in pins)
    placed = _placed([post for post in stories if post not in first])
    others = tuple(post for topic, posts in placed.items() if not topic or len(posts) < 2 for post in posts)
    divided = [Section(topic, tuple(posts)) for topic, posts in placed.items() if topic and len(posts) > 1]
    if not divided:
        return (Section("", tuple(stories)),)
    rest = [Section("", others)] if others else []
    return (Section("", first), *divided, *rest)


def in_order(stories: Sequence[Post], pins: Collection[str] = ()) -> tuple[Post, ...]:
    """The stories as they come one after the other."""
    return tuple(post for section in sections(stories, pins) for post in section.stories)


def _placed(posts: Sequence[Post]) -> Mapping[str, list[Post]]:
    shared = Counter(topic for post in posts for topic in dict.fromkeys(post.topics))
    placed: dict[str, list[Post]] = {}
    for post in posts:
        topic = max(post.topics, key=lambda topic: shared[topic], default="")
        placed.setdefault(topic, []).append(post)
    return placed
