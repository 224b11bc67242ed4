"""One frozen context a template: the names in a `web/*.html` are the fields of its class here, and no others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar

from markupsafe import Markup

from newsletter.model import Site
from newsletter.publish.views import (
    Box,
    Corrected,
    FeedWay,
    Group,
    IssueLine,
    IssueStory,
    Judged,
    Page,
    Promise,
    Reference,
    Step,
    Teaser,
    Way,
)


@dataclass(frozen=True, slots=True)
class Context:
    """What every page has; `template` is the file that shows it."""

    template: ClassVar[str]
    site: Site
    page: Page


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page before it is rendered: `seen` is all that its context depends on but the site and the templates."""

    path: PurePosixPath
    context: Callable[[], Context]
    seen: Sequence[object]


@dataclass(frozen=True, slots=True)
class HomeContext(Context):
    template: ClassVar[str] = "web/home.html"
    lead: Teaser | None
    more: tuple[Teaser, ...]
    others: bool  # whether there are Posts that this page does not list
    latest_issue: IssueLine | None
    first_issue: str  # when the first Issue comes out, in words; empty when unknown or past
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class PostContext(Context):
    template: ClassVar[str] = "web/post.html"
    post: Teaser
    body: Markup
    continues: tuple[Reference, ...]
    previously: tuple[Reference, ...]
    later: tuple[Reference, ...]
    corrects: tuple[Reference, ...]
    corrected_by: tuple[Reference, ...]
    story: tuple[Step, ...]
    see_also: tuple[Reference, ...]
    mentioned_in: tuple[Reference, ...]
    issues: tuple[IssueLine, ...]
    newer: Reference | None
    older: Reference | None
    json_ld: Markup
    judged: tuple[Judged, ...] = ()
    verdicts: tuple[Judged, ...] = ()
    corrections: tuple[Corrected, ...] = ()
    corrected: tuple[Corrected, ...] = ()  # of the posts that it links to
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class IssueContext(Context):
    template: ClassVar[str] = "web/issue.html"
    issue: IssueLine
    subject: str  # empty when it is only the lead's title, which follows anyway
    minutes: str  # to read all of it; empty where nothing of it is public
    web_only: bool
    note: tuple[str, ...]  # of the editor, in paragraphs
    corrected: tuple[Corrected, ...]  # of its stories, since it was mailed
    stories: tuple[IssueStory, ...]
    newer: IssueLine | None
    older: IssueLine | None
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class IssuesContext(Context):
    template: ClassVar[str] = "web/issues.html"
    groups: tuple[Group, ...]
    first_issue: str
    box: Box | None = None
    monthly: tuple[Group, ...] = ()  # the issues that come once a month


@dataclass(frozen=True, slots=True)
class FeedsContext(Context):
    template: ClassVar[str] = "web/feeds.html"
    others: tuple[FeedWay, ...]  # beside the main feed


@dataclass(frozen=True, slots=True)
class SearchContext(Context):
    template: ClassVar[str] = "web/search-lists.html"


@dataclass(frozen=True, slots=True)
class LostContext(Context):
    template: ClassVar[str] = "web/404.html"
    newest: Reference | None
    guesses: tuple[Reference, ...] = ()  # known only to who sees what was asked for


@dataclass(frozen=True, slots=True)
class TopicsContext(Context):
    template: ClassVar[str] = "web/topics.html"
    topics: tuple[Way, ...]
    authors: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class ListContext(Context):
    """All Posts, or those of a topic or an author; or those of one year among them."""

    template: ClassVar[str] = "web/list.html"
    name: str
    sentence: str  # empty when there is no Post
    groups: tuple[Group, ...]
    ways: tuple[Way, ...] = ()  # to the pages of the years, or to the months of one
    older: Way | None = None
    newer: Way | None = None
    up: Way | None = None


@dataclass(frozen=True, slots=True)
class TakesContext(Context):
    template: ClassVar[str] = "web/takes.html"
    tally: str  # "2 open, 1 right, none wrong"
    open: tuple[Promise, ...]
    right: tuple[Promise, ...]
    wrong: tuple[Promise, ...]


@dataclass(frozen=True, slots=True)
class WithdrawnContext(Context):
    template: ClassVar[str] = "web/410.html"
    date: str
    iso: str
    reason: str
    story: tuple[Reference, ...]  # what came before and after it, oldest first
    newest: Reference | None


@dataclass(frozen=True, slots=True)
class MovedContext(Context):
    template: ClassVar[str] = "web/moved.html"
    target: str  # relative to the page, or an address elsewhere
