"""What the web templates see: frozen views with every date in words and every path below the web root.

HTML enters a template only as Markup of a Post's own body and take, which `content` has sanitised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from newsletter import words
from newsletter.model import Issue, Post, Site
from newsletter.publish.around import Around
from newsletter.publish.paths import issue_path, local, post_path


@dataclass(frozen=True, slots=True)
class Page:
    """What `web/base.html` needs to know of any page."""

    title: str
    description: str
    canonical: str
    root: str
    robots: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A link to a Post or Issue, with its date."""

    title: str
    path: str
    date: str
    iso: str
    year: int


@dataclass(frozen=True, slots=True)
class Teaser:
    """A Post in a list, or the head of its own page."""

    reference: Reference
    standfirst: str  # empty when the summary is only the beginning of the text
    author: str
    reviewer: str
    updated: str  # in words; empty when it is the day of publication
    updated_iso: str
    minutes: int
    topics: str
    image: str
    image_alt: str
    take: Markup | None
    take_short: str  # its first sentence; empty without a take


@dataclass(frozen=True, slots=True)
class Step:
    """One Post of "This story so far"; `label` is on the first of each group."""

    label: str
    reference: Reference
    here: bool = False


@dataclass(frozen=True, slots=True)
class IssueLine:
    """An Issue in a list."""

    number: int
    reference: Reference
    stories: str  # "5 stories"


@dataclass(frozen=True, slots=True)
class IssueStory:
    """A Story on its Issue's page; without a teaser when its Post is no longer public."""

    title: str
    summary: str
    teaser: Teaser | None
    earlier: tuple[Reference, ...]
    lead: bool


@dataclass(frozen=True, slots=True)
class Year:
    """The Posts or Issues of a year, newest first."""

    year: int
    lines: tuple[Reference | IssueLine, ...]


def reference(site: Site, post: Post) -> Reference:
    when = post.published.astimezone(site.timezone)
    return Reference(post.title, post_path(post.slug), words.long_date(when), when.date().isoformat(), when.year)


def references(site: Site, posts: Iterable[Post]) -> tuple[Reference, ...]:
    return tuple(reference(site, post) for post in posts)


def teaser(site: Site, post: Post, root: str) -> Teaser:
    published, updated = (when.astimezone(site.timezone).date() for when in (post.published, post.updated))
    return Teaser(
        reference=reference(site, post),
        standfirst=_standfirst(post),
        author=post.author.name,
        reviewer=post.reviewer.name if post.reviewer else "",
        updated=words.long_date(updated) if updated > published else "",
        updated_iso=updated.isoformat(),
        minutes=post.minutes,
        topics=" · ".join(post.topics),
        image=local(post.image, site, root) if post.image else "",
        image_alt=post.image_alt,
        take=html(site, post.take.html, root) if post.take else None,
        take_short=words.first_sentence(post.take.text) if post.take else "",
    )


def html(site: Site, sanitised: str, root: str) -> Markup:
    """A Post's HTML for its own page: addresses on the site become relative, so that a copy works anywhere."""
    own = re.compile(rf'(<[a-z][^<>]*?\s(?:href|src)="){re.escape(site.url)}/')
    return Markup(own.sub(lambda match: f"{match[1]}{root}", sanitised))  # noqa: S704  # sanitised by content


def story(site: Site, post: Post, around: Around) -> tuple[Step, ...]:
    """The story a Post is part of, oldest first; nothing when it stands alone."""
    if not (around.earlier or around.later):
        return ()
    before = _steps(references(site, reversed(around.earlier)), "Earlier in this story")
    after = _steps(references(site, around.later), "Later")
    return (*before, Step("You are here", reference(site, post), here=True), *after)


def issue_line(issue: Issue) -> IssueLine:
    when = issue.slot.local
    ref = Reference(issue.subject, issue_path(issue.number), words.full_date(when), when.date().isoformat(), when.year)
    return IssueLine(issue.number, ref, words.stories(len(issue.stories)))


def by_year(lines: Iterable[Reference | IssueLine]) -> tuple[Year, ...]:
    """Lines that are in order, under the heading of their year."""
    return tuple(Year(year, tuple(group)) for year, group in groupby(lines, _year))


def _year(line: Reference | IssueLine) -> int:
    return line.reference.year if isinstance(line, IssueLine) else line.year


def _steps(refs: tuple[Reference, ...], label: str) -> tuple[Step, ...]:
    return tuple(Step("" if position else label, ref) for position, ref in enumerate(refs))


def _standfirst(post: Post) -> str:
    """A summary that was cut from the first paragraph would stand twice on the page."""
    beginning = " ".join(post.summary.removesuffix("…").split())
    return "" if " ".join(post.text.split()).startswith(beginning) else post.summary
