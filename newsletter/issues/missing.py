"""What a reader was not sent: stories that their edition has carried already, so that these cannot come by themselves.

Two kinds. Stories of issues that went out since stories are owed to the reader: while they paused, or before they
changed to this edition. And for whoever joined in the middle of a story, of which they were sent no earlier part: its
parts up to the one in the last issue.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from newsletter.model import Library, Post, Subscriber

MOST = 60
"""Stories of one catch-up, the newest; a mail holds no more, and nobody reads more at once."""

Group = tuple[Post, ...]
"""Stories that belong together, oldest first: those of one Chain, or a single one."""


Past = Mapping[str, datetime | None]
"""What an edition has mailed: Post id -> when the issue that carries it went out, None as long as it has not."""


def may_be_missing(reader: Subscriber, library: Library, past: Past) -> frozenset[str]:
    """The ids of all Posts about which the ledger must be asked whether the reader was sent them."""
    return frozenset(_owed(reader, past)).union(*_stories(library, past))


def _owed(reader: Subscriber, past: Past) -> set[str]:
    """The Posts of issues that went out since stories are owed to this reader."""
    since = reader.owed_from
    return {post_id for post_id, at in past.items() if since and at and at >= since}


def _stories(library: Library, past: Past) -> list[tuple[str, ...]]:
    """The parts of each story that the last issue goes on with, oldest first, up to there."""
    last = max((at for at in past.values() if at), default=None)
    chains = ((post_id, library.chains.get(post_id)) for post_id, at in past.items() if at and at == last)
    return [(*reversed(chain.before(post_id)), post_id) for post_id, chain in chains if chain]


def missing(
    reader: Subscriber, library: Library, past: Past, had: Collection[str], topic_key: Callable[[str], str]
) -> tuple[Post, ...]:
    """The newest MOST Posts that the reader was not sent, oldest first; `had` are those that they were.

    Without what they could not get now: Posts of whose topics they want none, that are not public, are not approved as
    they stand, or are in an issue that has not gone out.
    """
    begun = [parts for parts in _stories(library, past) if len(parts) > 1 and not {*parts[:-1]} & {*had}]
    to_come = {post_id for post_id, at in past.items() if at is None}
    wanted = _owed(reader, past).union(*begun) - to_come - {*had}
    found = [post for post in library.posts if post.id in wanted and post.id in library.approved]
    return tuple(reversed([post for post in found if _is_wanted(reader, post, topic_key)][:MOST]))


def _is_wanted(reader: Subscriber, post: Post, topic_key: Callable[[str], str]) -> bool:
    return not post.topics or any(topic_key(topic) not in reader.without for topic in post.topics)


def grouped(library: Library, posts: Iterable[Post]) -> tuple[Group, ...]:
    """Posts, oldest first, by the Chain that they are of: stories of several parts first, each by its oldest."""
    groups: dict[str, list[Post]] = {}
    for post in posts:
        chain = library.chains.get(post.id)
        groups.setdefault(chain.posts[0] if chain else post.id, []).append(post)
    return tuple(tuple(group) for group in sorted(groups.values(), key=lambda group: len(group) < 2))
