"""The search page: `GET /search/?q=&topic=&year=`, without script.

Looking is all that it does. What a reader wrote is shown escaped and asked for as plain words; what is too long is
cut, what is no year or page counts as not given. Search engines are told to leave these pages alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from newsletter import words
from newsletter.publish.query import LAST_PAGE, LONGEST, Choice, Found, Query
from newsletter.web.answers import moved, other_method
from newsletter.web.pages import Pages
from newsletter.web.paths import folder_address, path_of, root_of


class Search(Protocol):
    """What answers."""

    def find(self, query: Query) -> Found | None:
        """One page of the answer; None while there is no index."""


@dataclass(frozen=True, slots=True)
class Way:
    """A link to another question."""

    text: str
    address: str


class SearchPage:
    """An ASGI application for the one address."""

    def __init__(self, pages: Pages, search: Search) -> None:
        self._pages = pages
        self._search = search

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method not in ("GET", "HEAD"):
            response = other_method(request.method, "GET, HEAD, OPTIONS")
        elif not path_of(scope).endswith("/"):
            response = moved(f"{folder_address('search')}?{request.url.query}".rstrip("?"))
        else:
            response = await run_in_threadpool(self._respond, request)
        await response(scope, receive, send)

    def _respond(self, request: Request) -> Response:
        query = asked(request.query_params)
        found = self._search.find(query)
        if found is None:
            sentence = "The index of this site is made when it is next published. All posts are listed meanwhile."
            return self._pages.plain(request.scope, 503, "Searching is not possible just now", sentence)
        site = self._pages.site
        here = root_of(path_of(request.scope))
        return self._pages.render(
            request.scope,
            "web/search.html",
            title=f"{query.words}: search" if query.words else "Search",
            found=found,
            sentence=told(found),
            home=here if site.web_url == site.url else f"{site.url}/",
            meant=Way(found.meant, address(Query(found.meant))) if found.meant else None,
            elsewhere=Way(_everywhere(found), address(Query(query.words))) if found.elsewhere else None,
            order=_order(found),
            before=_before(found),
            after=_after(found),
            topics=[Way(_option(choice), address(Query(topic=choice.value))) for choice in found.topics],
            years=[Way(_option(choice), address(Query(year=int(choice.value)))) for choice in found.years],
            dates=[words.long_date(hit.published) for hit in found.hits],
        )


def asked(parameters: Mapping[str, str]) -> Query:
    """The question in the parameters of an address; whatever cannot be one is left out."""
    get = parameters.get
    return Query(
        words=" ".join(get("q", "").split())[:LONGEST].strip(),
        topic=get("topic", "")[:LONGEST],
        year=_number(get("year", ""), 9999),
        newest=get("sort", "") == "newest",
        page=max(1, _number(get("page", ""), LAST_PAGE)),
    )


def address(query: Query) -> str:
    """The same page with another question."""
    given = {
        "q": query.words,
        "topic": query.topic,
        "year": query.year,
        "sort": "newest" if query.newest else "",
        "page": query.page if query.page > 1 else "",
    }
    return f"?{urlencode({name: value for name, value in given.items() if value}, errors='replace')}"


def told(found: Found) -> str:
    """`14 results for “hybrid” in Batteries, 2026`; empty when nothing was asked."""
    query = found.query
    place = _place(found)
    if query.words and found.total:
        return f"{words.count(found.total, 'result')} for “{query.words}”{place}"
    if query.words:
        return f"No post{place} has “{query.words}”."
    if query.restricted:
        return f"{words.count(found.total, 'post')}{place}" if found.total else f"There is no post{place}."
    return ""


def _place(found: Found) -> str:
    topic = next((choice.name for choice in found.topics if choice.value == found.query.topic), found.query.topic)
    parts = [part for part in (topic, str(found.query.year or "")) if part]
    return f" in {', '.join(parts)}" if parts else ""


def _everywhere(found: Found) -> str:
    return f"{words.count(found.elsewhere, 'result')} in all topics and years"


def _option(choice: Choice) -> str:
    return f"{choice.name} ({choice.posts:,})"


def _order(found: Found) -> tuple[Way, ...]:
    """The order that it is not in; only words can be more or less to the point."""
    query = found.query
    if found.total < 2 or not query.words:
        return ()
    other = replace(query, newest=not query.newest, page=1)
    return (Way("newest first" if other.newest else "best first", address(other)),)


def _before(found: Found) -> Way | None:
    query = found.query
    return Way("Results before", address(replace(query, page=query.page - 1))) if query.page > 1 else None


def _after(found: Found) -> Way | None:
    query = found.query
    return Way("More results", address(replace(query, page=query.page + 1))) if query.page < found.pages else None


def _number(text: str, most: int) -> int:
    """A whole number from 1 to `most`; 0 for anything else."""
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 6 and int(digits) <= most else 0
