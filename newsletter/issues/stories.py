"""What is looked at in the stories of an Issue as a whole; what one post says is looked at when it is read.

The last look at the promise of the house: each story was read by somebody else, in this very text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from newsletter import words
from newsletter.errors import Problem
from newsletter.issues.mail import stop, warn
from newsletter.model import Issue, Post, Site

FRESH = timedelta(days=21)
_ALONE_FROM = 3  # stories of one author that are no coincidence


def check(
    posts: Sequence[Post], site: Site, *, day: date, approved: Collection[str], last: Issue | None = None
) -> list[Problem]:
    """I335 a text that nobody approved, I336 author and reviewer, I325 old news, I326 the same lead, I327 one voice.

    `day` is when readers get it, `approved` the ids of posts whose present text was signed off, `last` the issue
    before. Each says which post's file is meant.
    """
    lone = (p for post in posts for p in _alone(post, site, day, approved))
    return [*lone, *_lead(posts, last), *_voices(posts, site)]


def _alone(post: Post, site: Site, day: date, approved: Collection[str]) -> Iterator[Problem]:
    if post.id not in approved:
        message = f"“{post.title}” is not approved in this text"
        why = "What readers get is what somebody else has read."
        yield _in(post, stop("I335", message, why, f"newsletter post approve {post.slug}"))
    if site.review and (post.reviewer is None or post.reviewer.key == post.author.key):
        message = f"“{post.title}” has no reviewer who is not its author"
        why = "Author and reviewer must be two people; the byline names both."
        yield _in(post, stop("I336", message, why, "reviewer: somebody else"))
    if (age := day - post.published.astimezone(site.timezone).date()) > FRESH:
        message = f"“{post.title}” is {age.days} days old when it is mailed"
        why = f"Readers take it for news; older than {FRESH.days} days it is asked about."
        fixes = (f"newsletter issue plan --leave-out {post.slug}", "say in its text that it is looked back at")
        yield _in(post, warn("I325", message, why, *fixes))


def _lead(posts: Sequence[Post], last: Issue | None) -> Iterator[Problem]:
    if not posts or last is None or not last.stories:
        return
    lead, before = posts[0], last.stories[0]
    if lead.id == before.post_id or lead.title.casefold() == before.title.casefold():
        message = f"The lead is that of issue {last.number}: “{lead.title}”"
        why = "In the list of mails it looks like the same one again."
        yield _in(lead, warn("I326", message, why, "newsletter issue plan --lead SLUG"))


def _voices(posts: Sequence[Post], site: Site) -> Iterator[Problem]:
    authors = {post.author.key for post in posts}
    if len(posts) >= _ALONE_FROM and len(authors) == 1 and len(site.people) > 1:
        message = f"{posts[0].author.name} wrote all {words.stories(len(posts))}"
        why = "A house of several voices speaks with one this week."
        yield warn("I327", message, why, "newsletter issue plan --leave-out SLUG")


def _in(post: Post, problem: Problem) -> Problem:
    return replace(problem, file=str(post.path))
