"""Takes held to account: what the house said would happen, when it promised to look back, and what became of it.

A Take is held to account when it names a day on which to look back at it, or when a later Post judges it. The newest
verdict counts. Nothing here asks what day it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from newsletter.model import Judgement, Library, LinkKind, Post, Site, Take


@dataclass(frozen=True, slots=True)
class Prediction:
    """A Take that is held to account; `verdict` is the newest Post that judges it, if one does."""

    post: Post
    take: Take
    judgement: Judgement
    verdict: Post | None


def predictions(library: Library) -> tuple[Prediction, ...]:
    """All of them, newest first."""
    posts = {post.id: post for post in library.posts}
    newest_first = sorted((post for post in library.posts if post.take), key=_age, reverse=True)
    return tuple(found for post in newest_first if (found := prediction(post, library, posts)))


def prediction(post: Post, library: Library, posts: Mapping[str, Post]) -> Prediction | None:
    """What a Post is held to account for; `posts` are the public ones by id."""
    if post.take is None:
        return None
    links = library.backlinks.get(post.id, ())
    judges = [posts[link.source] for link in links if link.kind is LinkKind.VERDICT and link.source in posts]
    verdict = max((judge for judge in judges if judge.judgement), key=_age, default=None)
    if verdict is None and post.take.check is None:
        return None
    judgement = verdict.judgement if verdict and verdict.judgement else Judgement.OPEN
    return Prediction(post, post.take, judgement, verdict)


def due(library: Library, site: Site, today: date) -> tuple[Prediction, ...]:
    """Those whose day has come and that no Post of that day or later has judged; the longest due first."""
    found = [one for one in predictions(library) if one.take.check and one.take.check <= today]
    waiting = [one for one in found if one.verdict is None or _day(one.verdict, site) < (one.take.check or today)]
    return tuple(sorted(waiting, key=lambda one: (one.take.check or today, *_age(one.post))))


def told(library: Library) -> tuple[Post, ...]:
    """The Posts of the feed: those with a prediction and those with a verdict, newest first."""
    found = predictions(library)
    named = {one.post.id for one in found} | {post.id for post in library.posts if post.judgement}
    return tuple(sorted((post for post in library.posts if post.id in named), key=_age, reverse=True))


def _day(post: Post, site: Site) -> date:
    return post.published.astimezone(site.timezone).date()


def _age(post: Post) -> tuple[datetime, str]:
    return post.published, post.id
