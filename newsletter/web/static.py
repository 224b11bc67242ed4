"""The published folder over HTTP: GET and HEAD, validators, gzip, feed types, ranges (RFC 9110, 8.8, 12 to 14).

Each representation, that is each choice of media type and coding, has its own strong entity tag.
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import format_datetime

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from newsletter.web import media, ranges
from newsletter.web.answers import moved, other_method
from newsletter.web.folder import Folder, Stored
from newsletter.web.moves import Moves
from newsletter.web.negotiation import accepts_brotli, accepts_gzip, accepts_html, unchanged
from newsletter.web.paths import folder_address, path_of, segments_of

MISSING = ("404.html",)
_MARKS = {"": "", "gzip": "-gz", "br": "-br"}


class Static:
    """An ASGI application over a Folder; `missing` makes the page for an address that leads nowhere.

    `links` says the Link header of a path, or nothing; `moves` what became of old addresses. `guess` makes a
    page that says what may have been meant, if it knows.
    """

    def __init__(
        self,
        folder: Folder,
        *,
        form_origin: str,
        missing: Callable[[Scope], Response],
        links: Callable[[str], str] = lambda _path: "",
        moves: Callable[[], Moves] = Moves,
        guess: Callable[[Scope], Response | None] = lambda _scope: None,
    ) -> None:
        self._folder = folder
        self._form_origin = form_origin
        self._missing = missing
        self._links = links
        self._moves = moves
        self._guess = guess

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = self._answer(scope)
        if response.status_code == 404:
            guess = await run_in_threadpool(self._guess, scope)
            response = guess or response
        await response(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return other_method(scope["method"], "GET, HEAD, OPTIONS")
        path, moves = path_of(scope), self._moves()
        if location := moves.location(path):
            return moved(location)
        segments = segments_of(path)
        if segments is None:
            return self._not_found(scope)
        stored = self._folder.find(segments)
        if stored is not None and moves.is_gone(path):
            return self._plain(stored, 410)
        if stored is not None:
            return self._serve(stored, "/".join(segments), scope["method"], Headers(scope=scope))
        if self._folder.has_page(segments):
            return moved(folder_address(segments[-1]))
        return self._not_found(scope)

    def _serve(self, stored: Stored, path: str, method: str, asked: Headers) -> Response:
        name = path.rpartition("/")[2]
        coding, coded = _coded(stored, _joined(asked, "accept-encoding"))
        browser = name in media.FEEDS and accepts_html(_joined(asked, "accept"))
        etag = f'"{stored.tag}{"-page" if browser else ""}{_MARKS[coding]}"'
        headers = {"etag": etag, "cache-control": media.cache_control(name), **_vary(stored, name)}
        if unchanged(
            etag,
            stored.modified,
            if_none_match=_joined(asked, "if-none-match"),
            if_modified_since=asked.get("if-modified-since", ""),
        ):
            return Response(status_code=304, headers=headers)
        if links := self._links(path):
            headers["link"] = links
        headers["last-modified"] = format_datetime(stored.modified, usegmt=True)
        headers["content-type"] = media.media_type(name, for_browser=browser)
        headers["content-security-policy"] = media.content_policy(name, form_origin=self._form_origin)
        if coding:
            headers["content-encoding"] = coding
        return ranges.respond(method, asked, stored, coded, headers)

    def _not_found(self, scope: Scope) -> Response:
        stored = self._folder.find(MISSING)
        if stored is None or stored.content is None:
            return self._missing(scope)
        return self._plain(stored, 404)

    def _plain(self, page: Stored, status: int) -> Response:
        """A page about something that is not there."""
        policy = media.content_policy(MISSING[0], form_origin=self._form_origin)
        headers = {"content-security-policy": policy, "cache-control": "no-cache"}
        return Response(page.content, status, headers, media_type=media.media_type(MISSING[0]))


def _coded(stored: Stored, accept_encoding: str) -> tuple[str, bytes | None]:
    """The content coding that suits best, or none, and the bytes in it."""
    if stored.brotli and accepts_brotli(accept_encoding):
        return "br", stored.brotli
    if stored.gzipped and accepts_gzip(accept_encoding):
        return "gzip", stored.gzipped
    return "", stored.content


def _vary(stored: Stored, name: str) -> dict[str, str]:
    """The request headers that chose among representations, where there was a choice."""
    choices = [
        ("Accept-Encoding", stored.gzipped is not None or stored.brotli is not None),
        ("Accept", name in media.FEEDS),
    ]
    named = ", ".join(header for header, chosen in choices if chosen)
    return {"vary": named} if named else {}


def _joined(headers: Headers, name: str) -> str:
    """A list header as one value, though it may come in several lines (RFC 9110, 5.3)."""
    return ", ".join(headers.getlist(name))
