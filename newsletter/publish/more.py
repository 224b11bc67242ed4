"""The pages beside posts and issues: lists of posts, takes held to account, and what stands at addresses that went.

They are derived from the Library alone, so what is not public counts nowhere. A renamed Post leaves a page that leads
on, a withdrawn one a page that says when and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath

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
from newsletter.tongue import Tongue, tongue_of


def leaves(site: Site, library: Library) -> Iterator[Leaf]:
    """All of them; `library` is newest first."""
    by_topic, by_author = topics(library), authors(library)
    named = [(path, name, len(posts)) for path, (name, posts) in (*by_topic.items(), *by_author.items())]
    yield Leaf(page_file(TOPICS), partial(_topics, site, by_topic, by_author), (named,))
    yield from lists.leaves(site, _all_posts(site, library))
    yield from _lists(site, by_topic, lambda name: tongue_of(site).say("on %(topic)s", topic=name))
    yield from _lists(site, by_author, lambda name: tongue_of(site).say("by %(author)s", author=name))
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
    say = tongue_of(site).say
    about = say("What %(publication)s writes about, and who writes it.", publication=site.title)
    page = _page(site, TOPICS, say("Topics"), about)
    return TopicsContext(site, page, _ways(site, by_topic), _ways(site, by_author))


def _ways(site: Site, found: _Lists) -> tuple[Way, ...]:
    tongue = tongue_of(site)
    ways = [Way(name, path, tongue.posts(len(posts))) for path, (name, posts) in found.items()]
    return tuple(sorted(ways, key=lambda way: (way.name.casefold(), way.path)))


def _all_posts(site: Site, library: Library) -> Listing:
    """Years are not below `posts/`, where a Post may be called 2019."""
    say = tongue_of(site).say
    return Listing(say("All posts"), say("of %(publication)s", publication=site.title), POSTS, YEARS, library.posts)


def _lists(site: Site, found: _Lists, about: Callable[[str], str]) -> Iterator[Leaf]:
    up = Way(tongue_of(site).say("All topics and authors"), TOPICS)
    for path, (name, posts) in found.items():
        feeds = discovery.of_folder(site, name, path)
        yield from lists.leaves(site, Listing(name, about(name), path, path, posts, up, feeds))


def _takes(site: Site, library: Library) -> Iterator[Leaf]:
    """Nothing where no take was ever held to account."""
    found = takes.predictions(library)
    if takes.told(library):
        seen = [(keys.face(one.post), one.verdict and keys.face(one.verdict), one.judgement) for one in found]
        yield Leaf(page_file(TAKES), partial(_account, site, found), seen)


def _account(site: Site, found: Sequence[Prediction]) -> TakesContext:
    tongue = tongue_of(site)
    tally = _tally(tongue, found)
    about = tongue.say(
        "What %(publication)s said would happen, and what became of it: %(tally)s.",
        publication=site.title,
        tally=tally,
    )
    feeds = discovery.of_folder(site, tongue.say("takes held to account"), TAKES)
    page = _page(site, TAKES, tongue.say("Takes held to account"), about, feeds)
    groups = {one.value: _promises(site, found, one, page.root) for one in Judgement}
    return TakesContext(site, page, tally, **groups)


def _tally(tongue: Tongue, found: Sequence[Prediction]) -> str:
    """`2 open, 1 right, none wrong`."""
    counts = {one: sum(prediction.judgement is one for prediction in found) for one in Judgement}
    told = {
        Judgement.OPEN: tongue.many("%(num)s open", "%(num)s open", counts[Judgement.OPEN]),
        Judgement.RIGHT: tongue.many("%(num)s right", "%(num)s right", counts[Judgement.RIGHT]),
        Judgement.WRONG: tongue.many("%(num)s wrong", "%(num)s wrong", counts[Judgement.WRONG]),
    }
    none = {
        Judgement.OPEN: tongue.say("none open"),
        Judgement.RIGHT: tongue.say("none right"),
        Judgement.WRONG: tongue.say("none wrong"),
    }
    return tongue.listed(*(told[one] if count else none[one] for one, count in counts.items()))


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
        date=tongue_of(site).long_date(day),
        iso=day.isoformat(),
        reason=post.withdrawal.reason,
        story=views.references(site, story),
        newest=views.reference(site, newest) if newest else None,
    )


def _moved(site: Site, path: PurePosixPath, target: str) -> MovedContext:
    root = "../" * (len(path.parts) - 1) or "./"
    title = tongue_of(site).say("This page has moved")
    page = Page(title, "", canonical=target, root=root)
    return MovedContext(site, page, local(target, site, root))
