"""The application of `newsletter preview`: reads only, and answers this machine only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import urlsplit

import jinja2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from newsletter.errors import NewsletterError
from newsletter.model import Recipe
from newsletter.web import media
from newsletter.web.answers import moved
from newsletter.web.app import LOCAL_HOSTS
from newsletter.web.guard import Failures, Guard
from newsletter.web.pages import Pages
from newsletter.web.paths import folder_address, segments_of
from newsletter.web.preview import bars
from newsletter.web.preview.frame import EVENTS, MARKS, PRIVATE, SCRIPT, STYLE, Frame
from newsletter.web.preview.live import Live, State
from newsletter.web.preview.mails import Mails

_LOOK_AGAIN = 1.0
"""Seconds between looks at the outbox, of which no watcher tells."""


def create_preview(live: Live, templates: jinja2.Environment) -> Starlette:
    """The application over a Live site. `templates` are the built-in ones, which always work."""
    frame = Frame(live, templates)
    mails = Mails(live, frame)
    pages = PreviewPages(live, frame, templates)
    failures = Failures(Pages(live.state.site, templates))
    return Starlette(
        routes=[
            Route(EVENTS, pages.events),
            Route(SCRIPT, pages.script),
            Route(STYLE, pages.style),
            Route(MARKS, pages.marks),
            Route("/next/", mails.next_page),
            Route("/next/mail.html", mails.next_framed),
            Route("/next/mail.eml", mails.next_file),
            Route("/outbox/", mails.outbox),
            Route("/outbox/{name}/", mails.outbox_page),
            Route("/outbox/{name}/mail.html", mails.outbox_framed),
            Route("/outbox/{name}/mail.eml", mails.outbox_file),
            Route("/u/{token}", pages.elsewhere),
            Route("/search/", pages.elsewhere),
            Route("/{path:path}", pages.site),
        ],
        middleware=[
            Middleware(Guard, failures=failures),
            Middleware(TrustedHostMiddleware, allowed_hosts=LOCAL_HOSTS, www_redirect=False),
        ],
        exception_handlers={HTTPException: failures.refused},
    )


class PreviewPages:
    """The site's pages as they would be, and what makes them reload."""

    def __init__(self, live: Live, frame: Frame, templates: jinja2.Environment) -> None:
        self._live = live
        self._frame = frame
        self._templates = templates

    def site(self, request: Request) -> Response:
        state = self._live.state
        path = request.url.path
        prefix = urlsplit(state.site.url).path
        segments = segments_of(path.removeprefix(prefix) if path.startswith(f"{prefix}/") else path)
        if path in ("/next", "/outbox"):
            return moved(folder_address(path[1:]))
        recipes = state.preview.recipes
        name = "/".join(segments or ())
        if name in recipes:
            return self._file(name, recipes[name], state)
        if f"{name}/index.html" in recipes:
            return moved(folder_address(name.rpartition("/")[2]))
        if not recipes:
            return self._nothing(state)
        if "404.html" in recipes:
            return self._file("404.html", recipes["404.html"], state, status=404)
        raise HTTPException(404)

    def _file(self, name: str, recipe: Recipe, state: State, status: int = 200) -> Response:
        try:
            content = recipe.make()
        except NewsletterError as error:
            return self._nothing(replace(state, problems=state.problems or error.problems))
        if name.endswith(".html"):
            return self._frame.dress(name, content, state, status=status)
        headers = {**PRIVATE, "content-security-policy": media.content_policy(name, form_origin="")}
        return Response(content, headers=headers, media_type=media.media_type(name, for_browser=True))

    def _nothing(self, state: State) -> Response:
        return self._frame.render("nothing.html", state, title=state.site.title, here="")

    async def events(self, request: Request) -> Response:
        """The stream that names the version of the site: at once, and whenever there is another."""
        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=PRIVATE)
        stream = self._versions(outbox="outbox" in request.query_params)
        return StreamingResponse(stream, media_type="text/event-stream", headers={**PRIVATE, "x-accel-buffering": "no"})

    async def _versions(self, *, outbox: bool) -> AsyncIterator[str]:
        told = ""
        yield "retry: 500\n\n"
        with self._live.listening() as listener:
            while not self._live.stopped:
                version = self._frame.version(self._live.state, outbox=outbox)
                if version != told:
                    told = version
                    yield f"data: {version}\n\n"
                await listener.wait(_LOOK_AGAIN)

    def script(self, _request: Request) -> Response:
        return self._built_in("reload.js", "text/javascript; charset=utf-8")

    def style(self, _request: Request) -> Response:
        return self._built_in("preview.css", "text/css; charset=utf-8")

    def marks(self, _request: Request) -> Response:
        sheet = bars.draft_marks(self._live.state.preview.hidden)
        return Response(sheet, headers=PRIVATE, media_type="text/css; charset=utf-8")

    def _built_in(self, name: str, kind: str) -> Response:
        source = self._templates.get_template(f"web/preview/{name}").render()
        return Response(source, headers=PRIVATE, media_type=kind)

    def elsewhere(self, _request: Request) -> Response:
        """The unsubscribe link of a mail, and the search: nobody leaves, and nothing is indexed, through a preview."""
        told = "The preview changes nothing and searches nothing: `newsletter serve` answers this address.\n"
        return PlainTextResponse(told, headers=PRIVATE)
