"""Where old addresses lead: the lines of `redirects.toml` and the slugs that changed, resolved to where they end.

A Redirect is followed to its end, so that nobody is sent on twice, and never covers a page that is there. What an
address leads to that is neither public nor withdrawn (a draft, a Post of tomorrow) is left for the day it appears.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from newsletter.errors import Problem, nearest
from newsletter.model import Library, Site
from newsletter.publish.paths import POSTS, post_path

FILE = "redirects.toml"
_PAGES = frozenset({"", ".html", ".htm"})
_MOST_STEPS = 100
_LONGEST = 200  # octets of a path; a name of 255 is the most that a disk can hold


@dataclass(frozen=True, slots=True)
class Redirect:
    """An address that went: `path` below the web root as a browser asks for it, and the whole address it leads to."""

    path: str  # percent-encoded, without a slash at its start: "posts/old/"
    target: str


def renamed(published: Mapping[str, str], library: Library) -> dict[str, str]:
    """Old path -> slug, of the Posts that were last published (`published`: id -> slug) under another slug."""
    posts = (*library.posts, *library.withdrawn)
    slugs = {post.slug for post in posts}
    old = {post.slug: published.get(post.id, post.slug) for post in posts}
    return {f"/{post_path(was)}": slug for slug, was in sorted(old.items()) if was != slug and was not in slugs}


def former_slugs(site: Site, published: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Slugs that Posts had -> the slug or id that each leads to, from what was published (id -> slug) and the lines."""
    lines = {_slug_of(below(path, site)): _target(target, site) for path, target in known.items()}
    return {**{slug: post_id for post_id, slug in published.items()}, **lines}


def resolve(
    site: Site, library: Library, known: Mapping[str, str], folders: Collection[str] = ()
) -> tuple[tuple[Redirect, ...], list[Problem]]:
    """The Redirects of these lines by path, and F411 for a line that leads nowhere or in a circle.

    In `folders` feeds stand: from there nothing leads on.
    """
    lines = {below(path, site): _target(target, site) for path, target in known.items()}
    pages = {post.slug for post in (*library.posts, *library.withdrawn)}
    standing = frozenset(f"/{folder}" for folder in folders)
    found, problems = [], []
    for path, target in sorted(lines.items()):
        if _slug_of(path) in pages or f"/{path}" in standing:
            continue  # something stands there again
        end = _end(target, lines, pages | standing)
        if end is None:
            problems.append(_circle(path))
        elif _is_address(end):
            found.append(Redirect(path, end))
        elif end.startswith("/"):
            found.append(Redirect(path, site.address_of(end[1:])))
        elif end in pages:
            found.append(Redirect(path, site.address_of(post_path(end))))
        elif end not in library.known_slugs:
            problems.append(_nowhere(path, end, library.known_slugs))
    return tuple(found), problems


def below(path: str, site: Site) -> str:
    """A path of the host as one below the web root: a site at `/blog` may name its own with or without that."""
    prefix = urlsplit(site.url).path
    inside = path.removeprefix(prefix) if path.startswith(f"{prefix}/") else path
    return quote(unquote(inside).lstrip("/"), safe="/:@!$&'()*+,;=~")


def page_of(path: str) -> PurePosixPath | None:
    """The file that stands for a Redirect where no server can send one; None for what is no page."""
    plain = unquote(path)
    file = PurePosixPath(plain)
    if not file.parts or not plain.isprintable() or any(part.startswith(".") for part in file.parts):
        return None
    if file.suffix.lower() not in _PAGES or len(plain.encode()) > _LONGEST:
        return None
    return PurePosixPath(plain, "index.html") if plain.endswith("/") or not file.suffix else file


def free(redirects: Collection[Redirect], taken: Collection[PurePosixPath]) -> tuple[Redirect, ...]:
    """Those at whose address nothing else is published (`taken`: the paths of all other files)."""
    folders = {parent for path in taken for parent in path.parents}
    return tuple(one for one in redirects if not _is_covered(one, taken, folders))


def _is_covered(redirect: Redirect, taken: Collection[PurePosixPath], folders: Collection[PurePosixPath]) -> bool:
    page, plain = page_of(redirect.path), PurePosixPath(unquote(redirect.path))
    if page is None:
        return plain in taken or not plain.parts
    return page in taken or page in folders or any(parent in taken for parent in page.parents)


def _target(target: str, site: Site) -> str:
    """A slug also where it is written as its page; another path of the site after a slash; an address as it is."""
    if not target.startswith("/"):
        return target
    path = below(target, site)
    slug = _slug_of(path)
    return slug if slug and "/" not in slug else f"/{path}"


def _end(target: str, lines: Mapping[str, str], standing: Collection[str]) -> str | None:
    """The slug, path or address at the end; None in a circle."""
    for _ in range(_MOST_STEPS):
        place = target[1:] if target.startswith("/") else post_path(target)
        if target in standing or (onward := lines.get(place)) is None:
            return target
        target = onward
    return None


def _slug_of(path: str) -> str:
    return path.removeprefix(POSTS).rstrip("/") if path.startswith(POSTS) else ""


def _is_address(target: str) -> bool:
    return target.startswith(("https://", "http://"))


def _circle(path: str) -> Problem:
    return Problem("F411", f"The redirect of /{path} leads back to itself", FILE, fixes=("let it lead to a post",))


def _nowhere(path: str, slug: str, known: Collection[str]) -> Problem:
    meant = nearest(slug, known)
    fixes = (f"did you mean {meant}?",) if meant else ("name a post by its slug, or give an https address",)
    return Problem(
        "F411",
        f"The redirect of /{path} leads to {slug}, and no post is called so",
        FILE,
        why="Readers hold links to the old address, and would find nothing.",
        fixes=fixes,
    )
