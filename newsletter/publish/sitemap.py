"""`sitemap.xml` (sitemaps.org 0.9): every page that readers shall find, with the day of its last change.

Pages that only lead on, that tell of a withdrawal, or that were not there are in no sitemap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath

from lxml import etree

from newsletter.model import File, Library, Site
from newsletter.publish.paths import SEARCH, SITEMAP, page_file, post_path

LIMIT = 50_000  # addresses in one file
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_UNLISTED = frozenset({PurePosixPath("404.html"), page_file(SEARCH)})


def files(site: Site, library: Library, pages: Iterable[PurePosixPath], *, limit: int = LIMIT) -> Iterator[File]:
    """One file; where there are more than `limit` pages, an index of several."""
    changed = {page_file(post_path(post.slug)): max(post.updated, post.published) for post in library.posts}
    gone = {page_file(post_path(post.slug)) for post in library.withdrawn}
    newest = max(changed.values(), default=None)
    shown = sorted({path for path in pages if path not in _UNLISTED | gone}, key=lambda path: path.parts)
    rows = [(_address(site, path), changed.get(path, newest)) for path in shown]
    parts = [rows[start : start + limit] for start in range(0, len(rows), limit)]
    if len(parts) == 1:
        yield File(PurePosixPath(SITEMAP), _document("urlset", "url", parts[0]))
        return
    names = [f"sitemap-{number}.xml" for number in range(1, len(parts) + 1)]
    yield File(
        PurePosixPath(SITEMAP), _document("sitemapindex", "sitemap", [(site.address_of(n), newest) for n in names])
    )
    yield from (File(PurePosixPath(n), _document("urlset", "url", part)) for n, part in zip(names, parts, strict=True))


def _address(site: Site, path: PurePosixPath) -> str:
    return site.address_of(str(path).removesuffix("index.html"))


def _document(kind: str, row: str, rows: Sequence[tuple[str, datetime | None]]) -> bytes:
    root = etree.Element(kind, {"xmlns": _NAMESPACE})
    for address, changed in rows:
        element = etree.SubElement(root, row)
        etree.SubElement(element, "loc").text = address
        if changed:
            etree.SubElement(element, "lastmod").text = changed.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return bytes(etree.tostring(root, pretty_print=True, encoding="UTF-8", xml_declaration=True))
