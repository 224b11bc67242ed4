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

from newsletter.publish.query import LAST_PAGE, LONGEST, Choice, Found, Query
from newsletter.tongue import Tongue
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
        query, tongue = asked(request.query_params), self._pages.tongue
        found = self._search.find(query)
        if found is None:
            sentence = tongue.say(
                "The index of this site is made when it is next published. All posts are listed meanwhile."
            )
            return self._pages.plain(request.scope, 503, tongue.say("Searching is not possible just now"), sentence)
        site = self._pages.site
        here = root_of(path_of(request.scope))
        return self._pages.render(
            request.scope,
            "web/search.html",
            title=tongue.say("%(words)s: search", words=query.words) if query.words else tongue.say("Search"),
            found=found,
            sentence=told(tongue, found),
            home=here if site.web_url == site.url else f"{site.url}/",
            meant=Way(found.meant, address(Query(found.meant))) if found.meant else None,
            elsewhere=Way(_everywhere(tongue, found), address(Query(query.words))) if found.elsewhere else None,
            order=_order(tongue, found),
            before=_before(tongue, found),
            after=_after(tongue, found),
            topics=[Way(_option(tongue, choice), address(Query(topic=choice.value))) for choice in found.topics],
            years=[Way(_option(tongue, choice), address(Query(year=int(choice.value)))) for choice in found.years],
            dates=[tongue.long_date(hit.published) for hit in found.hits],
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


def told(tongue: Tongue, found: Found) -> str:
    """`14 results for “hybrid” in Batteries, 2026`; empty when nothing was asked."""
    query, place = found.query, _place(tongue, found)
    if query.words and found.total:
        results = tongue.many(
            "%(num)s result for “%(words)s”", "%(num)s results for “%(words)s”", found.total, words=query.words
        )
        return tongue.say("%(results)s in %(place)s", results=results, place=place) if place else results
    if query.words and place:
        return tongue.say("No post in %(place)s has “%(words)s”.", place=place, words=query.words)
    if query.words:
        return tongue.say("No post has “%(words)s”.", words=query.words)
    if query.restricted and found.total:
        return tongue.say("%(results)s in %(place)s", results=tongue.posts(found.total), place=place)
    return tongue.say("There is no post in %(place)s.", place=place) if query.restricted else ""


def _place(tongue: Tongue, found: Found) -> str:
    """`Batteries, 2026`."""
    topic = next((choice.name for choice in found.topics if choice.value == found.query.topic), found.query.topic)
    return tongue.listed(*(part for part in (topic, str(found.query.year or "")) if part))


def _everywhere(tongue: Tongue, found: Found) -> str:
    return tongue.many(
        "%(num)s result in all topics and years", "%(num)s results in all topics and years", found.elsewhere
    )


def _option(tongue: Tongue, choice: Choice) -> str:
    return f"{tongue.isolated(choice.name)} ({tongue.number(choice.posts)})"


def _order(tongue: Tongue, found: Found) -> tuple[Way, ...]:
    """The order that it is not in; only words can be more or less to the point."""
    query = found.query
    if found.total < 2 or not query.words:
        return ()
    other = replace(query, newest=not query.newest, page=1)
    return (Way(tongue.say("newest first") if other.newest else tongue.say("best first"), address(other)),)


def _before(tongue: Tongue, found: Found) -> Way | None:
    query = found.query
    if query.page < 2:
        return None
    return Way(tongue.say("Results before"), address(replace(query, page=query.page - 1)))


def _after(tongue: Tongue, found: Found) -> Way | None:
    query = found.query
    if query.page >= found.pages:
        return None
    return Way(tongue.say("More results"), address(replace(query, page=query.page + 1)))


def _number(text: str, most: int) -> int:
    """A whole number from 1 to `most`; 0 for anything else."""
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 6 and int(digits) <= most else 0
