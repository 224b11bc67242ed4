"""everything that was written | as if it were public | rendered: the site as its writer sees it, before anybody else.

Nothing here is stored: what a preview shows is a value, and readers' files are never touched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING

from newsletter import words
from newsletter.content import backlinks
from newsletter.content.library import Loaded
from newsletter.errors import Problem, SourceErrors, stops
from newsletter.model import File, Issue, Library, Post, Recipe, Site, Slot
from newsletter.ports import MailedPictures
from newsletter.publish import checks
from newsletter.publish import redirects as addresses
from newsletter.publish.paths import POSTS, page_file, post_path
from newsletter.usecases.publish import recipes, refuse_vanished, starting, with_mailed, with_moved

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True, slots=True)
class Preview:
    """The site with drafts and posts to come, and what readers would not see of it. Files are made when asked for."""

    recipes: Mapping[str, Recipe] = field(repr=False)  # by path below the web root
    library: Library  # what is public, for the next mail
    hidden: Mapping[str, str]  # slug of a Post that is not public -> why
    notes: Mapping[str, tuple[Problem, ...]]  # slug -> what `check` advises

    @property
    def keys(self) -> Mapping[str, str]:
        """What each file is made of: files of one path and key have the same bytes."""
        return {path: recipe.key for path, recipe in self.recipes.items()}


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
    known: Mapping[str, str] = MappingProxyType({}),
    pictures: MailedPictures | None = None,
) -> Preview:
    """Everything that was written. Raises SourceErrors with what would stop a publish; unless `strict`, it is shown
    all the same.

    `published` is what the last publish recorded (`Output.published_ids`), `known` the lines of `redirects.toml`.
    """
    library = loaded.library
    public = {post.id for post in (*library.posts, *library.withdrawn)}
    hidden = {post.slug: _why_hidden(post, site, now) for post in loaded.posts if post.id not in public}
    if strict:
        if problems := stops(loaded.problems):
            raise SourceErrors(problems)
        refuse_vanished(published, library, {**addresses.renamed(published, library), **known})
    shown = [issue for issue in issues if issue.state.public or starting(issue, now)]
    own = with_mailed(recipes(whole := as_if_public(loaded), shown, site, templates, next_slot), pictures, whole)
    moved, _ = addresses.resolve(site, whole, {**addresses.renamed(published, whole), **known})
    files, _ = with_moved(own, moved, site, whole, templates)
    return Preview({str(file.path): file for file in files}, library, hidden, _notes(loaded))


def judge(preview: Preview, paths: Iterable[str], site: Site) -> list[Problem]:
    """The links that would stop a publish in some of the files; those of a draft may lead nowhere yet.

    Lists and feeds repeat what posts say; with a fault in a draft they are left out, and posts speak for themselves.
    The rules for feeds are not asked: here, and only here, a feed holds drafts and posts of tomorrow.
    """
    files = [File(PurePosixPath(path), preview.recipes[path].make()) for path in paths]
    unfinished = {str(page_file(post_path(slug))) for slug in preview.hidden}
    found = stops(checks.internal_links(files, site, preview.recipes.keys()))
    own = [problem for problem in found if problem.file not in unfinished]
    return own if len(own) == len(found) else [p for p in own if p.file.startswith(POSTS) and p.file.endswith(".html")]


def as_if_public(loaded: Loaded) -> Library:
    """All Posts that could be read as one Library, but for those that were withdrawn."""
    gone = {post.id for post in loaded.library.withdrawn}
    posts = tuple(post for post in loaded.posts if post.id not in gone)
    return replace(
        loaded.library,
        posts=posts,
        backlinks=backlinks.invert(posts),
        chains=backlinks.chains(posts, loaded.library.withdrawn),
    )


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
