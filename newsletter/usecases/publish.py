"""library | refuse what vanished | render feeds and archive | check links and feeds | write | tell the hubs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from newsletter.errors import Outside, Problem, SourceErrors
from newsletter.model import File, Issue, IssueState, Library, Recipe, Site, Slot
from newsletter.ports import Hubs, Output, Search
from newsletter.publish import archive, checks, feedcheck
from newsletter.publish.catalogue import documents, feeds
from newsletter.usecases.published import Published

if TYPE_CHECKING:
    from jinja2 import Environment


def publish(
    *,
    library: Library,
    issues: Sequence[Issue],
    output: Output,
    site: Site,
    templates: Environment,
    next_slot: Slot | None,
    now: datetime,
    dry_run: bool = False,
    search: Search | None = None,
    hubs: Hubs | None = None,
) -> Published:
    """Make the output folder hold what the library and the public issues say. Raises SourceErrors, Outside."""
    shown = [issue for issue in issues if issue.state.public or starting(issue, now)]
    refuse_vanished(output.published_ids(), library)
    files = recipes(library, shown, site, templates, next_slot)
    judge = partial(wrong, site=site, now=now, known=frozenset(str(file.path) for file in files))
    slugs = {post.id: post.slug for post in library.posts}
    try:
        changes = output.compare(files, judge) if dry_run else output.write(files, slugs, judge)
    except SourceErrors as refusal:
        raise SourceErrors(_once(refusal.problems)) from refusal
    remarks = _made_searchable(search, site, library) if search and not dry_run else ()
    if hubs and not dry_run:
        remarks = (*remarks, *hubs.announce(now))
    return Published(changes, len(library.posts), len(shown), len(feeds(site, library, shown)), len(files), remarks)


def wrong(files: Sequence[File], *, site: Site, now: datetime, known: frozenset[str]) -> list[Problem]:
    """What is wrong with some of the files of the site, `known` being the paths of all: links and feeds."""
    documents = feedcheck.at_publish({str(file.path): file.content for file in files})
    feeds_too = feedcheck.check(documents, site, now, known=known) if documents else []
    return [*checks.internal_links(files, site, known), *feeds_too]


def _once(problems: Sequence[Problem]) -> list[Problem]:
    """What feeds say of a post, each in its folder, is told of the page and of one of them."""
    pages = [problem for problem in problems if problem.file.endswith(".html")]
    feeds = {(p.code, p.message): p for p in reversed(problems) if not p.file.endswith(".html")}
    return [*pages, *reversed(feeds.values())]


def _made_searchable(search: Search, site: Site, library: Library) -> tuple[Problem, ...]:
    """After the pages are there; an index that cannot be written must keep no mail from going out."""
    try:
        search.update(site, library)
    except Outside as trouble:
        return tuple(replace(problem, level="warn") for problem in trouble.problems)
    return ()


def render(
    library: Library, issues: Sequence[Issue], site: Site, templates: Environment, next_slot: Slot | None
) -> list[File]:
    """Every file of the site; a function of its arguments alone."""
    return [File(file.path, file.make()) for file in recipes(library, issues, site, templates, next_slot)]


def recipes(
    library: Library, issues: Sequence[Issue], site: Site, templates: Environment, next_slot: Slot | None
) -> list[Recipe]:
    """How to make every file of the site; a function of its arguments alone."""
    pages = archive.recipes(site, library, issues, templates, next_slot=next_slot)
    return [*pages, *(Recipe(d.path, d.key, d.render) for d in documents(site, library, issues))]


def starting(issue: Issue, now: datetime) -> bool:
    """Whether the issue goes out now: its page must stand before its first mail does."""
    return issue.state is IssueState.READY and issue.send_at is not None and issue.send_at <= now


def refuse_vanished(published: Mapping[str, str], library: Library) -> None:
    """A published id that no source has any more stops the build: readers hold links to it. Raises SourceErrors."""
    gone = [(post_id, slug) for post_id, slug in published.items() if post_id not in library.known_ids]
    if gone:
        raise SourceErrors([_vanished(post_id, slug) for post_id, slug in gone])


def _vanished(post_id: str, slug: str) -> Problem:
    return Problem(
        "F410",
        f"The published post {slug} has vanished",
        why=f"Readers and feeds hold links to {post_id}; no file in posts/ has this id now.",
        fixes=("Bring the file back.", f"If it was renamed, add   id: {post_id}   to its front matter."),
    )
