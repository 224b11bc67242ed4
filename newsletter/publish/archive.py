"""The web archive: a page per Post and Issue, the lists, the home page, and what they are dressed in.

`render` is a function of its arguments: no clock, no disk; an Issue that readers must not see is left out
whoever passes it. Every page has one frame (`web/base.html`), works without script and asks no other host.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import PurePosixPath

from jinja2 import Environment

from newsletter import words
from newsletter.model import File, Issue, IssueState, Library, Post, Site, Slot, Story
from newsletter.publish import metadata, views
from newsletter.publish.around import Around, around_all, newest_first
from newsletter.publish.contexts import (
    Context,
    FeedsContext,
    HomeContext,
    IssueContext,
    IssuesContext,
    LostContext,
    PostContext,
    PostsContext,
)
from newsletter.publish.paths import (
    FEEDS,
    HOME,
    ISSUES,
    POSTS,
    absolute_root,
    issue_path,
    page_file,
    post_path,
    root_of,
)
from newsletter.publish.views import Page

TEMPLATES = tuple(
    context.template
    for context in (
        HomeContext,
        PostContext,
        IssueContext,
        PostsContext,
        IssuesContext,
        FeedsContext,
        LostContext,
    )
)
"""Every page template that `render` names, so that a door can check at its start that all of them load."""

_STYLES = {"style.css": "web/style.css", "feeds/feed.css": "web/feed.css"}
_ON_HOME = 7  # the lead and six more


def render(
    site: Site,
    library: Library,
    issues: Sequence[Issue],
    templates: Environment,
    *,
    next_slot: Slot | None = None,
) -> list[File]:
    """All pages and assets, the same bytes for the same arguments, in path order.

    An Issue that is READY has a page too: it is passed when it starts now, for its page must stand before its mail.
    `next_slot` is told to readers only as long as there is no Issue yet.
    """
    public = sorted((issue for issue in issues if _shown(issue)), key=lambda issue: issue.number, reverse=True)
    library = newest_first(library)
    around = around_all(library)
    first = words.full_date(next_slot.local) if next_slot and not public else ""
    pages: list[tuple[PurePosixPath, Context]] = [
        (page_file(HOME), _home(site, library, public, first)),
        (page_file(POSTS), _posts(site, library)),
        (page_file(ISSUES), _issues(site, public, first)),
        (page_file(FEEDS), _feeds(site)),
        (PurePosixPath("404.html"), _lost(site, library)),
        *((page_file(post_path(post.slug)), _post(site, post, around[post.id], public)) for post in library.posts),
        *((page_file(issue_path(issue.number)), _issue(site, issue, library, around, public)) for issue in public),
    ]
    files = [File(path, _render(templates, context)) for path, context in pages]
    return sorted([*files, *_assets(library), *_styles(templates), _robots(site)], key=lambda file: file.path.parts)


def _render(templates: Environment, context: Context) -> bytes:
    values = {field.name: getattr(context, field.name) for field in fields(context)}
    return templates.get_template(context.template).render(values).encode(errors="replace")


def _page(site: Site, path: str, title: str, description: str, image: str = "") -> Page:
    return Page(title, description, canonical=site.address_of(path), root=root_of(path), image=image)


def _home(site: Site, library: Library, public: Sequence[Issue], first_issue: str) -> HomeContext:
    page = _page(site, HOME, site.title, site.tagline)
    teasers = tuple(views.teaser(site, post, page.root) for post in library.posts[:_ON_HOME])
    return HomeContext(
        site,
        page,
        lead=teasers[0] if teasers else None,
        more=teasers[1:],
        others=len(library.posts) > _ON_HOME,
        latest_issue=views.issue_line(public[0]) if public else None,
        first_issue=first_issue,
    )


def _post(site: Site, post: Post, around: Around, public: Sequence[Issue]) -> PostContext:
    page = _page(site, post_path(post.slug), post.title, post.summary, post.image or "")
    previously = tuple(other for other in around.previous if other not in around.continues)
    return PostContext(
        site,
        page,
        post=views.teaser(site, post, page.root),
        body=views.html(site, post.html, page.root),
        continues=views.references(site, around.continues),
        previously=views.references(site, previously),
        later=views.references(site, around.later[:1]),
        corrects=views.references(site, around.corrects),
        corrected_by=views.references(site, around.corrected_by),
        story=views.story(site, post, around),
        see_also=views.references(site, around.see_also),
        mentioned_in=views.references(site, around.mentioned_in),
        issues=tuple(views.issue_line(issue) for issue in reversed(public) if _carries(issue, post)),
        newer=views.reference(site, around.newer) if around.newer else None,
        older=views.reference(site, around.older) if around.older else None,
        json_ld=metadata.json_ld(site, post),
    )


def _issue(
    site: Site, issue: Issue, library: Library, around: dict[str, Around], public: Sequence[Issue]
) -> IssueContext:
    page = _page(site, issue_path(issue.number), f"Issue {issue.number}: {issue.subject}", issue.preheader)
    by_id = {post.id: post for post in library.posts}
    position = public.index(issue)
    return IssueContext(
        site,
        page,
        issue=views.issue_line(issue),
        subject="" if issue.stories and issue.subject == issue.stories[0].title else issue.subject,
        minutes=sum(by_id[story.post_id].minutes for story in issue.stories if story.post_id in by_id),
        web_only=issue.state is IssueState.WEB_ONLY,
        stories=tuple(
            _story(site, story, by_id.get(story.post_id), around, page.root, lead=story is issue.stories[0])
            for story in issue.stories
        ),
        newer=views.issue_line(public[position - 1]) if position else None,
        older=views.issue_line(public[position + 1]) if position + 1 < len(public) else None,
    )


def _story(
    site: Site, story: Story, post: Post | None, around: dict[str, Around], root: str, *, lead: bool
) -> views.IssueStory:
    if post is None:
        return views.IssueStory(story.title, "", None, (), lead)
    earlier = views.references(site, around[post.id].earlier[:3])
    return views.IssueStory(post.title, post.summary, views.teaser(site, post, root), earlier, lead)


def _posts(site: Site, library: Library) -> PostsContext:
    page = _page(site, POSTS, "All posts", f"Every post of {site.title}, newest first.")
    return PostsContext(site, page, views.by_year(views.references(site, library.posts)))


def _issues(site: Site, public: Iterable[Issue], first_issue: str) -> IssuesContext:
    page = _page(site, ISSUES, "Issues", f"Every issue of {site.title}, newest first.")
    return IssuesContext(site, page, views.by_year(views.issue_line(issue) for issue in public), first_issue)


def _feeds(site: Site) -> FeedsContext:
    return FeedsContext(
        site, _page(site, FEEDS, f"Follow {site.title}", f"How to follow {site.title} in a feed reader.")
    )


def _lost(site: Site, library: Library) -> LostContext:
    page = Page("There is no such page", "", canonical="", root=absolute_root(site), robots="noindex")
    return LostContext(site, page, views.reference(site, library.posts[0]) if library.posts else None)


def _assets(library: Library) -> list[File]:
    return [
        File(PurePosixPath(post_path(post.slug), asset.name), asset.content)
        for post in library.posts
        for asset in post.assets
    ]


def _styles(templates: Environment) -> list[File]:
    """As they are written, not rendered: braces in a style sheet are no template."""
    if templates.loader is None:
        return []
    sources = {path: templates.loader.get_source(templates, name)[0] for path, name in _STYLES.items()}
    return [File(PurePosixPath(path), source.encode()) for path, source in sources.items()]


def _robots(site: Site) -> File:
    """Everything may be read but the links that belong to one reader."""
    root = absolute_root(site)
    return File(PurePosixPath("robots.txt"), f"User-agent: *\nDisallow: {root}u/\n".encode())


def _shown(issue: Issue) -> bool:
    return issue.state.public or issue.state is IssueState.READY


def _carries(issue: Issue, post: Post) -> bool:
    return any(story.post_id == post.id for story in issue.stories)
