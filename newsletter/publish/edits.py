"""Posts that changed since they were published, and do not say so.

Feeds and pages tell of a change by `updated` alone. Whether one is worth telling only its writer knows, so that it is
asked once: the next publish remembers the new text. What changes on the very day of its date is asked nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from newsletter import words
from newsletter.errors import Problem
from newsletter.model import Post, Site

_MANY = 10  # changes that are told one by one
_WHY = "Readers, and their feed readers, learn of a change only by its date."
_KEEP = "leave it as it is, if it is nothing to tell of: this is said once"


def traces(posts: Iterable[Post]) -> dict[str, str]:
    """Post id -> what is remembered of its text: when it says that it changed, and the hash that approvals go by."""
    return {post.id: f"{post.updated.isoformat()} {post.content_hash.removeprefix('sha256:')[:16]}" for post in posts}


def unsaid(
    posts: Iterable[Post], present: Mapping[str, str], published: Mapping[str, str], site: Site, now: datetime
) -> list[Problem]:
    """F412, a warning, for each Post whose trace is not that of its last publish, and whose `updated` neither moved
    nor is today.
    """
    today = now.astimezone(site.timezone).date()
    other = [post for post in posts if published.get(post.id, present[post.id]) != present[post.id]]
    changed = [post for post in other if not _said(post, published[post.id], site, today)]
    if len(changed) > _MANY:
        return [_problem(f"{words.count(len(changed), 'text')} changed since they were published", "posts", today)]
    return [_problem(_told(post, site), str(post.path), today) for post in changed]


def _said(post: Post, before: str, site: Site, today: date) -> bool:
    moved = post.updated.isoformat() != before.partition(" ")[0]
    return moved or post.updated.astimezone(site.timezone).date() >= today


def _told(post: Post, site: Site) -> str:
    day = words.long_date(post.updated.astimezone(site.timezone))
    what = "its last update" if post.updated > post.published else "it was published"
    return f"The text of {post.slug} changed since {what} on {day}"


def _problem(message: str, file: str, today: date) -> Problem:
    fixes = (f"if readers should know of it, write   updated: {today}", _KEEP)
    return Problem("F412", message, file, why=_WHY, fixes=fixes, level="warn")
