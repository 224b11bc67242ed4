"""`sitemap.xml` (sitemaps.org 0.9): every page that readers shall find, with the day of its last change.

Pages that only lead on, that tell of a withdrawal, or that were not there are in no sitemap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import PurePosixPath

from lxml import etree

from newsletter.model import Library, Recipe, Site
from newsletter.publish import keys
from newsletter.publish.paths import SEARCH, SITEMAP, post_path

LIMIT = 50_000  # addresses in one file
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_UNLISTED = frozenset({"404.html", f"{SEARCH}index.html"})


def recipes(site: Site, library: Library, pages: Iterable[PurePosixPath], *, limit: int = LIMIT) -> Iterator[Recipe]:
    """How to make the one file; where there are more than `limit` pages, an index of several."""
    changed = {f"{post_path(post.slug)}index.html": max(post.updated, post.published) for post in library.posts}
    unlisted = _UNLISTED | {f"{post_path(post.slug)}index.html" for post in library.withdrawn}
    newest = max(changed.values(), default=None)
    shown = sorted({*map(str, pages)} - unlisted, key=lambda path: path.split("/"))
    rows = [(path, changed.get(path, newest)) for path in shown]
    parts = [rows[start : start + limit] for start in range(0, len(rows), limit)]
    if len(parts) == 1:
        yield _recipe(site, SITEMAP, "urlset", "url", parts[0])
        return
    names = [f"sitemap-{number}.xml" for number in range(1, len(parts) + 1)]
    yield _recipe(site, SITEMAP, "sitemapindex", "sitemap", [(name, newest) for name in names])
    yield from (_recipe(site, name, "urlset", "url", part) for name, part in zip(names, parts, strict=True))


_Rows = Sequence[tuple[str, datetime | None]]  # path below the web root, and when it changed


def _recipe(site: Site, name: str, kind: str, row: str, rows: _Rows) -> Recipe:
    told = "".join(f"{path} {changed}\n" for path, changed in rows)
    return Recipe(PurePosixPath(name), keys.of(site.url, kind, told), partial(_document, site, kind, row, rows))


def _document(site: Site, kind: str, row: str, rows: _Rows) -> bytes:
    root = etree.Element(kind, {"xmlns": _NAMESPACE})
    for path, changed in rows:
        element = etree.SubElement(root, row)
        etree.SubElement(element, "loc").text = site.address_of(path.removesuffix("index.html"))
        if changed:
            etree.SubElement(element, "lastmod").text = changed.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return bytes(etree.tostring(root, pretty_print=True, encoding="UTF-8", xml_declaration=True))
