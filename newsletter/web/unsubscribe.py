"""The page behind the unsubscribe link of a mail: `/u/TOKEN`.

Looking never changes anything, because scanners look at every link (RFC 9110, 9.2.1). A POST leaves: at once and
without a page when a mail client sends it (RFC 8058, 3.1), with a page that offers to undo it when a person
presses the button. Quieter buttons lessen what comes. All tokens that are not a reader's get one and the same answer.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Scope

from newsletter.model import Evidence, Subscriber, SubscriberStatus
from newsletter.usecases.enroll import REASONS, Pressed, Unsubscribe
from newsletter.web.forms import Fields
from newsletter.web.outlook import day_of, outlook
from newsletter.web.pages import PRIVATE_HEADERS, Pages
from newsletter.web.signed import SignedPage
from newsletter.words import masked

PAGE = "/u/"
"""What the record of consent calls the page: its address without the token."""

ONE_CLICK = Evidence("one-click", "List-Unsubscribe=One-Click", PAGE)


class UnsubscribePage(SignedPage):
    def __init__(self, pages: Pages, unsubscribe: Unsubscribe) -> None:
        super().__init__(pages)
        self._unsubscribe = unsubscribe

    def _respond(self, request: Request, token: str, form: Fields) -> Response:
        if request.method != "POST":
            return self._answer_to("look", request.scope, self._unsubscribe.look(token))
        if form.get("List-Unsubscribe") == "One-Click":
            return self._one_click(request.scope, token)
        do = form.get("do", "")
        return self._answer_to(do, request.scope, self._act(do, token, form))

    def _act(self, do: str, token: str, form: Fields) -> Pressed | None:
        """What a button does; whatever else is posted leaves, as a mail client means it."""
        act = self._unsubscribe
        match do:
            case "monthly":
                return act.monthly(token, self._pressed(self._say("Once a month")))
            case "pause":
                return act.pause(token, self._pressed(self._say("Pause for 4 weeks")))
            case "undo":
                return act.undo(token, form.get("undo", ""), self._pressed(self._say("Undo")))
            case "why":
                return act.say_why(token, form.get("why", ""))
            case "feed":
                return act.leave(token, self._pressed(self._say("Follow by feed instead")))
        return act.leave(token, self._pressed(self._say("Stop emails")))

    def _one_click(self, scope: Scope, token: str) -> Response:
        if not self._unsubscribe.one_click(token, ONE_CLICK):
            return self._unknown(scope)
        return PlainTextResponse("Unsubscribed\n", headers=PRIVATE_HEADERS)

    def _answer_to(self, do: str, scope: Scope, pressed: Pressed | None) -> Response:
        if pressed is None:
            return self._unknown(scope)
        before, reader = pressed.before.status, pressed.reader
        if reader.status is SubscriberStatus.BLOCKED:
            return self._show(scope, "blocked", self._blocked(reader), pressed)
        if do == "why":
            return self._show(scope, "thanks", self._say("Thank you"), pressed)
        if reader.status is SubscriberStatus.LEFT:
            return self._gone(do, scope, pressed, now=before is not SubscriberStatus.LEFT)
        if do == "undo" and (before, pressed.before.edition) != (reader.status, reader.edition):
            left = before is SubscriberStatus.LEFT
            title = self._say("Welcome back") if left else self._say("It is as it was before")
            return self._show(scope, "back", title, pressed)
        if do in ("pause", "monthly") and pressed.undo:
            paused = reader.status is SubscriberStatus.PAUSED
            title = self._say("The emails are paused") if paused else self._say("Fewer emails from now on")
            return self._show(scope, "less", title, pressed)
        title = self._say("Stop emails to %(address)s?", address=masked(reader.address))
        return self._show(scope, "ask", title, pressed)

    def _gone(self, do: str, scope: Scope, pressed: Pressed, *, now: bool) -> Response:
        if now:
            title = self._say("You have left %(publication)s", publication=self._pages.site.title)
            return self._show(scope, "feed" if do == "feed" else "done", title, pressed)
        if do == "undo":
            return self._show(scope, "late", self._say("It is too late to undo this"), pressed)
        return self._show(scope, "already", self._already(pressed.reader), pressed)

    def _already(self, reader: Subscriber) -> str:
        if not reader.left_at:
            return self._say("You had already left.")
        day = day_of(self._pages.tongue, reader.left_at, self._pages.site.timezone)
        return self._say("You had already left on %(day)s.", day=day)

    def _blocked(self, reader: Subscriber) -> str:
        return self._say("Nothing is sent to %(address)s", address=masked(reader.address))

    def _show(self, scope: Scope, step: str, title: str, pressed: Pressed) -> Response:
        reader = pressed.reader
        return self._pages.render(
            scope,
            "web/unsubscribe.html",
            title=title,
            step=step,
            address=masked(reader.address),
            undo=pressed.undo,
            outlook=outlook(self._pages.tongue, reader, *self._unsubscribe.outlook(reader)),
            monthly=self._unsubscribe.may_get_less(reader),
            pause=reader.status is SubscriberStatus.ACTIVE,
            reasons=[(key, self._reason(key)) for key in REASONS],
        )

    def _reason(self, key: str) -> str:
        told = {
            "too-often": self._say("Too many emails"),
            "not-for-me": self._say("Not what I expected"),
            "never-asked": self._say("I never asked for them"),
        }
        return told.get(key) or self._say("Another reason")

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

    def _pressed(self, button: str) -> Evidence:
        return Evidence("link", button, PAGE)

    def _say(self, sentence: str, **values: str) -> str:
        return self._pages.tongue.say(sentence, **values)
