"""What a reader was not sent: stories that their edition has carried already, so that these cannot come by themselves.

Two kinds. Stories of issues that went out since stories are owed to the reader: while they paused, or before they
changed to this edition. And for whoever joined in the middle of a story, of which they were sent no earlier part: its
parts up to the one in the last issue.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.model import Issue, Library, Post, Subscriber

MOST = 60
"""Stories of one catch-up, the newest; a mail holds no more, and nobody reads more at once."""

Group = tuple[Post, ...]
"""Stories that belong together, oldest first: those of one Chain, or a single one."""


@dataclass(frozen=True, slots=True)
class Past:
    """What an edition has mailed: its issues, oldest first, and which of them has which Post."""

    issues: Sequence[Issue]
    carried: Mapping[str, int]

    def since(self, owed_from: datetime | None) -> set[str]:
        """The Posts of issues that went out since then."""
        went = {one.number for one in self._started() if owed_from and one.started_at and one.started_at >= owed_from}
        return {post_id for post_id, number in self.carried.items() if number in went}

    def to_come(self) -> set[str]:
        """The Posts of issues that have not gone out."""
        went = {one.number for one in self._started()}
        return {post_id for post_id, number in self.carried.items() if number not in went}

    def last(self) -> tuple[str, ...]:
        """The Posts of the last issue that went out."""
        last = next(iter(sorted(self._started(), key=lambda one: (one.started_at, one.number), reverse=True)), None)
        return tuple(story.post_id for story in last.stories) if last else ()

    def _started(self) -> list[Issue]:
        return [one for one in self.issues if one.started_at]


def may_be_missing(reader: Subscriber, library: Library, past: Past) -> frozenset[str]:
    """The ids of all Posts about which the ledger must be asked whether the reader was sent them."""
    return frozenset(past.since(reader.owed_from)).union(*_stories(library, past))


def _stories(library: Library, past: Past) -> list[tuple[str, ...]]:
    """The parts of each story that the last issue goes on with, oldest first, up to there."""
    chains = ((post_id, library.chains.get(post_id)) for post_id in past.last())
    return [(*reversed(chain.before(post_id)), post_id) for post_id, chain in chains if chain]


def missing(
    reader: Subscriber, library: Library, past: Past, had: Collection[str], topic_key: Callable[[str], str]
) -> tuple[Post, ...]:
    """The newest MOST Posts that the reader was not sent, oldest first; `had` are those that they were.

    Without what they could not get now: Posts of whose topics they want none, that are not public, are not approved as
    they stand, or are in an issue that has not gone out.
    """
    begun = [parts for parts in _stories(library, past) if len(parts) > 1 and not {*parts[:-1]} & {*had}]
    wanted = past.since(reader.owed_from).union(*begun) - past.to_come() - {*had}
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
