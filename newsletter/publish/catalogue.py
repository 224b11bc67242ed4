"""Which feeds there are: everything, issues, takes held to account, each topic, author, story; each in three formats.

The main feed has archived pages (RFC 5005 4), numbered from the oldest: page 1 holds the fifty oldest Posts for
ever, so that its bytes change only when one of them does. What is on no full page is in the polled document.
Documents are rendered one at a time, when asked for; their `key` says beforehand whether one would differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import PurePosixPath
from urllib.parse import quote

from newsletter.errors import Problem
from newsletter.model import WEEKLY, Chain, Issue, IssueState, Library, Post, Site
from newsletter.publish import keys, takes
from newsletter.publish.around import Surroundings, around_all, newest_first
from newsletter.publish.feeds import atom, rss
from newsletter.publish.items import issue_id, issue_item, issued, post_item
from newsletter.publish.jsonfeed import json_feed
from newsletter.publish.opml import feed_list
from newsletter.publish.paths import (
    ARCHIVE,
    ATOM_FEED,
    CHAINS,
    FEED_LIST,
    ISSUES,
    JSON_FEED,
    RSS_FEED,
    TAKES,
    author_path,
    chain_path,
    post_path,
    topic_path,
)
from newsletter.publish.syndication import LIMIT, Heading, Item, Syndication, minted, syndicate, within_budget
from newsletter.tongue import tongue_of

FORMATS: tuple[tuple[str, Callable[[Syndication], bytes]], ...] = (
    (RSS_FEED, rss),
    (ATOM_FEED, atom),
    (JSON_FEED, json_feed),
)


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed in all its formats: its heading, and the Posts or Issues that are its items, newest first."""

    kind: str  # all, issues, takes, topics, authors, chains
    heading: Heading
    posts: tuple[Post, ...] = ()
    issues: tuple[Issue, ...] = ()

    @property
    def count(self) -> int:
        """How many items it has, of which the polled document holds the newest."""
        return len(self.posts) + len(self.issues)

    @property
    def newest(self) -> datetime | None:
        """When its newest item came out."""
        return max((*(post.published for post in self.posts), *map(issued, self.issues)), default=None)


@dataclass(frozen=True, slots=True)
class Document:
    """A file that is not rendered yet. Two with the same path and key have the same bytes."""

    path: PurePosixPath
    key: str
    render: Callable[[], bytes]


def documents(
    site: Site,
    library: Library,
    issues: Sequence[Issue],
    listed: Sequence[Feed] = (),
    changed: Collection[str] | None = None,
) -> Iterator[Document]:
    """Every feed document, the archived pages and the list of feeds, before they are rendered; `listed` are the
    `feeds` of the same, for a caller that has them. With `changed`, only those that the texts of these Posts (ids) are
    in, and some others.
    """
    library = newest_first(library)
    around = around_all(library)
    posts = {post.id: post for post in library.posts}
    desk = _Desk(site, posts, around, keys.Neighbours(library, around), {}, {}, changed)
    listed = listed or feeds(site, library, issues)
    for feed in listed:
        yield from desk.polled(feed)
    yield from desk.archived(listed[0])
    outlines = [(feed.kind, feed.heading) for feed in listed]
    key = _hashed("list", site.url, site.title, *map(repr, outlines))
    yield Document(PurePosixPath(FEED_LIST), key, lambda: feed_list(site, outlines))


def feeds(site: Site, library: Library, issues: Sequence[Issue]) -> tuple[Feed, ...]:
    """Every feed of the site, the main feed first. A READY Issue is passed when it starts now.

    The feed of issues has the weekly ones: what other editions carry is in them as well.
    """
    library = newest_first(library)
    weekly = (issue for issue in issues if issue.edition == WEEKLY)
    public = (issue for issue in weekly if issue.state.public or issue.state is IssueState.READY)
    shown = tuple(sorted(public, key=lambda issue: (issued(issue), issue.number), reverse=True))
    say = tongue_of(site).say
    of_issues = _heading(site, ISSUES, say("issues"), say("Every issue, with what is in it."))
    return (
        Feed("all", Heading(minted(site, "feed"), site.title, site.tagline), library.posts),
        Feed("issues", of_issues, issues=shown),
        *_takes(site, library),
        *_by_topic(site, library),
        *_by_author(site, library),
        *_by_chain(site, library),
    )


def shared_ids(site: Site, listed: Sequence[Feed]) -> list[Problem]:
    """F503 for a Post whose id is that of an Issue or a feed: readers would take one for the other (RFC 4287 4.2.6)."""
    taken = {feed.heading.id: f"the feed {feed.heading.folder or RSS_FEED}" for feed in listed}
    taken |= {issue_id(site, issue): f"issue {issue.number}" for feed in listed for issue in feed.issues}
    return [
        Problem("F503", f"The id {post.id} is that of {taken[post.id]}", str(post.path), fixes=("give it another id",))
        for post in listed[0].posts
        if post.id in taken
    ]


def topics(library: Library) -> dict[str, tuple[str, tuple[Post, ...]]]:
    """Folder -> the topic as most of its Posts spell it, and these Posts, newest first; by name."""
    spelt: dict[str, list[Post]] = {}
    for post in library.posts:
        for topic in post.topics:
            spelt.setdefault(topic, []).append(post)
    folders: dict[str, list[str]] = {}
    for topic in spelt:
        folders.setdefault(topic_path(topic), []).append(topic)
    return {folder: _topic(folders[folder], spelt) for folder in sorted(folders)}


def _topic(names: Sequence[str], spelt: Mapping[str, Sequence[Post]]) -> tuple[str, tuple[Post, ...]]:
    name = min(names, key=lambda name: (-len(spelt[name]), name))
    if len(names) == 1:
        return name, tuple(spelt[name])
    posts = {post.id: post for name in names for post in spelt[name]}
    return name, tuple(sorted(posts.values(), key=lambda post: (post.published, post.id), reverse=True))


def authors(library: Library) -> dict[str, tuple[str, tuple[Post, ...]]]:
    """Folder -> the author's name and their Posts, newest first; by key."""
    found: dict[str, list[Post]] = {}
    for post in library.posts:
        found.setdefault(author_path(post.author.key), []).append(post)
    return {folder: (found[folder][0].author.name, tuple(found[folder])) for folder in sorted(found)}


def first_of(chain: Chain, library: Library | Mapping[str, Post]) -> Post | None:
    """The first public Post of a story; None where nothing of it is public."""
    posts = library if isinstance(library, Mapping) else {post.id: post for post in library.posts}
    return next((posts[post_id] for post_id in chain.posts if post_id in posts), None)


def chain_feed_id(site: Site, first: Post) -> str:
    """Of a story by its first Post's id, not its slug: the feed is the same one after that was renamed."""
    return minted(site, f"feed/{CHAINS}{quote(first.id, safe=':,/')}")


def _takes(site: Site, library: Library) -> Iterator[Feed]:
    """Nothing where no take was ever held to account: then there is no page of them either."""
    if posts := takes.told(library):
        say = tongue_of(site).say
        about = say("What the house said would happen, and what did.")
        yield Feed("takes", _heading(site, TAKES, say("takes held to account"), about), posts)


def _by_topic(site: Site, library: Library) -> Iterator[Feed]:
    for folder, (name, posts) in topics(library).items():
        about = tongue_of(site).say("Every post about %(topic)s.", topic=name)
        yield Feed("topics", _heading(site, folder, name, about), posts)


def _by_author(site: Site, library: Library) -> Iterator[Feed]:
    for folder, (name, posts) in authors(library).items():
        about = tongue_of(site).say("Every post by %(author)s.", author=name)
        yield Feed("authors", _heading(site, folder, name, about), posts)


def _by_chain(site: Site, library: Library) -> Iterator[Feed]:
    by_id = {post.id: post for post in library.posts}
    chains = {chain.posts: chain for chain in library.chains.values()}
    found = [(first, chain) for chain in chains.values() if (first := first_of(chain, by_id))]
    tongue = tongue_of(site)
    for first, chain in sorted(found, key=lambda pair: pair[0].slug):
        title = tongue.titled(site.title, tongue.say("%(title)s, and what followed", title=first.title))
        folder, home = chain_path(first.slug), post_path(first.slug)
        heading = Heading(chain_feed_id(site, first), title, tongue.say("A story as it goes on."), folder, home)
        posts = (by_id[post_id] for post_id in reversed(chain.posts) if post_id in by_id)
        yield Feed("chains", heading, tuple(sorted(posts, key=lambda post: (post.published, post.id), reverse=True)))


def _heading(site: Site, folder: str, name: str, tagline: str) -> Heading:
    """Of a feed that lies beside its page."""
    return Heading(
        minted(site, f"feed/{folder.rstrip('/')}"), tongue_of(site).titled(site.title, name), tagline, folder, folder
    )


@dataclass(frozen=True, slots=True)
class _Desk:
    """What rendering needs to know of the whole library, looked up once; the last two fill as it goes."""

    site: Site
    posts: Mapping[str, Post]
    around: Surroundings
    neighbours: keys.Neighbours
    traces: dict[str, str]
    latest: dict[str, Syndication]  # one at most: the three formats of a document are asked for in a row
    changed: Collection[str] | None = None  # ids of the Posts that matter; None for all

    def polled(self, feed: Feed) -> Iterator[Document]:
        """The three documents that readers ask for again and again."""
        shown = feed.posts[:LIMIT]
        if not (self._says(shown) or feed.issues):
            return iter(())
        key = self._key(feed, shown, feed.issues[:LIMIT], len(feed.posts), len(feed.issues))
        render = partial(self._polled, feed)
        return self._documents(feed.heading.folder, key, render)

    def archived(self, feed: Feed) -> Iterator[Document]:
        """The pages of the main feed, the oldest first."""
        pages = self._pages(feed)
        for number, posts in enumerate(pages, 1):
            if not (self._says(posts) or number == len(pages)):
                continue
            place, earlier = _page(number), _page(number - 1)
            yield from self._documents(
                place, self._key(feed, posts, (), number), partial(self._archived, feed, posts, place, earlier)
            )

    def _says(self, posts: Iterable[Post]) -> bool:
        return self.changed is None or any(post.id in self.changed for post in posts)

    def _polled(self, feed: Feed) -> Syndication:
        items = self._items(feed)
        whole = len(items) == feed.count
        earlier = _page(len(self._pages(feed))) if feed.kind == "all" else ""
        return syndicate(self.site, feed.heading, items, whole=whole, earlier=earlier)

    def _archived(self, feed: Feed, posts: Sequence[Post], place: str, earlier: str) -> Syndication:
        return syndicate(self.site, feed.heading, self._all(posts), whole=False, place=place, earlier=earlier)

    def _items(self, feed: Feed) -> tuple[Item, ...]:
        issues = [issue_item(self.site, issue, self.posts) for issue in feed.issues[:LIMIT]]
        return tuple(within_budget([*self._all(feed.posts[:LIMIT]), *issues]))

    def _all(self, posts: Sequence[Post]) -> list[Item]:
        return [post_item(self.site, post, self.around[post.id]) for post in posts]

    def _pages(self, feed: Feed) -> list[tuple[Post, ...]]:
        """None while the polled document holds everything; the last is not full where that cannot hold the rest."""
        polled = len(self._items(feed))
        if polled == len(feed.posts):
            return []
        oldest_first = feed.posts[::-1]
        pages = [oldest_first[start : start + LIMIT][::-1] for start in range(0, len(oldest_first), LIMIT)]
        return pages[:-1] if len(pages[-1]) < LIMIT and len(pages[-1]) <= polled else pages

    def _documents(self, folder: str, key: str, make: Callable[[], Syndication]) -> Iterator[Document]:
        for name, render in FORMATS:
            yield Document(PurePosixPath(folder, name), key, partial(self._render, render, make, folder))

    def _render(self, render: Callable[[Syndication], bytes], make: Callable[[], Syndication], folder: str) -> bytes:
        made = self.latest.get(folder)
        if made is None:
            made = make()
            self.latest.clear()
            self.latest[folder] = made
        return render(made)

    def _key(self, feed: Feed, posts: Sequence[Post], issues: Sequence[Issue], *more: object) -> str:
        site = self.site
        head = (site.title, site.url, site.tagline, site.language, site.take_label, site.hubs, site.timezone.key)
        marks = (site.rights, site.icon, site.logo)
        traces = [self._trace(post) for post in posts]
        for issue in issues:
            told = [self.posts[story.post_id] for story in issue.stories if story.post_id in self.posts]
            traces += [repr(issue), *map(self._trace, told)]
        return _hashed(repr(head), repr(marks), repr(feed.heading), repr(more), *traces)

    def _trace(self, post: Post) -> str:
        """What changes with everything that the item of a Post says."""
        if post.id not in self.traces:
            self.traces[post.id] = f"{keys.mark(post)} {keys.face(post)} {self.neighbours.of_item(post)}"
        return self.traces[post.id]


def _page(number: int) -> str:
    return f"{ARCHIVE}{number}/" if number else ""


def _hashed(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()
