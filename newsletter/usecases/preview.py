"""everything that was written | as if it were public | rendered: the site as its writer sees it, before anybody else.

Nothing here is stored: what a preview shows is a value, and readers' files are never touched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from newsletter import words
from newsletter.content import backlinks
from newsletter.content.library import Loaded
from newsletter.errors import Problem, SourceErrors, stops
from newsletter.model import File, Issue, Library, Post, Site, Slot
from newsletter.publish import checks
from newsletter.publish.paths import POSTS, page_file, post_path
from newsletter.usecases.publish import refuse_vanished, render, starting

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True, slots=True)
class Preview:
    """The site with drafts and posts to come, and what readers would not see of it."""

    files: Mapping[str, bytes] = field(repr=False)  # by path below the web root
    library: Library  # what is public, for the next mail
    hidden: Mapping[str, str]  # slug of a Post that is not public -> why
    notes: Mapping[str, tuple[Problem, ...]]  # slug -> what `check` advises
    posts: int


def preview(
    *,
    loaded: Loaded,
    issues: Sequence[Issue],
    site: Site,
    templates: Environment,
    next_slot: Slot,
    published: Mapping[str, str],
    now: datetime,
    strict: bool = True,
) -> Preview:
    """Render everything. Raises SourceErrors with what would stop a publish; unless `strict`, it is shown all the same.

    `published` is what the last publish recorded (`Output.published_ids`).
    """
    public = {post.id for post in loaded.library.posts}
    hidden = {post.slug: _why_hidden(post, site, now) for post in loaded.posts if post.id not in public}
    if strict:
        _refuse(stops(loaded.problems))
        refuse_vanished(published, loaded.library)
    shown = [issue for issue in issues if issue.state.public or starting(issue, now)]
    files = render(as_if_public(loaded), shown, site, templates, next_slot)
    if strict:
        _refuse(_dead_links(files, site, hidden))
    notes = _notes(loaded)
    contents = {str(file.path): file.content for file in files}
    return Preview(contents, loaded.library, hidden, notes, len(loaded.posts))


def as_if_public(loaded: Loaded) -> Library:
    """All Posts that could be read as one Library."""
    return replace(
        loaded.library,
        posts=loaded.posts,
        backlinks=backlinks.invert(loaded.posts),
        chains=backlinks.chains(loaded.posts),
    )


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise SourceErrors(problems)


def _dead_links(files: Sequence[File], site: Site, hidden: Mapping[str, str]) -> list[Problem]:
    """Those that would stop a publish: a draft is not published, so its own may still lead nowhere.

    Lists and feeds repeat what posts say; with a fault in a draft they are left out, and posts speak for themselves.
    """
    unfinished = {str(page_file(post_path(slug))) for slug in hidden}
    found = stops(checks.internal_links(files, site))
    own = [problem for problem in found if problem.file not in unfinished]
    return own if len(own) == len(found) else [p for p in own if p.file.startswith(POSTS)]


def _why_hidden(post: Post, site: Site, now: datetime) -> str:
    if post.draft:
        return "it says draft: true"
    if post.published > now:
        return f"its date is {words.when(post.published, site.timezone, now)}"
    return f"nobody has approved it yet: newsletter post approve {post.slug}"


def _notes(loaded: Loaded) -> dict[str, tuple[Problem, ...]]:
    slugs: dict[PurePosixPath, str] = {post.path: post.slug for post in loaded.posts}
    found: defaultdict[str, list[Problem]] = defaultdict(list)
    for problem in loaded.problems:
        slug = slugs.get(PurePosixPath(problem.file))
        if slug and problem.level == "warn":
            found[slug].append(problem)
    return {slug: tuple(problems) for slug, problems in found.items()}
