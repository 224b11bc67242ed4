"""References between posts: resolved, checked, and seen from their other end.

Promises that BackLinks are the inverse of Links, that a public post leads only to public posts that were
there when it was written, and that Chains run from old to new and never in a circle.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple, Protocol

from newsletter.content.header import Reference
from newsletter.content.lines import Lines, Spot
from newsletter.errors import Problem, nearest
from newsletter.model import BackLink, Chain, Link, LinkKind, Post, Withdrawal

CHAINING = frozenset({LinkKind.PREVIOUS, LinkKind.CONTINUES})
_HOW = {
    "a draft": "take draft: true out of {}",
    "not approved": "newsletter post approve {}",
    "not yet due": "wait for the date of {}, or move it forward",
}
_REVISABLE = frozenset({LinkKind.SEE_ALSO, LinkKind.MENTIONS})
_GUESSES = 100
_BEFORE_LATER = "A post can lead only to what its readers could know."


class Card(NamedTuple):
    """What one post must know of another. `released`: no draft, and approved once if the site reviews."""

    id: str
    slug: str
    stem: str  # of its file
    title: str
    published: datetime
    updated: datetime
    topics: tuple[str, ...]
    draft: bool
    withdrawal: Withdrawal | None
    file: str
    released: bool
    facts: str  # a hash of what a post that leads here can say of it

    def public(self, now: datetime) -> bool:
        return self.appeared(now) and not self.withdrawn(now)

    def appeared(self, now: datetime) -> bool:
        """Whether it is or was public."""
        return self.released and self.published <= now

    def withdrawn(self, now: datetime) -> bool:
        return self.withdrawal is not None and self.withdrawal.at <= now

    @property
    def age(self) -> tuple[datetime, str]:
        """Sorts posts from old to new, the same way everywhere."""
        return self.published, self.id


class Teller(Protocol):
    """What can say of a source that something is wrong, with the line."""

    def problem(
        self, code: str, message: str, spot: Spot, *, why: str = "", fixes: tuple[str, ...] = (), level: str = "stop"
    ) -> Problem: ...


class Index:
    """All posts of a site by slug, file stem and id, for references and for `previous: auto`."""

    def __init__(self, cards: Iterable[Card], now: datetime, formerly: Callable[[], Mapping[str, str]] = dict) -> None:
        """`formerly` answers names that posts had, each with another or a later name; asked for unknown names only."""
        self.now = now
        self._ask_formerly = formerly
        self._guesses = _GUESSES
        self._signs: dict[str, str] = {}
        self._cards = sorted(cards, key=lambda card: (card.published, card.id))
        self._by_name = {card.id: card for card in self._cards}
        self._by_name.update((card.stem, card) for card in self._cards)
        self._by_name.update((card.slug, card) for card in self._cards)  # of equal names the slug wins

    def find(self, name: str) -> Card | None:
        """The post of that slug, file stem or id; or that was called so."""
        return self._by_name.get(name) or self._by_name.get(self._today(name))

    def sign(self, name: str) -> str:
        """What changes when another post may say something else of the post called so; empty when there is none."""
        if name not in self._signs:
            card = self.find(name)
            self._signs[name] = (
                f"{card.facts}{card.released:d}{card.appeared(self.now):d}{card.withdrawn(self.now):d}" if card else ""
            )
        return self._signs[name]

    @cached_property
    def _formerly(self) -> Mapping[str, str]:
        return self._ask_formerly()

    def _today(self, name: str) -> str:
        passed = set()
        while name not in self._by_name and name in self._formerly and name not in passed:
            passed.add(name)
            name = self._formerly[name]
        return name

    def nearest(self, name: str) -> str | None:
        """The slug that was probably meant; a run makes a hundred guesses, for each compares with every slug."""
        self._guesses -= 1
        if self._guesses < 0:
            return None
        return nearest(name[:100], (card.slug for card in self._cards))

    def newest_before(self, card: Card) -> Card | None:
        """The newest post before `card` that shares a topic and is public by the time that `card` is."""
        found = (self._last(topic.casefold(), card) for topic in card.topics)
        return max((c for c in found if c), key=lambda c: c.age, default=None)

    def _last(self, topic: str, card: Card) -> Card | None:
        cards = self._by_topic.get(topic, ())
        place = bisect_left(cards, card.age, key=lambda other: other.age)
        return cards[place - 1] if place else None

    @cached_property
    def _by_topic(self) -> Mapping[str, Sequence[Card]]:
        found: dict[str, list[Card]] = defaultdict(list)
        for card in self._cards:
            if card.released and not card.withdrawn(self.now):
                for topic in card.topics:
                    found[topic.casefold()].append(card)
        return found


def resolve(
    card: Card, references: Sequence[Reference], index: Index, lines: Teller, *, auto: bool = False
) -> tuple[tuple[Link, ...], list[Problem]]:
    """The Links of one post in the order that it makes them, and P104, P105, P111 where they cannot be made.

    `auto` says that it has `previous: auto`.
    """
    made: list[tuple[LinkKind, str]] = []
    problems: list[Problem] = []
    for reference in references:
        target = index.find(reference.name)
        problem = _wrong(reference, card, target, index, lines) if target else _unknown(reference, index, lines)
        if problem:
            problems.append(problem)
        if target and (not problem or problem.level == "warn"):
            made.append((reference.kind, target.id))
    newest = index.newest_before(card) if auto else None
    return _links(card.id, made, newest.id if newest else None), problems


def _links(source: str, made: Sequence[tuple[LinkKind, str]], auto: str | None) -> tuple[Link, ...]:
    """What is written in front matter; then what it left unsaid: the automatic link, and mentions in the text."""
    said = dict.fromkeys(edge for edge in made if edge[0] is not LinkKind.MENTIONS)
    known = {target for _, target in said}
    if auto and auto not in known:
        said[LinkKind.PREVIOUS, auto] = None
        known.add(auto)
    said |= dict.fromkeys(edge for edge in made if edge[1] not in known)
    return tuple(Link(kind, source, target) for kind, target in said)


def _unknown(reference: Reference, index: Index, lines: Teller) -> Problem:
    meant = index.nearest(reference.name)
    written = reference.name[:80]
    fixes = (f"did you mean {meant}?",) if meant else ("name a post by the slug in its address",)
    return lines.problem("P105", f"There is no post called {written}", reference.spot, fixes=fixes)


def _wrong(reference: Reference, card: Card, target: Card, index: Index, lines: Teller) -> Problem | None:
    if target.id == card.id:
        return lines.problem("P111", "The post links to itself", reference.spot, fixes=("delete the link",))
    title = target.title
    if _later(reference.kind, card, target):
        revisable = reference.kind in _REVISABLE
        fix = "say when this post came to mention it: updated: YYYY-MM-DD" if revisable else "turn the link round"
        message = f"The link points to a later post, “{title}”"
        return lines.problem("P111", message, reference.spot, why=_BEFORE_LATER, fixes=(fix,))
    if target.public(max(index.now, card.published)):
        return None
    if card.withdrawn(index.now):
        return None  # nobody reads it any more
    if target.withdrawn(index.now) and target.appeared(index.now):
        return _taken_back(reference, target, lines)
    if not card.released and not target.draft:
        return None  # both are on their way; the stop comes if this one arrives first
    return _unpublished(reference, card, target, index, lines)


def _later(kind: LinkKind, card: Card, target: Card) -> bool:
    """Whether a post leads to what it could not know; text that was updated may mention what came in between."""
    return target.published > (card.updated if kind in _REVISABLE else card.published)


def _unpublished(reference: Reference, card: Card, target: Card, index: Index, lines: Teller) -> Problem:
    state = "a draft" if target.draft else "not approved" if not target.released else "not yet due"
    before = index.newest_before(card)
    fixes: tuple[str, ...] = (_HOW[state].format(target.slug),)
    if before and reference.kind in CHAINING:
        fixes += (f"previous: {before.slug}      (the newest published post before this one)",)
    return lines.problem(
        "P104",
        f"The link points to a post that is not published: “{target.title}” is {state}",
        reference.spot,
        why="In a sent email this link would lead to a page that does not exist.",
        fixes=fixes,
        level="stop" if card.released else "warn",
    )


def _taken_back(reference: Reference, target: Card, lines: Teller) -> Problem:
    """A warning only: what was written before need not be touched when another post is withdrawn."""
    return lines.problem(
        "P104",
        f"The link points to a post that was withdrawn: “{target.title}”",
        reference.spot,
        why="Its page only says when and why; lists, stories and neighbours leave it out.",
        fixes=("take the link out, if the text can do without",),
        level="warn",
    )


def circles(posts: Sequence[Post], spot_of: Callable[[str], tuple[Lines, Spot]]) -> list[Problem]:
    """P111 for each circle that `previous` and `continues` make; only posts of one moment can."""
    graph = {post.id: onward for post in posts if (onward := {k.target for k in post.links if k.kind in CHAINING})}
    slugs = {post.id: post.slug for post in posts}
    problems = []
    while circle := _circle(graph):
        graph[circle[1]] -= {circle[0]}
        lines, spot = spot_of(circle[1])
        names = " → ".join(slugs[post_id] for post_id in reversed(circle))
        fixes = ("delete one of these links",)
        problems.append(lines.problem("P111", f"The links run in a circle: {names}", spot, fixes=fixes))
    return problems


def _circle(graph: Mapping[str, set[str]]) -> list[str] | None:
    known = {source: {t for t in targets if t in graph} for source, targets in graph.items()}
    try:
        TopologicalSorter(known).prepare()
    except CycleError as error:
        return list(error.args[1])
    return None


def invert(posts: Iterable[Post]) -> dict[str, tuple[BackLink, ...]]:
    """Target id -> the Links that point at it, in the order of `posts`; only between these posts."""
    posts = tuple(posts)
    known = {post.id for post in posts}
    found: dict[str, list[BackLink]] = defaultdict(list)
    for post in posts:
        for link in post.links:
            if link.target in known:
                found[link.target].append(link)
    return {target: tuple(links) for target, links in found.items()}


def chains(posts: Iterable[Post], lost: Iterable[Post] = ()) -> dict[str, Chain]:
    """Post id -> the Chain that `previous` and `continues` put it in, oldest first.

    Posts that are `lost` join what is before them and after them, and are not in it themselves.
    """
    found = _chains([*posts, *lost])
    gone = {post.id for post in lost}
    if not gone:
        return found
    left = {post_id: Chain(tuple(one for one in chain.posts if one not in gone)) for post_id, chain in found.items()}
    return {post_id: chain for post_id, chain in left.items() if len(chain.posts) > (post_id not in gone)}


def _chains(posts: Iterable[Post]) -> dict[str, Chain]:
    by_id = {post.id: post for post in posts}
    neighbours: dict[str, set[str]] = defaultdict(set)
    for post in by_id.values():
        for link in post.links:
            if link.kind in CHAINING and link.target in by_id:
                neighbours[post.id].add(link.target)
                neighbours[link.target].add(post.id)
    found: dict[str, Chain] = {}
    for start in neighbours:
        if start not in found:
            joined = _joined(start, neighbours)
            chain = Chain(_in_order(joined, by_id))
            found |= dict.fromkeys(joined, chain)
    return found


def _in_order(joined: Iterable[str], by_id: Mapping[str, Post]) -> tuple[str, ...]:
    """Oldest first; of one moment (a date without a time is midnight), what others go on from comes first."""
    graph = {
        post_id: {link.target for link in by_id[post_id].links if link.kind in CHAINING and link.target in by_id}
        for post_id in sorted(joined)
    }
    try:
        ranks = {post_id: rank for rank, post_id in enumerate(TopologicalSorter(graph).static_order())}
    except CycleError:  # a stop, told by `circles`
        ranks = {post_id: rank for rank, post_id in enumerate(graph)}
    return tuple(sorted(graph, key=lambda post_id: (by_id[post_id].published, ranks[post_id])))


def _joined(start: str, neighbours: Mapping[str, set[str]]) -> set[str]:
    joined, waiting = {start}, [start]
    while waiting:
        new = neighbours[waiting.pop()] - joined
        joined |= new
        waiting += new
    return joined
