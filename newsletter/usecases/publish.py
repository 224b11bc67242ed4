"""library | refuse what vanished | lead on | render | check links and feeds | write | tell hosts and hubs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING

from newsletter.errors import Outside, Problem, SourceErrors
from newsletter.model import File, Issue, IssueState, Library, Recipe, Site, Slot
from newsletter.ports import Deploy, Hosting, Hubs, MailedPictures, Output, Redirects, Search
from newsletter.publish import archive, checks, compressed, edits, feedcheck, kept, snippets
from newsletter.publish import redirects as addresses
from newsletter.publish.catalogue import Feed, documents, feeds, shared_ids
from newsletter.publish.items import issued
from newsletter.publish.paths import post_path
from newsletter.publish.redirects import Redirect
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
    redirects: Redirects | None = None,
    hosting: Hosting | None = None,
    hosts: Sequence[str] = (),
    compress: bool = False,
    pictures: MailedPictures | None = None,
    deploy: Deploy | None = None,
) -> Published:
    """Make the output folder hold what the library and the public issues say. Raises SourceErrors, Outside."""
    shown = [as_shown(issue) for issue in issues if issue.state.public or starting(issue, now)]
    published, listed = output.published_ids(), feeds(site, library, shown)
    folders, written = {feed.heading.folder for feed in listed}, redirects.all() if redirects else {}
    new = {**addresses.renamed(published, library), **kept.lines(output.published_feeds(), folders, written)}
    known = {**new, **written}
    refuse_vanished(published, library, known)
    if shared := shared_ids(site, listed):
        raise SourceErrors(shared)
    moved = led_on(site, library, known, folders)
    own = with_mailed(recipes(library, shown, site, templates, next_slot, listed), pictures, library)
    files, told = with_moved(own, moved, site, library, templates, hosts)
    files += compressed.beside(files) if compress else ()
    known_paths, own_paths = (frozenset(str(file.path) for file in some) for some in (files, own))
    judge = partial(wrong, site=site, now=now, known=known_paths, own=own_paths)
    slugs = {post.id: post.slug for post in (*library.posts, *library.withdrawn)}
    texts = edits.traces(library.posts)
    unsaid = edits.unsaid(library.posts, texts, output.published_texts(), site, now)
    if redirects and new and not dry_run:
        redirects.add(new)  # first: only what was published before remembers the old addresses
    try:
        changes = output.compare(files, judge) if dry_run else output.write(files, slugs, judge, texts)
    except SourceErrors as refusal:
        raise SourceErrors(_once(refusal.problems)) from refusal
    if hosting and not dry_run:
        hosting.write(snippets.beside(told, hosts))
    remarks = (*unsaid, *(_made_searchable(search, site, library) if search and not dry_run else ()))
    if deploy and not dry_run:
        deploy.run()  # first: hubs send readers to what must be there
    if hubs and not dry_run:
        remarks = (*remarks, *hubs.announce(now))
    return Published(changes, len(library.posts), len(shown), len(listed), len(files), remarks)


def wrong(
    files: Sequence[File], *, site: Site, now: datetime, known: frozenset[str], own: frozenset[str]
) -> list[Problem]:
    """What is wrong with some of the files of the site, links and feeds. `known` are the paths of all, `own` of those
    that do not only stand for what went.
    """
    documents = feedcheck.at_publish({path: file.content for file in files if (path := str(file.path)) in own})
    feeds_too = feedcheck.check(documents, site, now, known=own, files=known) if documents else []
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
    library: Library,
    issues: Sequence[Issue],
    site: Site,
    templates: Environment,
    next_slot: Slot | None,
    moved: Sequence[Redirect] = (),
) -> list[File]:
    """Every file of the site; a function of its arguments alone."""
    own = recipes(library, issues, site, templates, next_slot)
    files, _ = with_moved(own, moved, site, library, templates)
    return [File(file.path, file.make()) for file in files]


def led_on(site: Site, library: Library, known: Mapping[str, str], folders: Collection[str]) -> tuple[Redirect, ...]:
    """Where old addresses lead; in `folders` feeds stand. Raises SourceErrors for one that leads nowhere."""
    moved, problems = addresses.resolve(site, library, known, folders)
    if problems:
        raise SourceErrors(problems)
    return moved


def with_mailed(own: Sequence[Recipe], pictures: MailedPictures | None, library: Library) -> Sequence[Recipe]:
    """These files, and the pictures that only mails still name."""
    kept = pictures.recipes(without={post.id for post in library.withdrawn}) if pictures else ()
    there = {file.path for file in own} if kept else set()
    return [*own, *(file for file in kept if file.path not in there)]


def with_moved(
    own: Sequence[Recipe],
    moved: Sequence[Redirect],
    site: Site,
    library: Library,
    templates: Environment,
    hosts: Sequence[str] = (),
) -> tuple[list[Recipe], snippets.Addresses]:
    """These files and those of addresses that went, and what hosts are told of them all."""
    by_path = {str(file.path): file for file in own}
    free = addresses.free(moved, {file.path for file in own}) if moved else ()
    feeds_too = kept.kept(free, site, library, by_path)
    told = snippets.addresses(site, library, (*free, *feeds_too.moved), [*by_path, *feeds_too.paths])
    files = [File(PurePosixPath(path), content) for path, content in snippets.within(told, hosts).items()]
    pages = archive.moved_pages(site, free, templates) if free else []
    return [*own, *pages, *kept.recipes(feeds_too, site, by_path), *(archive.ready(file) for file in files)], told


def recipes(
    library: Library,
    issues: Sequence[Issue],
    site: Site,
    templates: Environment,
    next_slot: Slot | None,
    listed: Sequence[Feed] = (),
) -> list[Recipe]:
    """How to make every file of the site; a function of its arguments alone. `listed` are its feeds, if at hand."""
    listed = listed or feeds(site, library, issues)
    pages = archive.recipes(site, library, issues, templates, next_slot=next_slot, listed=listed)
    return [*pages, *(Recipe(d.path, d.key, d.render) for d in documents(site, library, issues, listed))]


def would_write(
    library: Library,
    issues: Sequence[Issue],
    site: Site,
    templates: Environment,
    now: datetime,
    known: Mapping[str, str] = MappingProxyType({}),
) -> frozenset[str]:
    """The paths of all files that a publish makes now; `known` are the lines of `redirects.toml`."""
    shown = [issue for issue in issues if issue.state.public or starting(issue, now)]
    moved = (path.strip("/") for path in known)
    led = (path for old in moved for path in (old, f"{old}/index.html"))
    return frozenset((*(str(file.path) for file in recipes(library, shown, site, templates, None)), *led))


def of_texts(
    library: Library,
    issues: Sequence[Issue],
    site: Site,
    templates: Environment,
    next_slot: Slot | None,
    changed: Collection[str],
) -> list[Recipe]:
    """Those of `recipes` that the texts of some posts (ids) are in."""
    pages = archive.of_texts(site, library, issues, templates, changed, next_slot=next_slot)
    return [*pages, *(Recipe(d.path, d.key, d.render) for d in documents(site, library, issues, changed=changed))]


def as_shown(issue: Issue) -> Issue:
    """What readers are told of an issue: not how far its mails are, so that its pages stay as they are meanwhile."""
    state = issue.state if issue.state is IssueState.WEB_ONLY else IssueState.SENT
    told = replace(issue, state=state, reason="", send_at=None, started_at=issued(issue), finished_at=None)
    return replace(told, ready_at=None, sent_by="", audience=0)


def starting(issue: Issue, now: datetime) -> bool:
    """Whether the issue goes out now: its page must stand before its first mail does."""
    return issue.state is IssueState.READY and issue.send_at is not None and issue.send_at <= now


def refuse_vanished(
    published: Mapping[str, str], library: Library, known: Mapping[str, str] = MappingProxyType({})
) -> None:
    """A published post that is no longer public stops the build: readers hold links to it. Raises SourceErrors.

    It may go where it says so itself (it was withdrawn), or where one of the redirects in `known` leads on from it.
    """
    stays = {post.id for post in (*library.posts, *library.withdrawn)}
    gone = {post_id: slug for post_id, slug in published.items() if post_id not in stays}
    lost = [(post_id, slug) for post_id, slug in gone.items() if f"/{post_path(slug)}" not in known]
    if lost:
        raise SourceErrors([_vanished(post_id, slug, there=post_id in library.known_ids) for post_id, slug in lost])


def _vanished(post_id: str, slug: str, *, there: bool) -> Problem:
    """`there`: a file has this id, but it is a draft, of a later day, or approved by nobody."""
    back = "Make it public again: no draft, no later date, and approved." if there else "Bring the file back."
    renamed = () if there else (f"If it was renamed, add   id: {post_id}   to its front matter.",)
    return Problem(
        "F410",
        f"The published post {slug} {'is no longer public' if there else 'has vanished'}",
        why=f"Readers and feeds hold links to {post_id}" + ("." if there else "; no file in posts/ has this id now."),
        fixes=(
            back,
            *renamed,
            "To take it back, keep the file and add   withdrawn: YYYY-MM-DD why   to its front matter.",
            f'If another post took its place, add   "/{post_path(slug)}" = "its-slug"   to redirects.toml.',
        ),
    )
