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
from newsletter.usecases.publish import of_texts, recipes, refuse_vanished, starting, with_mailed, with_moved

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True, slots=True)
class Basis:
    """All that a preview was made of."""

    whole: Library  # everything as if it were public
    others: tuple[object, ...]  # than posts

    def changed(self, now: Basis) -> set[str] | None:
        """The ids of the posts of which only the text is another now; None when more than that is."""
        before, after = self.whole, now.whole
        if self.others != now.others or len(before.posts) != len(after.posts) or before.withdrawn != after.withdrawn:
            return None
        other = [(was, post) for was, post in zip(before.posts, after.posts, strict=True) if was is not post]
        if any((was.id, was.face, was.links) != (post.id, post.face, post.links) for was, post in other):
            return None
        return {post.id for was, post in other if not post.face or was.mark != post.mark}


@dataclass(frozen=True, slots=True)
class Preview:
    """The site with drafts and posts to come, and what readers would not see of it. Files are made when asked for."""

    recipes: Mapping[str, Recipe] = field(repr=False)  # by path below the web root
    library: Library  # what is public, for the next mail
    hidden: Mapping[str, str]  # slug of a Post that is not public -> why
    notes: Mapping[str, tuple[Problem, ...]]  # slug -> what `check` advises
    basis: Basis | None = field(default=None, repr=False)

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
    before: Preview | None = None,
) -> Preview:
    """Everything that was written. Raises SourceErrors with what would stop a publish; unless `strict`, it is shown
    all the same.

    `published` is what the last publish recorded (`Output.published_ids`), `known` the lines of `redirects.toml`,
    `before` the last preview: what would be the same is taken from it.
    """
    library = loaded.library
    public = {post.id for post in (*library.posts, *library.withdrawn)}
    hidden = {post.slug: _why_hidden(post, site, now) for post in loaded.posts if post.id not in public}
    if strict:
        if problems := stops(loaded.problems):
            raise SourceErrors(problems)
        refuse_vanished(published, library, {**addresses.renamed(published, library), **known})
    shown = [issue for issue in issues if issue.state.public or starting(issue, now)]
    others = (tuple(shown), site, id(templates), next_slot, dict(published), dict(known))
    basis = Basis(as_if_public(loaded, before.basis if before else None), others)
    changed = before.basis.changed(basis) if before and before.basis else None
    if before and changed is not None:
        new = of_texts(basis.whole, shown, site, templates, next_slot, changed)
        made = {**before.recipes, **{str(file.path): file for file in new}}
        return Preview(made, library, hidden, _notes(loaded), basis)
    own = with_mailed(recipes(basis.whole, shown, site, templates, next_slot), pictures, basis.whole)
    moved, _ = addresses.resolve(site, basis.whole, {**addresses.renamed(published, basis.whole), **known})
    files, _ = with_moved(own, moved, site, basis.whole, templates)
    return Preview({str(file.path): file for file in files}, library, hidden, _notes(loaded), basis)


def judge(preview: Preview, paths: Iterable[str], site: Site) -> list[Problem]:
    """The links that would stop a publish in some of the files; those of a draft may lead nowhere yet: a warning.

    The rules for feeds are not asked: here, and only here, a feed holds drafts and posts of tomorrow.
    """
    files = [File(PurePosixPath(path), preview.recipes[path].make()) for path in paths]
    unfinished = {str(page_file(post_path(slug))) for slug in preview.hidden}
    found = stops(checks.internal_links(files, site, preview.recipes.keys()))
    return [replace(one, level="warn") if one.file in unfinished else one for one in found]


def speaks_for_itself(path: str) -> bool:
    """Whether a file is the page of a post; lists and feeds repeat what these say."""
    return path.startswith(POSTS) and path.endswith(".html")


def as_if_public(loaded: Loaded, before: Basis | None = None) -> Library:
    """All Posts that could be read as one Library, but for those that were withdrawn."""
    gone = {post.id for post in loaded.library.withdrawn}
    posts = tuple(post for post in loaded.posts if post.id not in gone)
    if before and _edges(before.whole.posts) == _edges(posts) and before.whole.withdrawn == loaded.library.withdrawn:
        return replace(before.whole, posts=posts)
    return replace(
        loaded.library,
        posts=posts,
        backlinks=backlinks.invert(posts),
        chains=backlinks.chains(posts, loaded.library.withdrawn),
    )


def _edges(posts: Iterable[Post]) -> list[tuple[object, ...]]:
    """What it takes to know who links to whom, and in which order."""
    return [(post.id, post.published, post.links) for post in posts]


def _why_hidden(post: Post, site: Site, now: datetime) -> str:
    if post.draft:
        return "it says draft: true"
    if post.published > now:
        return f"its date is {words.when(post.published, site.timezone, now)}"
    return f"nobody has approved it yet: newsletter post approve {post.slug}"


def _notes(loaded: Loaded) -> dict[str, tuple[Problem, ...]]:
    found: defaultdict[str, list[Problem]] = defaultdict(list)
    warnings = [problem for problem in loaded.problems if problem.level == "warn"]
    slugs = {str(post.path): post.slug for post in loaded.posts} if warnings else {}
    for problem in warnings:
        if slug := slugs.get(problem.file):
            found[slug].append(problem)
    return {slug: tuple(problems) for slug, problems in found.items()}
