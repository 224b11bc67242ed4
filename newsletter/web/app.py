"""The web application: the published folder at the root, and the pages behind readers' own links."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import jinja2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from newsletter.errors import NewsletterError
from newsletter.model import Site
from newsletter.usecases.catch_up import CatchUp
from newsletter.usecases.enroll import Unsubscribe
from newsletter.usecases.hold import Hold
from newsletter.usecases.new_address import NewAddress
from newsletter.usecases.own_data import OwnData
from newsletter.usecases.preferences import Preferences
from newsletter.web.answers import moved, other_method
from newsletter.web.confirm import ConfirmPage
from newsletter.web.folder import Folder
from newsletter.web.forms import MAX_BODY
from newsletter.web.fresh_link import FreshLinkPage
from newsletter.web.guard import Failures, Guard
from newsletter.web.guesses import Guesses
from newsletter.web.hold import HoldPage
from newsletter.web.links import link_header
from newsletter.web.moves import MovesFile
from newsletter.web.new_address import NewAddressPage, TakeBackPage
from newsletter.web.own_data import OwnDataPage
from newsletter.web.pages import Pages
from newsletter.web.paths import folder_address, path_of
from newsletter.web.preferences import PreferencesPage, Topics
from newsletter.web.proxies import Asker
from newsletter.web.search import Search, SearchPage
from newsletter.web.static import Static
from newsletter.web.subscribe import Beside, Desk, SubscribePage
from newsletter.web.unsubscribe import UnsubscribePage

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class Own:
    """What readers do with what is theirs."""

    preferences: Preferences
    data: OwnData
    address: NewAddress
    topics: Topics
    catch_up: CatchUp | None = None


def create_app(
    *,
    folder: Path,
    site: Site,
    templates: jinja2.Environment,
    unsubscribe: Unsubscribe,
    hold: Hold | None = None,
    own: Own | None = None,
    desk: Desk | None = None,
    search: Search | None = None,
    hosts: Sequence[str] = (),
    addresses: Path | None = None,
    proxies: Sequence[str] = (),
) -> Starlette:
    """The application for one site. `hosts` are host names it answers to beside those of the site and LOCAL_HOSTS;
    `addresses` is the file that says where old ones lead; `proxies` are the networks of our own proxies.

    `folder` may not exist yet: until the first publish every address in it is missing.
    """
    pages = Pages(site, templates)
    failures = Failures(pages)
    links = partial(link_header, site)
    static = Static(
        Folder(folder),
        form_origin=_origin(site.web_url),
        missing=_missing(pages),
        links=links,
        moves=MovesFile(addresses).now,
        guess=Guesses(pages, search).page,
    )
    unsubscribing = UnsubscribePage(pages, unsubscribe)
    return Starlette(
        routes=[
            Route("/u/{token}", unsubscribing, name="unsubscribe", max_body_size=MAX_BODY),
            *(_own(pages, own) if own else []),
            *(_joining(pages, desk) if desk else []),
            *([Route("/hold/{token}", HoldPage(pages, hold), name="hold", max_body_size=MAX_BODY)] if hold else []),
            *(Route(path, SearchPage(pages, search)) for path in ("/search", "/search/") if search),
            Route("/{path:path}", static, name="published"),
        ],
        middleware=[
            Middleware(Asker, trusted=proxies),
            Middleware(Guard, failures=failures),
            Middleware(TrustedHostMiddleware, allowed_hosts=_names(site, hosts), www_redirect=False),
            Middleware(Below, prefixes=_prefixes(site)),
        ],
        exception_handlers={HTTPException: failures.refused, NewsletterError: failures.busy},
    )


def _own(pages: Pages, own: Own) -> list[Route]:
    """The pages of readers who have a link."""
    chosen = PreferencesPage(pages, own.preferences, own.topics, own.catch_up)
    return [
        Route("/p", ToFolder()),
        Route("/p/", FreshLinkPage(pages, own.preferences), max_body_size=MAX_BODY),
        Route("/p/{token}", chosen, name="preferences", max_body_size=MAX_BODY),
        Route("/d/{token}", OwnDataPage(pages, own.data), name="data", max_body_size=MAX_BODY),
        Route("/m/{token}", NewAddressPage(pages, own.address), name="move", max_body_size=MAX_BODY),
        Route("/b/{token}", TakeBackPage(pages, own.address.back), name="take-back", max_body_size=MAX_BODY),
    ]


def _joining(pages: Pages, desk: Desk) -> list[Route]:
    return [
        Route("/subscribe/", SubscribePage(pages, desk), name="subscribe", max_body_size=MAX_BODY),
        Route("/subscribe/sent/", Beside(pages, desk, "sent")),
        Route("/subscribe/embed/", Beside(pages, desk, "embed")),
        *(Route(path, ToFolder()) for path in ("/subscribe", "/subscribe/sent", "/subscribe/embed")),
        Route("/c/{token}", ConfirmPage(pages, desk), name="confirm", max_body_size=MAX_BODY),
    ]


class ToFolder:
    """ASGI application for the address of a page without its slash."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = moved(folder_address(path_of(scope).rpartition("/")[2]))
        if scope["method"] not in {"GET", "HEAD"}:
            response = other_method(scope["method"], "GET, HEAD, OPTIONS")
        await response(scope, receive, send)


class Below:
    """ASGI middleware: a site at `https://host/blog` is found below `/blog` too, whether a proxy strips that or not."""

    def __init__(self, app: ASGIApp, *, prefixes: Sequence[str]) -> None:
        self._app = app
        self._prefixes = prefixes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self._app
        path: str = scope.get("path", "")
        for prefix in self._prefixes:
            if path == prefix:
                app = moved(folder_address(prefix.rpartition("/")[2]))
            elif path.startswith(f"{prefix}/"):
                scope = {**scope, "root_path": prefix}
        await app(scope, receive, send)


def _missing(pages: Pages) -> Callable[[Scope], Response]:
    say = pages.tongue.say

    def missing(scope: Scope) -> Response:
        sentence = say("It may have moved, or the address was cut off.")
        return pages.plain(scope, 404, say("There is no such page"), sentence)

    return missing


def _names(site: Site, hosts: Sequence[str]) -> list[str]:
    """Host names as a Host header has them: an IPv6 address in brackets."""
    configured = (urlsplit(url).hostname or "" for url in (site.url, site.web_url))
    names = {*hosts, *configured} - {""}
    return sorted({*LOCAL_HOSTS, *(f"[{name.strip('[]')}]" if ":" in name else name for name in names)})


def _prefixes(site: Site) -> list[str]:
    paths = {urlsplit(url).path.rstrip("/") for url in (site.url, site.web_url)}
    return sorted(paths - {""})


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
