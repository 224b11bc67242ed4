"""What an address that leads nowhere may have meant: the posts whose words are in its last part."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from starlette.responses import Response
from starlette.types import Scope

from newsletter.publish.query import Found, Hit, Query
from newsletter.web.pages import Pages
from newsletter.web.paths import path_of
from newsletter.web.search import Search

_MOST = 3
_DATED = re.compile(r"^\d{4}-\d\d-\d\d-")
_PAGE = re.compile(r"\.html?$", re.IGNORECASE)
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Guess:
    """A post that may have been meant."""

    title: str
    path: str
    date: str


class Guesses:
    """Looks into the index of what is public; knows nothing where there is none."""

    def __init__(self, pages: Pages, search: Search | None) -> None:
        self._pages = pages
        self._search = search

    def page(self, scope: Scope) -> Response | None:
        """The page for an address that leads nowhere, or None when nothing is like it."""
        found = self._find(asked(path_of(scope)))
        if not found:
            return None
        tongue = self._pages.tongue
        guesses = [Guess(hit.title.striptags(), hit.path, tongue.long_date(hit.published)) for hit in found[:_MOST]]
        title = tongue.say("There is no such page")
        return self._pages.render(scope, "web/404.html", title=title, status=404, newest=None, guesses=guesses)

    def _find(self, slug: str) -> tuple[Hit, ...]:
        if not self._search or not slug:
            return ()
        found: Found | None = self._search.find(Query(slug))
        if found and not found.hits and found.meant:
            found = self._search.find(Query(found.meant))
        return found.hits if found else ()


def asked(path: str) -> str:
    """The words of the last part of a path: `hybrid hatch` of `/2026/11/hybrid-hatch/`; none of a file's name."""
    last = _DATED.sub("", _PAGE.sub("", unquote(path.rstrip("/").rpartition("/")[2])))
    if "." in last or len(last) > _LONGEST:
        return ""
    return " ".join(word for word in re.split(r"[-_+\s]+", last) if len(word) > 1)
