"""Feeds stay where they once were: what is left of one that lost all its items, or that others took over.

A line of `redirects.toml` keeps the address. `"/chains/slug/" = "slug"` leads to the feeds of the story that this Post
is in now; `"/topics/vans/" = "/topics/trucks/"` leads page and feeds on; and where a line leads to no feeds, as
`"/topics/vans/" = "/posts/"` does, which is what a publish writes, empty ones stay in their place, listed nowhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from urllib.parse import unquote

from newsletter.model import Library, Post, Recipe, Site
from newsletter.publish import keys
from newsletter.publish.catalogue import FORMATS, chain_feed_id, first_of
from newsletter.publish.paths import AUTHORS, CHAINS, POSTS, RSS_FEED, TAKES, TOPICS, chain_path, post_path
from newsletter.publish.redirects import Redirect
from newsletter.publish.syndication import Heading, minted, syndicate

_LOSABLE = (TOPICS, AUTHORS, CHAINS, TAKES)
_SUFFIXES = frozenset({".xml", ".rss", ".rdf", ".atom", ".json"})  # of what other programs call their feeds


@dataclass(frozen=True, slots=True)
class Kept:
    """What stands at the addresses of feeds that are no more: Redirects of documents, and feeds without items.

    `old` are those of the Redirects themselves that lead from a file, the feed of another program, to one of ours.
    """

    moved: tuple[Redirect, ...] = ()
    empty: tuple[Heading, ...] = ()
    old: tuple[Redirect, ...] = ()

    @property
    def paths(self) -> list[str]:
        """Of the documents of the feeds without items."""
        return [f"{heading.folder}{name}" for heading in self.empty for name, _ in FORMATS]


def lines(before: Collection[str], now: Collection[str], known: Collection[str]) -> dict[str, str]:
    """What `redirects.toml`, whose paths are `known`, is to say of folders with feeds `before` that have none now."""
    lost = sorted(folder for folder in before if folder.startswith(_LOSABLE) and folder not in now)
    return {
        f"/{folder}": PurePosixPath(folder).name if folder.startswith(CHAINS) else f"/{POSTS}"
        for folder in lost
        if f"/{folder}" not in known
    }


def kept(redirects: Sequence[Redirect], site: Site, library: Library, files: Collection[str]) -> Kept:
    """What these Redirects say of feeds. `files` are the paths of all that is published besides."""
    lost = [one for one in redirects if one.path.startswith(_LOSABLE) and one.path.endswith("/")]
    posts = {post_path(post.slug): post for post in (*library.posts, *library.withdrawn)} if lost else {}
    moved, empty = list[Redirect](), list[Heading]()
    for redirect in lost:
        target = redirect.target.removeprefix(f"{site.url}/")
        post = posts.get(target) if redirect.path.startswith(CHAINS) else None
        folder = (post and _story(post, library)) or target
        if f"{folder}{RSS_FEED}" in files:
            names = [name for name, _ in FORMATS if f"{redirect.path}{name}" not in files]
            moved += [Redirect(f"{redirect.path}{name}", site.address_of(f"{folder}{name}")) for name in names]
        elif f"{redirect.path}{RSS_FEED}" not in files:
            empty.append(_heading(site, redirect.path, post))
    old = (one for one in redirects if _is_feed(one.path) and one.target.removeprefix(f"{site.url}/") in files)
    return Kept(tuple(moved), tuple(empty), tuple(old))


def recipes(found: Kept, site: Site, own: Mapping[str, Recipe]) -> Iterator[Recipe]:
    """How to make the documents that stand there. What moved is a copy that gives its new address as its own, for
    hosts that cannot redirect; `own` are the files of the site by their paths.
    """
    for redirect in (*found.moved, *found.old):
        there = own[redirect.target.removeprefix(f"{site.url}/")]
        yield Recipe(PurePosixPath(unquote(redirect.path)), there.key, there.make)
    for heading in found.empty:
        feed = syndicate(site, heading, (), whole=False)  # not `complete`: readers keep what they have
        for name, render in FORMATS:
            yield Recipe(PurePosixPath(heading.folder, name), keys.of(feed), partial(render, feed))


def _is_feed(path: str) -> bool:
    """Whether an old address is that of a file that can be written: `feed.xml`."""
    place = PurePosixPath(unquote(path))
    hidden = any(part.startswith(".") for part in place.parts)
    return place.suffix.lower() in _SUFFIXES and not path.endswith("/") and not hidden and str(place).isprintable()


def _story(post: Post, library: Library) -> str:
    """The folder of the feeds of the story that a Post is in; empty when it is in none."""
    chain = library.chains.get(post.id)
    first = first_of(chain, library) if chain else None
    return chain_path(first.slug) if first else ""


def _heading(site: Site, folder: str, post: Post | None) -> Heading:
    """Of an empty feed: the id it always had; what it was called is known from its address alone."""
    named = minted(site, f"feed/{folder.rstrip('/')}")
    name = PurePosixPath(folder).name.replace("-", " ")
    tagline = f"Nothing is left in this feed. Every post is in {site.address_of(RSS_FEED)}"
    return Heading(chain_feed_id(site, post) if post else named, f"{site.title}: {name}", tagline, folder, POSTS)
