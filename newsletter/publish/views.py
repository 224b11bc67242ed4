"""What the web templates see: frozen views with every date in words and every path below the web root.

HTML enters a template only as Markup of a Post's own body and take, which `content` has sanitised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from newsletter import words
from newsletter.model import MONTHLY, WEEKLY, Correction, Issue, Post, Site
from newsletter.publish.around import Around
from newsletter.publish.discovery import Alternate
from newsletter.publish.illustrate import candidates, cover, responsive
from newsletter.publish.paths import author_path, local, post_path, topic_path
from newsletter.publish.takes import Prediction
from newsletter.tongue import tongue_of


@dataclass(frozen=True, slots=True)
class Page:
    """What `web/base.html` needs to know of any page."""

    title: str
    description: str
    canonical: str
    root: str
    robots: str = ""
    image: str = ""
    feeds: tuple[Alternate, ...] = ()  # the page's own, after the main feed


@dataclass(frozen=True, slots=True)
class Reference:
    """A link to a Post or Issue, with its date."""

    title: str
    path: str
    date: str
    iso: str
    year: int


@dataclass(frozen=True, slots=True)
class Way:
    """A link to a list."""

    name: str
    path: str
    posts: str = ""  # how many Posts are there, in words


@dataclass(frozen=True, slots=True)
class Teaser:
    """A Post in a list, or the head of its own page."""

    reference: Reference
    standfirst: str  # empty when the summary is only the beginning of the text
    author: str
    reviewer: str
    updated: str  # in words; empty when it is the day of publication
    updated_iso: str
    reading: str  # how long it takes: "5 min read"
    topics: tuple[Way, ...]
    image: str
    image_alt: str
    take: Markup | None
    take_short: str  # its first sentence; empty without a take
    image_widths: str = ""  # for srcset; empty when there is one width, or it stands elsewhere on the web
    image_size: tuple[int, int] | None = None  # width and height in pixels, where they are known
    author_path: str = ""
    take_check: str = ""  # the day on which the take is to be looked back at, in words


@dataclass(frozen=True, slots=True)
class Step:
    """One Post of "This story so far"; `label` is on the first of each group."""

    label: str
    reference: Reference
    here: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, seen from either end: the other Post, and what became of the Take."""

    reference: Reference
    judgement: str  # right, wrong, open; in words


@dataclass(frozen=True, slots=True)
class Corrected:
    """What was wrong, and since when it is right; with the Post, where it is another one's."""

    day: str
    iso: str
    text: str
    reference: Reference | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """A Take that is held to account, on the list of them."""

    reference: Reference
    take: Markup
    check: str  # in words; empty when no day was named
    verdict: Reference | None


@dataclass(frozen=True, slots=True)
class IssueLine:
    """An Issue in a list."""

    number: int
    reference: Reference
    stories: str  # "5 stories"
    name: str  # "Issue 47"


@dataclass(frozen=True, slots=True)
class IssueStory:
    """A Story on its Issue's page; without a teaser when its Post is no longer public."""

    title: str
    summary: str
    teaser: Teaser | None
    earlier: tuple[Reference, ...]
    lead: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Posts or Issues of a year or month, newest first."""

    heading: str  # empty where they need none
    lines: tuple[Reference | IssueLine, ...]

    @property
    def mark(self) -> str:
        """What a link to it on its page is called."""
        return "-".join(self.heading.lower().split())


@dataclass(frozen=True, slots=True)
class Box:
    """The form that takes readers in."""

    button: str  # Get it every Friday
    promise: str


def box(site: Site) -> Box | None:
    """None where nobody can sign up by mail."""
    if site.mail_day is None:
        return None
    tongue = tongue_of(site)
    often = tongue.often(WEEKLY, site.mail_day)
    return Box(tongue.say("Get it %(often)s", often=often), tongue.say("One email a week. Leave with one click."))


@dataclass(frozen=True, slots=True)
class FeedWay:
    """A feed beside the main one: what it is about, the page it belongs to, and the folder of its three formats."""

    name: str
    path: str
    folder: str


def feed_way(site: Site, title: str, path: str, folder: str) -> FeedWay:
    """Called by what it is about, without the name of the site before it."""
    name = title.removeprefix(tongue_of(site).titled(site.title, ""))
    return FeedWay(f"{name[:1].upper()}{name[1:]}", path, folder)


def reference(site: Site, post: Post) -> Reference:
    when = post.published.astimezone(site.timezone)
    day = tongue_of(site).long_date(when)
    return Reference(post.title, post_path(post.slug), day, when.date().isoformat(), when.year)


def references(site: Site, posts: Iterable[Post]) -> tuple[Reference, ...]:
    return tuple(reference(site, post) for post in posts)


def teaser(site: Site, post: Post, root: str) -> Teaser:
    picture, tongue = cover(post, site), tongue_of(site)
    published, updated = (when.astimezone(site.timezone).date() for when in (post.published, post.updated))
    return Teaser(
        reference=reference(site, post),
        standfirst="" if post.repeats_itself else post.summary,
        author=post.author.name,
        reviewer=post.reviewer.name if post.reviewer else "",
        updated=tongue.long_date(updated) if updated > published else "",
        updated_iso=updated.isoformat(),
        reading=tongue.reading(post.minutes),
        topics=topics(post),
        image=local(post.image, site, root) if post.image else "",
        image_alt=post.image_alt,
        take=html(site, post.take.html, root) if post.take else None,
        image_widths=candidates(picture, f"{root}{post_path(post.slug)}") if picture else "",
        image_size=(picture.shown.width, picture.shown.height) if picture else None,
        author_path=author_path(post.author.key),
        take_check=tongue.long_date(post.take.check) if post.take and post.take.check else "",
        take_short=words.first_sentence(post.take.text) if post.take else "",
    )


def topics(post: Post) -> tuple[Way, ...]:
    """Each page of a topic once, as the Post spells it."""
    found: dict[str, str] = {}
    for topic in post.topics:
        found.setdefault(topic_path(topic), topic)
    return tuple(Way(name, path) for path, name in found.items())


def html(site: Site, sanitised: str, root: str) -> Markup:
    """A Post's HTML for its own page: addresses on the site become relative, so that a copy works anywhere."""
    own = re.compile(rf'(<[a-z][^<>]*?\s(?:href|src)="){re.escape(site.url)}/')
    return Markup(own.sub(lambda match: f"{match[1]}{root}", sanitised))  # noqa: S704  # sanitised by content


def body(site: Site, post: Post, root: str) -> Markup:
    """A Post's text for its own page, its pictures in every width."""
    return html(site, responsive(post, root), root)


def story(site: Site, post: Post, around: Around) -> tuple[Step, ...]:
    """The story a Post is part of, oldest first; nothing when it stands alone."""
    if not (around.earlier or around.later):
        return ()
    tongue = tongue_of(site)
    before = _steps(references(site, reversed(around.earlier)), tongue.say("Earlier in this story"))
    after = _steps(references(site, around.later), tongue.say("Later"))
    return (*before, Step(tongue.say("You are here"), reference(site, post), here=True), *after)


def verdicts(site: Site, around: Around) -> tuple[Judged, ...]:
    """What later Posts say of this one's Take, oldest first."""
    return tuple(Judged(reference(site, judge), _outcome(site, judge)) for judge in around.verdicts)


def judged(site: Site, post: Post, around: Around) -> tuple[Judged, ...]:
    """The Takes that a Post judges."""
    return tuple(Judged(reference(site, other), _outcome(site, post)) for other in around.judged)


def _outcome(site: Site, judge: Post) -> str:
    return tongue_of(site).outcome(judge.judgement) if judge.judgement else ""


def corrections(site: Site, post: Post) -> tuple[Corrected, ...]:
    """What was wrong in a Post, oldest first."""
    tongue = tongue_of(site)
    return tuple(Corrected(tongue.long_date(one.day), one.day.isoformat(), one.text) for one in post.corrections)


def corrected(site: Site, around: Around) -> tuple[Corrected, ...]:
    """What was wrong in the Posts that one links to, each with the Post, oldest first."""
    return _dated(site, [(one, other) for other in around.linked for one in other.corrections])


def corrected_since(site: Site, issue: Issue, posts: Mapping[str, Post]) -> tuple[Corrected, ...]:
    """What was wrong in an Issue as it was mailed, each with the Post, oldest first."""
    carried = [(story, post) for story in issue.stories if (post := posts.get(story.post_id))]
    return _dated(site, [(one, post) for story, post in carried for one in post.corrections[story.corrections :]])


def _dated(site: Site, found: Iterable[tuple[Correction, Post]]) -> tuple[Corrected, ...]:
    return tuple(
        Corrected(tongue_of(site).long_date(one.day), one.day.isoformat(), one.text, reference(site, post))
        for one, post in sorted(found, key=lambda row: (row[0].day, row[1].id))
    )


def promise(site: Site, one: Prediction, root: str) -> Promise:
    return Promise(
        reference(site, one.post),
        html(site, one.take.html, root),
        tongue_of(site).long_date(one.take.check) if one.take.check else "",
        reference(site, one.verdict) if one.verdict else None,
    )


def issue_line(site: Site, issue: Issue) -> IssueLine:
    when, tongue = issue.slot.local, tongue_of(site)
    ref = Reference(issue.subject, issue.page, tongue.full_date(when), when.date().isoformat(), when.year)
    return IssueLine(issue.number, ref, tongue.stories(len(issue.stories)), issue_name(site, issue))


def issue_name(site: Site, issue: Issue) -> str:
    """`Issue 47`; one that comes once a month is called by its month."""
    if issue.edition == MONTHLY:
        return words.capital(tongue_of(site).month_and_year(issue.slot.local.date()))
    return tongue_of(site).say("Issue %(number)s", number=str(issue.number))


def by_year(lines: Iterable[Reference | IssueLine]) -> tuple[Group, ...]:
    """Lines that are in order, under the heading of their year."""
    return tuple(Group(str(year), tuple(group)) for year, group in groupby(lines, _year))


def _year(line: Reference | IssueLine) -> int:
    return line.reference.year if isinstance(line, IssueLine) else line.year


def _steps(refs: tuple[Reference, ...], label: str) -> tuple[Step, ...]:
    return tuple(Step("" if position else label, ref) for position, ref in enumerate(refs))
