"""The page behind the unsubscribe link of a mail: `/u/TOKEN`.

Looking never changes anything, because scanners look at every link (RFC 9110, 9.2.1). A POST leaves: at once and
without a page when a mail client sends it (RFC 8058, 3.1), with a page that offers to undo it when a person
presses the button. All tokens that are not a reader's get one and the same answer.
"""

from __future__ import annotations

from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Scope

from newsletter.model import Subscriber, SubscriberStatus
from newsletter.web.forms import Fields
from newsletter.web.pages import PRIVATE_HEADERS, Pages
from newsletter.web.signed import SignedPage


class Unsubscribe(Protocol):
    """The use case. Each method answers None for a token that is not a reader's, whatever is wrong with it."""

    def look(self, token: str) -> Subscriber | None:
        """The reader; nothing is changed."""

    def leave(self, token: str, *, way: str) -> Subscriber | None:
        """The reader as they were before; now they have left. `way` is `link` or `one-click`; repeating is harmless."""

    def undo(self, token: str) -> Subscriber | None:
        """The reader as they are now: back, if they left a short while ago; else unchanged."""

    def may_undo(self, token: str) -> bool:
        """Whether `undo` would bring the reader back."""


class UnsubscribePage(SignedPage):
    def __init__(self, pages: Pages, unsubscribe: Unsubscribe) -> None:
        super().__init__(pages)
        self._unsubscribe = unsubscribe

    def _respond(self, request: Request, token: str, form: Fields) -> Response:
        if request.method != "POST":
            return self._look(request.scope, token)
        if form.get("List-Unsubscribe") == "One-Click":
            return self._one_click(request.scope, token)
        if form.get("do") == "undo":
            return self._undo(request.scope, token)
        return self._leave(request.scope, token)

    def _look(self, scope: Scope, token: str) -> Response:
        reader = self._unsubscribe.look(token)
        if reader is None:
            return self._unknown(scope)
        if reader.status is SubscriberStatus.LEFT:
            return self._already(scope, token, reader)
        if reader.status is SubscriberStatus.BLOCKED:
            return self._blocked(scope, reader)
        title = self._say("Stop emails to %(address)s?", address=masked(reader.address))
        return self._show(scope, "ask", title, reader)

    def _one_click(self, scope: Scope, token: str) -> Response:
        if self._unsubscribe.leave(token, way="one-click") is None:
            return self._unknown(scope)
        return PlainTextResponse("Unsubscribed\n", headers=PRIVATE_HEADERS)

    def _leave(self, scope: Scope, token: str) -> Response:
        before = self._unsubscribe.leave(token, way="link")
        if before is None:
            return self._unknown(scope)
        if before.status is SubscriberStatus.LEFT:
            return self._already(scope, token, before)
        if before.status is SubscriberStatus.BLOCKED:
            return self._blocked(scope, before)
        title = self._say("You have left %(publication)s", publication=self._pages.site.title)
        return self._show(scope, "done", title, before, undo=self._unsubscribe.may_undo(token))

    def _undo(self, scope: Scope, token: str) -> Response:
        reader = self._unsubscribe.undo(token)
        if reader is None:
            return self._unknown(scope)
        if reader.status is SubscriberStatus.LEFT:
            return self._show(scope, "late", self._say("It is too late to undo this"), reader)
        if reader.status is SubscriberStatus.BLOCKED:
            return self._blocked(scope, reader)
        return self._show(scope, "back", self._say("Welcome back"), reader)

    def _already(self, scope: Scope, token: str, reader: Subscriber) -> Response:
        title = self._say("You had already left.")
        if reader.left_at:
            day = self._pages.tongue.long_date(reader.left_at.astimezone(self._pages.site.timezone))
            title = self._say("You had already left on %(day)s.", day=day)
        return self._show(scope, "already", title, reader, undo=self._unsubscribe.may_undo(token))

    def _blocked(self, scope: Scope, reader: Subscriber) -> Response:
        title = self._say("Nothing is sent to %(address)s", address=masked(reader.address))
        return self._show(scope, "blocked", title, reader)

    def _show(self, scope: Scope, step: str, title: str, reader: Subscriber, *, undo: bool = False) -> Response:
        address = masked(reader.address)
        return self._pages.render(scope, "web/unsubscribe.html", title=title, step=step, address=address, undo=undo)

    def _unknown(self, scope: Scope) -> Response:
        return self._pages.plain(
            scope,
            404,
            self._say("This link does not work"),
            self._say(
                "It may have been cut off: copy the whole link from the mail. "
                "Or just reply to the mail and say that you want to leave."
            ),
        )

    def _say(self, sentence: str, **values: str) -> str:
        return self._pages.tongue.say(sentence, **values)


def masked(address: str) -> str:
    """`reader@example.org` as `r…@example.org`: enough for its owner, too little for the one it was forwarded to."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"
