"""post | may this person approve it | one line in reviews.toml."""

from __future__ import annotations

from datetime import datetime

from newsletter.content.library import Loaded
from newsletter.errors import Problem, Refused, UsageError, nearest
from newsletter.model import Approval, LogEntry, Person, Post, Site
from newsletter.ports import Ledger, Reviews


def post_named(loaded: Loaded, slug: str) -> Post:
    """The post of a slug. Raises UsageError (P211) with the nearest one."""
    found = next((post for post in loaded.posts if post.slug == slug), None)
    if found is None:
        guess = nearest(slug, (post.slug for post in loaded.posts))
        fixes = (f"Did you mean {guess}?",) if guess else ("newsletter post list",)
        raise UsageError(Problem("P211", f"There is no post {slug}", fixes=fixes))
    return found


def approve(
    *,
    post: Post,
    person: Person,
    site: Site,
    reviews: Reviews,
    ledger: Ledger,
    now: datetime,
    wanted: str | None = None,
) -> Approval | None:
    """Sign off the present text of `post`. None when this person already has.

    Raises Refused when the person wrote it, is not its reviewer, or `wanted` (a hash given by a script) is another
    text's.
    """
    if refusal := may_approve(post, person, site, wanted):
        raise Refused(refusal)
    if approved(post, reviews):
        return None
    approval = Approval(post.id, post.content_hash, person.key, now)
    reviews.add(approval)
    ledger.log(LogEntry(now, person.key, "cli", "approve", f"post {post.slug}", "", post.content_hash))
    return approval


def approved(post: Post, reviews: Reviews) -> bool:
    """Whether the present text of `post` was signed off."""
    return any(a.post_id == post.id and a.content_hash == post.content_hash for a in reviews.all())


def may_approve(post: Post, person: Person, site: Site, wanted: str | None) -> Problem | None:
    """Why this person may not approve this text, or None."""
    place = str(post.path)
    if not site.review:
        return Problem("P200", 'Review is off in newsletter.toml (review = "off"), so nothing is approved', place)
    if person.key == post.author.key:
        return Problem(
            "P201",
            "You wrote this post, so you cannot approve it",
            place,
            why="Author and reviewer must be two people.",
            fixes=(f"newsletter post approve {post.slug} --as {post.reviewer.key if post.reviewer else 'REVIEWER'}",),
        )
    if post.reviewer is None or person.key != post.reviewer.key:
        named = post.reviewer.name if post.reviewer else "nobody"
        return Problem(
            "P202",
            f"This post names {named} as its reviewer, not {person.name}",
            place,
            why="The byline tells readers who reviewed it; it must be true.",
            fixes=(f"Put   reviewer: {person.key}   into its front matter.",),
        )
    if wanted and not post.content_hash.removeprefix("sha256:").startswith(wanted.removeprefix("sha256:")):
        return Problem(
            "P203",
            "The post has changed: its hash is not the one that you gave",
            place,
            why=f"You gave {wanted}; the text now is {post.content_hash}.",
            fixes=(f"Read it again, then   newsletter post approve {post.slug}",),
        )
    return None
