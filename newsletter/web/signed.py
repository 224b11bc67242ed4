"""What pages behind the signed links of mails have in common: methods, how much is read, one answer to strangers."""

from __future__ import annotations

from abc import ABC, abstractmethod

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from newsletter.web.answers import other_method
from newsletter.web.forms import LONGEST_TOKEN, Fields, fields
from newsletter.web.pages import Pages


class SignedPage(ABC):
    """An ASGI application for one route with a `token` in its path."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD", "POST"):
            return other_method(request.method, "GET, HEAD, POST, OPTIONS")
        form = await fields(request)
        token: str = request.path_params["token"]
        if len(token) > LONGEST_TOKEN:
            return self._unknown(request.scope)
        return await run_in_threadpool(self._respond, request, token, form)

    @abstractmethod
    def _respond(self, request: Request, token: str, form: Fields) -> Response:
        """The page, in a thread; only a POST has a form."""

    @abstractmethod
    def _unknown(self, scope: Scope) -> Response:
        """The one answer to all tokens that are not ours."""
