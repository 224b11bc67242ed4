"""Every link from the site to itself leads to something that this publish writes.

Read from the finished bytes, not from the templates. `feedcheck` asks the same of what feeds say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import unquote, urldefrag, urljoin

from lxml import html

from newsletter.errors import Problem
from newsletter.model import File, Site

DYNAMIC = ("subscribe", "c/", "p/", "u/", "search")
"""Paths below `web_url` that `newsletter serve` answers itself."""

_ATTRIBUTES = ("href", "src", "poster", "cite", "action")
_IN_PAGES = " | ".join(f"//@{name}" for name in _ATTRIBUTES)
_PLAIN = re.compile(r"(?:\./|(?:\.\./)*)(?:[A-Za-z0-9_-][A-Za-z0-9_./-]*)?")
_ELSEWHERE = re.compile(r"https?://[A-Za-z0-9.-]+(?:[/?#]|$)")
_Anchors = Mapping[str, frozenset[str]]  # path of a page -> the ids in it


@dataclass(frozen=True, slots=True)
class Found:
    """An address where it stands."""

    file: str
    line: int  # 0 in feeds: a line of escaped text helps nobody
    address: str


def internal_links(files: Iterable[File], site: Site, known: AbstractSet[str] | None = None) -> list[Problem]:
    """F401 for a link to a page or file that is not there, F402 for a place that its page lacks (a warning),
    F403 for what is no address at all. `known` are the paths of all files of the site, when these are only some.

    Raises ValueError when a page is no HTML at all, which our own renderers never write.
    """
    contents = {str(file.path): file.content for file in files}
    pages = {path: _page(content) for path, content in contents.items() if path.endswith(".html")}
    anchors = {path: frozenset(str(name) for name in page.xpath("//@id")) for path, page in pages.items()}
    paths = contents.keys() if known is None else known
    return [p for link in dict.fromkeys(_in_pages(pages)) if (p := leading_nowhere(link, paths, site, anchors))]


def leading_nowhere(
    link: Found, paths: AbstractSet[str], site: Site, anchors: _Anchors = MappingProxyType({})
) -> Problem | None:
    """What is wrong with a link; `anchors` are those of the pages that are at hand."""
    if _plainly_right(link, paths, site):
        return None
    try:
        address, fragment = urldefrag(urljoin(site.address_of(link.file), link.address))
    except ValueError:
        return _malformed(link)
    if address.startswith(tuple(f"{site.web_url}/{path}" for path in DYNAMIC)):
        return None
    if not _below(address, site.url):
        return _dead(link) if _below(address, site.web_url) else None
    target = _target(address, site, paths)
    if target is None:
        return _dead(link)
    lost = fragment and target in anchors and unquote(fragment) not in anchors[target]
    return _lost_place(link, fragment) if lost else None


def _plainly_right(link: Found, paths: AbstractSet[str], site: Site) -> bool:
    """What most links are, seen without taking them apart: a page or file by its path, or another site."""
    path = link.address.removeprefix(f"{site.url}/")
    if not path or not _PLAIN.fullmatch(path):
        return bool(_ELSEWHERE.match(path)) and not path.startswith((site.url, site.web_url))
    folders = link.file.split("/")[:-1] if path == link.address else []
    while path.startswith("../") and folders:
        path = path[3:]
        folders.pop()
    whole = "/".join((*folders, path.removeprefix("./")))
    return "./" not in whole and (f"{whole}index.html" if not whole or whole.endswith("/") else whole) in paths


def _below(address: str, base: str) -> bool:
    return f"{address}/".startswith(f"{base}/")


def _target(address: str, site: Site, paths: AbstractSet[str]) -> str | None:
    """The file that a web server answers with, index pages included."""
    path = unquote(address.removeprefix(site.url).partition("?")[0]).strip("/")
    return next((file for file in (path, f"{path}/index.html".lstrip("/")) if file in paths), None)


def _page(content: bytes) -> html.HtmlElement:
    return html.document_fromstring(content, parser=html.HTMLParser(encoding="utf-8"))


def _in_pages(pages: Mapping[str, html.HtmlElement]) -> Iterator[Found]:
    for path, page in pages.items():
        for address in page.xpath(_IN_PAGES):
            yield Found(path, address.getparent().sourceline or 0, address.strip())


def _dead(link: Found) -> Problem:
    return Problem(
        "F401",
        f"A link leads nowhere: {link.address}",
        file=link.file,
        line=link.line,
        why="The address is on this site, and this publish writes no such page or file.",
        fixes=("correct the link in the post", "or publish the post that it means, with that slug"),
    )


def _malformed(link: Found) -> Problem:
    return Problem(
        "F403",
        f"A link is not an address: {link.address}",
        file=link.file,
        line=link.line,
        why="No browser can open it.",
        fixes=("write it as https://host/path, or as [[slug]] for a post of this site",),
    )


def _lost_place(link: Found, fragment: str) -> Problem:
    return Problem(
        "F402",
        f"A link leads to a place that its page does not have: #{fragment}",
        file=link.file,
        line=link.line,
        why=f"{link.address} opens, at the top instead of the place.",
        fixes=("take the name of a heading as it is in the page's source",),
        level="warn",
    )
