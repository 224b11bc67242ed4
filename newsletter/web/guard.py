"""Between the network and the rooms: headers that every answer carries, and an answer to every failure.

Nothing that goes wrong shows a reader a traceback, and no address, which may hold a token, is logged.
"""

from __future__ import annotations

import asyncio
import logging
import secrets

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.tongue import Tongue
from newsletter.web.pages import Pages

_log = logging.getLogger("newsletter.web")

_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "content-security-policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
}


class Guard:
    """The outermost ASGI middleware."""

    def __init__(self, app: ASGIApp, *, failures: Failures) -> None:
        self._app = app
        self._failures = failures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _complete(MutableHeaders(scope=message))
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            return  # they hung up; nobody is left to answer
        except asyncio.CancelledError:  # the server stops, and this request took longer than it waits
            if not started:
                await self._failures.stopping(scope)(scope, receive, send_with_headers)
        except Exception as error:  # the last line of defence
            response = self._failures.failed(scope, error)
            if not started:  # else half an answer went out, and the server closes the connection
                await response(scope, receive, send_with_headers)


class Failures:
    """Pages for what goes wrong; the first two have the form of Starlette's exception handlers."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def refused(self, request: Request, error: Exception) -> Response:
        """An HTTPException: the request was at fault, and its status says how."""
        if not isinstance(error, HTTPException):
            raise error
        title, sentence = _refusals(self._pages.tongue).get(error.status_code, (error.detail, ""))
        response = self._pages.plain(request.scope, error.status_code, title, sentence)
        response.headers.update(error.headers or {})
        return response

    async def busy(self, request: Request, error: Exception) -> Response:
        """A NewsletterError: the database or the disk said no. A mail client that asked to leave will ask again."""
        _log.error("A page had to wait: %s", error)
        return self.stopping(request.scope)

    def stopping(self, scope: Scope) -> Response:
        """Nothing is wrong with the request, only with the moment."""
        say = self._pages.tongue.say
        response = self._pages.plain(scope, 503, say("Please try again in a minute"), say("Nothing was changed."))
        response.headers["retry-after"] = "60"
        return response

    def failed(self, scope: Scope, error: Exception) -> Response:
        """Anything else is a fault of ours: the log has the traceback under a reference that the reader is given."""
        reference = secrets.token_hex(4)
        _log.error("A page failed; its reader was given the reference %s", reference, exc_info=error)
        say = self._pages.tongue.say
        sentence = say("It is our fault. If you tell us, name %(reference)s.", reference=reference)
        return self._pages.plain(scope, 500, say("This page failed"), sentence)


def _refusals(tongue: Tongue) -> dict[int, tuple[str, str]]:
    """Title and sentence by status, where the reader may learn more than that it is refused."""
    say = tongue.say
    return {
        400: (say("Bad Request"), say("The request could not be understood.")),
        408: (say("Request Timeout"), say("The request took too long. Please try again.")),
        413: (say("Content Too Large"), say("The request was too large.")),
    }


def _complete(headers: MutableHeaders) -> None:
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
