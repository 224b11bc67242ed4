"""The web archive: a page per Post and Issue, the lists, the home page, and what they are dressed in.

`render` is a function of its arguments: no clock, no disk; an Issue that readers must not see is left out
whoever passes it. Every page has one frame (`web/base.html`), works without script and asks no other host.
`recipes` says the same before anything is rendered: two recipes of one path and key make the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import PurePosixPath

from jinja2 import Environment

from newsletter.model import MONTHLY, WEEKLY, Asset, File, Issue, IssueState, Library, Post, Recipe, Site, Slot, Story
from newsletter.publish import discovery, keys, look, metadata, more, sitemap, views
from newsletter.publish.around import Surroundings, around_all, newest_first
from newsletter.publish.catalogue import Feed, feeds
from newsletter.publish.contexts import (
    Context,
    FeedsContext,
    HomeContext,
    IssueContext,
    IssuesContext,
    Leaf,
    ListContext,
    LostContext,
    MovedContext,
    PostContext,
    SearchContext,
    TakesContext,
    TopicsContext,
    WithdrawnContext,
)
from newsletter.publish.discovery import Alternate
from newsletter.publish.paths import (
    FEEDS,
    HOME,
    ISSUES,
    SEARCH,
    SITEMAP,
    absolute_root,
    page_file,
    post_path,
    root_of,
)
from newsletter.publish.redirects import Redirect
from newsletter.publish.views import Page
from newsletter.tongue import tongue_of

TEMPLATES = tuple(
    context.template
    for context in (
        HomeContext,
        PostContext,
        IssueContext,
        IssuesContext,
        FeedsContext,
        SearchContext,
        LostContext,
        TopicsContext,
        ListContext,
        TakesContext,
        WithdrawnContext,
        MovedContext,
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
    """All pages and assets, the same bytes for the same arguments, in path order; see `recipes`."""
    made = recipes(site, library, issues, templates, next_slot=next_slot)
    return [File(recipe.path, recipe.make()) for recipe in made]


def recipes(
    site: Site,
    library: Library,
    issues: Sequence[Issue],
    templates: Environment,
    *,
    next_slot: Slot | None = None,
    listed: Sequence[Feed] = (),
) -> list[Recipe]:
    """How to make all pages and assets, in path order.

    An Issue that is READY has a page too: it is passed when it starts now, for its page must stand before its mail.
    `next_slot` is told to readers only as long as there is no Issue yet; `listed` are the feeds, for a caller that
    has them.
    """
    library = newest_first(library)
    whole = _whole(site, library, issues, next_slot)
    beside = [*more.leaves(site, library)]
    leaves = [
        *_lists(whole),
        _follow(site, listed or feeds(site, library, issues)),
        *_posts_alone(whole),
        *_issues_alone(whole),
        *beside,
    ]
    pages = [*_pages(leaves, site, templates)]
    marks = [File(PurePosixPath(mark.name), mark.content) for mark in (site.icon, site.logo, site.look.logo) if mark]
    plain = map(ready, [*_styles(site, templates), _robots(site), *marks])
    maps = sitemap.recipes(site, library, [leaf.path for leaf in leaves])
    return sorted([*pages, *_assets(whole), *plain, *maps], key=lambda recipe: recipe.path.parts)


def of_texts(
    site: Site,
    library: Library,
    issues: Sequence[Issue],
    templates: Environment,
    changed: Collection[str],
    *,
    next_slot: Slot | None = None,
) -> list[Recipe]:
    """Those of `recipes` that the texts of some Posts (ids) are in. Where nothing but texts changed, meaning the marks
    of these Posts and no face, the others stay as they were.
    """
    whole = _whole(site, newest_first(library), issues, next_slot)
    leaves = [*_lists(whole), *_posts_alone(whole, changed), *_issues_alone(whole)]
    return [*_pages(leaves, site, templates)]


def ready(file: File) -> Recipe:
    """A File that is made already, among those that are not."""
    return Recipe(file.path, keys.of(file.content), partial(_content, file))


def moved_pages(site: Site, moved: Sequence[Redirect], templates: Environment) -> list[Recipe]:
    """How to make the pages that stand where a Post was and lead on to where it is, for hosts that cannot redirect."""
    return [*_pages(more.moved(site, moved), site, templates)]


def _pages(leaves: Iterable[Leaf], site: Site, templates: Environment) -> Iterator[Recipe]:
    common = keys.of(site, *keys.sources(templates))
    for leaf in leaves:
        yield Recipe(leaf.path, keys.of(common, *leaf.seen), partial(_render, templates, leaf.context))


def _lists(whole: _Whole) -> Iterator[Leaf]:
    """The pages that there is one of."""
    newest = [*whole.posts.values()][:_ON_HOME]
    home = (*map(keys.mark, newest), len(whole.posts) > _ON_HOME, whole.issues[:1], whole.first_issue)
    yield Leaf(page_file(HOME), partial(_home, whole), home)
    yield Leaf(page_file(ISSUES), partial(_issues, whole), (whole.issues, whole.monthly, whole.first_issue))
    yield Leaf(page_file(SEARCH), partial(_search, whole), ())
    yield Leaf(PurePosixPath("404.html"), partial(_lost, whole), [*map(keys.face, newest[:1])])


def _posts_alone(whole: _Whole, only: Collection[str] | None = None) -> Iterator[Leaf]:
    for post in whole.posts.values() if only is None else [whole.posts[post_id] for post_id in only]:
        seen = (keys.mark(post), whole.neighbours.of_page(post), whole.carried.get(post.id, ()))
        yield Leaf(page_file(post_path(post.slug)), partial(_post, whole, post), seen)


def _issues_alone(whole: _Whole) -> Iterator[Leaf]:
    for issues in (whole.issues, whole.monthly):
        for place, issue in enumerate(issues):
            posts = [whole.posts[story.post_id] for story in issue.stories if story.post_id in whole.posts]
            told = [part for post in posts for part in (keys.mark(post), whole.neighbours.of_item(post))]
            beside = issues[max(0, place - 1) : place + 2]
            yield Leaf(page_file(issue.page), partial(_issue, whole, issues, place), (beside, place, *told))


@dataclass(frozen=True, slots=True)
class _Whole:
    """All that a page may show or point at, looked up once."""

    site: Site
    posts: Mapping[str, Post]  # by id, newest first
    around: Surroundings
    neighbours: keys.Neighbours
    issues: Sequence[Issue]  # weekly ones, newest first
    monthly: Sequence[Issue]  # newest first
    carried: Mapping[str, Sequence[Issue]]  # weekly ones by post id, oldest first
    first_issue: str


def _whole(site: Site, library: Library, every: Sequence[Issue], next_slot: Slot | None) -> _Whole:
    shown = sorted((issue for issue in every if _shown(issue)), key=lambda issue: issue.number, reverse=True)
    issues, monthly = ([one for one in shown if one.edition == edition] for edition in (WEEKLY, MONTHLY))
    carried: dict[str, list[Issue]] = {}
    for issue in reversed(issues):
        for story in issue.stories:
            carried.setdefault(story.post_id, []).append(issue)
    first_issue = tongue_of(site).full_date(next_slot.local) if next_slot and not issues else ""
    posts, around = {post.id: post for post in library.posts}, around_all(library)
    return _Whole(site, posts, around, keys.Neighbours(library, around), issues, monthly, carried, first_issue)


def _render(templates: Environment, make: Callable[[], Context]) -> bytes:
    context = make()
    values = {field.name: getattr(context, field.name) for field in fields(context)}
    return templates.get_template(context.template).render(values).encode(errors="replace")


def _page(
    site: Site, path: str, title: str, description: str, image: str = "", feeds: tuple[Alternate, ...] = ()
) -> Page:
    return Page(title, description, canonical=site.address_of(path), root=root_of(path), image=image, feeds=feeds)


def _home(whole: _Whole) -> HomeContext:
    site = whole.site
    page = _page(site, HOME, site.title, site.tagline, feeds=discovery.of_issues(site))
    teasers = tuple(views.teaser(site, post, page.root) for post in [*whole.posts.values()][:_ON_HOME])
    return HomeContext(
        site,
        page,
        lead=teasers[0] if teasers else None,
        more=teasers[1:],
        others=len(whole.posts) > _ON_HOME,
        latest_issue=views.issue_line(site, whole.issues[0]) if whole.issues else None,
        first_issue=whole.first_issue,
        box=views.box(site),
    )


def _post(whole: _Whole, post: Post) -> PostContext:
    site, around = whole.site, whole.around[post.id]
    feeds = discovery.of_story(site, post, around)
    page = _page(site, post_path(post.slug), post.title, post.summary, post.image or "", feeds)
    previously = tuple(other for other in around.previous if other not in around.continues)
    return PostContext(
        site,
        page,
        post=views.teaser(site, post, page.root),
        body=views.body(site, post, page.root),
        continues=views.references(site, around.continues),
        previously=views.references(site, previously),
        later=views.references(site, around.later[:1]),
        corrects=views.references(site, around.corrects),
        corrected_by=views.references(site, around.corrected_by),
        story=views.story(site, post, around),
        see_also=views.references(site, around.see_also),
        mentioned_in=views.references(site, around.mentioned_in),
        issues=tuple(views.issue_line(site, issue) for issue in whole.carried.get(post.id, ())),
        newer=views.reference(site, around.newer) if around.newer else None,
        older=views.reference(site, around.older) if around.older else None,
        json_ld=metadata.json_ld(site, post),
        judged=views.judged(site, post, around),
        verdicts=views.verdicts(site, around),
        corrections=views.corrections(site, post),
        corrected=views.corrected(site, around),
        box=views.box(site),
    )


def _issue(whole: _Whole, issues: Sequence[Issue], place: int) -> IssueContext:
    site, issue = whole.site, issues[place]
    tongue = tongue_of(site)
    title = tongue.titled(views.issue_name(site, issue), issue.subject)
    feeds = discovery.of_issues(site)
    page = _page(site, issue.page, title, issue.preheader, feeds=feeds)
    posts = [whole.posts[story.post_id] for story in issue.stories if story.post_id in whole.posts]
    return IssueContext(
        site,
        page,
        issue=views.issue_line(site, issue),
        subject="" if _is_only_the_leads_title(issue) else issue.subject,
        minutes=tongue.minutes(sum(post.minutes for post in posts)) if posts else "",
        web_only=issue.state is IssueState.WEB_ONLY,
        note=tuple(issue.note.split("\n\n")) if issue.note else (),
        corrected=views.corrected_since(site, issue, whole.posts),
        stories=tuple(_story(whole, story, page.root, lead=n == 0) for n, story in enumerate(issue.stories)),
        newer=views.issue_line(site, issues[place - 1]) if place else None,
        older=views.issue_line(site, issues[place + 1]) if place + 1 < len(issues) else None,
        box=views.box(site),
    )


def _is_only_the_leads_title(issue: Issue) -> bool:
    """A subject made from the title may have been cut, or begin with the publication's name."""
    title = " ".join(issue.stories[0].title.split()) if issue.stories else ""
    return bool(title) and (title.startswith(issue.subject.removesuffix("…")) or issue.subject.endswith(title))


def _story(whole: _Whole, story: Story, root: str, *, lead: bool) -> views.IssueStory:
    post = whole.posts.get(story.post_id)
    if post is None:
        return views.IssueStory(story.title, "", None, (), lead)
    earlier = views.references(whole.site, whole.around[post.id].earlier[:3])
    return views.IssueStory(post.title, post.summary, views.teaser(whole.site, post, root), earlier, lead)


def _issues(whole: _Whole) -> IssuesContext:
    site, tongue = whole.site, tongue_of(whole.site)
    about = tongue.say("Every issue of %(publication)s, newest first.", publication=site.title)
    page = _page(site, ISSUES, tongue.say("Issues"), about, feeds=discovery.of_issues(site))
    groups, monthly = (
        views.by_year(views.issue_line(site, issue) for issue in some) for some in (whole.issues, whole.monthly)
    )
    return IssuesContext(site, page, groups, whole.first_issue, views.box(site), monthly)


def _follow(site: Site, listed: Iterable[Feed]) -> Leaf:
    """The page that explains feeds, with every feed but those of stories, whose own posts name them."""
    found = (feed for feed in listed if feed.kind not in {"all", "chains"})
    ways = [views.feed_way(site, feed.heading.title, feed.heading.home, feed.heading.folder) for feed in found]
    return Leaf(page_file(FEEDS), partial(_feeds, site, tuple(ways)), ways)


def _feeds(site: Site, ways: tuple[views.FeedWay, ...]) -> FeedsContext:
    say, named = tongue_of(site).say, {"publication": site.title}
    about = say("How to follow %(publication)s in a feed reader.", **named)
    page = _page(site, FEEDS, say("Follow %(publication)s", **named), about)
    return FeedsContext(site, page, ways)


def _search(whole: _Whole) -> SearchContext:
    """`newsletter serve` answers this address itself; elsewhere this page is what the form leads to."""
    title = tongue_of(whole.site).say("Search")
    page = Page(title, "", canonical="", root=root_of(SEARCH), robots="noindex")
    return SearchContext(whole.site, page)


def _lost(whole: _Whole) -> LostContext:
    title = tongue_of(whole.site).say("There is no such page")
    page = Page(title, "", canonical="", root=absolute_root(whole.site), robots="noindex")
    newest = next(iter(whole.posts.values()), None)
    return LostContext(whole.site, page, views.reference(whole.site, newest) if newest else None)


def _assets(whole: _Whole) -> list[Recipe]:
    return [
        Recipe(PurePosixPath(post_path(post.slug), asset.name), keys.of(asset.content), partial(_content, asset))
        for post in whole.posts.values()
        for asset in post.assets
    ]


def _content(whole: File | Asset) -> bytes:
    return whole.content


def _styles(site: Site, templates: Environment) -> list[File]:
    """As they are written, not rendered, since braces in a style sheet are no template; and after them the look."""
    if templates.loader is None:
        return []
    sources = {path: templates.loader.get_source(templates, name)[0] for path, name in _STYLES.items()}
    own = look.css(site.look)
    return [File(PurePosixPath(path), (source + own).encode()) for path, source in sources.items()]


def _robots(site: Site) -> File:
    """Everything may be read but the links that belong to one reader."""
    root = absolute_root(site)
    private = "".join(f"Disallow: {root}{way}/\n" for way in "bcdmpu")
    words = f"User-agent: *\n{private}\nSitemap: {site.address_of(SITEMAP)}\n"
    return File(PurePosixPath("robots.txt"), words.encode())


def _shown(issue: Issue) -> bool:
    return issue.state.public or issue.state is IssueState.READY
