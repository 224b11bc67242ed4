"""`sitemap.xml` (sitemaps.org 0.9): every page that readers shall find, with the moment of its last change.

Of lists that do not change with every post it is left out: a date that is wrong makes the others doubtful.

Pages that only lead on, that tell of a withdrawal, or that were not there are in no sitemap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import PurePosixPath

from lxml import etree

from newsletter.model import Library, Post, Recipe, Site
from newsletter.publish import keys
from newsletter.publish.paths import HOME, POSTS, SEARCH, SITEMAP, post_path

LIMIT = 50_000  # addresses in one file
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_MOVING = (f"{HOME}index.html", f"{POSTS}index.html")  # these change with every post
_UNLISTED = frozenset({"404.html", f"{SEARCH}index.html"})


def recipes(site: Site, library: Library, pages: Iterable[PurePosixPath], *, limit: int = LIMIT) -> Iterator[Recipe]:
    """How to make the one file; where there are more than `limit` pages, an index of several."""
    paths = {*map(str, pages)} - _UNLISTED - {f"{post_path(post.slug)}index.html" for post in library.withdrawn}
    key = keys.of(site.url, limit, "\n".join(sorted(paths)), " ".join(map(keys.face, library.posts)))
    starts = range(0, len(paths), limit)
    if len(starts) == 1:
        yield Recipe(PurePosixPath(SITEMAP), key, partial(_part, site, library, paths, 0, limit))
        return
    names = [f"sitemap-{number}.xml" for number in range(1, len(starts) + 1)]
    yield Recipe(PurePosixPath(SITEMAP), key, partial(_index, site, library, names))
    for name, start in zip(names, starts, strict=True):
        yield Recipe(PurePosixPath(name), key, partial(_part, site, library, paths, start, limit))


def _changed(post: Post) -> datetime:
    return max(post.updated, post.published)


def _index(site: Site, library: Library, names: Iterable[str]) -> bytes:
    newest = max(map(_changed, library.posts), default=None)
    return _document(site, "sitemapindex", "sitemap", [(name, newest) for name in names])


def _part(site: Site, library: Library, paths: Iterable[str], start: int, limit: int) -> bytes:
    changed = {f"{post_path(post.slug)}index.html": _changed(post) for post in library.posts}
    if newest := max(changed.values(), default=None):
        changed |= dict.fromkeys(_MOVING, newest)
    shown = sorted(paths, key=lambda path: path.split("/"))[start : start + limit]
    return _document(site, "urlset", "url", [(path, changed.get(path)) for path in shown])


def _document(site: Site, kind: str, row: str, rows: Iterable[tuple[str, datetime | None]]) -> bytes:
    """Rows are a path below the web root, and when it changed."""
    root = etree.Element(kind, {"xmlns": _NAMESPACE})
    for path, changed in rows:
        element = etree.SubElement(root, row)
        etree.SubElement(element, "loc").text = site.address_of(path.removesuffix("index.html"))
        if changed:
            etree.SubElement(element, "lastmod").text = changed.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return bytes(etree.tostring(root, pretty_print=True, encoding="UTF-8", xml_declaration=True))
