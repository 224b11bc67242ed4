"""title | defaults of the site | the text of a new post."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import PurePosixPath

from newsletter.content import names
from newsletter.content.library import Loaded
from newsletter.content.new import template
from newsletter.errors import Problem, UsageError, nearest
from newsletter.model import Person, Post, Site


@dataclass(frozen=True, slots=True)
class NewPost:
    """A file that `newsletter new` writes, and what went into it."""

    path: PurePosixPath
    text: str
    post_id: str
    author: str
    reviewer: str
    previous: str
    day: date


def new_post(
    title: str,
    *,
    site: Site,
    loaded: Loaded,
    author: Person | None,
    topics: Sequence[str],
    day: str | None,
    previous: str,
    now: datetime,
) -> NewPost:
    """The text of a new post. Raises UsageError for a date, a slug or a title that cannot be."""
    if not any(character.isalnum() for character in title):
        raise UsageError(Problem("P213", "A post needs a title of words", fixes=('newsletter new "Title"',)))
    written_on = _date(day) if day else now.astimezone(site.timezone).date()
    if previous not in {"auto", "none"}:
        _known(previous, loaded)
    by = author or next((p for p in site.people.values() if p.role == "writer"), None)
    reviewer = reviewer_for(site, by)
    path = PurePosixPath("posts") / names.file_name(title, written_on)
    post_id = names.post_id(names.stem(path), written_on, site)
    text = template(
        title,
        author=by.key if by else "",
        reviewer=reviewer.key if reviewer else "",
        date=written_on,
        topics=topics,
        previous=previous,
        post_id=post_id,
    )
    follows = _follows(previous, topics, loaded)
    return NewPost(path, text, post_id, by.name if by else "", reviewer.name if reviewer else "", follows, written_on)


def reviewer_for(site: Site, author: Person | None) -> Person | None:
    """Somebody else who may review: an editor first."""
    others = [p for p in site.people.values() if p != author]
    if not site.review:
        return None
    return next((p for p in others if p.role == "editor"), others[0] if others else None)


def _follows(previous: str, topics: Sequence[str], loaded: Loaded) -> str:
    if previous == "none":
        return "none"
    if previous != "auto":
        return next(post.title for post in loaded.posts if post.slug == previous)
    found = next((p for p in loaded.library.posts if set(p.topics) & set(topics)), None)
    return _auto(found)


def _auto(found: Post | None) -> str:
    if found is None:
        return "auto: nothing on this topic yet"
    return f"auto: now that is “{found.title}”"


def _known(slug: str, loaded: Loaded) -> None:
    if not any(post.slug == slug for post in loaded.posts):
        guess = nearest(slug, (post.slug for post in loaded.posts))
        fixes = (f"Did you mean {guess}?",) if guess else ("newsletter post list",)
        raise UsageError(Problem("P211", f"There is no post {slug}", fixes=fixes))


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(Problem("P212", f'--date "{text}" is not YYYY-MM-DD', fixes=("--date 2026-11-20",))) from None
