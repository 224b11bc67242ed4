"""The pages beside posts and issues: lists of posts, takes held to account, and what stands at addresses that went.

They are derived from the Library alone, so what is not public counts nowhere. A renamed Post leaves a page that leads
on, a withdrawn one a page that says when and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath

from newsletter import words
from newsletter.model import Judgement, Library, Post, Site
from newsletter.publish import discovery, keys, lists, takes, views
from newsletter.publish.catalogue import authors, topics
from newsletter.publish.contexts import (
    Leaf,
    MovedContext,
    TakesContext,
    TopicsContext,
    WithdrawnContext,
)
from newsletter.publish.lists import Listing
from newsletter.publish.paths import POSTS, TAKES, TOPICS, YEARS, local, page_file, post_path, root_of
from newsletter.publish.redirects import Redirect, page_of
from newsletter.publish.takes import Prediction
from newsletter.publish.views import Page, Way


def leaves(site: Site, library: Library) -> Iterator[Leaf]:
    """All of them; `library` is newest first."""
    by_topic, by_author = topics(library), authors(library)
    named = [(path, name, len(posts)) for path, (name, posts) in (*by_topic.items(), *by_author.items())]
    yield Leaf(page_file(TOPICS), partial(_topics, site, by_topic, by_author), (named,))
    yield from lists.leaves(site, _all_posts(site, library))
    yield from _lists(site, by_topic, "on")
    yield from _lists(site, by_author, "by")
    yield from _takes(site, library)
    yield from _withdrawals(site, library)


def moved(site: Site, redirects: Iterable[Redirect]) -> Iterator[Leaf]:
    """Where something was: pages that lead on."""
    for redirect in redirects:
        path = page_of(redirect.path)
        if path is not None:
            yield Leaf(path, partial(_moved, site, path, redirect.target), (redirect,))


def _page(site: Site, path: str, title: str, about: str, feeds: tuple[discovery.Alternate, ...] = ()) -> Page:
    return Page(title, about, canonical=site.address_of(path), root=root_of(path), feeds=feeds)


_Lists = Mapping[str, tuple[str, tuple[Post, ...]]]


def _topics(site: Site, by_topic: _Lists, by_author: _Lists) -> TopicsContext:
    page = _page(site, TOPICS, "Topics", f"What {site.title} writes about, and who writes it.")
    return TopicsContext(site, page, _ways(by_topic), _ways(by_author))


def _ways(found: _Lists) -> tuple[Way, ...]:
    ways = [Way(name, path, words.count(len(posts), "post")) for path, (name, posts) in found.items()]
    return tuple(sorted(ways, key=lambda way: (way.name.casefold(), way.path)))


def _all_posts(site: Site, library: Library) -> Listing:
    """Years are not below `posts/`, where a Post may be called 2019."""
    return Listing("All posts", f"of {site.title}", POSTS, YEARS, library.posts)


def _lists(site: Site, found: _Lists, how: str) -> Iterator[Leaf]:
    up = Way("All topics and authors", TOPICS)
    for path, (name, posts) in found.items():
        feeds = discovery.of_folder(site, name, path)
        yield from lists.leaves(site, Listing(name, f"{how} {name}", path, path, posts, up, feeds))


def _takes(site: Site, library: Library) -> Iterator[Leaf]:
    """Nothing where no take was ever held to account."""
    found = takes.predictions(library)
    if takes.told(library):
        seen = [(keys.face(one.post), one.verdict and keys.face(one.verdict), one.judgement) for one in found]
        yield Leaf(page_file(TAKES), partial(_account, site, found), seen)


def _account(site: Site, found: Sequence[Prediction]) -> TakesContext:
    counts = {one: sum(prediction.judgement is one for prediction in found) for one in Judgement}
    tally = ", ".join(f"{count:,} {one}" if count else f"none {one}" for one, count in counts.items())
    about = f"What {site.title} said would happen, and what became of it: {tally}."
    page = _page(site, TAKES, "Takes held to account", about, discovery.of_folder(site, "takes held to account", TAKES))
    groups = {one.value: _promises(site, found, one, page.root) for one in Judgement}
    return TakesContext(site, page, tally, **groups)


def _promises(site: Site, found: Iterable[Prediction], judgement: Judgement, root: str) -> tuple[views.Promise, ...]:
    return tuple(views.promise(site, one, root) for one in found if one.judgement is judgement)


def _withdrawals(site: Site, library: Library) -> Iterator[Leaf]:
    posts = {post.id: post for post in library.posts}
    newest = next(iter(posts.values()), None)
    for post in library.withdrawn:
        chain = library.chains.get(post.id)
        story = [posts[post_id] for post_id in (chain.posts if chain else ()) if post_id in posts]
        seen = (post.title, post.slug, post.withdrawal, *map(keys.face, [*story, *([newest] if newest else [])]))
        yield Leaf(page_file(post_path(post.slug)), partial(_withdrawn, site, post, story, newest), seen)


def _withdrawn(site: Site, post: Post, story: Sequence[Post], newest: Post | None) -> WithdrawnContext:
    assert post.withdrawal is not None  # noqa: S101  or it would not be among these
    day = post.withdrawal.at.astimezone(site.timezone).date()
    page = Page(post.title, "", canonical="", root=root_of(post_path(post.slug)), robots="noindex")
    return WithdrawnContext(
        site,
        page,
        date=words.long_date(day),
        iso=day.isoformat(),
        reason=post.withdrawal.reason,
        story=views.references(site, story),
        newest=views.reference(site, newest) if newest else None,
    )


def _moved(site: Site, path: PurePosixPath, target: str) -> MovedContext:
    root = "../" * (len(path.parts) - 1) or "./"
    page = Page("This page has moved", "", canonical=target, root=root)
    return MovedContext(site, page, local(target, site, root))
